"""Parts of the answers that the routes share: an image's facts, what is wrong with the project's files, refusals."""

from typing import Annotated, Any

from fastapi import Query

from annotate.catalogue import ImageRow
from annotate.exports import Exporter
from annotate.image_bytes import version
from annotate.schemas import ErrorOut, ImageOut
from annotate.screen_images import needs_screen_version
from annotate.store import Store

_MAX_NOTICES = 5
REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorOut, "description": "Nobody is signed in"},
    403: {"model": ErrorOut, "description": "Not for this person's role, or in another person's name"},
    404: {"model": ErrorOut, "description": "No such image"},
    412: {"model": ErrorOut, "description": "Meant for another project than the one that is served"},
    422: {"model": ErrorOut, "description": "Can't be stored, and why"},
    503: {"model": ErrorOut, "description": "The disk or database refuses; nothing was stored"},
}
Who = Annotated[str, Query(description="Who rates.")]


def image_facts(image: ImageRow) -> dict[str, Any]:
    """The fields of an `ImageOut`."""
    state = version(image.mtime_ns, image.size)
    return {
        "image_id": image.id,
        "url": f"api/images/{image.id}?v={state}",
        "screen_url": f"api/images/{image.id}/screen?v={state}" if needs_screen_version(image) else None,
        "prompt_id": image.prompt_id,
        "prompt": image.prompt,
        "width": image.width,
        "height": image.height,
    }


def image_out(image: ImageRow) -> ImageOut:
    """An image as the routes tell it."""
    return ImageOut(**image_facts(image))


def notices(store: Store, exporter: Exporter) -> list[str]:
    """What a person should know about the project's files, a few sentences at most."""
    found = [*exporter.problems, *store.problems]
    more = len(found) - _MAX_NOTICES
    return [*found[:_MAX_NOTICES], f"… and {more} more."] if more > 0 else found
