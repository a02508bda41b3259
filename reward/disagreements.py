"""Validation pairs that a model orders against people, the largest margins first, each with a likely reason."""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import isnan
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
_SEVERAL: Final = 2  # with an opinion on a pair, so that they can agree


class Reason(StrEnum):
    """Why a model and people may differ on a pair."""

    PEOPLE_DIFFER = "people differ"
    RATER_SHIFTED = "a rater is shifted"
    CLOSE = "ratings are close"
    MODEL_WRONG = "the model is wrong"
    UNKNOWN = "agreement unknown"


@dataclass(frozen=True)
class Disagreement:
    """One pair.

    Attributes:
        better, worse: images by what people said.
        probability: that `better` is preferred, by the model; below ½.
        scores, ratings: of better and worse; ratings are means over people, of the combined score also over the heads
            rated on both; None where people gave overall preferences.
        said: what each person gave (better, worse), of those who rated both, of the combined score the mean over the
            heads that they rated on both; empty where nobody is told apart or people gave overall preferences.
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
    teller = _Teller(found, head)
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
    """Looks up what people said of a pair: on a head, of overall preferences, or on the mean of the rated heads."""

    def __init__(self, found: Validated, head: str) -> None:
        self._found = found
        self._column = None if head == COMBINED else HEADS.index(head)
        overall = found.data.has_preferences or found.data.pairs is None
        self._columns = [self._column] if self._column is not None else [] if overall else list(range(len(HEADS)))
        self._means = found.data.ratings[:, self._columns]
        self._corrected: Floats | None = None
        self._given: dict[int, dict[int, list[float]]] = {}
        people = found.data.by_person if self._columns else None
        if people is not None:
            theirs = replace(people, values=people.values[:, self._columns])
            self._corrected = RaterModel.of(theirs, len(found.data.files)).corrected
            rows = zip(theirs.image.tolist(), theirs.person.tolist(), theirs.values.tolist(), strict=True)
            for image, person, values in rows:
                self._given.setdefault(image, {})[person] = values

    def tell(self, better: int, worse: int, z: float, sure: float) -> Disagreement:
        scores = self._found.combined if self._column is None else self._found.scores[:, self._column]
        above, below = self._given.get(better, {}), self._given.get(worse, {})
        each = [_on_both(above[person], below[person]) for person in sorted(above.keys() & below.keys())]
        said = tuple(one for one in each if one is not None)
        ratings = _on_both(self._means[better].tolist(), self._means[worse].tolist())
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
        if self._corrected is not None:
            corrected = _on_both(self._corrected[better].tolist(), self._corrected[worse].tolist())
            if corrected is not None and not corrected[0] > corrected[1]:
                return Reason.RATER_SHIFTED
        if round(ratings[0] - ratings[1], 6) < _CLOSE:
            return Reason.CLOSE
        return Reason.MODEL_WRONG if opinions >= _SEVERAL else Reason.UNKNOWN


def _on_both(above: list[float], below: list[float]) -> tuple[float, float] | None:
    """The means of two images over the heads that are rated on both; None where there is none."""
    both = [(a, b) for a, b in zip(above, below, strict=True) if not (isnan(a) or isnan(b))]
    if not both:
        return None
    # Means that are equal on paper may differ in the last bit, which would be an opinion.
    return round(sum(a for a, _ in both) / len(both), 6), round(sum(b for _, b in both) / len(both), 6)
