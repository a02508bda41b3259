"""The rating pad's scripts over HTTP: ES modules that import one another, at an address that changes with them."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from annotate.errors import NotFoundError
from annotate.identity import Rater

PAD: Final = Path(__file__).parent / "pad"
_HEADERS = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


@cache
def pad_version() -> str:
    """Tells these scripts from those of another version of the studio, so that no cache mixes them."""
    digest = hashlib.sha256()
    for path in sorted(PAD.glob("*.js")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def script_address(name: str) -> str:
    """Where a view's first module is, relative to the studio's address."""
    return f"pad/{pad_version()}/{name}"


def pad_router() -> APIRouter:
    """The one route that hands out the modules."""
    router = APIRouter()

    @router.get("/pad/{version}/{name}", include_in_schema=False)
    def get_script(_person: Rater, version: str, name: str) -> Response:
        if name not in {path.name for path in PAD.glob("*.js")} or version != pad_version():
            raise NotFoundError("The studio was updated. Reload the page.")
        return FileResponse(PAD / name, media_type="text/javascript", headers=_HEADERS)

    return router
