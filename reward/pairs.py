"""Ratings of a prompt's images → preference pairs, on every head at once and without a loop over rows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

# 20,000 images of one prompt would make 200 million pairs: beyond this many a prompt, a random part is drawn.
MAX_PAIRS_PER_PROMPT: Final = 20_000

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Signs = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RatingPairs:
    """Pairs of images of one prompt, P of them, and who won on each of H heads.

    Attributes:
        first, second: (P,) rows of the images, first < second.
        prompt: (P,) number of the prompt.
        sign: (P, H) 1 = first is better, −1 = second is better, 0 = a tie or not both rated.
        rated: (P, H) both images are rated on the head.
        sampled_prompts: prompts of which only a part of the pairs was drawn.
    """

    first: Ints
    second: Ints
    prompt: Ints
    sign: Signs
    rated: Bools
    sampled_prompts: int = 0

    def __len__(self) -> int:
        return len(self.first)

    @property
    def wins(self) -> Ints:
        """(H,) pairs a head that have a winner."""
        return np.asarray(np.count_nonzero(self.sign, axis=0), dtype=np.int64)

    @property
    def ties(self) -> Ints:
        """(H,) pairs a head rated on both sides without a winner."""
        return np.asarray(np.count_nonzero(self.rated & (self.sign == 0), axis=0), dtype=np.int64)

    def of_prompts(self, wanted: Bools) -> "RatingPairs":
        """The pairs of the prompts that `wanted` (a mask over prompt numbers) names."""
        keep = wanted[self.prompt]
        return RatingPairs(self.first[keep], self.second[keep], self.prompt[keep], self.sign[keep], self.rated[keep])


def compare(first: Floats, second: Floats, min_rating_diff: float) -> Signs:
    """Who is better, by the definition of a pair: a win if round(|Δ|, 6) ≥ `min_rating_diff` and > 0, else a tie.

    The rounding makes 8.2 − 7.7 the 0.5 that it is on paper. NaN on either side gives 0.
    """
    delta = np.round(first - second, 6)
    wins = (np.abs(delta) >= min_rating_diff) & (delta != 0)  # NaN compares False
    return np.where(wins, np.sign(delta), 0).astype(np.int8)


def pair_indices(prompt: Ints, seed: int = 0, most: int = MAX_PAIRS_PER_PROMPT) -> tuple[Ints, Ints, int]:
    """All unordered pairs of rows that share a prompt number.

    Args:
        prompt: (N,) prompt number of each row, any order.
        most: pairs a prompt at the most; a larger prompt gives that many, drawn at random.

    Returns:
        (P,) first rows, (P,) second rows, and how many prompts were drawn from.
    """
    order = np.argsort(prompt, kind="stable")
    _, starts, counts = np.unique(prompt[order], return_index=True, return_counts=True)
    firsts, seconds, sampled = [], [], 0
    for size in np.unique(counts[counts > 1]):  # a loop over distinct sizes, not over prompts
        at = starts[counts == size]
        if size * (size - 1) // 2 <= most:
            low, high = np.triu_indices(int(size), 1)
            firsts.append((at[:, None] + low).ravel())
            seconds.append((at[:, None] + high).ravel())
            continue
        sampled += len(at)
        random = np.random.default_rng(seed)
        for start in at:  # huge prompts are few
            low, high = _sample_pairs(int(size), most, random)
            firsts.append(start + low)
            seconds.append(start + high)
    if not firsts:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, 0
    first, second = order[np.concatenate(firsts)], order[np.concatenate(seconds)]
    return np.minimum(first, second), np.maximum(first, second), sampled


def _sample_pairs(size: int, most: int, random: np.random.Generator) -> tuple[Ints, Ints]:
    """`most` different pairs low < high below `size`."""
    codes = np.unique(random.integers(0, size, (2 * most + 64, 2)) @ np.array([size, 1]))
    low, high = codes // size, codes % size
    keep = random.permutation(np.flatnonzero(low < high))[:most]
    return low[keep].astype(np.int64), high[keep].astype(np.int64)


def rating_pairs(prompt: Ints, ratings: Floats, min_rating_diff: float, seed: int = 0) -> RatingPairs:
    """Pairs of all heads.

    Args:
        prompt: (N,) prompt number of each image.
        ratings: (N, H) ratings, NaN = not rated.
        min_rating_diff: the smallest difference that counts as a win, in rating units.

    Returns:
        Pairs with at least one head rated on both sides.
    """
    first, second, sampled = pair_indices(prompt, seed)
    rated = ~(np.isnan(ratings[first]) | np.isnan(ratings[second]))
    keep = rated.any(axis=1)
    first, second, rated = first[keep], second[keep], rated[keep]
    sign = compare(ratings[first], ratings[second], min_rating_diff)
    return RatingPairs(first, second, prompt[first], sign, rated, sampled)


def largest_difference(prompt: Ints, ratings: Floats) -> float:
    """The largest within-prompt difference on any head, in rating units; NaN where nothing is comparable."""
    import pandas as pd

    groups = pd.DataFrame(ratings).groupby(prompt)
    spread = (groups.max() - groups.min()).to_numpy()[(groups.count() > 1).to_numpy()]
    return float(spread.max()) if spread.size else float("nan")


def mean_over_shared_heads(pairs: RatingPairs, ratings: Floats) -> tuple[Floats, Floats]:
    """(P,) each: the mean rating of first and second over the heads on which both are rated."""
    count = pairs.rated.sum(axis=1)
    first = np.where(pairs.rated, ratings[pairs.first], 0).sum(axis=1) / count
    second = np.where(pairs.rated, ratings[pairs.second], 0).sum(axis=1) / count
    return first, second


def prompt_numbers(prompt_ids: "pd.Series[str]") -> tuple[Ints, list[str]]:
    """(N,) a number for each prompt_id in order of appearance, and the ids by number."""
    import pandas as pd

    numbers, names = pd.factorize(prompt_ids)
    return numbers.astype(np.int64), names.tolist()
