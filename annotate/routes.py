"""The rating pad's JSON routes, which are the public rating API too: next, save, skip, progress, image bytes.

They talk to the store only; the saved rating is committed before the answer goes out, with the next image in it.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from annotate.answers import REFUSALS, Who, image_facts, image_out, notices
from annotate.exports import Exporter
from annotate.identity import Rater
from annotate.image_bytes import image_response
from annotate.in_turn import InTurn
from annotate.judgement import Draft, Rating, StoredRating, check_draft, check_rating
from annotate.person import CheckPerson
from annotate.schemas import (
    AccountOut,
    CurrentOut,
    DeskOut,
    DraftIn,
    DraftOut,
    ImageId,
    LeaveIn,
    OwnListOut,
    OwnOut,
    ProgressOut,
    QueueOut,
    RatingIn,
    RevisedOut,
    SaidOut,
    SavedOut,
    SaveOut,
    SkipIn,
    TaskOut,
)
from annotate.screen_images import screen_response
from annotate.store import Store
from annotate.tasks import Task
from reward.aspects import HEADS

_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": RevisedOut, "description": "Key used for another rating, or this person rated the image meanwhile"}
}
_LONGEST_LIST = 200


def rating_router(store: Store, exporter: Exporter, check_person: CheckPerson) -> APIRouter:
    """The routes below `/api`, on one store."""
    in_turn = InTurn(store)
    router = APIRouter(prefix="/api", tags=["rating"], responses=REFUSALS)

    def progress_of(annotator: str) -> ProgressOut:
        counts = store.progress(annotator)
        return ProgressOut(rated=counts.rated, total=counts.total, notices=notices(store, exporter))

    def queue_of(annotator: str, tasks: list[Task]) -> dict[str, Any]:
        found = [_task_out(task) for task in tasks]
        return {"image": found[0] if found else None, "upcoming": found[1:], "progress": progress_of(annotator)}

    @router.get("/desk", summary="Which project is rated here")
    @in_turn.lends
    def get_desk(person: Rater) -> DeskOut:
        account = None if person.account is None else AccountOut(name=person.account, role=person.role)
        return DeskOut(
            studio=store.identity,
            images=store.count_images(),
            account=account,
            strip=store.campaign.shows_strip,
            guidelines=store.project.guidelines.is_file(),
        )

    @router.get("/next", summary="The next image for a person")
    @in_turn.lends
    def get_next(
        person: Rater,
        annotator: Who,
        after: Annotated[
            int | None, Query(ge=1, description="Begin behind this image; else where they left off.")
        ] = None,
        tab: Annotated[str, Query(max_length=64, description="Tells one page of a person from another.")] = "",
        look: Annotated[bool, Query(description="Only look ahead: the page keeps the image that it has.")] = False,
    ) -> QueueOut:
        name = check_person(person, annotator)
        return QueueOut(**queue_of(name, store.next_tasks(name, after, tab=tab, lend=not look)))

    @router.get("/progress", summary="How far a person is")
    @in_turn.lends
    def get_progress(person: Rater, annotator: Who) -> ProgressOut:
        return progress_of(check_person(person, annotator))

    @router.post("/ratings", summary="Save a rating", responses=_CONFLICT)
    @in_turn.saves
    def post_rating(person: Rater, sent: RatingIn) -> SaveOut:
        rating = check_rating(
            sent.image_id, sent.annotator, sent.ratings, sent.cannot_judge, sent.seconds, sent.key, sent.revises
        )  # fmt: skip
        check_person(person, rating.annotator)
        stored, repeated, tasks = store.save_and_go_on(
            rating, sent.tab, only_if_newest="revises" in sent.model_fields_set
        )
        saved = SavedOut(
            id=stored.id, image_id=stored.image_id, key=stored.key, created=stored.created, repeated=repeated
        )
        return SaveOut(saved=saved, **queue_of(stored.annotator, tasks))

    @router.get("/ratings", summary="A person's own ratings, newest first")
    def get_ratings(
        person: Rater,
        annotator: Who,
        before: Annotated[int | None, Query(ge=1, description="Only those numbered below this.")] = None,
        limit: Annotated[int, Query(ge=1, le=_LONGEST_LIST)] = 50,
        beside: Annotated[
            int | None, Query(ge=1, le=2**63 - 1, description="Only of this image's prompt, itself left out.")
        ] = None,
    ) -> OwnListOut:
        found = store.own_ratings(check_person(person, annotator), before, limit + 1, beside)
        ratings = [
            OwnOut(image=image_out(own.image), current=current_out(own.rating), times=own.times)
            for own in found[:limit]
        ]
        return OwnListOut(ratings=ratings, more=len(found) > limit)

    @router.get("/ratings/last", summary="What a person said last, or last before another of their ratings")
    def get_last(
        person: Rater,
        annotator: Who,
        before: Annotated[str | None, Query(max_length=64, description="That rating's key.")] = None,
    ) -> OwnListOut:
        own = store.said_last(check_person(person, annotator), before)
        found = [] if own is None else [OwnOut(image=image_out(own.image), current=current_out(own.rating), times=1)]
        return OwnListOut(ratings=found, more=False)

    @router.put("/drafts", summary="Keep what is touched of a rating that isn't saved yet")
    @in_turn.lends
    def put_draft(person: Rater, sent: DraftIn) -> DraftOut:
        annotator = check_person(person, sent.annotator)
        draft = check_draft(
            sent.image_id, annotator, sent.ratings, sent.cannot_judge, sent.seconds, sent.revises
        )  # fmt: skip
        return DraftOut(kept=store.save_draft(draft))

    @router.post("/skip", summary="Leave an image for later")
    @in_turn.saves
    def post_skip(person: Rater, sent: SkipIn) -> QueueOut:
        annotator = check_person(person, sent.annotator)
        store.save_skip(sent.image_id, annotator, sent.reason)
        return QueueOut(**queue_of(annotator, store.next_tasks(annotator, sent.image_id, tab=sent.tab)))

    @router.post("/leave", summary="Leave the page: its image is free for others soon", status_code=204)
    @in_turn.lends
    def post_leave(person: Rater, sent: LeaveIn) -> None:
        store.leave(check_person(person, sent.annotator), sent.tab)

    @router.get(
        "/images/{image_id}",
        summary="An image's own bytes",
        response_class=Response,
        responses={200: {"content": {"image/*": {}}}, 304: {"description": "Not changed"}},
    )
    def get_image(_person: Rater, image_id: ImageId, if_none_match: Annotated[str | None, Header()] = None) -> Response:
        return image_response(store.project, store.image(image_id), if_none_match)

    @router.get(
        "/images/{image_id}/screen",
        summary="A large image's smaller version, for the first paint",
        response_class=Response,
        responses={200: {"content": {"image/webp": {}}}},
    )
    def get_screen(_person: Rater, image_id: ImageId) -> Response:
        return screen_response(store.project, store.image(image_id))

    return router


def _task_out(task: Task) -> TaskOut:
    draft = None if task.draft is None else SaidOut(**_said(task.draft))
    current = None if task.current is None else current_out(task.current)
    return TaskOut(**image_facts(task.image), why=task.why, draft=draft, current=current)


def current_out(rating: StoredRating) -> CurrentOut:
    """A stored rating as the routes tell it to the person it belongs to."""
    return CurrentOut(**_said(rating), id=rating.id, key=rating.key, created=rating.created)


def _said(said: Rating | Draft) -> dict[str, Any]:
    ratings = dict(zip(HEADS, said.values, strict=True))
    return {"ratings": ratings, "cannot_judge": list(said.unjudged), "seconds": said.seconds}
