"""What the rating routes take and answer, as pydantic models: the public API's contract, shown by OpenAPI."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from reward.aspects import HEADS, MAX_RATING, MIN_RATING, RATING_STEP

ImageId = Annotated[int, Field(ge=1, le=2**63 - 1, description="An image's number.")]
Tab = Annotated[str, Field(max_length=64, description="Tells one page of a person from another.")]
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

Seconds = Annotated[
    Any,
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}], "description": "Time spent."}),
]


class Strict(BaseModel):
    """Refuses fields that it doesn't know."""

    model_config = ConfigDict(extra="forbid")


class RatingIn(Strict):
    """One person's rating of one image. Each head is rated or listed in `cannot_judge`."""

    key: str = Field(description="Made by the client, one a rating: a retry with the same key stores nothing twice.")
    annotator: Annotator
    image_id: ImageId
    ratings: Annotated[dict[str, Any], WithJsonSchema(_RATINGS_SCHEMA)]
    cannot_judge: list[str] = Field(default=[], max_length=20, description="Heads that can't be judged on this image.")
    seconds: Seconds = None

    revises: str | None = Field(
        default=None,
        description="The key of this person's rating that this one revises, null for a first one. Where it is given "
        "and another rating is current by now, the answer is 409; left out, whatever is current is revised.",
    )

    tab: Tab = ""


class DraftIn(Strict):
    """What a person has touched so far; nothing touched removes the draft."""

    annotator: Annotator
    image_id: ImageId
    ratings: Annotated[dict[str, Any], WithJsonSchema(_RATINGS_SCHEMA)]
    cannot_judge: list[str] = Field(default=[], max_length=20, description="Heads that can't be judged on this image.")
    seconds: Seconds = None
    revises: str | None = Field(default=None, description="As in a rating: what was current when this was begun.")


class SkipIn(Strict):
    """An image left for later."""

    annotator: Annotator
    image_id: ImageId
    reason: str = Field(default="", description="Why, in the person's words: up to 200 characters.")
    tab: Tab = ""


class LeaveIn(Strict):
    """A page that a person leaves."""

    annotator: Annotator
    tab: Tab = ""


class SaidOut(BaseModel):
    """What a person said of an image: a value or null by head, and the heads they can't judge."""

    ratings: dict[str, float | None]
    cannot_judge: list[str]
    seconds: float | None


class CurrentOut(SaidOut):
    """A rating that is stored and current. `key` is what a revision names."""

    id: int
    key: str
    created: str


class ImageOut(BaseModel):
    """An image. `url` (relative to the studio's address) leads to the file's own bytes, `screen_url` (large files only)
    to a smaller version for the first paint.
    """

    image_id: int
    url: str
    screen_url: str | None
    prompt_id: str
    prompt: str
    width: int
    height: int


class TaskOut(ImageOut):
    """An image to rate, why it comes, what this person has begun to say of it, and what they say of it so far."""

    why: str
    draft: SaidOut | None
    current: CurrentOut | None


class ProgressOut(BaseModel):
    """Images this person has rated, images there are, and what they should know about the project's files."""

    rated: int
    total: int
    notices: list[str]


class QueueOut(BaseModel):
    """The image to rate now, those after it (to be loaded meanwhile), and the progress."""

    image: TaskOut | None
    upcoming: list[TaskOut]
    progress: ProgressOut


class AccountOut(BaseModel):
    """Who is signed in: the name under which they rate, and their role."""

    name: str
    role: str


class DeskOut(BaseModel):
    """The project that is rated: `studio` tells it from another one served at the same address. `strip` says whether a
    person sees how they rated the prompt's other images, `guidelines` whether there are any (`GET /api/guidelines`).

    `account` is who is signed in; null where the studio has no accounts and anybody names themselves.
    """

    studio: str
    images: int
    account: AccountOut | None
    strip: bool
    guidelines: bool


class DraftOut(BaseModel):
    """Whether the draft is kept; false where this person has meanwhile saved a rating of this image elsewhere."""

    kept: bool


class OwnOut(BaseModel):
    """One of a person's ratings, with its image. `times`: how often they rated it, revisions included."""

    image: ImageOut
    current: CurrentOut
    times: int


class OwnListOut(BaseModel):
    """A person's ratings, newest first; `more` where there are older ones (ask again with `before` = the last id)."""

    ratings: list[OwnOut]
    more: bool


class SavedOut(BaseModel):
    """A rating that is committed. `repeated` says that this key had been stored before."""

    id: int
    image_id: int
    key: str
    created: str
    repeated: bool


class SaveOut(QueueOut):
    """The rating as stored, and what comes next."""

    saved: SavedOut


class ErrorOut(BaseModel):
    """What went wrong, in a sentence for the person at the screen.

    `sign_in`: the same may succeed once the right person is signed in.
    """

    detail: str
    sign_in: bool = False


class RevisedOut(ErrorOut):
    """A rating that wasn't stored since the person has a newer one; `current` is that one."""

    current: CurrentOut | None = None
