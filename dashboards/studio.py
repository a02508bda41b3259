"""The assembled studio: opens the project, joins the rating routes and the page, serves both on this computer."""

import errno
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from annotate.exports import Exporter
from annotate.project import open_project
from annotate.store import Store
from dashboards.context import Context
from dashboards.desk import RunDesk
from dashboards.device import DeviceFinder
from dashboards.jobs import JobBoard
from dashboards.roots import Roots
from dashboards.scorer import ModelShelf
from reward.errors import RewardError

if TYPE_CHECKING:
    from fastapi import FastAPI

HOST: Final = "127.0.0.1"
GOODBYE_SECONDS: Final = 3


class StudioError(RewardError):
    """The studio can't be served as asked; the message says what to change."""


@dataclass(frozen=True)
class Settings:
    """What the studio is started with: its folders, and further ones whose files trainings may read."""

    data: Path
    outputs: Path
    allowed: tuple[Path, ...] = ()


@contextmanager
def open_studio(settings: Settings) -> "Iterator[tuple[FastAPI, Context]]":
    """The app, ready to be served, and its parts; the project is closed at the end.

    Raises:
        RewardError: a folder can't be used.
    """
    _check_folders(settings.allowed)
    project = open_project(settings.data)
    roots = Roots.of(settings.data, settings.outputs, settings.allowed)
    board = JobBoard(project.root.absolute() / "jobs")
    context = Context(project, roots, board, ModelShelf(), DeviceFinder(), RunDesk(roots))
    store = Store.open(project)
    try:
        yield _build_app(context, store), context
    finally:
        store.close()


def serve(settings: Settings, port: int) -> None:
    """Serve the studio on the loopback address until it is interrupted.

    Raises:
        StudioError: the port can't be had.
        RewardError: a folder can't be used.
    """
    import uvicorn

    with bind(port) as listener, tempfile.TemporaryDirectory(prefix="reward-studio-") as uploads:
        # Read by Gradio when it is imported or used: no calls home, and uploads in a folder that goes with the studio.
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        os.environ["GRADIO_TEMP_DIR"] = uploads
        with open_studio(settings) as (app, context):
            config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=GOODBYE_SECONDS)
            print(f"Reward Studio: http://{HOST}:{listener.getsockname()[1]}", flush=True)
            print(_project_words(context), flush=True)
            uvicorn.Server(config).run(sockets=[listener])


def bind(port: int) -> socket.socket:
    """A socket bound to the port of the loopback address; 0 takes any free one.

    Raises:
        StudioError: the port is taken or not allowed.
    """
    # Only sockets that say they are TCP's get TCP_NODELAY from asyncio; without it each answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()  # now, not when all is built: a second studio that starts meanwhile is told
    except OSError as error:
        listener.close()
        reason = (
            "is taken, perhaps by another studio"
            if error.errno == errno.EADDRINUSE
            else f"can't be used ({error.strerror})"
        )
        other = port + 1 if 1024 <= port < 65535 else 7861
        raise StudioError(f"Port {port} {reason}; choose another one with --port {other}") from error
    return listener


def _build_app(context: Context, store: Store) -> "FastAPI":
    from annotate.api import build_api
    from annotate.pair_tab import build_pair_tab
    from annotate.rating_tab import build_rating_tab
    from dashboards.page import build_page, mount_page

    project = context.project
    app = build_api(project, store, Exporter(store))
    demo = build_page(context, store, lambda: build_rating_tab(project), lambda: build_pair_tab(project))
    # Images go out by id and runs as numbers: nothing below these folders is ever handed out by its path.
    return mount_page(app, demo, [context.roots.data, context.roots.outputs, *context.roots.allowed])


def _check_folders(folders: Sequence[Path]) -> None:
    for folder in folders:
        if not folder.is_dir():
            raise StudioError(f"--allow {folder}: there is no such folder")


def _project_words(context: Context) -> str:
    if context.project.is_sample:
        own = context.roots.data / "images"
        return (
            f"Sample project with simulated ratings: {context.project.root}. Your own images go to {own}/<prompt_id>/."
        )
    return f"Project: {context.project.root}"
