"""Validation pairs that a model orders against people, the largest margins first, each with a likely reason."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from reward.aspects import HEADS
from reward.raters import RaterModel
from reward.unseen import Validated

Floats = npt.NDArray[np.float64]

COMBINED: Final = "combined"
_AGREE: Final = 2 / 3  # of those who have an opinion on a pair
_CLOSE: Final = 1.0  # rating points


class Reason(StrEnum):
    """Why a model and people may differ on a pair."""

    PEOPLE_DIFFER = "people differ"
    RATER_SHIFTED = "a rater is shifted"
    CLOSE = "ratings are close"
    MODEL_WRONG = "the model is wrong"


@dataclass(frozen=True)
class Disagreement:
    """One pair.

    Attributes:
        better, worse: images by what people said.
        probability: that `better` is preferred, by the model; below ½.
        scores, ratings: of better and worse; ratings are means, None where people gave overall preferences alone.
        said: what each person gave (better, worse), of those who rated both; empty where nobody is told apart.
        reason: the likely one.
    """

    better: int
    worse: int
    probability: float
    scores: tuple[float, float]
    ratings: tuple[float, float] | None
    said: tuple[tuple[float, float], ...]
    reason: Reason


def disagreements(found: Validated, head: str, most: int = 50) -> tuple[list[Disagreement], int]:
    """The pairs that `head` (or `combined`) gets wrong: the `most` largest margins, and how many there are.

    Raises:
        KeyError: no such head.
    """
    first, second, label = _pairs(found, head)
    column = None if head == COMBINED else HEADS.index(head)
    logits = found.combined if column is None else found.logits[:, column]
    swap = label < 0.5
    better, worse = np.where(swap, second, first), np.where(swap, first, second)
    z = logits[better] - logits[worse]
    wrong = np.flatnonzero(z < 0)
    order = wrong[np.argsort(z[wrong], kind="stable")]
    sure = np.maximum(label, 1 - label)
    teller = _Teller(found, column)
    told = [teller.tell(int(better[k]), int(worse[k]), float(z[k]), float(sure[k])) for k in order[:most]]
    return told, len(wrong)


def _pairs(found: Validated, head: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    if head == COMBINED:
        pairs = found.data.combined.inside(found.measured).decided()
        return pairs.first, pairs.second, pairs.label
    column = HEADS.index(head) if head in HEADS and found.data.pairs is not None else None
    if column is None or found.data.pairs is None:
        raise KeyError(head)
    rated = found.data.pairs
    rows = (rated.sign[:, column] != 0) & found.measured[rated.first] & found.measured[rated.second]
    rows &= ~np.isnan(found.scores[rated.first, column])
    return rated.first[rows], rated.second[rows], (rated.sign[rows, column] + 1) / 2.0


class _Teller:
    """Looks up what people said of a pair; `column` None = of the combined score."""

    def __init__(self, found: Validated, column: int | None) -> None:
        self._found, self._column = found, column
        people = found.data.by_person if column is not None else None
        self._corrected = RaterModel.of(people, len(found.data.files)).corrected if people is not None else None
        self._given: dict[int, dict[int, float]] = {}
        if people is not None and column is not None:
            rows = zip(people.image.tolist(), people.person.tolist(), people.values[:, column].tolist(), strict=True)
            for image, person, value in rows:
                if not np.isnan(value):
                    self._given.setdefault(image, {})[person] = value

    def tell(self, better: int, worse: int, z: float, sure: float) -> Disagreement:
        column, found = self._column, self._found
        above, below = self._given.get(better, {}), self._given.get(worse, {})
        said = tuple((above[person], below[person]) for person in sorted(above.keys() & below.keys()))
        scores, ratings = found.combined, None
        if column is not None:
            scores = found.scores[:, column]
            ratings = (float(found.data.ratings[better, column]), float(found.data.ratings[worse, column]))
        return Disagreement(
            better=better,
            worse=worse,
            probability=float(1 / (1 + np.exp(-z))),
            scores=(float(scores[better]), float(scores[worse])),
            ratings=ratings,
            said=said,
            reason=self._reason(better, worse, said, ratings, sure),
        )

    def _reason(
        self,
        better: int,
        worse: int,
        said: tuple[tuple[float, float], ...],
        ratings: tuple[float, float] | None,
        sure: float,
    ) -> Reason:
        if ratings is None:
            return Reason.PEOPLE_DIFFER if sure < _AGREE else Reason.MODEL_WRONG
        agree, opinions = sum(a > b for a, b in said), sum(a != b for a, b in said)
        if opinions and agree / opinions < _AGREE:
            return Reason.PEOPLE_DIFFER
        if self._corrected is not None and self._column is not None:
            corrected = self._corrected[better, self._column] - self._corrected[worse, self._column]
            if not corrected > 0:
                return Reason.RATER_SHIFTED
        return Reason.CLOSE if ratings[0] - ratings[1] < _CLOSE else Reason.MODEL_WRONG
