"""What a page costs with 200 runs and 10,000 rated images: to open, to switch tabs, and to score one upload.

    python benchmarks/rooms.py

The first page is measured against a bare `import gradio` that serves an empty page; a switch, in Chromium by the page's
own clock, from the click to the second frame in which the tab stands there, and until its numbers do; one upload's
score against the bare encode and heads on the same file.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image

from benchmarks.ratios import ROUNDS, Row, in_turn, main, ratios
from reward.aspects import HEADS

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
RUNS, IMAGES, PROMPTS = 200, 10_000, 500
# A tab, what stands in it as soon as it is shown, and what it is filled with.
TABS = (
    ("Train", "#train-start", "#train-command textarea"),
    ("Analyse", "#analyse-run", "#analyse-table table"),
    ("Rate", ".pad", ".pad-stage img"),
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
SWITCH = """async ([name, there, filled]) => {
  const seen = (element) => element && element.checkVisibility() && element.getBoundingClientRect().height > 0;
  const frame = () => new Promise(requestAnimationFrame);
  const tabs = [...document.querySelectorAll("#studio-tabs button[role=tab]")];
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
    """Images that somebody has rated, and copies of one real run on some of them."""
    from annotate.judgement import Rating
    from annotate.project import Project
    from annotate.rows import insert_rating
    from annotate.store import Store
    from reward.config import TrainConfig
    from reward.training import train
    from tests.planted import plant

    random = np.random.default_rng(0)
    planted = plant(folder / "planted", prompts=12, images=4)
    data = folder / "data"
    for number in range(images):
        file = data / f"images/p{number % prompts:03d}/{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(file)
    store = Store.open(Project(data))
    with store._writing() as db:  # as many saves would take minutes of flushing
        for image in store.images():
            values = tuple(float(value) for value in random.uniform(0, 10, len(HEADS)).round(1))
            insert_rating(db, Rating(image.id, "Ada", values, key=f"rating-{image.id:08d}"), "2026-01-01T00:00:00.000Z")
    store.close()
    first = folder / "outputs/run-000"
    told: dict[str, Any] = {
        "ratings": planted.ratings,
        "pairs": planted.pairs,
        "backbone": "pixelstats",
        "epochs": 3,
        "folds": 3,
    }
    list(train(TrainConfig(output=first, cache_dir=folder / "cache", **told)))
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


def switches(folder: Path, command: list[str], rounds: int) -> tuple[list[float], dict[str, list[tuple[float, float]]]]:
    """Seconds from opening the page to an image that can be rated; and milliseconds of each switch of tabs."""
    from playwright.sync_api import sync_playwright

    found = next(path for name in BROWSERS if (path := shutil.which(name)))
    opened: list[float] = []
    switched: dict[str, list[tuple[float, float]]] = {name: [] for name, *_ in TABS}
    with served(command, folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        for _ in range(rounds):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            began = time.monotonic()
            page.goto(url)
            page.get_by_label("Your name").fill("Bob")
            page.keyboard.press("Enter")
            page.wait_for_selector('.pad[data-state="rating"] .pad-stage:not(.loading) img')
            opened.append(time.monotonic() - began)
            for _ in range(2):
                for name, there, filled in TABS:
                    switched[name].append(tuple(page.evaluate(SWITCH, [name, there, filled])))
                    page.wait_for_timeout(300)
            page.close()
        browser.close()
    return opened, switched


def one_upload(folder: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    """The page's way to a table of scores for one file, and the bare encode and heads."""
    from dashboards import scoring
    from tests.dashboards_helpers import make_context

    context = make_context(folder / "data", folder / "outputs", folder / "planted")
    file = folder / "photograph.jpg"
    random = np.random.default_rng(1)
    small = Image.fromarray(random.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    small.resize((1024, 768), Image.Resampling.BICUBIC).save(file, quality=92)
    model = context.shelf.use(folder / "outputs/run-000/best", lambda one: one)

    def page() -> object:
        report = scoring.score(context, "run-000", "best", [str(file)])
        return report.table(scoring.AS_GIVEN)

    return page, lambda: model.score("", str(file))


def rows(quick: bool) -> Iterator[Row]:
    runs, images, prompts = (3, 30, 3) if quick else (RUNS, IMAGES, PROMPTS)
    rounds = 1 if quick else ROUNDS
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["REWARD_CACHE_DIR"] = str(folder / "cache")
        make_project(folder, runs, images, prompts)
        studio = [sys.executable, str(ROOT / "app.py"), "--port", "0", "--allow", str(folder / "planted")]
        sides = [partial(first_page, studio, folder), partial(first_page, [sys.executable, "-c", BARE], folder)]
        for side in sides if not quick else ():
            side()  # once, so that files are in the page cache
        measured = in_turn(sides, rounds)
        yield Row("first page ÷ a bare gradio with an empty page", ratios(measured), most=1.3)
        yield Row("first page", [seconds[0] for seconds in measured], unit=" s")
        opened, switched = switches(folder, studio, rounds)
        many = f"{runs} runs, {images:,} rated images"
        yield Row(f"page opened until an image can be rated ({many})", opened, unit=" s")
        for name, times in switched.items():
            yield Row(f"switch to {name} ({many})", [shown for shown, _ in times], most=200, unit=" ms")
            yield Row(f"switch to {name} until its numbers are there", [filled for _, filled in times], unit=" ms")
        upload, bare = one_upload(folder)
        upload(), bare()
        yield Row("one upload scored ÷ bare encode and heads", ratios(in_turn([upload, bare], 5 * rounds)), most=1.1)


if __name__ == "__main__":
    main(rows, __doc__)
