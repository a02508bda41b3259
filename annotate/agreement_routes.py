"""JSON routes for reviewers: agreement among raters, the most disputed images, and adjudications."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from annotate.adjudications import LONGEST_NOTE, Adjudication, StoredAdjudication, check_adjudication
from annotate.agreement import Agreement
from annotate.agreement_desk import AgreementDesk
from annotate.disputed import Disputed
from annotate.errors import BadRequestError
from annotate.identity import Reviewer
from annotate.schemas import ErrorOut, ImageId
from annotate.store import Store
from reward.aspects import BY_NAME, HEADS

_REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorOut, "description": "No such image"},
    409: {"model": ErrorOut, "description": "Somebody decided meanwhile"},
    412: {"model": ErrorOut, "description": "Meant for another project than the one that is served"},
    422: {"model": ErrorOut, "description": "Can't be stored, and why"},
    503: {"model": ErrorOut, "description": "The disk or database refuses; nothing was stored"},
}
Head = Annotated[str | None, Query(description=f"One of {', '.join(HEADS)}; left out: any.")]


class AdjudicationIn(BaseModel):
    """A reviewer's decision on one head of one image."""

    model_config = ConfigDict(extra="forbid")

    image_id: ImageId
    head: str = Field(description=f"One of {', '.join(HEADS)}.")
    value: Any = Field(description="0 to 10 on a step of 0.1: the ratings CSV holds it; null revokes what stands.")
    reviewer: str = Field(description="Who decides: 1 to 64 characters. With accounts it is who is signed in.")
    note: str = Field(default="", description=f"Why: up to {LONGEST_NOTE} characters.")
    replaces: int | None = Field(
        default=None,
        description="The number of the newest decision on this head of the image, null for a first one. Where it is "
        "given and another one is newest by now, the answer is 409; left out, whatever stands is replaced.",
    )


class AdjudicatedOut(BaseModel):
    """A decision that is committed. `repeated` says that just this stood before."""

    adjudication: StoredAdjudication
    repeated: bool


def agreement_router(store: Store, desk: AgreementDesk) -> APIRouter:
    """The routes below `/api`, on one store."""
    router = APIRouter(prefix="/api", tags=["agreement"], responses=_REFUSALS)

    @router.get("/agreement", summary="Agreement on each head, and each person beside the others")
    def get_agreement(_person: Reviewer) -> Agreement:
        return desk.agreement()

    @router.get("/disputed", summary="What people differ on most, adjudicated ratings left out")
    def get_disputed(
        _person: Reviewer, head: Head = None, limit: Annotated[int, Query(ge=1, le=200)] = 12
    ) -> list[Disputed]:
        return desk.open_disputes(check_head(head), limit)

    @router.get("/adjudications", summary="What reviewers decided, newest first")
    def get_adjudications(
        _person: Reviewer, image_id: Annotated[int | None, Query(ge=1)] = None
    ) -> list[StoredAdjudication]:
        return store.adjudications(image_id)

    @router.post("/adjudications", summary="Decide what a head of an image is worth, or revoke that")
    def post_adjudication(person: Reviewer, sent: AdjudicationIn) -> AdjudicatedOut:
        stored, repeated = store.adjudicate(
            decision_of(sent, person.account), sent.replaces, only_if_newest="replaces" in sent.model_fields_set
        )
        return AdjudicatedOut(adjudication=stored, repeated=repeated)

    return router


def decision_of(sent: AdjudicationIn, account: str | None = None) -> Adjudication:
    """The decision, checked; in the name of the account where somebody is signed in.

    Raises:
        BadRequestError: what is wrong, in one sentence.
    """
    return check_adjudication(sent.image_id, sent.head, sent.value, account or sent.reviewer, sent.note)


def check_head(head: str | None) -> str | None:
    """A head's name, or None for any.

    Raises:
        BadRequestError: there is no such head.
    """
    if head is not None and head not in BY_NAME:
        raise BadRequestError(f"There is no head {head[:40]!r}; the heads are {', '.join(HEADS)}.")
    return head
