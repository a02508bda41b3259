"""What of Gradio's own routes is open, and to whom: all else it brings is closed."""

import re
from typing import Any, Final

from fastapi.routing import iter_route_contexts
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from annotate.errors import AnnotateError, SignedOutError
from annotate.identity import person_in
from annotate.permissions import Permission
from dashboards.addresses import checked_call

# They would hand out pages of other hosts under the studio's own address.
_FETCHING: Final = ("/gradio_api/file=http", "/gradio_api/file/http", "/gradio_api/proxy=")
# An event is called by posting to them.
_EVENTS: Final = frozenset({"gradio_api/run", "gradio_api/api", "gradio_api/call", "gradio_api/queue"})

# By the beginning of a path (see `beginning`); None is closed. Which event a person may call is for dashboards.events.
_PAGE: Final = ("", "config", "theme.css", "static", "assets", "svelte", "favicon.ico", "robots.txt", "manifest.json")
_CALLS: Final = ("run", "api", "call", "queue", "heartbeat", "info", "openapi.json", "startup-events", "theme.css")
_ABOUT: Final = ("user", "login_check", "app_id", "custom_component")
_FILES: Final = ("upload", "upload_progress", "file", "cancel")
_CLOSED: Final = ("openapi.json", "login", "logout", "pwa_icon", "monitoring", "gradio_api/deep_link")
_CLOSED_CALLS: Final = (
    "token", "dev", "runs", "run-history", "proxy", "stream", "reset", "component_server", "process_recording",
    "vibe-edit", "undo-vibe-edit", "vibe-code", "vibe-starter-queries", "profiling",
)  # fmt: skip
ROUTES: Final[dict[str, Permission | None]] = {
    **dict.fromkeys(_PAGE, "rate"),
    **{f"gradio_api/{name}": "rate" for name in (*_CALLS, *_ABOUT)},
    **{f"gradio_api/{name}": "analyse" for name in _FILES},
    **dict.fromkeys(_CLOSED),
    **{f"gradio_api/{name}": None for name in _CLOSED_CALLS},
}


class Fence:
    """ASGI app around Gradio's, which lets through what `ROUTES` names to whom it names.

    Raises:
        RuntimeError: Gradio has a route that `ROUTES` doesn't tell of.
    """

    def __init__(self, gradio_app: Any) -> None:
        for context in iter_route_contexts(gradio_app.routes):
            if beginning(str(context.path)) not in ROUTES:
                raise RuntimeError(f"Gradio's route {context.path}: say in dashboards/fence.py who may call it")
        self._app: ASGIApp = gradio_app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(scope) if scope["type"] == "http" else _closed()
        if refusal is None and scope["method"] == "POST" and beginning(scope["path"]) in _EVENTS:
            refusal, receive = await checked_call(receive)
        await (refusal or self._app)(scope, receive, send)


def beginning(path: str) -> str:
    """What of a path tells which of Gradio's routes it is: its first name, below gradio_api the second too."""
    names = re.split("[/=]", path.strip("/"))
    return "/".join(names[:2] if names[0] == "gradio_api" else names[:1])


def _refusal(scope: Scope) -> JSONResponse | None:
    if scope["path"].lower().startswith(_FETCHING):
        return JSONResponse({"detail": "The studio fetches nothing from elsewhere."}, 403)
    permission = ROUTES.get(beginning(scope["path"]))
    if permission is None:
        return _closed()
    person = person_in(scope)
    try:
        if person is None:
            raise SignedOutError
        person.require(permission)
    except AnnotateError as error:
        return JSONResponse(error.answer(), error.status)
    return None


def _closed() -> JSONResponse:
    return JSONResponse({"detail": "The studio has no such page."}, 404)
