"""What the rating routes take and answer, as pydantic models: the public API's contract, shown by OpenAPI."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from reward.aspects import HEADS, MAX_RATING, MIN_RATING, RATING_STEP

ImageId = Annotated[int, Field(ge=1, le=2**63 - 1, description="An image's number.")]
Annotator = Annotated[str, Field(description="Who rates: 1 to 64 characters.", examples=["Ada"])]

# Values are checked by annotate.judgement, whose messages name the head; so any JSON comes through to it.
_RATINGS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": f"A number or null by head. Heads: {', '.join(HEADS)}.",
    "properties": {
        head: {
            "anyOf": [
                {"type": "number", "minimum": MIN_RATING, "maximum": MAX_RATING, "multipleOf": RATING_STEP},
                {"type": "null"},
            ]
        }
        for head in HEADS
    },
    "additionalProperties": False,
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RatingIn(_Strict):
    """One person's rating of one image. Each head is rated or listed in `cannot_judge`."""

    key: str = Field(description="Made by the client, one a rating: a retry with the same key stores nothing twice.")
    annotator: Annotator
    image_id: ImageId
    ratings: Annotated[dict[str, Any], WithJsonSchema(_RATINGS_SCHEMA)]
    cannot_judge: list[str] = Field(default=[], max_length=20, description="Heads that can't be judged on this image.")
    seconds: Annotated[
        Any,
        WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}], "description": "Time spent."}),
    ] = None


class SkipIn(_Strict):
    """An image left for later."""

    annotator: Annotator
    image_id: ImageId


class ImageOut(BaseModel):
    """An image to rate. `url` (relative to the studio's address) leads to the file's own bytes."""

    image_id: int
    url: str
    prompt_id: str
    prompt: str
    width: int
    height: int


class ProgressOut(BaseModel):
    """Images this person has rated, images there are, and what they should know about the project's files."""

    rated: int
    total: int
    notices: list[str]


class QueueOut(BaseModel):
    """The image to rate now, the one after it (to be loaded meanwhile), and the progress."""

    image: ImageOut | None
    upcoming: ImageOut | None
    progress: ProgressOut


class SavedOut(BaseModel):
    """A rating that is committed. `repeated` says that this key had been stored before."""

    id: int
    image_id: int
    created: str
    repeated: bool


class SaveOut(QueueOut):
    """The rating as stored, and what comes next."""

    saved: SavedOut


class ErrorOut(BaseModel):
    """What went wrong, in a sentence for the person at the screen."""

    detail: str
