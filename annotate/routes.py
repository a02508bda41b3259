"""The rating pad's JSON routes, which are the public rating API too: next, save, skip, progress, image bytes.

They talk to the store only; the saved rating is committed before the answer goes out, with the next image in it.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from annotate.catalogue import ImageRow
from annotate.errors import BadRequestError
from annotate.exports import Exporter
from annotate.image_bytes import image_response
from annotate.image_bytes import version as image_version
from annotate.judgement import SIMULATED_PREFIX, check_annotator, check_rating, is_simulated
from annotate.schemas import ErrorOut, ImageId, ImageOut, ProgressOut, QueueOut, RatingIn, SavedOut, SaveOut, SkipIn
from annotate.store import Store

_MAX_NOTICES = 5
_REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorOut, "description": "No such image"},
    422: {"model": ErrorOut, "description": "Can't be stored, and why"},
    503: {"model": ErrorOut, "description": "The disk or database refuses; nothing was stored"},
}
_CONFLICT: dict[int | str, dict[str, Any]] = {409: {"model": ErrorOut, "description": "Key used for another rating"}}


def rating_router(store: Store, exporter: Exporter) -> APIRouter:
    """The routes below `/api`, on one store."""
    router = APIRouter(prefix="/api", tags=["rating"], responses=_REFUSALS)

    def check_person(name: str) -> str:
        annotator = check_annotator(name)
        if store.project.is_sample and is_simulated(annotator):
            raise BadRequestError(
                f"Names that begin with {SIMULATED_PREFIX} are kept for the sample's simulated people; choose another."
            )
        return annotator

    def progress_of(annotator: str) -> ProgressOut:
        counts = store.progress(annotator)
        return ProgressOut(rated=counts.rated, total=counts.total, notices=_notices(store, exporter))

    def queue_of(annotator: str, after: int | None = None) -> dict[str, Any]:
        images = [_image_out(image) for image in store.next_images(annotator, after)]
        image, upcoming = (*images, None, None)[:2]
        return {"image": image, "upcoming": upcoming, "progress": progress_of(annotator)}

    @router.get("/next", summary="The next image for a person")
    def get_next(annotator: Annotated[str, Query(description="Who rates.")]) -> QueueOut:
        return QueueOut(**queue_of(check_person(annotator)))

    @router.get("/progress", summary="How far a person is")
    def get_progress(annotator: Annotated[str, Query(description="Who rates.")]) -> ProgressOut:
        return progress_of(check_person(annotator))

    @router.post("/ratings", summary="Save a rating", responses=_CONFLICT)
    def post_rating(sent: RatingIn) -> SaveOut:
        rating = check_rating(
            sent.image_id, sent.annotator, sent.ratings, sent.cannot_judge, sent.seconds, sent.key
        )  # fmt: skip
        check_person(rating.annotator)
        stored, repeated = store.save_rating(rating)
        saved = SavedOut(id=stored.id, image_id=stored.image_id, created=stored.created, repeated=repeated)
        return SaveOut(saved=saved, **queue_of(stored.annotator, after=stored.image_id))

    @router.post("/skip", summary="Leave an image for later")
    def post_skip(sent: SkipIn) -> QueueOut:
        annotator = check_person(sent.annotator)
        store.save_skip(sent.image_id, annotator)
        return QueueOut(**queue_of(annotator, after=sent.image_id))

    @router.get(
        "/images/{image_id}",
        summary="An image's own bytes",
        response_class=Response,
        responses={200: {"content": {"image/*": {}}}, 304: {"description": "Not changed"}},
    )
    def get_image(image_id: ImageId, if_none_match: Annotated[str | None, Header()] = None) -> Response:
        return image_response(store.project, store.image(image_id), if_none_match)

    return router


def _image_out(image: ImageRow) -> ImageOut:
    return ImageOut(
        image_id=image.id,
        url=f"api/images/{image.id}?v={image_version(image.mtime_ns, image.size)}",
        prompt_id=image.prompt_id,
        prompt=image.prompt,
        width=image.width,
        height=image.height,
    )


def _notices(store: Store, exporter: Exporter) -> list[str]:
    notices = [*exporter.problems, *store.problems]
    more = len(notices) - _MAX_NOTICES
    return [*notices[:_MAX_NOTICES], f"… and {more} more."] if more > 0 else notices
