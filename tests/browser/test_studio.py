"""The main job in a real Chromium, as a person does it: rate, train, look at what was learned, score a picture."""

import csv
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dashboards_server import StudioProcess
from looks import each_look
from playwright.sync_api import Locator, Page, expect
from room_parts import fits, open_room

from reward.aspects import ASPECTS, HEADS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.long]

NewPage = Callable[..., Page]
TRAINING_MS = 300_000
SMALL_CLIP = "ViT-S-32"


@pytest.fixture(scope="module")
def avt() -> Path:
    """Real people's ratings of real images; see the environment variable."""
    folder = Path(os.environ.get("AVT_DATA") or Path(__file__).parents[3] / "shared" / "data" / "avt")
    if not (folder / "multihead_ratings.csv").is_file():
        pytest.skip(f"no AVT ratings in {folder}; set AVT_DATA to their folder")
    return folder.resolve()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small OpenCLIP model with random weights, saved to a file."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = open_clip.create_model(SMALL_CLIP)
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="module")
def studio(place: Path, avt: Path, weights: Path) -> Iterator[StudioProcess]:
    """The studio on a fresh sample project, allowed to read the real ratings and the weights."""
    allowed = ("--allow", avt, "--allow", weights.parent)
    server = StudioProcess(place / "data", place / "outputs", *allowed, cwd=place)
    yield server
    assert server.close() == 0


def fill(page: Page, element: str, text: str) -> None:
    """Type into a field as a person does, and leave it."""
    box = page.locator(f"#{element}").locator("input:visible, textarea:visible").first
    box.fill(text)
    box.blur()


def start_training(page: Page, ratings: Path, name: str, spec: str = "") -> None:
    open_room(page, "Train", "studio-tabs")
    fill(page, "train-ratings", str(ratings))
    expect(page.locator("#train-data")).to_contain_text("Spatial has no ratings: its head will stay untrained.")
    if spec:
        page.get_by_label("Another one, or a weights file").check()
        fill(page, "train-spec", spec)
        page.get_by_text("More settings").click()
        fill(page, "train-folds", "0")  # one split instead of cross-validation: sooner done
        spec += " --folds 0"
    fill(page, "train-output", name)
    command = page.locator("#train-command textarea")
    expect(command).to_have_value(re.compile(re.escape(f"--output outputs/{name} --backbone {spec or 'pixelstats'}")))
    page.get_by_role("button", name="Start training").click()
    expect(page.locator("#train-run [data-state]")).to_contain_text(f"{name} is")


def finished(page: Page, name: str) -> Locator:
    run = page.locator("#train-run [data-state]")
    expect(run).to_have_attribute("data-state", "finished", timeout=TRAINING_MS)
    expect(run).to_contain_text(f"{name} has finished after 15 epochs.")
    return run


def saved_rows(path: Path, annotator: str) -> list[dict[str, str]]:
    """The rows of one person in the per-annotator CSV, which is true within a second of a save."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["annotator"] == annotator]


def test_rate_three_images_by_keyboard_alone(new_page: NewPage, studio: StudioProcess, place: Path) -> None:
    page = new_page()
    page.goto(studio.url)
    expect(page.get_by_text("sample project · simulated ratings")).to_be_visible()
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    for count, keys in enumerate(("73x05", "98765", "12345"), start=1):
        page.wait_for_selector('.pad[data-state="rating"] .pad-stage:not(.loading) img')
        expect(page.locator(".pad-value").first).to_have_text("not rated yet")
        for key in keys:
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        expect(page.locator(".pad-status")).to_contain_text(f"Saved. {count} of 40 rated.")
    annotations = place / "data" / "sample" / "annotations" / "own"
    deadline = time.monotonic() + 60
    while len(rows := saved_rows(annotations / "ratings_per_annotator.csv", "Ada")) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    given = [[float(row[f"{head}_rating"]) for head in HEADS] for row in rows]
    assert sorted(given) == [[1, 2, 3, 4, 5], [7, 3, 10, 0, 5], [9, 8, 7, 6, 5]]
    with (annotations / "multihead_ratings.csv").open(encoding="utf-8", newline="") as file:
        rated = {row["image_path"] for row in csv.DictReader(file)}
    assert {row["image_path"] for row in rows} == rated
    assert saved_rows(annotations.parent / "ratings_per_annotator.csv", "Ada") == []


def test_train_on_real_ratings_and_watch_it_through_a_reload(
    new_page: NewPage, studio: StudioProcess, place: Path, avt: Path
) -> None:
    page = new_page(height=900)
    page.goto(studio.url)
    start_training(page, avt / "multihead_ratings.csv", "avt")
    expect(page.locator("#train-data")).to_contain_text("100images20prompts400ratings of a head")
    expect(page.locator("#train-loss .js-plotly-plot")).to_be_visible(timeout=TRAINING_MS)
    page.reload()
    open_room(page, "Train", "studio-tabs")
    expect(page.locator("#train-run [data-state]")).to_contain_text("avt ")
    finished(page, "avt")
    for chart in ("loss", "accuracy", "importance"):
        expect(page.locator(f"#train-{chart} .js-plotly-plot .legendtext").first).to_be_visible()
    for file in ("config.json", "metrics.jsonl", "best/metrics.json", "best/model.safetensors", "last/README.md"):
        assert (place / "outputs" / "avt" / file).is_file()


def test_open_the_run_and_score_an_uploaded_image(new_page: NewPage, studio: StudioProcess, avt: Path) -> None:
    page = new_page(height=900)
    page.goto(studio.url)
    open_room(page, "Analyse", "studio-tabs")
    expect(page.locator("#analyse-badges")).to_contain_text("pixelstats")
    table = page.locator("#analyse-table table")
    expect(table.locator("tbody tr")).to_have_count(6)
    expect(table.get_by_role("row", name="Spatial")).to_contain_text("no ratings")
    for chart in ("accuracy", "importance"):
        expect(page.locator(f"#analyse-{chart} .js-plotly-plot")).to_be_visible()
    expect(table.get_by_role("row", name="Iconographic")).to_contain_text("like guessing")
    expect(page.locator("#analyse-table")).to_contain_text(
        "Iconographic: like guessing — it can't be told from guessing"
    )
    page.locator("#analyse-errors button").first.click()
    expect(page.locator("#analyse-error-chart")).to_contain_text("Style: scores against ratings")

    open_room(page, "Score images")
    images = [avt / "images/p01/midjourney.jpg", avt / "images/p01/craiyon.jpg"]
    page.locator("#analyse-files input[type=file]").set_input_files(images)
    scores = page.locator("#analyse-scores table")
    expect(scores.locator("tbody tr")).to_have_count(2)
    assert scores.locator("thead th").all_text_contents() == [
        "Image",
        *(a.label for a in ASPECTS),
        "Combined",
        "Percentile",
    ]
    cells = scores.locator("tbody tr").first.locator("td").all_text_contents()
    assert cells[0] == "no ratings"
    assert all(-5 < float(cell) < 15 for cell in cells[1:6])
    assert 0 <= float(cells[6]) <= 100
    assert len(cells) == 7
    expect(page.locator("#analyse-bars .js-plotly-plot")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#analyse-csv").click()
    rows = list(csv.DictReader(download.value.path().read_text(encoding="utf-8").splitlines()))
    assert [row["image"] for row in rows] == ["midjourney.jpg", "craiyon.jpg"]
    assert f"{float(rows[0]['combined']):.2f}" == cells[5]


def test_train_on_a_small_openclip_file(
    new_page: NewPage, studio: StudioProcess, place: Path, avt: Path, weights: Path
) -> None:
    lines = (avt / "multihead_ratings.csv").read_text(encoding="utf-8").splitlines()[: 1 + 6 * 5]
    some = place / "data" / "some.csv"  # six prompts: the encoder takes its time
    some.write_text("\n".join(lines).replace("images/", f"{avt}/images/") + "\n", encoding="utf-8")
    page = new_page(height=900)
    page.goto(studio.url)
    start_training(page, some, "clip", f"openclip:{SMALL_CLIP}@{weights}")
    finished(page, "clip")
    open_room(page, "Analyse", "studio-tabs")
    expect(page.locator("#analyse-badges")).to_contain_text(f"openclip:{SMALL_CLIP}@")
    open_room(page, "Score images")
    page.locator("#analyse-files input[type=file]").set_input_files([avt / "images/p02/glide.jpg"])
    cells = page.locator("#analyse-scores table tbody tr td")
    expect(cells).to_have_count(7)
    assert all(cell == "no ratings" or float(cell) for cell in cells.all_text_contents()[:6])


@each_look
def test_every_tab_looks_right_in_light_and_dark(
    new_page: NewPage, studio: StudioProcess, screenshots: Path, avt: Path, width: int, dark: bool
) -> None:
    page = new_page(width=width, height=900, dark=dark)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith((studio.url, "data:", "blob:")) else trouble.append(request.url),
    )
    page.goto(f"{studio.url}/?__theme={'dark' if dark else 'light'}")
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    page.wait_for_selector(".pad-stage:not(.loading) img")
    for tab in ("Rate", "Train", "Analyse"):
        open_room(page, tab, "studio-tabs")
        if tab == "Train":
            expect(page.locator("#train-importance .js-plotly-plot .legendtext").first).to_be_visible()
            expect(page.locator("#train-data .studio-tiles")).to_be_visible()
            expect(page.locator("#train-command textarea")).not_to_have_value("")
        if tab == "Analyse":
            expect(page.locator("#analyse-calibration .js-plotly-plot .legendtext").first).to_be_visible()
            results = f"studio-results-{width}-{'dark' if dark else 'light'}.png"
            page.screenshot(path=screenshots / results, full_page=True)
            fits(page)
            open_room(page, "Score images")
            page.locator("#analyse-files input[type=file]").set_input_files([avt / "images/p01/midjourney.jpg"])
            expect(page.locator("#analyse-bars .js-plotly-plot")).to_be_visible()
        page.wait_for_timeout(400)  # charts and fonts settle; for the picture alone
        fits(page)
        name = f"studio-{tab.lower()}-{width}-{'dark' if dark else 'light'}.png"
        page.screenshot(path=screenshots / name, full_page=True)
    assert trouble == []


def test_a_failed_training_shows_its_message_and_no_traceback(
    new_page: NewPage, studio: StudioProcess, place: Path, avt: Path
) -> None:
    broken = place / "data" / "broken.csv"
    lines = (avt / "multihead_ratings.csv").read_text(encoding="utf-8").splitlines()
    broken.write_text("\n".join(line.replace("images/", f"{avt}/images/") for line in lines) + "\n", encoding="utf-8")
    (place / "data" / "cut.jpg").write_bytes((avt / "images/p01/glide.jpg").read_bytes()[:900])
    broken.write_text(
        broken.read_text().replace(f"{avt}/images/p01/glide.jpg", str(place / "data" / "cut.jpg")), encoding="utf-8"
    )
    page = new_page(height=900)
    page.goto(studio.url)
    start_training(page, broken, "broken")
    run = page.locator("#train-run [data-state]")
    expect(run).to_have_attribute("data-state", "failed", timeout=TRAINING_MS)
    expect(run).to_contain_text("broken.csv:4: image")
    assert "Traceback" not in run.inner_text()
    assert not (place / "outputs" / "broken").exists()
