"""The JSON route that hands a project's guidelines to its raters."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from annotate.answers import REFUSALS
from annotate.errors import NotFoundError
from annotate.guidelines import Guidelines
from annotate.identity import Rater
from annotate.store import Store


class GuidelinesOut(BaseModel):
    """How to rate in this project."""

    html: str = Field(description="Made of the Markdown by the studio: no scripts, images by their number.")


def guidelines_router(store: Store) -> APIRouter:
    """The route below `/api`, on one store."""
    router = APIRouter(prefix="/api", tags=["rating"], responses=REFUSALS)
    guidelines = Guidelines(store)

    @router.get(
        "/guidelines",
        summary="How to rate in this project",
        response_model=GuidelinesOut,
        responses={304: {"description": "Not changed"}, 404: {"description": "There are no guidelines"}},
    )
    def get_guidelines(_person: Rater, if_none_match: Annotated[str | None, Header()] = None) -> Response:
        text = guidelines.read()
        if not text.strip():
            raise NotFoundError("This project has no guidelines.")
        html = guidelines.render(text).html
        tag = f'"{hashlib.sha256(html.encode()).hexdigest()[:16]}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if if_none_match == tag:
            return Response(status_code=304, headers=headers)
        return JSONResponse({"html": html}, headers=headers)

    return router
