"""Keeps Gradio's file routes from fetching: they would hand out pages of other hosts under the studio's own address."""

from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_FETCHING: Final = ("/gradio_api/file=http", "/gradio_api/file/http", "/gradio_api/proxy=")


class Fence:
    """ASGI middleware that answers 403 where a path names another host."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].lower().startswith(_FETCHING):
            refusal = JSONResponse({"detail": "The studio fetches nothing from elsewhere."}, 403)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)
