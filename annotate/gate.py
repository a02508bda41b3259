"""Lets nobody in without a session: every page and route but the sign-in page, Gradio's own routes included."""

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from annotate.errors import AnnotateError, SignedOutError
from annotate.identity import note_person
from annotate.sessions import Sessions

SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"


class Gate:
    """ASGI middleware that finds out who sends a request; without accounts, anybody is let in."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        token = HTTPConnection(scope).cookies.get(self._sessions.cookie, "")
        try:
            person = self._sessions.person(token)
            if person is None and scope["path"] != SIGN_IN:
                raise SignedOutError
            if token and person is not None and self._sessions.is_due(token):
                await run_in_threadpool(self._sessions.extend, token)
        except AnnotateError as error:
            await _refuse(scope, receive, send, error)
            return
        note_person(scope, person)
        await self._app(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send, error: AnnotateError) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": str(error)[:120]})
        return
    answer: Response = JSONResponse(error.answer(), error.status, {"Cache-Control": "no-store"})
    if error.status == 401 and _opens_a_page(scope):
        answer = RedirectResponse(SIGN_IN, 303, {"Cache-Control": "no-store"})
    await answer(scope, receive, send)


def _opens_a_page(scope: Scope) -> bool:
    """Whether a person opened an address, rather than a script."""
    return scope["method"] == "GET" and "text/html" in HTTPConnection(scope).headers.get("accept", "")
