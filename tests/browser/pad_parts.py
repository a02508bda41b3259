"""What the browser tests of the rating pad share: a served desk, and how a person enters, presses keys and reads."""

import csv
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import uvicorn
from playwright.sync_api import Page, expect

from annotate.api import build_api
from annotate.drafts import one_draft
from annotate.exports import Exporter
from annotate.project import Project
from annotate.rating_tab import build_rating_tab
from annotate.store import Store

# To be waited for: what stands on the page may take its size a moment after it is there.
ON_ONE_SCREEN = "document.documentElement.scrollHeight <= innerHeight"


@dataclass(frozen=True)
class Desk:
    """A served rating desk."""

    url: str
    project: Project
    store: Store
    exporter: Exporter

    def rows(self, path: Path) -> list[dict[str, str]]:
        """The rows of an exported file, once all that was saved is in it."""
        assert self.exporter.flush()
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def free_port() -> int:
    """A port that nothing listens on, below those that the system gives to whoever asks for any."""
    while True:
        with suppress(OSError), socket.socket() as free:
            free.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
            return int(free.getsockname()[1])


@contextmanager
def serving(project: Project, port: int, build_tab: Callable[[Project], gr.HTML] = build_rating_tab) -> Iterator[Store]:
    """The desk of a project on a port of its own; ends when the block does, as a stopped studio."""
    store = Store.open(project)
    app = build_api(project, store, Exporter(store))
    with gr.Blocks(analytics_enabled=False) as demo:
        build_tab(project)
    gr.mount_gradio_app(app, demo, path="/", run_history=False, ssr_mode=False)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield store
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        store.close()


def enter(page: Page, desk: Desk, name: str = "Ada") -> None:
    """Open the page and give a name, by keyboard alone."""
    page.goto(desk.url)
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    shows(page, 1)


def on_stage(page: Page, image_id: int) -> None:
    """Wait until this image stands on the stage, loaded."""
    image = page.wait_for_selector(
        f'.pad[data-state="rating"] .pad-stage:not(.loading) img[src*="/images/{image_id}?"]'
    )
    assert image is not None
    image.evaluate("(image) => image.decode().catch(() => {})")  # before it is decoded, Enter is refused


def shows(page: Page, image_id: int) -> None:
    """Wait until this image stands on the stage, loaded, with no head rated."""
    on_stage(page, image_id)
    assert values(page) == ["not rated yet"] * 5


def values(page: Page) -> list[str]:
    """What the five heads' readouts say."""
    return page.locator(".pad-value").all_text_contents()


def numbers(page: Page) -> list[str]:
    """The five heads' numbers alone; blank where there is none."""
    return [value.rstrip("abcdefghijklmnopqrstuvwxyz ’'") for value in values(page)]


def press(page: Page, keys: str) -> None:
    """Press keys, one after another."""
    for key in keys.split():
        page.keyboard.press(key)


def status(page: Page, text: str) -> None:
    """Wait until the status line says this."""
    expect(page.locator(".pad-status")).to_contain_text(text)


def skip(page: Page) -> None:
    """Skip the image with the first reason that is offered."""
    page.get_by_role("button", name="Skip").click()
    page.keyboard.press("1")


def send_now(page: Page) -> None:
    """A click on the button, or nothing: on a busy machine the page may have sent by itself what it hides then."""
    page.locator(".pad-send-now").dispatch_event("click")


def draft_is_stored(store: Store, name: str, image_id: int, *values: float | None) -> None:
    """Wait until the studio has what a person touched."""
    deadline = time.monotonic() + 60
    while (found := one_draft(store._db, image_id, name)) is None or found.values != values:
        assert time.monotonic() < deadline, f"the draft is {found}"
        time.sleep(0.02)
