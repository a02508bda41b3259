"""The room "Agreement" in a real Chromium: nothing to see yet, figures, adjudicating, reloading, two reviewers."""

import csv
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from dashboards_server import StudioProcess
from desk_parts import draw_picture
from looks import each_look
from playwright.sync_api import Locator, Page, expect
from room_parts import fits

from reward.aspects import HEADS, RATING_COLUMNS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.long]

NewPage = Callable[..., Page]
PROMPTS, IMAGES = 12, 3
NASTY = "A ${nasty} {{prompt}} <img src=x onerror=alert(1)> \\ `with` all that"


def make_folder(root: Path, people: int) -> Path:
    """A data folder with pictures and, by `people` people, ratings that wait in the per-annotator CSV."""
    random = np.random.default_rng(6)
    rows, prompts = [], ["prompt_id,prompt"]
    for p in range(PROMPTS):
        prompts.append(f'p{p:02d},"{NASTY if not p else f"Picture number {p}"}"')
        for i in range(IMAGES):
            draw_picture(root / "images" / f"p{p:02d}" / f"{i}.png", 10 * p + i, (240, 180))
            quality = random.uniform(1, 9, len(HEADS))
            for number in range(people):
                given = quality + 0.7 * (number - 1) + random.normal(0, 0.6, len(HEADS))
                if number == people - 1:
                    given = random.uniform(0, 10, len(HEADS))
                name = ("Ada", "Bo <b>", "Cy", "Dice")[number]
                rows.append([f"p{p:02d}", f"data/images/p{p:02d}/{i}.png", name, *np.clip(given, 0, 10).round(1)])
    (root / "prompts.csv").write_text("\n".join(prompts) + "\n", encoding="utf-8")
    if rows:
        (root / "annotations").mkdir()
        with (root / "annotations" / "ratings_per_annotator.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["prompt_id", "image_path", "annotator", *RATING_COLUMNS], *rows])
    return root


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agreement")


@pytest.fixture(scope="module")
def studio(place: Path) -> Iterator[StudioProcess]:
    server = StudioProcess(make_folder(place / "data", people=4), place / "outputs", cwd=place)
    deadline = time.monotonic() + 60
    while not (place / "data" / "annotations" / "multihead_ratings.csv").exists():  # the ratings are being taken in
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield server
    assert server.close() == 0


def open_room(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("tab", name="Project").click()
    page.locator("#project-rooms").get_by_role("tab", name="Agreement").click()


def means(place: Path, path: str) -> list[str]:
    """The image's row of the ratings CSV."""
    with (place / "data" / "annotations" / "multihead_ratings.csv").open(encoding="utf-8", newline="") as file:
        return next(row[2:] for row in csv.reader(file) if row[1].endswith(path))


def becomes(place: Path, path: str, head: str, value: str) -> None:
    deadline = time.monotonic() + 60
    while means(place, path)[HEADS.index(head)] != value:
        assert time.monotonic() < deadline, means(place, path)
        time.sleep(0.05)


def cases(page: Page) -> Locator:
    return page.locator("#agreement-disputed .studio-case")


@each_look
def test_the_room_looks_right(
    new_page: NewPage, studio: StudioProcess, screenshots: Path, width: int, dark: bool
) -> None:
    page = new_page(width=width, height=900, dark=dark)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    open_room(page, f"{studio.url}/?__theme={'dark' if dark else 'light'}")
    heads = page.locator("#agreement-heads tbody tr")
    expect(heads).to_have_count(len(HEADS))
    expect(heads.first.locator("td").nth(1)).to_contain_text("–")
    expect(page.locator("#agreement-people tbody tr")).to_have_count(4)
    expect(page.locator("#agreement-people .studio-warning")).to_contain_text("Dice does not follow the others")
    expect(page.locator("#agreement-people tbody th").nth(1)).to_have_text("Bo <b>")
    expect(page.locator("#agreement-bias .js-plotly-plot .legendtext").first).to_be_visible()
    expect(cases(page)).to_have_count(12)
    expect(cases(page).first.locator("img")).to_have_js_property("complete", True)
    page.wait_for_timeout(400)  # chart and fonts settle; for the picture alone
    fits(page)
    page.screenshot(path=screenshots / f"agreement-{width}-{'dark' if dark else 'light'}.png", full_page=True)
    assert trouble == []


def test_adjudicate_reload_and_revoke(new_page: NewPage, studio: StudioProcess, place: Path) -> None:
    page = new_page(height=900)
    open_room(page, studio.url)
    case = cases(page).first
    expect(case).to_be_visible()
    head, number = str(case.get_attribute("data-head")), str(case.get_attribute("data-image"))
    prompt, image = divmod(int(number) - 1, IMAGES)
    path = f"p{prompt:02d}/{image}.png"
    before = means(place, path)
    people = (place / "data" / "annotations" / "ratings_per_annotator.csv").read_bytes()
    highest = case.locator("[data-decide]").first
    highest.click()
    expect(case.locator(".studio-decided")).to_contain_text("Enter your name")
    page.locator("#agreement-reviewer input, #agreement-reviewer textarea").fill("Rita")
    case.get_by_label("Why (optional)").fill("the <i>tower</i> leans")
    highest.click()
    value = str(highest.get_attribute("data-decide"))
    expect(case.locator(".studio-decided")).to_have_text(f"Adjudicated {value} by Rita: the <i>tower</i> leans")
    becomes(place, path, head, value)
    assert (place / "data" / "annotations" / "ratings_per_annotator.csv").read_bytes() == people

    other = new_page(height=900)  # a reviewer whose list was made before the next decision
    open_room(other, studio.url)
    expect(cases(other)).to_have_count(12)
    expect(other.locator(f'[data-image="{number}"][data-head="{head}"]')).to_have_count(0)
    other.get_by_label("adjudicated", exact=True).check()
    late = other.locator(f'[data-image="{number}"][data-head="{head}"]')
    expect(late.locator(".studio-decided")).to_contain_text(f"Adjudicated {value} by Rita")

    page.reload()
    open_room(page, studio.url)
    expect(page.locator("#agreement-reviewer input, #agreement-reviewer textarea")).to_have_value("Rita")
    page.get_by_label("adjudicated", exact=True).check()
    case = cases(page).first
    expect(case.locator(".studio-decided")).to_have_text(f"Adjudicated {value} by Rita: the <i>tower</i> leans")
    slider = case.locator("input[type=range]")
    expect(case.locator("output")).to_have_text(value)
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(case.locator("output")).to_have_text("0.1")
    case.get_by_role("button", name="Adjudicate", exact=True).click()
    expect(case.locator(".studio-decided")).to_have_text("Adjudicated 0.1 by Rita")
    becomes(place, path, head, "0.1")

    other.locator("#agreement-reviewer input, #agreement-reviewer textarea").fill("Sam")
    late.get_by_role("button", name="Revoke").click()
    expect(late.locator(".studio-decided")).to_contain_text("Rita adjudicated 0.1 meanwhile. Reload the list")
    other.get_by_role("button", name="Reload the list").click()
    expect(late.locator(".studio-decided")).to_have_text("Adjudicated 0.1 by Rita")
    late.get_by_role("button", name="Revoke").click()
    expect(late.locator(".studio-decided")).to_have_text("Sam revoked the adjudicated value")
    becomes(place, path, head, before[HEADS.index(head)])
    page.get_by_role("button", name="Reload the list").click()
    expect(page.locator("#agreement-disputed")).to_contain_text("Nothing is adjudicated")


def test_without_two_people_the_room_says_what_to_do(new_page: NewPage, tmp_path: Path, screenshots: Path) -> None:
    data = make_folder(tmp_path / "data", people=0)
    shutil.rmtree(data / "images" / "p11")
    server = StudioProcess(data, tmp_path / "outputs", cwd=tmp_path)
    try:
        page = new_page(height=700)
        open_room(page, server.url)
        expect(page.locator("#agreement-nothing")).to_contain_text("No image has been rated by two people yet")
        expect(page.locator("#agreement-nothing")).to_contain_text("ratings_per_image = 2 in studio.toml")
        expect(page.locator("#agreement-heads")).not_to_be_visible()
        page.screenshot(path=screenshots / "agreement-empty.png")
    finally:
        assert server.close() == 0
