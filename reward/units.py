"""Scores that order well, brought to rating points: a line a head, fitted on images that the heads haven't seen."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_SMALLEST_SLOPE: Final = (
    0.02  # a head that knows nothing shrinks towards the mean rating, but never turns its order round
)


@dataclass(frozen=True)
class UnitMap:
    """rating ≈ level + slope · score, a line a head; `slope` and `level` (H,)."""

    slope: Floats
    level: Floats

    def __call__(self, scores: Floats) -> Floats:
        """(N, H) scores → rating points."""
        mapped: Floats = self.level + self.slope * scores
        return mapped


def fit_units(scores: Floats, ratings: Floats) -> UnitMap:
    """Least squares of ratings on scores, slope at least `_SMALLEST_SLOPE`.

    Args:
        scores: (N, H) out-of-fold scores; ratings: (N, H), NaN = not rated.

    A head with fewer than three ratings keeps its scores as they are. The slope shrinks scores as far as they fail to
    predict: differences between images come out as large as the ratings' differences are to be expected.
    """
    heads = scores.shape[1]
    slope, level = np.ones(heads), np.zeros(heads)
    for head in range(heads):
        rated = ~np.isnan(ratings[:, head])
        if np.count_nonzero(rated) < 3 or scores[rated, head].std() == 0:
            continue
        score, rating = scores[rated, head], ratings[rated, head]
        deviation = score - score.mean()
        slope[head] = max(float(deviation @ rating / (deviation @ deviation)), _SMALLEST_SLOPE)
        level[head] = rating.mean() - slope[head] * score.mean()
    return UnitMap(slope, level)
