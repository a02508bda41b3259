"""Takes the README's pictures: serves the studio on a fresh sample project, uses it, writes docs/screenshot*.png."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

REPOSITORY = Path(__file__).resolve().parent.parent
PICTURES = REPOSITORY / "docs"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
TRAINING_MS = 600_000


@contextmanager
def studio(folder: Path) -> Iterator[str]:
    """The studio's address, served from `folder` until the block ends."""
    command = [sys.executable, str(REPOSITORY / "app.py"), "--port", "0"]
    environment = os.environ | {"REWARD_CACHE_DIR": str(folder / "cache")}
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        try:
            if not line.startswith("Reward Studio: "):
                raise SystemExit("the studio did not start")
            yield line.split()[-1]
        finally:
            server.terminate()


def take_all(browser: Browser, url: str) -> None:
    """Rate a little, train on the sample, look at the result; a picture of each."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{url}/?__theme=light")
    rate(page)
    take(page, "screenshot.png")
    page.set_viewport_size({"width": 1280, "height": 860})  # ends above the command, which names this machine's folders
    train(page)
    take(page, "screenshot-train.png")
    page.set_viewport_size({"width": 1280, "height": 1040})
    analyse(page)
    take(page, "screenshot-analyse.png")


def rate(page: Page) -> None:
    """Give a name, save one image, and rate three heads of the next."""
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    for keys in ("86797", "975"):
        page.wait_for_selector('.pad[data-state="rating"] .pad-stage:not(.loading) img')
        expect(page.locator(".pad-value").first).to_have_text("not rated yet")
        for key in keys:
            page.keyboard.press(key)
        if len(keys) == 5:
            page.keyboard.press("Enter")
            expect(page.locator(".pad-status")).to_contain_text("Saved.")


def train(page: Page) -> None:
    """Train on the sample with the settings as they are, to the end."""
    page.get_by_role("tab", name="Train").click()
    expect(page.locator("#train-command textarea")).not_to_have_value("")
    page.get_by_role("button", name="Start training").click()
    run = page.locator("#train-run [data-state]")
    expect(run).to_have_attribute("data-state", "finished", timeout=TRAINING_MS)
    expect(page.locator("#train-importance .js-plotly-plot .legendtext").first).to_be_visible()


def analyse(page: Page) -> None:
    """Open the run that was just trained."""
    page.get_by_role("tab", name="Analyse").click()
    expect(page.locator("#analyse-importance .js-plotly-plot")).to_be_visible()


def take(page: Page, name: str) -> None:
    """Write the picture of what the window shows."""
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(800)  # charts and transitions settle
    page.screenshot(path=PICTURES / name)
    print(PICTURES / name)


def main() -> None:
    """Take every picture."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit("no Chromium found: run tests/browser/install_chromium.sh")
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        take_all(browser, url)
        browser.close()


if __name__ == "__main__":
    main()
