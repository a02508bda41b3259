"""What each route of the app needs, read from the routes themselves: one that doesn't say stops the start."""

from collections.abc import Iterator
from typing import Any, Final, Literal

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from annotate.gate import SIGN_IN, SIGN_OUT
from annotate.identity import Needs
from annotate.permissions import Permission

Need = Permission | Literal["nothing", "session"]

# Routes that need no role: the only one for people without a session, and those for anybody with one.
_WITHOUT_ROLE: Final[dict[str, Need]] = {SIGN_IN: "nothing", SIGN_OUT: "session", "/openapi.json": "session"}


def declared_needs(app: FastAPI) -> dict[tuple[str, str], Need]:
    """What a request must have, by method and path, for every route of the app; mounted apps see to theirs.

    Raises:
        RuntimeError: a route says nothing of it.
    """
    found: dict[tuple[str, str], Need] = {}
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, Mount):
            continue
        path = str(context.path)
        need = _WITHOUT_ROLE.get(path) or next(_needs_of(getattr(context, "dependant", None)), None)
        if need is None:
            raise RuntimeError(f"{path}: say who may call it, with Depends(needs(…)); see annotate/identity.py")
        found |= {(method, path): need for method in context.methods or {"*"}}
    return found


def _needs_of(dependant: Any) -> Iterator[Permission]:
    if dependant is None:
        return
    if isinstance(dependant.call, Needs):
        yield dependant.call.permission
    for inner in dependant.dependencies:
        yield from _needs_of(inner)
