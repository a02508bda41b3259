"""What a page costs with 200 runs and 10,000 rated images: to open, and to switch tabs and rooms.

    python benchmarks/rooms.py

The first page is measured against a bare `import gradio` that serves an empty page. A switch is measured in Chromium by
the page's own clock, from the click to the second frame in which the tab or room stands there, and until its numbers
do: every tab and every room of a tab, the first time in a page that was just opened, and once more when all of them
have been opened.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image

from benchmarks.ratios import ROUNDS, Row, in_turn, main, ratios
from reward.aspects import HEADS

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
RUNS, IMAGES, PROMPTS = 200, 10_000, 500
PAUSE_MS = 1000  # for which a person looks at a room, at the least


@dataclass(frozen=True)
class Room:
    """A tab, or a room of one.

    Attributes:
        tab, name: the texts of the tab and of the room in it; a tab without rooms has no name.
        there: what stands in it as soon as it is shown.
        filled: what it is filled with.
    """

    tab: str
    name: str
    there: str
    filled: str

    @property
    def clicks(self) -> tuple[str, str]:
        """The row of tabs that the room's is in, and its text."""
        return (f"{self.tab.lower()}-rooms", self.name) if self.name else ("studio-tabs", self.tab)


AGREEMENT = "#agreement-nothing .studio-detail, #agreement-heads table"  # before it is found, and after
# As they are opened, from Rate, where the page begins; the first room of a tab is the one that is open when the tab is.
ROOMS = (
    Room("A or B?", "", "#pair-pad .pad", '#pair-pad .pad[data-state="rating"] [data-choice="tie"]'),
    Room("Train", "New run", "#train-start", "#train-data .studio-tiles"),
    Room("Train", "Runs", "#runs-filter", "#runs-table svg"),
    Room("Train", "Compare", "#compare-runs", "#compare-accuracy .js-plotly-plot"),
    Room("Analyse", "Results", "#analyse-run", "#analyse-table table"),
    Room("Analyse", "A against B", "#versus-prompt", "#analyse-waterfall .js-plotly-plot"),
    Room("Analyse", "Where", "#where-start", "#where-maps .studio-empty"),
    Room("Analyse", "Disagreements", "#disputes-head", "#disputes-pairs .studio-dispute"),
    Room("Analyse", "Two models", "#twomodels-run", "#analyse-twomodels .js-plotly-plot"),
    Room("Analyse", "Weights", "#weights-name", "#weights-ranking img"),
    Room("Analyse", "Score images", "#analyse-files", "#analyse-files"),
    Room("Project", "Overview", "#project-rescan", "#project-images table"),
    Room("Project", "Agreement", AGREEMENT, "#agreement-bias .js-plotly-plot"),
    Room("Project", "Import", "#import-files", "#import-plan .studio-empty"),
    Room("Project", "Export", ".studio-panel:has(#project-exports)", "#project-exports a"),
    Room("Project", "Settings", "#settings-save", "#guidelines-preview .studio-empty"),
    Room("Project", "People", ".studio-panel:has(#people-list)", "#people-list .studio-empty"),
    Room("Rate", "", "#rating-pad .pad", "#rating-pad .pad-stage:not(.loading) img"),
)
BARE = """
import gradio, uvicorn, fastapi, socket
with gradio.Blocks(analytics_enabled=False) as page: pass
app = gradio.mount_gradio_app(fastapi.FastAPI(), page, path="/", ssr_mode=False)
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen()
print("at http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
"""
# From the click until the tab's panel has been painted, and until what it is about is there. Milliseconds.
SWITCH = """async ([row, name, there, filled]) => {
  const seen = (element) => element && element.checkVisibility() && element.getBoundingClientRect().height > 0;
  const frame = () => new Promise(requestAnimationFrame);
  const tabs = [...document.querySelectorAll(`#${row} > .tab-wrapper button[role=tab]`)];
  const tab = tabs.find((one) => one.textContent.trim() == name);
  const began = performance.now();
  tab.click();
  let shown = null;
  for (;;) {
    await frame();
    if (shown === null && seen(document.querySelector(there))) { await frame(); shown = performance.now() - began; }
    if (shown !== null && seen(document.querySelector(filled))) return [shown, performance.now() - began];
    if (performance.now() - began > 60000) throw new Error(name + (shown === null ? " not shown" : " not filled"));
  }
}"""


def make_project(folder: Path, runs: int, images: int, prompts: int) -> None:
    """Images that Ada has rated and Ben every other one of, and copies of one real run on all of them."""
    from annotate.exports import Exporter
    from annotate.judgement import Rating
    from annotate.project import Project
    from annotate.rows import insert_rating
    from annotate.store import Store
    from reward.config import TrainConfig
    from reward.training import train

    random = np.random.default_rng(0)
    data = folder / "data"
    for number in range(images):
        file = data / f"images/p{number % prompts:03d}/{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(file)
    project = Project(data, base=folder)
    store = Store.open(project)
    with store._writing() as db:  # as many saves would take minutes of flushing
        for image in store.images():
            for name in ("Ada", "Ben")[: 1 + image.id % 2]:
                values = tuple(float(value) for value in random.uniform(0, 10, len(HEADS)).round(1))
                rating = Rating(image.id, name, values, key=f"rating-{name}-{image.id:08d}")
                insert_rating(db, rating, "2026-01-01T00:00:00.000Z")
    exporter = Exporter(store)
    exporter.start()
    assert exporter.flush()
    exporter.stop()
    store.close()
    first = folder / "outputs/run-000"
    told: dict[str, Any] = {"backbone": "pixelstats", "epochs": 2, "batch_size": 256, "image_root": folder}
    list(train(TrainConfig(output=first, ratings=project.ratings_csv, cache_dir=folder / "cache", **told)))
    for number in range(1, runs):
        shutil.copytree(first, folder / f"outputs/run-{number:03d}", symlinks=True)


@contextmanager
def served(command: list[str], folder: Path) -> Iterator[str]:
    """A server's address, read from its first line that has one; it is ended with the block."""
    environment = os.environ | {"REWARD_CACHE_DIR": str(folder / "cache"), "GRADIO_ANALYTICS_ENABLED": "False"}
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        try:
            yield next(line.split()[-1] for line in server.stdout if "http://" in line)
        finally:
            server.terminate()


def first_page(command: list[str], folder: Path) -> None:
    """From starting a server until its page has been answered in full."""
    with served(command, folder) as url, urlopen(url) as answer:
        answer.read()


@dataclass
class Switches:
    """What was measured in the browser: seconds from opening the page to an image that can be rated; milliseconds of
    each switch, (until it is shown, until it is filled), the first time in a page; and until shown, the second time.
    """

    opened: list[float]
    first: dict[Room, list[tuple[float, float]]]
    again: dict[Room, list[float]]


def switches(folder: Path, command: list[str], rounds: int) -> Switches:
    """Open the page `rounds` times, and in it every room, twice."""
    from playwright.sync_api import sync_playwright

    found = next(path for name in BROWSERS if (path := shutil.which(name)))
    told = Switches([], {room: [] for room in ROOMS}, {room: [] for room in ROOMS})

    def click(page: "Page", row: str, name: str, there: str, filled: str) -> tuple[float, float]:
        shown, full = page.evaluate(SWITCH, [row, name, there, filled])
        page.wait_for_timeout(PAUSE_MS)
        return shown, full

    with served(command, folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        for _ in range(rounds):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            began = time.monotonic()
            page.goto(url)
            page.get_by_label("Your name").fill("Bob")
            page.keyboard.press("Enter")
            page.wait_for_selector('.pad[data-state="rating"] .pad-stage:not(.loading) img')
            told.opened.append(time.monotonic() - began)
            tab = "Rate"
            for room in ROOMS:
                row, name = room.clicks if room.tab == tab else ("studio-tabs", room.tab)
                tab = room.tab
                filled = room.there if room.name == "Compare" else room.filled
                told.first[room].append(click(page, row, name, room.there, filled))
                if room.name == "Compare":  # opened with nothing chosen; from here on with two runs
                    compare_two(page)
            for room in ROOMS:
                if room.name and room.tab != tab:
                    click(page, "studio-tabs", room.tab, f"#{room.clicks[0]}", f"#{room.clicks[0]}")
                tab = room.tab
                told.again[room].append(click(page, *room.clicks, room.there, room.filled)[0])
            page.close()
        browser.close()
    return told


def compare_two(page: "Page") -> None:
    """Choose two of the runs in the room Compare."""
    for name in ("run-000", "run-001"):
        page.locator("#compare-runs input").fill(name)
        page.get_by_role("option", name=name, exact=True).click()
    page.locator("#compare-accuracy .js-plotly-plot").wait_for()
    page.wait_for_timeout(1000)


def rows(quick: bool) -> Iterator[Row]:
    runs, images, prompts = (3, 30, 3) if quick else (RUNS, IMAGES, PROMPTS)
    rounds = 1 if quick else ROUNDS
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["REWARD_CACHE_DIR"] = str(folder / "cache")
        make_project(folder, runs, images, prompts)
        studio = [sys.executable, str(ROOT / "app.py"), "--port", "0"]
        sides = [partial(first_page, studio, folder), partial(first_page, [sys.executable, "-c", BARE], folder)]
        for side in sides if not quick else ():
            side()  # once, so that files are in the page cache
        measured = in_turn(sides, rounds)
        yield Row("first page ÷ a bare gradio with an empty page", ratios(measured), most=1.3)
        yield Row("first page", [seconds[0] for seconds in measured], unit=" s")
        found = switches(folder, studio, rounds)
        many = f"{runs} runs, {images:,} rated images"
        yield Row(f"page opened until an image can be rated ({many})", found.opened, unit=" s")
        for room, times in found.first.items():
            what = ", ".join(filter(None, (room.tab, room.name)))
            yield Row(f"{what}: shown", [shown for shown, _ in times], most=200, unit=" ms")
            if room.filled != room.there:
                yield Row(f"{what}: its numbers are there", [filled for _, filled in times], unit=" ms")
        slowest = max(found.again, key=lambda room: float(np.median(found.again[room])))
        what = f"the slowest of them when all have been opened ({slowest.name or slowest.tab}): shown"
        yield Row(what, found.again[slowest], most=200, unit=" ms")


if __name__ == "__main__":
    main(rows, __doc__)
