"""`GET /api/export/…`: downloads, made and sent a piece at a time."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from annotate.errors import NotFoundError
from annotate.exporting.current import take_current
from annotate.exporting.formats import FORMATS
from annotate.exporting.label_studio import labelling_config
from annotate.identity import Admin
from annotate.schemas import ErrorOut
from annotate.store import Store

_TEMPLATE = "label-studio-template"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
Simulated = Annotated[
    bool, Query(description="In the sample: the simulated people's ratings instead of real people's.")
]


def export_router(store: Store) -> APIRouter:
    """The routes, on one store."""
    router = APIRouter(prefix="/api/export", tags=["export"], responses={404: {"model": ErrorOut}})

    @router.get(f"/{_TEMPLATE}", summary="The labelling template for Label Studio", response_class=PlainTextResponse)
    def get_template(_person: Admin) -> Response:
        return PlainTextResponse(labelling_config(), headers=_HEADERS)

    @router.get("/{form}", summary=f"Ratings as a file: {', '.join(FORMATS)}", response_class=StreamingResponse)
    def get_export(_person: Admin, form: str, simulated: Simulated = False) -> Response:
        if form not in FORMATS:
            raise NotFoundError(f"There is no such format; the formats are {', '.join(FORMATS)}.")
        chosen = FORMATS[form]
        pieces = chosen.pieces(take_current(store, simulated=simulated))
        told = {"Content-Disposition": f'attachment; filename="{chosen.file}"'}
        return StreamingResponse(pieces, media_type=chosen.media_type, headers=_HEADERS | told)

    return router
