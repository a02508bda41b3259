"""Aids for looking in a real Chromium: each key, 1:1 pixels of the file itself, and large files painted small first."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pad_parts import ON_ONE_SCREEN, Desk, enter, on_stage, press, shows, values
from PIL import Image
from playwright.sync_api import Page, expect

from annotate.project import Project

pytestmark = pytest.mark.browser

NewPage = Callable[..., Page]
StartDesk = Callable[[Project], Desk]
LINES_LIE_ON_THE_IMAGE = """(width) => {
  const sides = (name) => {
    const box = document.querySelector(name).getBoundingClientRect();
    return [box.x, box.y, box.width, box.height];
  };
  const image = sides(".pad-stage img");
  return innerWidth === width && sides(".pad-lines").every((side, at) => Math.abs(side - image[at]) <= 1);
}"""


def test_each_aid_goes_on_and_off_by_its_key_and_ends_with_the_image(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    for key, name, seen in (
        ("g", "Grid", ".pad-lines"),
        ("l", "Loupe", ".pad-loupe"),
        ("p", "Palette", ".pad-swatches"),
    ):
        button = page.get_by_role("button", name=name)
        press(page, key)
        expect(page.locator(seen)).to_be_visible()
        expect(button).to_have_attribute("aria-pressed", "true")
        button.click()
        expect(page.locator(seen)).to_be_hidden()
        expect(button).to_have_attribute("aria-pressed", "false")
    image = page.locator(".pad-stage img")
    press(page, "c")
    expect(image).to_have_css("filter", "grayscale(1)")
    press(page, "w")
    assert int(page.locator(".pad-prompt-text").evaluate("(e) => parseInt(getComputedStyle(e).fontSize)")) >= 24
    page.wait_for_function(ON_ONE_SCREEN)
    press(page, "g p")
    assert values(page) == ["not rated yet"] * 5
    page.locator(".pad-scale input").first.focus()
    press(page, "5 5 5 5 5 Enter")
    shows(page, 2)
    expect(image).to_have_css("filter", "none")
    expect(page.locator(".pad-lines")).to_be_hidden()
    expect(page.locator(".pad-swatches")).to_be_hidden()


def test_the_grid_lies_on_the_image(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    press(page, "g")
    for width in (1280, 1000):
        page.set_viewport_size({"width": width, "height": 720})
        page.wait_for_function(LINES_LIE_ON_THE_IMAGE, arg=width)


def test_the_loupe_shows_the_files_own_pixels_where_the_pointer_is(
    new_page: NewPage, tmp_path: Path, start_desk: StartDesk
) -> None:
    rng = np.random.default_rng(7)
    pixels = rng.integers(0, 256, (2000, 3000, 3), dtype=np.uint8)  # noise: any rescaling would change it
    (tmp_path / "data" / "images" / "p01").mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "data" / "images" / "p01" / "1.png")
    page = new_page()
    enter(page, start_desk(Project(tmp_path / "data", base=tmp_path)))
    page.wait_for_function("document.querySelector('.pad-stage img').naturalWidth === 3000")
    press(page, "l")
    box = page.locator(".pad-stage img").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    loupe = page.locator(".pad-loupe").bounding_box()
    assert loupe is not None
    middle = {"x": round(loupe["x"] + loupe["width"] / 2) - 20, "y": round(loupe["y"] + loupe["height"] / 2) - 20}
    found: list[tuple[int, int]] = []
    deadline = time.monotonic() + 60
    while len(found) != 1:  # a large background is painted a while after it is there
        assert time.monotonic() < deadline, "the loupe's pixels are not the file's"
        page.screenshot(path=tmp_path / "seen.png", clip={**middle, "width": 40, "height": 40})
        seen = np.asarray(Image.open(tmp_path / "seen.png").convert("RGB"))
        places = ((x, y) for x in range(715, 746) for y in range(965, 996))
        found = [(x, y) for x, y in places if np.array_equal(pixels[y : y + 40, x : x + 40], seen)]


def test_a_large_file_is_painted_small_first_and_then_as_it_is(
    new_page: NewPage, tmp_path: Path, start_desk: StartDesk
) -> None:
    folder = tmp_path / "data" / "images" / "p01"
    folder.mkdir(parents=True)
    for number in (1, 2):
        noise = np.random.default_rng(number).integers(0, 256, (200, 300, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((3000, 2000)).save(folder / f"{number}.png")
    desk = start_desk(Project(tmp_path / "data", base=tmp_path))
    page = new_page()
    asked: list[str] = []
    page.on(
        "request",
        lambda r: asked.append(r.url.split("/api/images/")[1].split("?")[0]) if "/api/images/" in r.url else None,
    )
    page.goto(desk.url)
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    page.wait_for_selector(".pad-stage:not(.loading) img")
    on_stage(page, 1)
    page.wait_for_function("document.querySelector('.pad-stage img').naturalWidth === 3000")
    assert asked[:2] == ["1/screen", "1"] or asked[:3] == ["1/screen", "2/screen", "1"], asked
    page.wait_for_function("performance.getEntriesByType('resource').some((e) => e.name.includes('/images/2/screen?'))")
    press(page, "f")
    full = page.locator(".pad-full img")
    expect(full).to_be_visible()
    page.wait_for_function("document.querySelector('.pad-full img').naturalWidth === 3000")
    press(page, "Escape")
    press(page, "5 5 5 5 5 Enter")
    page.wait_for_selector('.pad-stage:not(.loading) img[src*="/images/2"]')


def test_the_strip_shows_ones_own_ratings_of_the_prompt_after_the_paint(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    strip = page.locator(".pad-strip")
    enter(page, desk, "Bob")
    press(page, "9 9 9 9 9 Enter")
    shows(page, 2)
    page.get_by_label("Rating as").fill("Ada")
    page.keyboard.press("Enter")
    shows(page, 1)
    expect(strip).to_contain_text("How you rate this prompt’s images will stand here.")
    stage = page.locator(".pad-stage").bounding_box()
    press(page, "1 2 n 4 5 Enter")
    shows(page, 2)
    again = strip.get_by_role("button")
    expect(again).to_have_text("1.02.0–4.05.0")
    expect(again).to_have_accessible_name(
        "Open again: Spatial 1.0, Iconographic 2.0, Style can’t judge, Fidelity 4.0, Material 5.0"
    )
    after, before = page.evaluate(
        """() => {
          const found = performance.getEntriesByType("resource");
          const at = (part) => found.find((entry) => entry.name.includes(part));
          return [at("beside=2").startTime, at("/images/2?").responseEnd];
        }"""
    )
    assert after > before
    assert page.locator(".pad-stage").bounding_box() == stage  # nothing jumps
    page.wait_for_function(ON_ONE_SCREEN)
    again.click()
    on_stage(page, 1)
    expect(strip.get_by_role("button")).to_have_count(0)  # never the image itself
    press(page, "Escape")
    shows(page, 2)
    press(page, "5 5 5 5 5 Enter")
    shows(page, 3)
    expect(strip).to_contain_text("will stand here")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(strip).to_be_hidden()


def test_a_project_may_do_without_the_strip(
    new_page: NewPage, make_project: Callable[..., Project], start_desk: StartDesk
) -> None:
    project = make_project(prompts=1, images=3)
    project.settings.write_text('strip = "off"\n')
    page = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    enter(page, start_desk(project))
    press(page, "1 2 3 4 5 Enter")
    shows(page, 2)
    page.wait_for_load_state("networkidle")
    expect(page.locator(".pad-strip")).to_be_hidden()
    assert not [url for url in asked if "beside" in url]
