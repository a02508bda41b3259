"""Who said what, as arrays to compare people by: read from the studio's database or from a per-annotator CSV."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlite_utils import Database

from reward.aspects import HEADS
from reward.raters import PersonRatings
from reward.ratings import RatingsTable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CURRENT = (
    f"SELECT r.image_id, i.prompt_id, r.annotator, r.seconds, {', '.join(f'r.{head}' for head in HEADS)} "
    "FROM (SELECT max(id) AS id FROM ratings WHERE source <> 'correction' GROUP BY annotator, image_id) n "
    "JOIN ratings r ON r.id = n.id JOIN images i ON i.id = r.image_id WHERE NOT r.withdrawn AND i.active ORDER BY r.id"
)
_REPEATS = (
    f"SELECT p.annotator, {', '.join(f'p.{head} - r.{head}' for head in HEADS)} "
    "FROM (SELECT max(id) AS id FROM repeats GROUP BY annotator, image_id) n JOIN repeats p ON p.id = n.id "
    "JOIN ratings r ON r.key = p.of_key"
)


def _none() -> Floats:
    return np.empty((0, len(HEADS)))


@dataclass(frozen=True)
class Rated:
    """People's current ratings: R rows, one a person and image, of N images.

    Attributes:
        people: the ratings.
        prompt: (N,) prompt numbers.
        seconds: (R,) time spent, NaN = not measured.
        image_ids: (N,) the images' numbers in the studio (in a file, their place among its images).
        repeat_person: (Q,) whose blind repeats these are; repeat_change: (Q, H) second rating less first, NaN where
            either is missing.
        gold_low, gold_high: (N, H) the band that ratings of gold images are expected in, NaN = none; or (0, H).
    """

    people: PersonRatings
    prompt: Ints
    seconds: Floats
    image_ids: Ints
    repeat_person: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    repeat_change: Floats = field(default_factory=_none)
    gold_low: Floats = field(default_factory=_none)
    gold_high: Floats = field(default_factory=_none)

    @property
    def images(self) -> int:
        """How many images anybody rated."""
        return len(self.prompt)


def rated_of_table(table: RatingsTable) -> Rated:
    """The ratings of a file with annotators; it tells neither times nor repeats."""
    people = table.by_person()
    first = table.frame.drop_duplicates(["prompt_id", "file"])
    prompt = first["prompt_id"].factorize()[0].astype("int64")
    return Rated(people, prompt, np.full(len(people.image), np.nan), np.arange(len(prompt)))


def read_rated(db: Database) -> Rated:
    """The current ratings of the images that are there, and the blind repeats."""
    rows = db.execute(_CURRENT).fetchall()
    names = {name: number for number, name in enumerate(dict.fromkeys(row[2] for row in rows))}
    image_ids, image = np.unique(np.array([row[0] for row in rows], dtype=np.int64), return_inverse=True)
    prompts = dict(zip((row[0] for row in rows), (row[1] for row in rows), strict=True))
    numbers = {prompt_id: number for number, prompt_id in enumerate(dict.fromkeys(prompts.values()))}
    person = np.array([names[row[2]] for row in rows], dtype=np.int64)
    people = PersonRatings(image.astype(np.int64), person, _cells(rows, 4), list(names))
    repeats = [row for row in db.execute(_REPEATS).fetchall() if row[0] in names]
    return Rated(
        people,
        np.array([numbers[prompts[image_id]] for image_id in image_ids.tolist()], dtype=np.int64),
        np.array([row[3] for row in rows], dtype=np.float64),
        image_ids,
        np.array([names[row[0]] for row in repeats], dtype=np.int64),
        _cells(repeats, 1),
    )


def _cells(rows: Sequence[Sequence[Any]], start: int) -> Floats:
    """(R, H) from the columns behind `start`; None becomes NaN."""
    return np.array([row[start:] for row in rows], dtype=np.float64).reshape(len(rows), len(HEADS))
