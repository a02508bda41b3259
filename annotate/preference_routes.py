"""The JSON routes of "A or B?": next pair, save, skip, a person's own. They talk to the store only.

Saved means committed, as for ratings; the next pairs are in the answer.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from annotate.answers import REFUSALS, Who, image_out, notices
from annotate.errors import BadRequestError
from annotate.exports import Exporter
from annotate.identity import Person, Rater
from annotate.person import CheckPerson
from annotate.preference_schemas import (
    ChoiceOut,
    ChoiceSavedOut,
    OwnPairsOut,
    PairIn,
    PairOut,
    PairProgressOut,
    PairQueueOut,
    PairRevisedOut,
    PairSaveOut,
    PairSkipIn,
)
from annotate.preference_store import PairTask, said_of
from annotate.preferences import SKIP, StoredPreference, check_preference
from annotate.store import Store

_LONGEST_LIST = 200
_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {
        "model": PairRevisedOut,
        "description": "Key used for another choice, or the pair judged meanwhile",
    }
}


def preference_router(store: Store, exporter: Exporter, check_person: CheckPerson) -> APIRouter:
    """The routes below `/api/pairs`, on one store."""
    router = APIRouter(prefix="/api/pairs", tags=["A or B"], responses=REFUSALS)

    def queue_of(annotator: str) -> dict[str, Any]:
        tasks = [_pair_out(task) for task in store.preferences.next_tasks(annotator)]
        counts = store.preferences.progress(annotator)
        progress = PairProgressOut(judged=counts.judged, total=counts.total, notices=notices(store, exporter))
        return {"pair": tasks[0] if tasks else None, "upcoming": tasks[1:], "progress": progress}

    def save(person: Person, sent: PairSkipIn, choice: str) -> PairSaveOut:
        annotator = check_person(person, sent.annotator)
        said = check_preference(sent.left, sent.right, annotator, choice, sent.seconds, sent.key, sent.revises)
        stored, repeated = store.preferences.save(said, only_if_newest="revises" in sent.model_fields_set)
        return PairSaveOut(saved=ChoiceSavedOut(**said_of(stored), repeated=repeated), **queue_of(annotator))

    @router.get("/next", summary="The next pair for a person")
    def get_next(person: Rater, annotator: Who) -> PairQueueOut:
        return PairQueueOut(**queue_of(check_person(person, annotator)))

    @router.post("", summary="Save a choice between two images", responses=_CONFLICT)
    def post_pair(person: Rater, sent: PairIn) -> PairSaveOut:
        if sent.choice == SKIP:
            raise BadRequestError("choice must be left, right or tie; a skip goes to /api/pairs/skip.")
        return save(person, sent, sent.choice)

    @router.post("/skip", summary="Leave a pair undecided", responses=_CONFLICT)
    def post_skip(person: Rater, sent: PairSkipIn) -> PairSaveOut:
        return save(person, sent, SKIP)

    @router.get("", summary="A person's own choices, newest first")
    def get_pairs(
        person: Rater,
        annotator: Who,
        before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Only those numbered below this.")] = None,
        limit: Annotated[int, Query(ge=1, le=_LONGEST_LIST)] = 50,
    ) -> OwnPairsOut:
        found = store.preferences.own(check_person(person, annotator), before, limit + 1)
        return OwnPairsOut(pairs=[_pair_out(task) for task in found[:limit]], more=len(found) > limit)

    return router


def choice_out(row: StoredPreference) -> ChoiceOut:
    """A stored choice as the routes tell it to the person it belongs to."""
    return ChoiceOut(**said_of(row))


def _pair_out(task: PairTask) -> PairOut:
    return PairOut(
        left=image_out(task.left),
        right=image_out(task.right),
        prompt_id=task.left.prompt_id,
        prompt=task.left.prompt,
        why=task.why,
        current=None if task.current is None else choice_out(task.current),
    )
