"""Keeps other web pages out of a studio on this computer: checks Host on every request, where it comes from on every
write and on every request to the JSON routes.

Without it, a page on any site could post ratings (CSRF), take images from raters by showing `/api/next` as if it were a
picture, or, by DNS rebinding, read the ratings.
"""

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_JSON_BYTES = 64 * 1024
_ROUTES = "/api/"
_SMALL_PATHS = (_ROUTES, "/sign-")


class Guard:
    """ASGI middleware around the whole studio, Gradio's routes included."""

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str] = LOOPBACK_HOSTS) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope, Headers(scope=scope))
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refused[1][:120]})
        else:
            await _answer(send, *refused)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "").lower()
        if _without_port(host) not in self._hosts:
            return (
                400,
                f"This studio answers only at {', '.join(sorted(self._hosts))}; open it under one of these names.",
            )
        reads = scope["type"] == "http" and scope["method"] in _SAFE_METHODS
        if reads and not scope["path"].startswith(_ROUTES):
            return None
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host:
            return 403, "Requests from other web pages are refused."
        if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            return 403, "Requests from other web pages are refused."
        if not reads and scope["path"].startswith(_SMALL_PATHS) and not _is_small(headers):
            return 413, f"A request may hold {_MAX_JSON_BYTES // 1024} KiB, with its length given."
        return None


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _is_small(headers: Headers) -> bool:
    length = headers.get("content-length", "")
    return length.isdigit() and int(length) <= _MAX_JSON_BYTES


async def _answer(send: Send, status: int, message: str) -> None:
    body = json.dumps({"detail": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
