"""Refuses calls of the page's events that name a file by an address elsewhere: Gradio would download it.

It would do so while it prepares a call's inputs, before the event's handler can check who calls. What it downloads is
the `path` of a file; the `url` beside it, in the page the studio's own address of an upload, it doesn't open.
"""

import json
from typing import Any, Final

from starlette.responses import JSONResponse
from starlette.types import Message, Receive

LARGEST_CALL: Final = 16 * 2**20  # bytes; an uploaded file, which goes another way, takes about 500 of them
_ELSEWHERE: Final = ("http:", "https:")


async def checked_call(receive: Receive) -> tuple[JSONResponse | None, Receive]:
    """The refusal of a call, if any, and from where its body can be read again."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None, _again(message, receive)  # the caller is gone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST_CALL:
            words = f"A call may hold {LARGEST_CALL // 2**20} MiB; send fewer files at once."
            return JSONResponse({"detail": words}, 413), receive
    return _refusal(bytes(body)), _again({"type": "http.request", "body": bytes(body), "more_body": False}, receive)


def _refusal(body: bytes) -> JSONResponse | None:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return JSONResponse({"detail": "A call is a JSON object."}, 422)
    if _names_address(said):
        return JSONResponse({"detail": "The studio fetches nothing from elsewhere; upload the file."}, 403)
    return None


def _names_address(said: Any) -> bool:
    left = [said]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            path = part.get("path")
            if isinstance(path, str) and path.strip().lower().startswith(_ELSEWHERE):
                return True
            left.extend(part.values())
        elif isinstance(part, list):
            left.extend(part)
    return False


def _again(first: Message, receive: Receive) -> Receive:
    waiting = [first]

    async def read() -> Message:
        return waiting.pop() if waiting else await receive()

    return read
