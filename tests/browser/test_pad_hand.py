"""The pad for the hand in a real Chromium: every key, forty images by keyboard, a phone, a screen reader's view."""

import time
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from pad_parts import Desk, enter, numbers, on_stage, press, shows, status, values
from playwright.sync_api import Page, expect

from annotate.project import Project

pytestmark = pytest.mark.browser

NewPage = Callable[..., Page]
MakeProject = Callable[..., Project]
StartDesk = Callable[[Project], Desk]


def test_every_key_does_what_the_help_says(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    press(page, "4 Shift+ArrowRight")
    assert numbers(page)[:2] == ["4.0", "6.0"]
    press(page, "Shift+ArrowLeft Shift+ArrowLeft ArrowRight")
    assert numbers(page)[1] == "4.1"
    press(page, "NumpadAdd NumpadAdd NumpadSubtract")
    assert numbers(page)[1] == "5.1"
    press(page, "ArrowDown n Numpad8 NumpadMultiply")
    assert values(page)[2:] == ["can’t judge", "8.0good", "10.0excellent"]
    press(page, "ArrowUp ArrowUp 3")
    assert numbers(page)[2] == "3.0"
    press(page, "?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("skip the image, with a reason")
    press(page, "7 s")  # nothing behind the dialog
    press(page, "?")
    expect(keys).to_be_hidden()
    assert numbers(page) == ["4.0", "5.1", "3.0", "8.0", "10.0"]
    press(page, "NumpadEnter")
    shows(page, 2)
    assert desk.store.ratings_since(0)[0].values == (4, 5.1, 3, 8, 10)


def test_save_says_which_heads_are_missing(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    save = page.get_by_role("button", name="Save & next")
    press(page, "7 ArrowDown 7 7")
    expect(save).to_have_attribute("title", "Not rated yet: Iconographic, Material")
    press(page, "Enter")
    status(page, "Not rated yet: Iconographic, Material.")
    expect(page.locator(".pad-head.missing")).to_have_count(2)


def test_skipping_asks_for_a_reason(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    press(page, "7 s Escape")
    on_stage(page, 1)
    assert numbers(page)[0] == "7.0"
    press(page, "s 3")
    shows(page, 2)
    press(page, "s")
    page.get_by_label("Another reason").fill("7 snails, b?")  # letters that are keys elsewhere
    page.keyboard.press("Enter")
    shows(page, 3)
    found = desk.store._db.execute("SELECT image_id, reason FROM skips ORDER BY id").fetchall()
    assert found == [(1, "I don’t want to look at this"), (2, "7 snails, b?")]
    assert desk.store.ratings_since(0) == []


def test_forty_images_by_keyboard_alone(new_page: NewPage, make_project: MakeProject, start_desk: StartDesk) -> None:
    project = make_project(prompts=4, images=10, size=(320, 240))
    project.settings.write_text("repeats = 0")
    desk = start_desk(project)
    page = new_page()
    enter(page, desk)
    started = time.monotonic()
    for image_id in range(1, 41):
        shows(page, image_id)
        keys = " ".join(str((image_id * step) % 10) for step in (1, 3, 7, 9))
        press(page, f"{keys} ArrowRight Shift+ArrowRight Enter")
    expect(page.get_by_role("heading", name="All rated")).to_be_visible()
    pace = (time.monotonic() - started) / 40
    assert pace < 10, f"{pace:.2f} s an image"  # benchmarks/rating_latency.py measures; this is no stall
    rows = desk.store.ratings_since(0)
    assert [row.image_id for row in rows] == list(range(1, 41))
    assert rows[10].values == (1, 3, 7, 9, 6.1)


def test_on_a_phone_the_image_stays_in_sight(
    new_page: NewPage, make_project: MakeProject, start_desk: StartDesk
) -> None:
    desk = start_desk(make_project(prompts=1, images=2, size=(768, 1024)))
    page = new_page(390, 844, touch=True)
    enter(page, desk)
    for name in ("Spatial", "Iconographic", "Style", "Fidelity", "Material"):
        slider = page.get_by_role("slider", name=name)
        slider.scroll_into_view_if_needed()
        slider.tap()
        image = page.locator(".pad-stage img").bounding_box()
        thumb = slider.bounding_box()
        assert image is not None
        assert thumb is not None
        assert image["y"] >= 0, name
        assert image["y"] + image["height"] <= thumb["y"], name
        assert image["height"] > 200
    assert numbers(page) == ["5.0"] * 5


SERIOUS = ("serious", "critical")


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 1280), (False, 390)])
def test_axe_finds_nothing_serious(new_page: NewPage, desk: Desk, dark: bool, width: int) -> None:
    page = new_page(width, 800, dark=dark)
    page.goto(desk.url)
    expect(page.get_by_label("Your name")).to_be_visible()

    def check(place: str) -> None:
        page.wait_for_timeout(250)  # transitions
        found = Axe().run(page, context="#rating-pad").response["violations"]
        serious = [
            (v["id"], [node["any"][0]["message"] for node in v["nodes"]]) for v in found if v["impact"] in SERIOUS
        ]
        assert serious == [], place

    check("the question for a name")
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    shows(page, 1)
    check("an image, untouched")
    press(page, "1 5 8 n Enter")
    status(page, "Not rated yet: Material.")
    check("a missing head")
    press(page, "ArrowDown ArrowDown 9 Enter")
    shows(page, 2)
    status(page, "Saved.")
    check("saved")
    for key, name in (("s", "Why skip this image?"), ("?", "Keys")):
        press(page, key)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        check(name)
        press(page, "Escape")
    page.get_by_role("button", name="My ratings").click()
    expect(page.locator(".pad-mine-list li")).to_have_count(1)
    check("my ratings")


def test_a_screen_reader_hears_the_image_the_values_and_the_outcome(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    expect(page.locator(".pad-announce")).to_have_text("Image to rate. Prompt: Picture number 1, with a disc")
    expect(page.locator(".pad-announce")).to_have_attribute("aria-live", "polite")
    press(page, "7")
    expect(page.get_by_role("slider", name="Spatial")).to_have_attribute(
        "aria-valuetext", "7.0, good: balanced and well framed"
    )
    expect(page.get_by_role("slider", name="Iconographic")).to_be_focused()
    expect(page.get_by_role("progressbar", name="Images rated")).to_have_attribute("aria-valuemax", "4")
    press(page, "Enter")
    expect(page.get_by_role("status").filter(has_text="Not rated yet: Iconographic")).to_be_visible()
