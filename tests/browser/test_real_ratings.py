"""The rooms of Train and Analyse in a real Chromium on real people's ratings, where they are."""

import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dashboards_server import StudioProcess
from playwright.sync_api import Page, expect
from room_parts import analyse, cells, choose, fits, open_room, unfold, within

from reward.aspects import HEADS
from reward.config import TrainConfig
from reward.training import train

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.long]

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, avt: Path) -> Path:
    """Three runs on people's ratings and preferences: `other`, a copy of it to be changed, and the newest, `avt`."""
    place = tmp_path_factory.mktemp("avt")
    told: dict[str, Any] = {"backbone": "pixelstats", "pairs": avt / "pairs.jsonl", "cache_dir": place / "cache"}
    told["ratings"] = avt / "ratings_per_annotator.csv"
    list(train(TrainConfig(output=place / "outputs/other", epochs=1, seed=1, **told)))
    shutil.copytree(place / "outputs/other", place / "outputs/copy", symlinks=True)
    list(train(TrainConfig(output=place / "outputs/avt", epochs=2, **told)))
    return place


@pytest.fixture(scope="module")
def studio(place: Path, avt: Path) -> Iterator[StudioProcess]:
    server = StudioProcess(place / "data", place / "outputs", "--allow", avt, cwd=place)
    yield server
    assert server.close() == 0


@pytest.fixture
def page(new_page: NewPage, studio: StudioProcess) -> Page:
    """The Analyse tab, on the run `avt`."""
    page = new_page(height=900)
    analyse(page, studio.url)
    return page


@pytest.fixture(scope="module")
def metrics(place: Path) -> Any:
    return json.loads((place / "outputs/avt/best/metrics.json").read_text(encoding="utf-8"))


def test_the_head_table_is_whole_with_its_intervals(page: Page) -> None:
    table = page.locator("#analyse-table .studio-table")
    expect(table.locator("small").first).to_contain_text("to")
    assert within(table)


def test_from_the_table_to_the_reasons(page: Page) -> None:
    unfold(page, "analyse-growth")  # its answer is looked at below
    page.locator("#analyse-growth-start").click()
    expect(page.locator("#analyse-table")).to_contain_text("Iconographic: like guessing")
    unfold(page, "analyse-mixing")
    expect(page.locator("#analyse-mixing-words")).to_contain_text("Below the diagonal")
    assert len(cells(page, "#analyse-mixing-table")) == 6
    open_room(page, "Disagreements")
    expect(page.locator("#disputes-pairs .studio-dispute").first).to_be_visible()
    counted = re.search(r"Combined gets (\d+) validation pairs wrong", page.locator("#disputes-pairs").inner_text())
    assert counted is not None
    unfold(page, "disputes-ask")
    expect(page.locator("#disputes-ask")).to_contain_text("None of these images is this project's")
    expect(page.locator("#disputes-send")).to_be_disabled()


def test_a_waterfall_adds_up_to_the_difference(page: Page) -> None:
    open_room(page, "A against B")
    expect(page.locator("#versus-answer")).to_contain_text("95 % interval")
    *steps, whole = cells(page, "#versus-table")
    assert len(steps) == len(HEADS) - 1  # nobody rated Spatial
    assert sum(float(row[-2]) for row in steps) == pytest.approx(float(whole[-2]), abs=3e-4)


def test_a_map_is_drawn_of_a_photograph(page: Page) -> None:
    open_room(page, "Where")
    expect(page.locator("#where-image input")).not_to_have_value("")
    page.locator("#where-start").click()
    expect(page.locator("#where-maps img").first).to_be_visible()
    assert [row[0] for row in cells(page, "#where-maps")] == [
        "Iconographic",
        "Style",
        "Fidelity",
        "Material",
        "Combined",
    ]


def test_weights_of_ones_own_are_ranked_by_and_saved(page: Page, place: Path) -> None:
    open_room(page, "Weights")
    expect(page.locator("#weights-ranking .studio-wall figure").first).to_be_visible()
    expect(page.locator("#weights-spatial input[type=number]")).to_be_disabled()
    before = cells(page, "#weights-ranking")
    for head in HEADS[1:]:
        box = page.locator(f"#weights-{head} input[type=number]")
        box.fill("100" if head == "fidelity" else "0")
        box.press("Tab")
    expect(page.locator("#weights-ranking")).to_contain_text("▲")
    after = cells(page, "#weights-ranking")
    assert len(after) == 100
    assert [row[0] for row in after] != [row[0] for row in before]
    page.locator("#weights-name").get_by_role("textbox").fill("sharp")
    page.locator("#weights-save").click()
    expect(page.locator("#weights-saved")).to_contain_text("Saved as sharp")
    config = json.loads((place / "outputs/sharp/best/config.json").read_text(encoding="utf-8"))
    assert "avt" in json.dumps(config)


def test_two_checkpoints_on_the_same_images(page: Page) -> None:
    open_room(page, "Two models")
    expect(page.locator("#analyse-twomodels .js-plotly-plot")).to_be_visible()
    choose(page, "twomodels-run", "other · pixelstats")
    choose(page, "twomodels-head", "Style")
    told = page.locator("#twomodels-told")
    expect(told).to_contain_text("On 100 images that both runs validated")
    expect(told).to_contain_text("Style: the largest differences (rating points)")
    expect(page.locator("#analyse-twomodels .js-plotly-plot")).to_be_visible()


def test_the_report_has_the_numbers_of_the_run(page: Page, new_page: NewPage, tmp_path: Path, metrics: Any) -> None:
    with page.expect_download() as download:
        page.locator("#analyse-report").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    reader = new_page(width=390)
    asked: list[str] = []
    reader.on("request", lambda request: asked.append(request.url))
    reader.goto(report.as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    fits(reader)
    wide = new_page(width=1280)
    wide.goto(report.as_uri())
    heads = wide.locator(".studio-wide")
    expect(heads.locator("small").first).to_contain_text("to")
    assert within(heads)
    fits(wide)
    wide.emulate_media(media="print")
    wide.set_viewport_size({"width": 718, "height": 1000})  # A4 with the margins of a browser
    fits(wide)
    assert reader.locator("img").count() == 12
    for result in (metrics["heads"]["style"], metrics["heads"]["material"], metrics["combined"]):
        expect(reader.get_by_text(f"{result['accuracy']:.3f}", exact=True).first).to_be_attached()


def test_the_learning_curve_of_the_run(page: Page) -> None:
    unfold(page, "analyse-growth")
    words = page.locator("#analyse-growth-words")
    expect(words).not_to_be_empty()
    if "Nobody has asked yet" in words.inner_text():  # this test alone
        page.locator("#analyse-growth-start").click()
    expect(page.locator("#analyse-growth-chart .js-plotly-plot")).to_be_visible(timeout=180_000)
    expect(words).to_contain_text("Measured on 20 prompts in 5 folds")
    expect(words).to_contain_text("Style: from 8 to 16 prompts")


def test_a_run_is_compared_noted_renamed_put_away_taken_away_and_deleted(
    new_page: NewPage, studio: StudioProcess, place: Path, metrics: Any
) -> None:
    page = new_page(height=1000)
    page.goto(studio.url)
    page.get_by_role("tab", name="Train").click()
    open_room(page, "Compare", "train-rooms")
    for name in ("other", "avt"):
        choose(page, "compare-runs", name)
    figures = page.locator("#compare-figures").get_by_role("row", name="avt")
    expect(figures).to_contain_text(f"{metrics['combined']['accuracy']:.1%}")
    expect(page.locator("#compare-arguments")).to_contain_text("--epochs")
    choose(page, "compare-head", "Style")
    tested = page.locator("#compare-tested")
    expect(tested).to_contain_text(f"{metrics['heads']['style']['f1']:.3f}")
    assert [row[1] for row in cells(page, "#compare-tested")] == ["Accuracy", "F1", "Loss"]
    for row in cells(page, "#compare-tested"):
        assert row[2] in ("better", "worse", "no difference can be told")
        assert re.fullmatch(r"[+-][\d.]+%? – [+-][\d.]+%?", row[6])
        assert row[8] == str(metrics["heads"]["style"]["prompts"])

    open_room(page, "Runs", "train-rooms")
    table, message = page.locator("#runs-table"), page.locator("#runs-message")
    choose(page, "runs-run", "copy")
    page.get_by_label("Note", exact=True).fill("people's ratings")
    page.locator("#runs-save").click()
    expect(message).to_contain_text("The note is saved.")
    expect(table.get_by_role("row", name="copy")).to_contain_text("people's ratings")
    page.get_by_label("New name").fill("kept")
    page.locator("#runs-rename").click()
    expect(message).to_contain_text("copy is now called kept.")
    page.locator("#runs-zip").click()
    with page.expect_download() as download:
        page.locator("#runs-download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        names = archive.namelist()
        assert {"kept/best/model.safetensors", "kept/last/README.md", "kept/metrics.jsonl"} <= set(names)
        assert not [name for name in names if "raters" in name]
    page.locator("#runs-archive").click()
    expect(message).to_contain_text("kept is in the archive.")
    expect(table.get_by_role("row", name="kept")).to_have_count(0)
    page.get_by_label("Archived ones too").check()
    expect(table.get_by_role("row", name="kept")).to_have_count(1)
    choose(page, "runs-run", "kept")
    unfold(page, "runs-delete-box")
    page.get_by_label("To delete it for good, type its name").fill("kept")
    page.locator("#runs-delete").click()
    expect(message).to_contain_text("kept is deleted.")
    assert not (place / "outputs/kept").exists()
    assert (place / "outputs/avt").is_dir()
