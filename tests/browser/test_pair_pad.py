""" "A or B?" in a real Chromium: by keyboard and pointer, back, while the studio is away, on a phone."""

import time
from collections.abc import Callable

import gradio as gr
import pytest
from axe_playwright_python.sync_playwright import Axe
from desk_parts import Served
from pad_parts import ON_ONE_SCREEN, Desk, press
from playwright.sync_api import Page, expect

from annotate.api import build_api
from annotate.exports import Exporter
from annotate.pair_tab import build_pair_tab
from annotate.preferences import StoredPreference
from annotate.project import Project
from annotate.rating_tab import build_rating_tab
from annotate.store import Store

pytestmark = pytest.mark.browser

NewPage = Callable[..., Page]
READY = '#pair-pad .pad[data-state="rating"] [data-choice="tie"][aria-disabled="false"]'


@pytest.fixture
def desk(
    make_project: Callable[..., Project], open_store: Callable[[Project], Store], serve: Callable[[object], Served]
) -> Desk:
    """Both views as the studio has them, on one prompt of four images: six pairs."""
    project = make_project(prompts=1, images=4, size=(640, 480))
    store = open_store(project)
    exporter = Exporter(store)
    app = build_api(project, store, exporter)
    with gr.Blocks(analytics_enabled=False, fill_width=True) as demo, gr.Tabs():
        with gr.Tab("Rate"):
            build_rating_tab(project)
        with gr.Tab("A or B?"):
            build_pair_tab(project)
    css = "footer { display: none !important; }"
    gr.mount_gradio_app(app, demo, path="/", footer_links=[], run_history=False, ssr_mode=False, css=css)
    demo.has_launched = True
    return Desk(serve(app).url, project, store, exporter)


def enter(page: Page, desk: Desk, name: str = "Ada") -> None:
    """Open the view and give a name, by keyboard."""
    page.goto(desk.url)
    expect(page.locator("#rating-pad .pad-start-name")).to_be_focused()
    page.get_by_role("tab", name="A or B?").click()
    expect(page.locator("#pair-pad .pad-start-name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    page.wait_for_selector(READY)


def shown(page: Page) -> tuple[int, int]:
    """The images on the stage from left to right, once they can be judged."""
    page.wait_for_selector(READY)
    found = [image.get_attribute("src") or "" for image in page.locator("#pair-pad .pad-picture img").all()]
    left, right = (int(source.split("/images/")[1].split("?")[0]) for source in found)
    return left, right


def shows_pair(page: Page, wanted: tuple[int, int]) -> None:
    """Wait until these are on the stage: the words may be there before them."""
    deadline = time.monotonic() + 60
    while (found := shown(page)) != wanted:
        assert time.monotonic() < deadline, (found, wanted)
        page.wait_for_timeout(50)


def rows(desk: Desk) -> list[StoredPreference]:
    return desk.store.preferences.since(0)


def says(page: Page, text: str) -> None:
    expect(page.locator("#pair-pad .pad-status")).to_contain_text(text)


# A key pressed twice at once: between two presses from outside, the next pair may have come.
TWICE = """key => {
  const press = () => new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, composed: true });
  for (let times = 0; times < 2; times++) document.body.dispatchEvent(press());
}"""


def test_keys_sides_back_skip_and_the_name_of_the_other_view(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    said = []
    for number, key in enumerate(("ArrowLeft", "2", "t", "s"), start=1):
        pair = shown(page)
        assert {row.pair for row in rows(desk)}.isdisjoint({pair, pair[::-1]})
        page.evaluate(TWICE, key)  # the second press must not judge the next pair unseen
        says(page, f"{min(number, 3)} of {6 if number < 4 else 5} judged.")
        said.append(pair)
    assert [row.shown for row in rows(desk)] == said
    assert [row.shown_choice for row in rows(desk)] == ["left", "right", "tie", "skip"]
    left_open = shown(page)
    press(page, "b")
    says(page, "You said: skipped")
    shows_pair(page, said[3])
    page.get_by_role("button", name="Back", exact=True).click()
    says(page, "You said: a tie")
    shows_pair(page, said[2])
    expect(page.get_by_role("button", name="Tie")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="B is better").click()
    says(page, "Saved: B.")
    shows_pair(page, left_open)
    assert (rows(desk)[-1].shown_choice, rows(desk)[-1].revises) == ("right", rows(desk)[2].key)
    press(page, "b")
    shows_pair(page, said[2])
    press(page, "Escape")
    says(page, "Left as it was.")
    page.reload()
    page.get_by_role("tab", name="A or B?").click()
    shows_pair(page, left_open)
    for letter in "AB":
        press(page, "f")
        words = f"Image {letter} for the prompt: Picture number 1, with a disc"
        expect(page.locator("#pair-pad .pad-full img")).to_have_attribute("alt", words)
    press(page, "f")
    expect(page.locator("#pair-pad .pad-full")).to_be_hidden()
    page.get_by_label("Judging as").fill("Bob")
    page.keyboard.press("Enter")
    says(page, "Now rating as Bob.")
    announced = page.locator("#rating-pad .pad-announce")
    expect(announced).to_contain_text("Image to rate")
    announced.evaluate("(line) => { line.textContent = ''; }")
    page.get_by_role("tab", name="Rate").click()
    expect(page.get_by_label("Rating as")).to_have_value("Bob")
    expect(announced).to_contain_text("Image to rate")  # Bob's own first image takes the place of what was there
    press(page, "7")
    expect(page.locator("#rating-pad .pad-value").first).to_contain_text("7.0")
    assert len(rows(desk)) == 5


def test_choices_wait_while_the_studio_is_away(new_page: NewPage, desk: Desk) -> None:
    page = new_page(routed=True)
    enter(page, desk)
    shown(page)
    page.wait_for_load_state("networkidle")
    page.route("**/api/**", lambda route: route.abort() if "/images/" not in route.request.url else route.continue_())
    said = []
    for _ in range(2):
        said.append(shown(page))
        press(page, "ArrowRight")
        expect(page.locator("#pair-pad .pad-waiting")).to_contain_text(f"{len(said)} choice")
    last = shown(page)
    press(page, "b")
    says(page, "You said: B")
    shows_pair(page, said[1])
    press(page, "Escape")
    shows_pair(page, last)
    press(page, "t")
    expect(page.get_by_role("heading", name="The next pair can’t be had")).to_be_visible()
    assert rows(desk) == []
    page.unroute("**/api/**")
    assert {*shown(page)} not in [{*pair} for pair in [*said, last]]  # by itself
    expect(page.locator("#pair-pad .pad-waiting")).to_be_hidden()
    assert [row.shown for row in rows(desk)] == [*said, last]
    page.route("**/api/pairs", lambda route: (route.fetch(), route.abort()))  # stored, though the page can't know
    page.get_by_role("button", name="A is better").click()  # waits until it may be pressed
    expect(page.locator("#pair-pad .pad-waiting")).to_be_visible()
    page.unroute("**/api/pairs")
    page.reload()
    page.get_by_role("tab", name="A or B?").click()
    shown(page)
    expect(page.locator("#pair-pad .pad-count")).to_have_text("4 of 6 judged")
    assert len(rows(desk)) == 4


def test_two_windows_of_one_person(new_page: NewPage, desk: Desk) -> None:
    first, second = new_page(), new_page()
    for page in (first, second):
        enter(page, desk)
    pair = shown(first)
    assert shown(second) == pair
    press(first, "ArrowLeft")
    says(first, "Saved: A.")
    press(second, "ArrowRight")
    says(second, "Not saved: You judged this pair meanwhile")
    assert shown(second) == pair
    press(second, "ArrowRight")
    says(second, "Saved: B.")
    assert [row.shown_choice for row in rows(desk)] == ["left", "right"]


@pytest.mark.parametrize(("dark", "width", "height"), [(True, 1280, 720), (False, 390, 844)])
def test_it_stands_on_one_screen_and_axe_finds_nothing_serious(
    new_page: NewPage, desk: Desk, dark: bool, width: int, height: int
) -> None:
    page = new_page(width, height, dark=dark, touch=width < 500, routed=True)
    enter(page, desk)
    left, right = (page.locator(f"#pair-pad .pair-{side} img").bounding_box() for side in ("left", "right"))
    assert left is not None
    assert right is not None
    assert page.evaluate("document.documentElement.scrollWidth") == width
    if width == 1280:
        page.wait_for_function(ON_ONE_SCREEN)
        assert left["y"] == right["y"]
        assert left["width"] > 400
    else:
        assert right["y"] >= left["y"] + left["height"]
        assert left["width"] > 200
        button = page.get_by_role("button", name="B is better").bounding_box()
        assert button is not None
        assert button["y"] + button["height"] <= height
    for step in ("", "?"):
        if step:
            press(page, step)
        page.wait_for_timeout(250)  # transitions
        found = Axe().run(page, context="#pair-pad").response["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    press(page, "Escape")
    page.get_by_role("button", name="A is better").click()
    says(page, "Saved: A. 1 of 6 judged.")
    shown(page)
    page.route("**/api/pairs", lambda route: route.abort())
    page.get_by_role("button", name="A is better").click()
    expect(page.locator("#pair-pad .pad-waiting")).to_contain_text("1 choice not saved yet")
    notice = page.locator("#pair-pad .pad-waiting").bounding_box()
    assert notice is not None
    assert notice["y"] + notice["height"] <= height
    if width >= 1280:
        page.wait_for_function(ON_ONE_SCREEN)
    expect(page.locator("#pair-pad .pad-announce")).to_have_text("Two images. Prompt: Picture number 1, with a disc")
