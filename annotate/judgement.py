"""What a person said about one image, and the checks that every rating passes before it is stored.

Pure functions of what was sent; the store and the file import both go through here.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from annotate.errors import BadRequestError
from reward.aspects import BY_NAME, HEADS, MAX_RATING, MIN_RATING, RATING_STEP

SIMULATED_PREFIX = "simulated-"  # of the names of people that the sample makes up
CORRECTION_NAME = "edited-csv"
SIMULATED_CORRECTION_NAME = f"{SIMULATED_PREFIX}{CORRECTION_NAME}"
Source = Literal["pad", "import", "correction"]
Values = tuple[float | None, ...]

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_MAX_SECONDS = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Rating:
    """A rating as it goes into the store.

    `values` are in the order of `reward.aspects.HEADS`, 0–10 or None; `unjudged` names the heads marked "can't judge".
    `withdrawn` takes an earlier rating back. A `correction` comes from an edited means file or an adjudication: it
    speaks for all ratings of the image up to the one numbered `covers`, on the heads that have a value or are in
    `unjudged`.
    `revises` is the key of the same person's rating of the same image that this one takes the place of.
    `late` says of a first rating that the person had no lease of the image then; see docs/rating.md.
    """

    image_id: int
    annotator: str
    values: Values
    unjudged: tuple[str, ...] = ()
    seconds: float | None = None
    key: str = ""
    source: Source = "pad"
    withdrawn: bool = False
    covers: int | None = None
    revises: str | None = None
    late: bool = False


@dataclass(frozen=True)
class Draft:
    """What a person has touched of a rating that isn't saved yet: any heads, none required.

    `revises` is the key of the person's current rating of this image when the draft was begun; None for a first one.
    """

    image_id: int
    annotator: str
    values: Values
    unjudged: tuple[str, ...] = ()
    seconds: float | None = None
    revises: str | None = None

    @property
    def is_blank(self) -> bool:
        """Whether nothing is touched."""
        return not self.unjudged and all(value is None for value in self.values)


@dataclass(frozen=True)
class StoredRating(Rating):
    """A rating as the store holds it, with its number and its time (ISO 8601, UTC)."""

    id: int = 0
    created: str = ""


def check_rating(
    image_id: int,
    annotator: str,
    ratings: Mapping[str, object],
    cannot_judge: Iterable[str],
    seconds: object,
    key: str,
    revises: str | None = None,
) -> Rating:
    """A rating from the pad, checked: every head has a value on a 0.1 step or is marked as can't judge.

    Raises:
        BadRequestError: what is wrong, in one sentence.
    """
    values, unjudged = _check_heads(ratings, cannot_judge)
    missing = [
        BY_NAME[head].label
        for head, value in zip(HEADS, values, strict=True)
        if value is None and head not in unjudged
    ]  # fmt: skip
    if missing:
        raise BadRequestError(f"Not rated yet: {', '.join(missing)}. Rate each head or mark it as can't judge.")
    name, based_on = check_annotator(annotator), None if revises is None else check_key(revises, "revises")
    return Rating(image_id, name, values, unjudged, check_seconds(seconds), check_key(key), revises=based_on)


def check_draft(
    image_id: int,
    annotator: str,
    ratings: Mapping[str, object],
    cannot_judge: Iterable[str],
    seconds: object,
    revises: str | None,
) -> Draft:
    """A rating that isn't finished, checked like one, but heads may be missing.

    Raises:
        BadRequestError: what is wrong, in one sentence.
    """
    values, unjudged = _check_heads(ratings, cannot_judge)
    based_on = None if revises is None else check_key(revises, "revises")
    return Draft(image_id, check_annotator(annotator), values, unjudged, check_seconds(seconds), based_on)


def _check_heads(ratings: Mapping[str, object], cannot_judge: Iterable[str]) -> tuple[Values, tuple[str, ...]]:
    """Values by head and the heads marked as can't judge, in the heads' order."""
    marks = list(cannot_judge)
    for head in [*ratings, *marks]:
        if head not in BY_NAME:
            raise BadRequestError(f"There is no head {str(head)[:40]!r}; the heads are {', '.join(HEADS)}.")
    values = tuple(None if ratings.get(h) is None else check_value(ratings[h], BY_NAME[h].label) for h in HEADS)
    for head, value in zip(HEADS, values, strict=True):
        if value is not None and head in marks:
            raise BadRequestError(f"{BY_NAME[head].label} is both rated and marked as can't judge; choose one.")
    return values, tuple(h for h in HEADS if h in marks)


def check_value(value: object, label: str) -> float:
    """A rating of one head: a finite number, 0–10, on a 0.1 step."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequestError(f"{label} must be a number, not {str(value)[:40]!r}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not MIN_RATING <= number <= MAX_RATING:
        raise BadRequestError(f"{label} must lie between {MIN_RATING:g} and {MAX_RATING:g}, not at {number:g}.")
    on_step = round(round(number / RATING_STEP) * RATING_STEP, 6)
    if abs(number - on_step) > 1e-6:
        raise BadRequestError(f"{label} must be on a step of {RATING_STEP:g}, not at {number:g}.")
    return on_step + 0.0  # turns -0.0 into 0.0


def check_annotator(name: str) -> str:
    """A person's name as it is stored: trimmed, NFC, 1–64 printable characters, no start that spreadsheets run."""
    tidy = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(tidy) <= 64:
        raise BadRequestError("Enter a name of 1 to 64 characters.")
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in tidy):
        raise BadRequestError("A name can't hold control characters or line breaks.")
    if tidy[0] in "=+-@":
        raise BadRequestError("A name can't begin with = + - or @: spreadsheets would run it as a formula.")
    if tidy.casefold() in {CORRECTION_NAME, SIMULATED_CORRECTION_NAME}:
        raise BadRequestError(f"The name {tidy} is kept for corrections of the ratings file; choose another.")
    return tidy


def check_reason(reason: str) -> str:
    """Why a person leaves an image, in their words: trimmed, up to 200 printable characters, or none."""
    return check_text(reason, 200, "A reason")


def check_text(text: str, most: int, what: str) -> str:
    """A person's own words: trimmed, NFC, up to `most` printable characters, or none."""
    tidy = unicodedata.normalize("NFC", text.strip())
    if len(tidy) > most or any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in tidy):
        raise BadRequestError(f"{what} holds up to {most} characters, without line breaks.")
    return tidy


def is_simulated(annotator: str) -> bool:
    """Whether a name is one of the sample's simulated people's."""
    return annotator.startswith(SIMULATED_PREFIX)


def check_seconds(seconds: object) -> float | None:
    """The time a person spent on an image, in seconds; None where nobody measured it."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= _MAX_SECONDS:
        raise BadRequestError("seconds must be a number from 0 to a week.")
    return round(float(seconds), 3)


def check_key(key: str, field: str = "key") -> str:
    """The idempotency key that the client made for this rating."""
    if not _KEY.fullmatch(key):
        raise BadRequestError(
            f"{field} must be 8 to 64 letters, digits, - or _; make a new one (say, a UUID) each rating."
        )
    return key
