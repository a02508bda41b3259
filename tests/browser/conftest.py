"""A real Chromium for the browser tests, started once; each test gets pages of its own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
import pytest
from desk_parts import Served
from pad_parts import Desk
from playwright.sync_api import Browser, Page, expect, sync_playwright

from annotate.api import build_api
from annotate.exports import Exporter
from annotate.project import Project
from annotate.rating_tab import build_rating_tab
from annotate.store import Store

CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000  # a busy machine takes its time
expect.set_options(timeout=PATIENCE_MS)
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str:
    """The system's Chromium; the browser tests don't run without one."""
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    assert path is not None, "no Chromium found: run tests/browser/install_chromium.sh"
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The running browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGS))
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a context of its own: `new_page(width=1280, dark=True)`; `routed` where a test sets routes."""
    contexts = []

    def open_page(
        width: int = 1280, height: int = 720, *, dark: bool = False, touch: bool = False, routed: bool = False
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", has_touch=touch
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        if routed:
            # The browser passes requests to routes from some moment after the first one is set. One that is set in
            # the middle of a test would let through what is asked until then.
            page.route("**/nobody-asks-for-this", lambda route: route.abort())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where screenshots go; git ignores it."""
    folder = Path(__file__).parents[2] / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def start_desk(open_store: Callable[[Project], Store], serve: Callable[[object], Served]) -> Callable[[Project], Desk]:
    """Serves the pad of a project as the studio does: a Gradio page mounted on the rating API's app."""

    def start(project: Project) -> Desk:
        store = open_store(project)
        exporter = Exporter(store)
        app = build_api(project, store, exporter)
        with gr.Blocks(analytics_enabled=False, fill_width=True) as demo, gr.Tabs(), gr.Tab("Rate"):
            build_rating_tab(project)
        css = "footer { display: none !important; }"
        gr.mount_gradio_app(app, demo, path="/", footer_links=[], run_history=False, ssr_mode=False, css=css)
        demo.has_launched = True
        return Desk(serve(app).url, project, store, exporter)

    return start


@pytest.fixture
def desk(make_project: Callable[..., Project], start_desk: Callable[[Project], Desk]) -> Desk:
    """The desk of a project of two prompts with two images each."""
    return start_desk(make_project(prompts=2, images=2, size=(640, 480)))
