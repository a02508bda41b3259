"""Rating in a real Chromium: by keyboard, by pointer, on a phone, through lost connections and reloads."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pad_parts import ON_ONE_SCREEN, Desk, enter, press, shows, skip, status, values
from playwright.sync_api import Page, Request, Route, expect

from annotate.project import SAMPLE_MARKER, Project
from reward.aspects import ASPECTS

pytestmark = pytest.mark.browser

MakeProject = Callable[..., Project]
NewPage = Callable[..., Page]


def test_three_images_by_keyboard_alone(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    for image_id, keys in ((1, "7 3 x 0 5"), (2, "Numpad9 NumpadMultiply Numpad1 8 6 ArrowLeft"), (3, "1 2 3 4 5")):
        shows(page, image_id)
        press(page, keys)
        if image_id == 3:
            press(page, "ArrowUp ArrowUp ArrowRight ArrowRight ArrowRight ArrowDown ArrowLeft")
        page.keyboard.press("Enter")
        status(page, f"Saved. {image_id} of 4 rated.")
    shows(page, 4)
    # The files come true by themselves: serving the app runs the exporter.
    deadline = time.monotonic() + 60
    while not desk.project.ratings_csv.exists() or desk.project.ratings_csv.read_text().count("\n") < 4:
        assert time.monotonic() < deadline, "the ratings CSV was not written"
        time.sleep(0.05)
    columns = [aspect.column for aspect in ASPECTS]
    found = {row["image_path"]: [row[c] for c in columns] for row in desk.rows(desk.project.ratings_csv)}
    assert found == {
        "data/images/p01/1.png": ["7", "3", "10", "0", "5"],
        "data/images/p01/2.png": ["9", "10", "1", "8", "5.9"],
        "data/images/p02/1.png": ["1", "2", "3.3", "3.9", "5"],
    }


def test_an_untouched_head_can_not_be_saved(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    press(page, "7 7 7 7")
    save = page.get_by_role("button", name="Save & next")
    expect(save).to_have_attribute("aria-disabled", "true")
    for act in (lambda: page.keyboard.press("Enter"), lambda: save.click(force=True)):
        act()
        status(page, "Not rated yet: Material.")
        expect(page.locator(".pad-head.missing .pad-label")).to_have_text("Material")
    assert desk.store.ratings_since(0) == []
    press(page, "ArrowDown 4")
    expect(save).to_have_attribute("aria-disabled", "false")
    save.click()
    shows(page, 2)
    assert len(desk.store.ratings_since(0)) == 1


def test_can_not_judge_leaves_a_blank_cell(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    page.get_by_role("button", name="Can’t judge Style").click()
    assert values(page)[2] == "can’t judge"
    press(page, "ArrowUp ArrowUp 1 2 ArrowDown 4 5 Enter")
    shows(page, 2)
    row = desk.rows(desk.project.ratings_csv)[0]
    assert [row[aspect.column] for aspect in ASPECTS] == ["1", "2", "", "4", "5"]
    assert desk.store.ratings_since(0)[0].unjudged == ("style",)
    mark = page.get_by_role("button", name="Can’t judge Spatial")
    mark.click()
    expect(mark).to_have_attribute("aria-pressed", "true")
    press(page, "6")  # a digit rates it after all
    expect(mark).to_have_attribute("aria-pressed", "false")


def test_a_second_enter_stores_nothing(new_page: NewPage, desk: Desk) -> None:
    page = new_page(routed=True)
    enter(page, desk)

    def slowly(route: Route) -> None:
        time.sleep(0.3)
        route.continue_()

    page.route("**/api/ratings", slowly)
    press(page, "5 5 5 5 5 Enter Enter Enter")
    page.locator(".pad-actions .pad-save").dblclick(force=True)
    shows(page, 2)
    assert len(desk.store.ratings_since(0)) == 1
    press(page, "5 5 5 5 5")
    page.locator(".pad-actions .pad-save").dblclick(force=True)
    shows(page, 3)
    assert [row.image_id for row in desk.store.ratings_since(0)] == [1, 2]


def test_a_refusal_is_shown_in_words(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    (desk.project.images / "p01" / "1.png").unlink()
    desk.store.rescan()
    press(page, "1 2 3 4 5 Enter")
    status(page, "Not saved: There is no image 1; it may have been removed.")
    assert values(page)[0].startswith("1.0")
    expect(page.locator(".pad-waiting")).to_be_hidden()


def test_a_reload_keeps_the_person_and_the_place(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk, "Ada Lovelace")
    press(page, "5 5 5 5 5 Enter")
    shows(page, 2)
    page.reload()
    shows(page, 2)
    expect(page.locator(".pad-count")).to_have_text("1 of 4 rated")
    expect(page.get_by_label("Rating as")).to_have_value("Ada Lovelace")


def test_typing_a_name_rates_nothing_and_changes_the_person(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    press(page, "5 5 5 5 5 Enter")
    shows(page, 2)
    page.get_by_label("Rating as").fill("")
    page.keyboard.type("Bob 7x")
    assert values(page) == ["not rated yet"] * 5
    page.keyboard.press("Enter")
    status(page, "Now rating as Bob 7x.")
    shows(page, 1)
    page.get_by_label("Rating as").fill("=1+1")
    page.keyboard.press("Enter")
    status(page, "The name stays Bob 7x: A name can't begin with")


def test_a_name_is_asked_until_it_can_be_stored(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    page.goto(desk.url)
    page.get_by_label("Your name").fill("@me")
    page.keyboard.press("Enter")
    expect(page.locator(".pad-start-problem")).to_contain_text("A name can't begin with")


def test_the_pointer_rates_what_it_touches_and_nothing_else(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    style = page.get_by_role("slider", name="Style")
    box = style.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for button in ("right", "middle"):
        page.mouse.click(*middle, button=button)
        assert values(page) == ["not rated yet"] * 5, f"the {button} button"
    page.keyboard.press("Escape")  # a context menu, where one opened
    page.mouse.move(box["x"], box["y"] - 300)
    page.mouse.down()
    page.mouse.move(*middle)
    page.mouse.up()
    assert values(page) == ["not rated yet"] * 5, "a press that began elsewhere"
    page.mouse.click(*middle)  # where the hidden thumb rests
    assert values(page)[2].startswith("5.0")
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    assert values(page) == ["not rated yet", "not rated yet", "10.0excellent", "not rated yet", "not rated yet"]
    expect(style).to_have_attribute("aria-valuetext", "10.0, excellent: masterly handling and palette")
    expect(page.get_by_role("slider", name="Spatial")).to_have_attribute("aria-valuetext", "not rated yet")
    # A press that ends elsewhere is over: the next one that only ends here rates nothing.
    page.mouse.down()
    page.mouse.move(box["x"], box["y"] - 300)
    page.mouse.up()
    page.get_by_role("button", name="Can’t judge Style").click()
    page.mouse.move(box["x"], box["y"] - 300)
    page.mouse.down()
    page.mouse.move(*middle)
    page.mouse.up()
    assert values(page)[2] == "can’t judge"


def test_keys_that_are_held_or_modified_rate_nothing_more(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    page.keyboard.down("7")
    for _ in range(5):
        page.keyboard.down("7")  # the browser repeats a held key
    page.keyboard.up("7")
    press(page, "Control+8 Alt+9 Shift+Digit1")
    assert values(page) == ["7.0good", *["not rated yet"] * 4]
    press(page, "ArrowUp ArrowUp ArrowLeft")  # the first head is the first, whatever comes
    assert values(page)[0] == "6.9average"
    press(page, "x ArrowUp ArrowRight")
    assert values(page)[0] == "10.0excellent"


def test_skipped_images_come_last_and_then_all_is_rated(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    skip(page)
    status(page, "Skipped; it comes again at the end.")
    for image_id in (2, 3, 4, 1):
        shows(page, image_id)
        press(page, "5 5 5 5 5 Enter")
    expect(page.get_by_role("heading", name="All rated")).to_be_visible()
    expect(page.locator(".pad-message-text")).to_contain_text("you have rated all 4 images")


def test_the_next_person_can_rate_when_one_has_finished(new_page: NewPage, desk: Desk) -> None:
    (desk.project.images / "p01" / "empty.png").touch()
    desk.store.rescan()
    page = new_page()
    enter(page, desk)
    for image_id in (1, 2, 3, 4):
        shows(page, image_id)
        press(page, "5 5 5 5 5 Enter")
    expect(page.get_by_role("heading", name="All rated")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="All rated")).to_be_visible()
    page.locator(".pad-notices summary").click()
    expect(page.locator(".pad-notices li")).to_contain_text("empty.png")
    page.get_by_label("Somebody else’s turn? Their name").fill("Next")
    page.get_by_role("button", name="Start rating").click()
    shows(page, 1)
    expect(page.locator(".pad-count")).to_have_text("0 of 4 rated")


def test_the_next_image_is_there_before_it_is_needed(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/images/" in request.url:
            asked.append(request.url.split("/api/images/")[1].split("?")[0])
        elif request.url.endswith("/api/ratings"):
            asked.append("save")

    page.on("request", note)
    enter(page, desk)
    page.wait_for_function("performance.getEntriesByType('resource').some((e) => e.name.includes('/images/2?'))")
    press(page, "5 5 5 5 5 Enter")
    shows(page, 2)
    assert asked[:4] == ["1", "2", "3", "save"]
    assert asked.count("2") == 1
    shown = page.evaluate("document.querySelector('.pad-stage img').naturalWidth")
    assert shown == 640


def test_full_size_shows_the_pictures_own_pixels(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    page.keyboard.press("f")
    full = page.locator(".pad-full img")
    expect(full).to_be_visible()
    box = full.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (640, 480)
    press(page, "7 Enter")
    assert values(page)[0] == "not rated yet"
    page.keyboard.press("Escape")
    expect(full).to_be_hidden()
    page.keyboard.press("7")
    assert values(page)[0] == "7.0good"


def test_a_prompt_is_text_whatever_it_holds(
    new_page: NewPage, make_project: MakeProject, start_desk: Callable[[Project], Desk]
) -> None:
    project = make_project(prompts=1, images=1)
    prompt = "<img src=x onerror=\"document.title='broken in'\"> ${1+1} {{value}} <script>1</script>"
    quoted = prompt.replace('"', '""')
    project.prompts_csv.write_text(f'prompt_id,prompt\np01,"{quoted}"\n', encoding="utf-8")
    page = new_page()
    enter(page, start_desk(project), "<b>Bob</b>")
    expect(page.locator(".pad-prompt-text")).to_have_text(prompt)
    assert page.locator(".pad-prompt-text *").count() == 0
    assert page.title() != "broken in"


def test_a_picture_that_can_not_be_shown_can_not_be_rated(new_page: NewPage, desk: Desk) -> None:
    (desk.project.images / "p01" / "1.png").write_bytes(b"overwritten after the studio looked at it")
    page = new_page()
    page.goto(desk.url)
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    page.wait_for_selector(".pad-stage.broken")
    press(page, "5 5 5 5 5 Enter")
    status(page, "This image can’t be shown, so it can’t be rated. Skip it.")
    assert desk.store.ratings_since(0) == []
    skip(page)
    shows(page, 2)


def test_a_project_without_images_says_what_to_do(
    new_page: NewPage, tmp_path: Path, start_desk: Callable[[Project], Desk]
) -> None:
    (tmp_path / "data").mkdir()
    page = new_page()
    page.goto(start_desk(Project(tmp_path / "data", base=tmp_path)).url)
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No images yet")).to_be_visible()
    expect(page.locator(".pad-message-text")).to_contain_text("images/<prompt_id>/")


def test_a_phone_rates_by_touch_without_sideways_scrolling(new_page: NewPage, desk: Desk) -> None:
    page = new_page(390, 844, touch=True)
    page.goto(desk.url)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Start rating").tap()
    shows(page, 1)
    for aspect in ASPECTS:
        page.get_by_role("slider", name=aspect.label).tap()
    expect(page.locator(".pad-value")).to_have_text(["5.0average"] * 5)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="Save & next").tap()
    shows(page, 2)
    assert desk.rows(desk.project.ratings_csv)[0]["style_rating"] == "5"


def test_a_finger_that_scrolls_the_page_rates_nothing(new_page: NewPage, desk: Desk) -> None:
    page = new_page(390, 844, touch=True)
    page.goto(desk.url)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Start rating").tap()
    shows(page, 1)
    page.evaluate(
        "window.cancelled = 0; document.addEventListener('pointercancel', () => (window.cancelled += 1), true)"
    )
    slider = page.get_by_role("slider", name="Style")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    x, y = box["x"] + 60, box["y"] + box["height"] / 2
    finger = page.context.new_cdp_session(page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 15):
        at = {"x": x, "y": y - 10 * step}
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function("window.cancelled > 0")
    assert values(page) == ["not rated yet"] * 5


def test_the_sample_says_where_ones_own_ratings_go(
    new_page: NewPage, make_project: MakeProject, start_desk: Callable[[Project], Desk]
) -> None:
    project = make_project(prompts=1, images=1)
    (project.root / SAMPLE_MARKER).write_text("simulated")
    desk = start_desk(project)
    where = "Your own ratings are in data/annotations/own/, apart from the simulated ones."
    page = new_page()
    page.goto(desk.url)
    expect(page.locator(".pad-message-text")).to_contain_text(where)
    enter(page, desk)
    expect(page.get_by_title(where)).to_be_visible()
    press(page, "1 2 3 4 5 Enter")
    expect(page.get_by_role("heading", name="All rated")).to_be_visible()
    expect(page.locator(".pad-message-text")).to_contain_text(where)
    assert desk.rows(project.own_annotations / "ratings_per_annotator.csv")[0]["annotator"] == "Ada"
    assert not project.ratings_csv.exists()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_stands_on_one_screen(
    new_page: NewPage, make_project: MakeProject, start_desk: Callable[[Project], Desk], screenshots: Path, dark: bool
) -> None:
    project = make_project(prompts=1, images=2, size=(768, 768))
    (project.root / SAMPLE_MARKER).write_text("simulated")
    desk = start_desk(project)
    shade = "dark" if dark else "light"
    page = new_page(1280, 720, dark=dark)
    enter(page, desk)
    press(page, "7 3 x ArrowLeft")
    page.get_by_role("button", name="Can’t judge Material").click()
    expect(page.get_by_text("simulated ratings")).to_be_visible()
    page.wait_for_function(ON_ONE_SCREEN)
    for name in (".pad-stage img", ".pad-actions .pad-save", ".pad-head:last-child .pad-scale"):
        box = page.locator(name).bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 720
    # Nothing in the column of sliders lies over something else.
    assert page.evaluate(
        "[...document.querySelectorAll('.pad-head')].every((head, i, all) => i === 0 || "
        "head.getBoundingClientRect().top >= all[i - 1].getBoundingClientRect().bottom - 0.5)"
    )
    page.screenshot(path=screenshots / f"rating-1280-{shade}.png")
    phone = new_page(390, 844, dark=dark)
    phone.goto(desk.url)
    phone.get_by_label("Your name").fill("Bob")
    phone.keyboard.press("Enter")
    shows(phone, 1)
    press(phone, "7 3")
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    phone.screenshot(path=screenshots / f"rating-390-{shade}.png", full_page=True)
