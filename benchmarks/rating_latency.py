"""How long a rater waits from Enter until the next image is painted, in Chromium, with images of one megapixel.

    python benchmarks/rating_latency.py --images 60

Serves the whole studio on a data folder in a temporary place and rates by keyboard. The time runs from the key to the
second animation frame after the next image is decoded and in the page, as the page's own clock has it.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.serving import studio

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
SIDE = 1000  # pixels
MAX_IMAGES = 500

# Notes when Enter is pressed, and when the next image stands on the stage and a frame with it is over.
WATCH = """
window.waits = [];
const press = (event) => { if (event.key === "Enter") window.pressed = performance.now(); };
document.addEventListener("keydown", press, true);
let last = document.querySelector(".pad-picture").firstElementChild;
new MutationObserver(async () => {
  const image = document.querySelector(".pad-picture").firstElementChild;
  if (!image || image === last || window.pressed === undefined) return;
  last = image;
  const began = window.pressed;
  await image.decode();
  requestAnimationFrame(() => requestAnimationFrame(() => window.waits.push(performance.now() - began)));
}).observe(document.querySelector(".pad-picture"), { childList: true });
"""


def make_images(root: Path, count: int) -> None:
    """Photograph-like noise at several scales, so that the files are as heavy as real ones."""
    rng = np.random.default_rng(0)
    folder = root / "data" / "images" / "p1"
    folder.mkdir(parents=True)
    for number in range(count):
        layers = []
        for cells in (4, 20, 100, 500):
            small = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
            layers.append(np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32))
        mixed = np.average(layers, axis=0, weights=(8, 4, 2, 1)).astype(np.uint8)
        Image.fromarray(mixed).save(folder / f"{number:04d}.png")


def rate(page: Page, url: str, count: int, pause_ms: int) -> list[float]:
    """Rate `count` images; returns the waits in milliseconds."""
    page.goto(url)
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    page.wait_for_selector('.pad[data-state="rating"] .pad-stage:not(.loading) img')
    page.evaluate(WATCH)
    for done in range(count):
        page.wait_for_timeout(pause_ms)
        for key in "73586":
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        page.wait_for_function("(many) => window.waits.length >= many", arg=done + 1, polling=20)
    return list(page.evaluate("window.waits"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=60, help="how many are rated (default: 60)")
    parser.add_argument("--pause-ms", type=int, default=400, help="a person's time before each (default: 400)")
    given = parser.parse_args()
    if not 2 <= given.images <= MAX_IMAGES:
        parser.error(f"--images {given.images}: a number from 2 to {MAX_IMAGES}")
    if not 0 <= given.pause_ms <= 10_000:
        parser.error(f"--pause-ms {given.pause_ms}: a number from 0 to 10000")
    browser_path = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser_path is None:
        raise SystemExit("no Chromium found: run tests/browser/install_chromium.sh")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        make_images(Path(name), given.images + 1)
        size = (Path(name) / "data/images/p1/0000.png").stat().st_size
        with studio(Path(name)) as (url, _):
            browser = playwright.chromium.launch(executable_path=browser_path, args=list(ARGUMENTS))
            waits = rate(browser.new_page(viewport={"width": 1280, "height": 720}), url, given.images, given.pause_ms)
            browser.close()
    median, p95 = np.percentile(waits, [50, 95])
    print(f"{len(waits)} saves, {SIDE} × {SIDE} PNG of {size / 1e6:.1f} MB, {given.pause_ms} ms before each")
    print(f"Enter to the next image painted: median {median:.0f} ms, p95 {p95:.0f} ms, worst {max(waits):.0f} ms")


if __name__ == "__main__":
    main()
