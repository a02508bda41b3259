"""What several tests need: a small real project of pictures, and the rating desk served on a free port."""

import gc
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk_parts import Served, draw_picture
from hub_server import Hub, serve_hub

from annotate.project import Project
from annotate.store import Store

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
gc.disable()  # until all tests are found: what they import stays


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, so that none of them is what everything waits for at the end; those with a browser last.

    A started Playwright keeps an event loop running in its thread, in which `asyncio.run` is refused.
    """
    long = {item.path: "long" in item.keywords for item in items}
    items.sort(key=lambda item: ("browser" in item.keywords, not long[item.path]))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Look for garbage from here on, but not among the modules, and less often: there is memory enough."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_sessionfinish() -> None:
    """Else extension modules tell at the end of every worker what of theirs is still there."""
    gc.unfreeze()


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[..., Project]:
    """Makes a project of `prompts` × `images` real pictures below a temporary folder, which is also its base."""

    def make(prompts: int = 2, images: int = 3, size: tuple[int, int] = (320, 240)) -> Project:
        root = tmp_path / "data"
        lines = ["prompt_id,prompt"]
        for p in range(1, prompts + 1):
            lines.append(f'p{p:02d},"Picture number {p}, with a disc"')
            for i in range(1, images + 1):
                draw_picture(root / "images" / f"p{p:02d}" / f"{i}.png", 100 * p + i, size)
        (root / "prompts.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return Project(root, base=tmp_path)

    return make


@pytest.fixture
def open_store() -> Iterator[Callable[[Project], Store]]:
    """Opens stores and closes them when the test ends."""
    stores: list[Store] = []

    def start(project: Project) -> Store:
        stores.append(Store.open(project))
        return stores[-1]

    yield start
    for store in stores:
        store.close()


@pytest.fixture
def serve() -> Iterator[Callable[[object], Served]]:
    """Serves an ASGI app with uvicorn in a thread on a free port, until the test ends."""
    yield from _serving()


@pytest.fixture(scope="module")
def serve_long() -> Iterator[Callable[[object], Served]]:
    """As `serve`, until the module's tests end."""
    yield from _serving()


def _serving() -> Iterator[Callable[[object], Served]]:
    import uvicorn

    running: list[tuple[uvicorn.Server, threading.Thread, socket.socket]] = []

    def start(app: object) -> Served:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)  # type: ignore[arg-type]  # any ASGI app
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive(), "the server ended while starting"
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        running.append((server, thread, listener))
        return Served(f"http://127.0.0.1:{listener.getsockname()[1]}")

    yield start
    for server, thread, listener in running:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A model hub of one's own, which huggingface_hub takes for the only one."""
    with serve_hub(monkeypatch, tmp_path / "hub") as served:
        yield served


@pytest.fixture(scope="session")
def avt() -> Path:
    """Real images with real people's ratings: $AVT_DATA, else beside the project."""
    named = os.environ.get("AVT_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data" / "avt"
    if not (folder / "multihead_ratings.csv").is_file():
        pytest.skip("the AVT ratings are not here: set AVT_DATA to their folder")
    return folder


@pytest.fixture(scope="session", autouse=True)
def reward_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One embedding cache for the whole test run, inherited by subprocesses, apart from the user's own."""
    folder = tmp_path_factory.mktemp("embeddings")
    before = os.environ.get("REWARD_CACHE_DIR")
    os.environ["REWARD_CACHE_DIR"] = str(folder)
    yield folder
    os.environ.pop("REWARD_CACHE_DIR")
    if before is not None:
        os.environ["REWARD_CACHE_DIR"] = before


@pytest.fixture(scope="session")
def openclip_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small real OpenCLIP model (ViT-S-32, random), as a file on disk."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = open_clip.create_model("ViT-S-32")
    path = tmp_path_factory.mktemp("weights") / "vit-s-32.safetensors"
    save_file(model.state_dict(), path)
    return path


@pytest.fixture
def campaign(make_project: Callable[..., Project], open_store: Callable[[Project], Store]) -> Callable[..., Store]:
    def start(settings: str, prompts: int = 2, images: int = 3) -> Store:
        project = make_project(prompts=prompts, images=images, size=(16, 16))
        project.settings.write_text(settings, encoding="utf-8")
        return open_store(project)

    return start
