"""The training room in a real Chromium, on the sample: from the forecast to a run that is deleted again."""

import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dashboards_server import StudioProcess
from looks import each_look
from playwright.sync_api import Locator, Page, expect
from room_parts import choose, fits, open_room

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.long]

NewPage = Callable[..., Page]
TRAINING_MS = 300_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("room")


@pytest.fixture(scope="module")
def studio(place: Path) -> Iterator[StudioProcess]:
    """The studio on a fresh sample project."""
    server = StudioProcess(place / "data", place / "outputs", cwd=place)
    yield server
    assert server.close() == 0


def field(page: Page, element: str) -> Locator:
    return page.locator(f"#{element}").locator("input:visible, textarea:visible").first


def fill(page: Page, element: str, text: str) -> None:
    """Type into a field as a person does, and leave it."""
    field(page, element).fill(text)
    field(page, element).blur()


def start(page: Page, name: str) -> None:
    fill(page, "train-output", name)
    expect(page.locator("#train-command textarea")).to_have_value(re.compile(re.escape(f"--output outputs/{name} ")))
    page.get_by_role("button", name="Start training").click()


def state(page: Page, wanted: str, name: str) -> None:
    card = page.locator("#train-run [data-state]")
    expect(card).to_have_attribute("data-state", wanted, timeout=TRAINING_MS)
    expect(card).to_contain_text(f"{name} ")


def test_from_the_forecast_to_a_deleted_run(new_page: NewPage, studio: StudioProcess, place: Path) -> None:
    page = new_page(height=1000)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(studio.url)
    page.get_by_role("tab", name="Train").click()
    expect(field(page, "train-ratings")).to_have_value(re.compile(r"ratings_per_annotator\.csv$"))
    expect(page.locator("#train-data")).to_contain_text("40images8prompts972ratings of a head5people")
    told = page.locator("#train-forecast")
    expect(told).to_contain_text(re.compile("encoded already|images/s just measured"), timeout=120_000)

    fill(page, "train-ratings", "/etc/hostname")
    expect(page.locator("#train-fault-ratings")).to_contain_text("--allow")
    expect(page.locator("#train-message")).to_contain_text("1 field above needs another value.")
    fill(page, "train-ratings", str(place / "data/sample/annotations/ratings_per_annotator.csv"))
    expect(page.locator("#train-fault-ratings")).not_to_be_visible()
    page.get_by_text("More settings").click()
    page.get_by_role("button", name="Thorough").click()
    expect(field(page, "train-epochs")).to_have_value("40")
    page.get_by_role("button", name="First look").click()
    expect(field(page, "train-epochs")).to_have_value("5")
    expect(field(page, "train-folds")).to_have_value("0")
    expect(page.locator("#train-preset-words")).to_contain_text("five epochs")

    # A long one, and one that waits for it; a second viewer takes the waiting one out of the line.
    fill(page, "train-epochs", "100000")
    start(page, "long")
    state(page, "running", "long")
    fill(page, "train-epochs", "5")
    expect(page.locator("#train-started")).to_contain_text("long has begun")
    start(page, "short")
    expect(page.locator("#train-started")).to_contain_text("short waits in line behind long")
    expect(page.locator("#train-line")).to_contain_text("short")
    expect(page.locator("#train-heads")).to_contain_text("Combined", timeout=TRAINING_MS)
    expect(page.locator("#train-run .studio-detail").first).to_contain_text(
        re.compile(r"epoch \d+ of 100000 · .* left · .* so far · on cpu · .*of memory")
    )
    other = new_page()
    other.goto(studio.url)
    other.get_by_role("tab", name="Train").click()
    state(other, "running", "long")
    other.get_by_role("button", name="Take out of the line").click()
    expect(page.locator("#train-line")).not_to_be_visible()
    other.close()
    start(page, "short")
    page.get_by_role("button", name="Stop training").click()
    state(page, "finished", "short")
    assert (place / "outputs/short/last").resolve().name != "0"

    # The stopped one is gone on with; its arguments are those that it began with.
    stopped = json.loads((place / "outputs/long/last/metrics.json").read_text())["epoch"]
    open_room(page, "Runs", "train-rooms")
    table = page.locator("#runs-table")
    expect(table.get_by_role("row", name="long")).to_contain_text("stopped")
    expect(table.get_by_role("row", name="short")).to_contain_text("finished")
    choose(page, "runs-run", "long")
    page.locator("#runs-further").click()
    expect(page.locator("#runs-message")).to_contain_text("long goes on")
    open_room(page, "New run", "train-rooms")
    state(page, "running", "long")
    expect(page.locator("#train-run .studio-detail").first).to_contain_text("of 100000", timeout=TRAINING_MS)
    page.reload()
    page.get_by_role("tab", name="Train").click()
    page.get_by_role("button", name="Stop training").click()
    state(page, "stopped", "long")
    epochs = [json.loads(line)["epoch"] for line in (place / "outputs/long/metrics.jsonl").read_text().splitlines()]
    assert epochs == list(range(1, len(epochs) + 1))
    assert len(epochs) > stopped

    open_room(page, "Compare", "train-rooms")
    for name in ("short", "long"):
        choose(page, "compare-runs", name)
    expect(page.locator("#compare-arguments")).to_contain_text("--epochs")
    expect(page.locator("#compare-figures").get_by_role("row", name="short")).to_contain_text("held-out")
    expect(page.locator("#compare-accuracy .js-plotly-plot .legendtext").first).to_be_visible()
    expect(page.locator("#compare-tested")).to_contain_text("at least 10 are needed", timeout=120_000)

    open_room(page, "Runs", "train-rooms")
    choose(page, "runs-run", "short")
    expect(field(page, "runs-name")).to_have_value("short")
    fill(page, "runs-note", "only to look")
    page.get_by_role("button", name="Save the note").click()
    expect(page.locator("#runs-message")).to_contain_text("The note is saved.")
    expect(table).to_contain_text("only to look")
    fill(page, "runs-name", "../up")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page.locator("#runs-message")).to_contain_text("is not such a name")
    fill(page, "runs-name", "brief")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page.locator("#runs-message")).to_contain_text("short is now called brief.")
    expect(table.get_by_role("row", name="brief")).to_contain_text("only to look")
    page.get_by_role("button", name="Prepare a zip").click()
    with page.expect_download() as download:
        page.locator("#runs-download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert "brief/best/model.safetensors" in archive.namelist()
    page.get_by_text("Delete", exact=True).click()
    expect(page.locator("#runs-dependents")).to_be_empty()
    page.get_by_role("button", name="Delete the run").click()
    expect(page.locator("#runs-message")).to_contain_text("type its name: brief")
    assert (place / "outputs/brief").is_dir()
    fill(page, "runs-confirm", "brief")
    page.get_by_role("button", name="Delete the run").click()
    expect(page.locator("#runs-message")).to_contain_text("brief is deleted.")
    expect(table.get_by_role("row", name="brief")).to_have_count(0)
    assert [path.name for path in (place / "outputs").iterdir()] == ["long"]
    assert trouble == []


def test_nothing_is_asked_for_behind_another_tab(new_page: NewPage, studio: StudioProcess) -> None:
    page = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/gradio_api/" in request.url else None)
    page.goto(studio.url)
    page.get_by_role("tab", name="Train").click()
    open_room(page, "Runs", "train-rooms")
    with page.expect_request(lambda request: request.url.endswith("/run/predict")):
        expect(page.locator("#runs-table")).to_be_visible()
    before, deadline = len(asked), time.monotonic() + 60
    while len(asked) < before + 3:  # each second, what trains; every three, the list
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)
    page.get_by_role("tab", name="Rate").click()
    quiet: list[str] | None = None
    while quiet != []:  # what was asked for before may still be on its way
        assert time.monotonic() < deadline + 60, quiet
        before = len(asked)
        page.wait_for_timeout(3500)
        quiet = asked[before:]


@each_look
def test_each_room_looks_right_in_light_and_dark(
    new_page: NewPage, studio: StudioProcess, screenshots: Path, width: int, dark: bool
) -> None:
    page = new_page(width=width, height=900, dark=dark)
    page.goto(f"{studio.url}/?__theme={'dark' if dark else 'light'}")
    page.get_by_role("tab", name="Train").click()
    for room in ("New run", "Runs", "Compare"):
        open_room(page, room, "train-rooms")
        page.wait_for_timeout(300)  # charts and fonts settle; for the picture alone
        if room == "Runs":
            expect(page.locator("#runs-table svg").first).to_be_visible()
            choose(page, "runs-run", "long")
            expect(page.locator("#runs-note")).to_be_visible()
        fits(page)
        name = f"room-{room.replace(' ', '-').lower()}-{width}-{'dark' if dark else 'light'}.png"
        page.screenshot(path=screenshots / name, full_page=True)
