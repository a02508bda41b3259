"""The assembled studio: opens the project, joins the rating routes and the page, serves both."""

import gc
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from annotate.accounts import Accounts
from annotate.exports import Exporter
from annotate.project import Project, open_project
from annotate.sessions import Sessions
from annotate.store import Store
from dashboards.background import Inquiries
from dashboards.context import Context
from dashboards.desk import RunDesk
from dashboards.device import DeviceFinder
from dashboards.jobs import JobBoard
from dashboards.listening import Listening, StudioError
from dashboards.machine import Machine
from dashboards.roots import Roots
from dashboards.runactions import clear_remains
from dashboards.runlist import RunShelf
from dashboards.scorer import ModelShelf

if TYPE_CHECKING:
    from fastapi import FastAPI

GOODBYE_SECONDS: Final = 3


@dataclass(frozen=True)
class Settings:
    """What the studio is started with: its folders, and further ones whose files trainings may read."""

    data: Path
    outputs: Path
    allowed: tuple[Path, ...] = ()


@contextmanager
def open_studio(settings: Settings, listening: Listening | None = None) -> "Iterator[tuple[FastAPI, Context]]":
    """The app, ready to be served at an address (else at this computer's own), and its parts; closed at the end.

    Raises:
        RewardError: a folder can't be used.
    """
    _check_folders(settings.allowed)
    project = open_project(settings.data)
    roots = Roots.of(settings.data, settings.outputs, settings.allowed)
    board = JobBoard(project.root.absolute() / "jobs")
    where = listening or Listening()
    with ExitStack() as at_the_end:
        store = Store.open(project)
        at_the_end.callback(store.close)
        # The data folder's people, also while its sample is shown.
        accounts = Accounts.open(Project(settings.data).database)
        at_the_end.callback(accounts.close)
        context = Context(
            project,
            roots,
            board,
            ModelShelf(),
            DeviceFinder(),
            RunDesk(roots),
            Inquiries(),
            Machine(),
            RunShelf(roots.outputs),
            store,
            accounts,
        )
        board.recover()  # now that the folder is this studio's alone
        clear_remains(roots.outputs)
        sessions = Sessions(accounts, required=where.others_reach_it)
        at_the_end.callback(sessions.close)
        yield _build_app(context, store, sessions, where.hosts()), context


def serve(settings: Settings, listening: Listening) -> None:
    """Serve the studio until it is interrupted.

    Raises:
        StudioError: the address or port can't be had.
        RewardError: a folder can't be used.
    """
    import uvicorn

    with listening.bind() as listener, tempfile.TemporaryDirectory(prefix="reward-studio-") as uploads:
        # Read by Gradio when it is imported or used: no calls home, and uploads in a folder that goes with the studio.
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        os.environ["GRADIO_TEMP_DIR"] = uploads
        with _undisturbed(), open_studio(settings, listening) as (app, context):
            config = uvicorn.Config(
                app, log_level="warning", timeout_graceful_shutdown=GOODBYE_SECONDS, **listening.tls()
            )
            print(f"Reward Studio: {listening.url(listener.getsockname()[1])}", flush=True)
            print("\n".join(filter(None, (_project_words(context), listening.words()))), flush=True)
            gc.freeze()  # the page's many objects stay: to look through them time and again would hold up requests
            gc.enable()
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _undisturbed() -> Iterator[None]:
    """While a studio starts nothing becomes garbage, and to look for it would take a quarter of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _build_app(context: Context, store: Store, sessions: Sessions, hosts: Sequence[str]) -> "FastAPI":
    from annotate.api import build_api
    from annotate.pair_tab import build_pair_tab
    from annotate.rating_tab import build_rating_tab
    from dashboards.page import build_page, mount_page

    project = context.project
    app = build_api(project, store, Exporter(store), hosts, sessions)
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
