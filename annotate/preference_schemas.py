"""What the routes of pairs take and answer, as pydantic models: the public API's contract, shown by OpenAPI."""

from pydantic import BaseModel, Field

from annotate.schemas import Annotator, ErrorOut, ImageId, ImageOut, Seconds, Strict

_KEY = "Made by the client, one a choice: a retry with the same key stores nothing twice."
_REVISES = (
    "The key of this person's choice about this pair that this one revises, null for a first one. Where it is given "
    "and another one is current by now, the answer is 409; left out, whatever is current is revised."
)


class PairSkipIn(Strict):
    """A pair that a person can't or won't decide: they aren't asked again, and an earlier choice is taken back."""

    key: str = Field(description=_KEY)
    annotator: Annotator
    left: ImageId
    right: ImageId
    seconds: Seconds = None
    revises: str | None = Field(default=None, description=_REVISES)


class PairIn(PairSkipIn):
    """Which of two images of a prompt a person prefers. `left` and `right` tell where each was shown."""

    choice: str = Field(description="left, right or tie.", json_schema_extra={"enum": ["left", "right", "tie"]})


class ChoiceOut(BaseModel):
    """A choice that is stored and current: left, right, tie or skip. `key` is what a revision names."""

    id: int
    key: str
    left: int
    right: int
    choice: str
    seconds: float | None
    created: str


class PairOut(BaseModel):
    """Two images of a prompt, from left to right, why they come, and what this person says of them so far."""

    left: ImageOut
    right: ImageOut
    prompt_id: str
    prompt: str
    why: str
    current: ChoiceOut | None


class PairProgressOut(BaseModel):
    """Pairs this person has judged, those and the ones they may still be asked about, and notices as for ratings."""

    judged: int
    total: int
    notices: list[str]


class PairQueueOut(BaseModel):
    """The pair to judge now, those after it (to be loaded meanwhile), and the progress."""

    pair: PairOut | None
    upcoming: list[PairOut]
    progress: PairProgressOut


class ChoiceSavedOut(ChoiceOut):
    """A choice that is committed. `repeated` says that this key had been stored before."""

    repeated: bool


class PairSaveOut(PairQueueOut):
    """The choice as stored, and what comes next."""

    saved: ChoiceSavedOut


class OwnPairsOut(BaseModel):
    """A person's choices, newest first; `more` where there are older ones (ask again with `before` = the last id)."""

    pairs: list[PairOut]
    more: bool


class PairRevisedOut(ErrorOut):
    """A choice that wasn't stored since the person has a newer one; `current` is that one."""

    current: ChoiceOut | None = None
