"""The rooms of the Analyse tab in a real Chromium, on the sample; test_real_ratings.py has them on real people's."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from dashboards_server import StudioProcess
from looks import each_look
from PIL import Image
from playwright.sync_api import APIResponse, Page, Route, expect
from room_parts import analyse, cells, choose, fits, open_room, unfold

from annotate.exports import Exporter
from annotate.project import open_project
from annotate.store import Store
from reward.aspects import HEADS
from reward.config import TrainConfig
from reward.training import train

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.long]

NewPage = Callable[..., Page]
ROOMS = ("A against B", "Where", "Disagreements", "Two models", "Weights")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample project with two runs on it."""
    place = tmp_path_factory.mktemp("rooms")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)  # where the studio is served: the paths in its files are relative to that
        sample = open_project(place / "data")
        store = Store.open(sample)
        exporter = Exporter(store)  # a studio writes the files anew when it takes them in, and runs must know these
        exporter.start()
        assert exporter.flush()
        exporter.stop()
        store.close()
        told = {"ratings": sample.per_annotator_csv.absolute(), "backbone": "pixelstats", "epochs": 2, "folds": 3}
        for name, seed in (("second", 1), ("first", 0)):
            list(train(TrainConfig(output=place / "outputs" / name, seed=seed, cache_dir=place / "cache", **told)))
    return place


@pytest.fixture(scope="module")
def studio(place: Path) -> Iterator[StudioProcess]:
    server = StudioProcess(place / "data", place / "outputs", cwd=place)
    yield server
    assert server.close() == 0


@pytest.fixture
def page(new_page: NewPage, studio: StudioProcess) -> Page:
    page = new_page(height=900)
    analyse(page, studio.url)
    return page


def test_a_waterfall_adds_up_to_the_difference(page: Page) -> None:
    open_room(page, "A against B")
    expect(page.locator("#analyse-waterfall .js-plotly-plot")).to_be_visible()
    *steps, whole = cells(page, "#versus-table")
    assert sum(float(row[-2]) for row in steps) == pytest.approx(float(whole[-2]), abs=3e-4)
    for _, weight, first, second, difference, part, _ in steps:
        assert float(first) - float(second) == pytest.approx(float(difference), abs=2e-3)
        assert float(weight) * float(difference) == pytest.approx(float(part), abs=6e-3)
    expect(page.locator("#versus-answer")).to_contain_text("The model expects people to prefer")


def test_the_map_finds_a_planted_patch(page: Page, tmp_path: Path) -> None:
    pixels = np.full((320, 320, 3), 120, dtype=np.uint8)
    pixels[80:120, 200:240] = np.where(np.arange(40)[:, None, None] % 4 < 2, 20, 235)
    Image.fromarray(pixels).save(tmp_path / "patch.png")
    open_room(page, "Where")
    page.locator("#where-file input[type=file]").set_input_files(tmp_path / "patch.png")
    expect(page.locator("#where-file")).to_contain_text("patch")
    page.locator("#where-start").click()
    expect(page.locator("#where-maps img").first).to_be_visible()
    rows = cells(page, "#where-maps")
    assert len(rows) == 6
    combined = rows[-1]
    strongest = combined[2] if abs(float(combined[1])) >= abs(float(combined[3])) else combined[4]
    assert strongest == "row 3, column 6 of 8"
    expect(page.locator("#where-maps .studio-scale")).to_contain_text("one scale for all maps")


def test_an_image_of_a_disagreement_comes_back_to_a_rater(page: Page, new_page: NewPage, studio: StudioProcess) -> None:
    open_room(page, "Disagreements")
    expect(page.locator("#disputes-pairs .studio-dispute").first).to_be_visible()
    choose(page, "disputes-head", "Style")
    expect(page.locator("#disputes-pairs")).to_contain_text("Style gets")
    unfold(page, "disputes-ask")
    expect(page.locator("#disputes-image input")).not_to_have_value("")
    path = page.locator("#disputes-image input").input_value()
    page.get_by_label("Note for the person who rates it").fill("Is it the colours?")
    page.locator("#disputes-by").get_by_role("textbox").fill("Rex")
    page.locator("#disputes-send").click()
    expect(page.locator("#disputes-sent")).to_contain_text(f"{path} is in the rating queue")
    rater = new_page(height=900)
    rater.goto(studio.url)
    rater.get_by_label("Your name").fill("Ada")
    rater.keyboard.press("Enter")
    expect(rater.locator(".pad")).to_contain_text(
        "Rex asks for one more rating: “Is it the colours?”. Look at Style above all."
    )


def test_the_ranking_follows_the_sliders_and_is_saved(page: Page, place: Path) -> None:
    open_room(page, "Weights")
    first = page.locator("#weights-ranking .studio-wall figure").first
    expect(first).to_be_visible()
    before = cells(page, "#weights-ranking")
    expect(page.locator("#weights-ranking")).not_to_contain_text("▲")  # nobody has moved anything
    for head in HEADS:
        box = page.locator(f"#weights-{head} input[type=number]")
        box.fill("100" if head == "style" else "0")
        box.press("Tab")
    expect(page.locator("#weights-ranking")).to_contain_text("▲")
    after = cells(page, "#weights-ranking")
    assert [row[1] for row in after] == [str(place) for place in range(1, len(after) + 1)]
    assert [row[0] for row in after] != [row[0] for row in before]
    page.locator("#weights-name").get_by_role("textbox").fill("style_alone")
    page.locator("#weights-save").click()
    expect(page.locator("#weights-saved")).to_contain_text("Saved as style_alone")
    assert (place / "outputs/style_alone/best/metrics.json").is_file()
    choose(page, "analyse-run", "style_alone · pixelstats · weights set by hand")
    expect(page.locator("#weights-saved")).to_be_empty()
    shutil.rmtree(place / "outputs/style_alone")  # the other tests look at the newest run


def test_a_room_that_is_opened_while_another_is_filled_shows_what_came_meanwhile(
    new_page: NewPage, studio: StudioProcess, place: Path
) -> None:
    page = new_page(routed=True)
    analyse(page, studio.url)
    expect(page.locator("#analyse-accuracy .js-plotly-plot")).to_be_visible()
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/run/predict", lambda route: held.append((route, route.fetch())))
    open_room(page, "Score images")
    deadline = time.monotonic() + 60
    while not held:  # what it is told of the runs is on its way
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    shutil.copytree(place / "outputs/second", place / "outputs/late", symlinks=True)
    open_room(page, "A against B")
    expect(page.locator("#versus-prompt input")).not_to_have_value("")
    page.wait_for_timeout(500)  # by now it would ask again what is being asked
    page.unroute("**/run/predict")
    for route, answer in held:
        route.fulfill(response=answer)
    page.locator("#analyse-run input").click()
    expect(page.get_by_role("option", name="late · pixelstats")).to_be_visible()
    shutil.rmtree(place / "outputs/late")


def test_what_changes_meanwhile_is_seen_when_another_room_is_opened(page: Page, place: Path) -> None:
    runs, charts = page.locator("#analyse-run input"), page.locator("#analyse-accuracy")
    expect(charts.locator(".js-plotly-plot")).to_be_visible()
    open_room(page, "Where")
    choose(page, "analyse-run", "second · pixelstats")  # whose charts nobody sees yet
    open_room(page, "Results")
    expect(charts).to_contain_text("Combined")
    page.wait_for_function("""() => {
      const frame = document.querySelector("#analyse-accuracy");
      const width = (element) => Math.round(element.getBoundingClientRect().width);
      return width(frame) > 0 && width(frame) === width(frame.querySelector(".main-svg"));
    }""")
    shutil.copytree(place / "outputs/second", place / "outputs/passing", symlinks=True)
    open_room(page, "Where")
    choose(page, "analyse-run", "passing · pixelstats")
    (place / "outputs/passing").rename(place / "outputs/renamed")  # by somebody else
    open_room(page, "Disagreements")
    expect(runs).not_to_have_value(re.compile("passing"))
    shutil.rmtree(place / "outputs/renamed")
    open_room(page, "Where")
    runs.click()
    expect(page.get_by_role("option")).to_have_count(2)


def test_two_models_are_laid_side_by_side(page: Page) -> None:
    open_room(page, "Two models")
    expect(page.locator("#analyse-twomodels .js-plotly-plot")).to_be_visible()
    choose(page, "twomodels-run", "second · pixelstats")
    choose(page, "twomodels-head", "Style")
    expect(page.locator("#twomodels-told")).to_contain_text("Style: the largest differences (rating points)")
    expect(page.locator("#twomodels-told .studio-image img")).to_have_count(12)


def test_heads_growth_and_the_report(page: Page, new_page: NewPage, tmp_path: Path, screenshots: Path) -> None:
    unfold(page, "analyse-mixing")
    expect(page.locator("#analyse-mixing-chart .js-plotly-plot")).to_be_visible()
    assert len(cells(page, "#analyse-mixing-words")) == 5
    unfold(page, "analyse-growth")
    expect(page.locator("#analyse-growth-words")).to_contain_text("Nobody has asked yet")
    page.locator("#analyse-growth-start").click()
    with page.expect_download() as download:
        page.locator("#analyse-report").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    assert download.value.suggested_filename == "first-best.html"
    for dark in (False, True):
        for width in (1280, 390):
            name = f"analysis-report-{width}-{'dark' if dark else 'light'}.png"
            read_report(new_page(width=width, height=900, dark=dark), report, screenshots / name)
    expect(page.locator("#analyse-growth-chart .js-plotly-plot")).to_be_visible(timeout=120_000)
    expect(page.locator("#analyse-growth-words")).to_contain_text("Combined: from")
    expect(page.locator("#analyse-growth-start")).to_have_text("Find out again")


def read_report(reader: Page, report: Path, picture: Path) -> None:
    """Open a report as its reader does: it asks nobody for anything and fits the screen."""
    asked: list[str] = []
    reader.on("request", lambda request: asked.append(request.url))
    reader.goto(report.as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    fits(reader)
    assert reader.locator("img").count() == 12
    reader.screenshot(path=picture, full_page=True)


@each_look
def test_every_room_looks_right_in_light_and_dark(
    new_page: NewPage, studio: StudioProcess, screenshots: Path, width: int, dark: bool
) -> None:
    page = new_page(width=width, height=900, dark=dark)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    analyse(page, f"{studio.url}/?__theme={'dark' if dark else 'light'}")
    for fold, filled in (("mixing", "chart .js-plotly-plot"), ("growth", "start")):
        unfold(page, f"analyse-{fold}")
        expect(page.locator(f"#analyse-{fold}-{filled}")).to_be_visible()
    shot(page, screenshots, "results", width, dark)
    filled = ("#analyse-waterfall .js-plotly-plot", "#where-maps img", "#disputes-pairs img", "#twomodels-told img")
    for room, element in zip(ROOMS, (*filled, "#weights-ranking img"), strict=True):
        open_room(page, room)
        if room == "Where":
            expect(page.locator("#where-image input")).not_to_have_value("")
            page.locator("#where-start").click()
        if room == "Disagreements":
            unfold(page, "disputes-ask")
        expect(page.locator(element).first).to_be_visible()
        shot(page, screenshots, room.lower().replace(" ", "-"), width, dark)
    assert trouble == []


def shot(page: Page, screenshots: Path, what: str, width: int, dark: bool) -> None:
    page.wait_for_timeout(300)  # charts settle; for the picture alone
    name = f"analysis-{what}-{width}-{'dark' if dark else 'light'}.png"
    page.screenshot(path=screenshots / name, full_page=True)
    fits(page)
