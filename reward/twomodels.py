"""Two models on the same images: where their scores differ, head by head. Scores in; differences in one unit out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from reward.aspects import HEADS
from reward.metrics import FEWEST_PROMPTS, bootstrap_interval

if TYPE_CHECKING:
    from reward.unseen import Validated

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

COMBINED: Final = "combined"
POINTS: Final = "rating points"
LOGIT: Final = "log-odds against the prompt's mean"
PLACE: Final = "place among these images, 0–100"


@dataclass(frozen=True)
class HeadDifference:
    """One head's scores by two models on the n images that both score.

    Attributes:
        head: or `combined`.
        unit: of the scores: never two of them in one comparison.
        image: (n,) numbers of the images.
        first, second: (n,) scores.
        correlation: Pearson's, within prompts where these are known; None where one of them doesn't vary.
        mean_size: mean |first − second|; `interval`: its 95 % over prompts, None with too few.
        shift: mean of first − second.
    """

    head: str
    unit: str
    image: Ints
    first: Floats
    second: Floats
    correlation: float | None
    mean_size: float
    interval: tuple[float, float] | None
    shift: float


def validated_differences(first: "Validated", second: "Validated") -> tuple[list[HeadDifference], Ints]:
    """On the images (by content) that both runs validated, each scored by models that haven't seen it.

    Returns:
        The heads that both have, then the combined score in log-odds; and the images' numbers in `first`, (n,).
    """
    at = {sha256: number for number, sha256 in enumerate(second.hashes)}
    shared = [
        (number, at[sha256])
        for number, sha256 in enumerate(first.hashes)
        if sha256 in at and first.measured[number] and second.measured[at[sha256]]
    ]
    if not shared:
        return [], np.zeros(0, dtype=np.int64)
    left, right = (np.array(side, dtype=np.int64) for side in zip(*shared, strict=True))
    prompt = first.data.prompt[left]
    told = []
    if first.data.pairs is not None and second.data.pairs is not None:
        for number, head in enumerate(HEADS):
            one = difference(head, POINTS, first.scores[left, number], second.scores[right, number], prompt)
            told += [] if one is None else [one]
    # A combined log-odds says something of two images of a prompt only, so it is told against the prompt's mean.
    ours, theirs = _about_prompts(first.combined[left], prompt), _about_prompts(second.combined[right], prompt)
    combined = difference(COMBINED, LOGIT, ours, theirs, prompt)
    return [*told, *([] if combined is None else [combined])], left


def places(scores: Floats) -> Floats:
    """(n,) scores as places among them: 0 the lowest, 100 the highest, equal ones alike. NaN stays NaN."""
    from scipy.stats import rankdata

    found = np.full(len(scores), np.nan)
    known = ~np.isnan(scores)
    if known.sum() > 1:
        found[known] = 100 * (rankdata(scores[known]) - 1) / (known.sum() - 1)
    return found


def difference(
    head: str, unit: str, first: Floats, second: Floats, prompt: Ints | None = None, seed: int = 0
) -> HeadDifference | None:
    """Compare two columns of scores (n,); None where no image has both. `prompt`: (n,) numbers, where known."""
    known = np.flatnonzero(~(np.isnan(first) | np.isnan(second)))
    if not len(known):
        return None
    a, b = first[known], second[known]
    sizes, interval = np.abs(a - b), None
    x, y = a - a.mean(), b - b.mean()
    if prompt is not None:
        x, y = _about_prompts(a, prompt[known]), _about_prompts(b, prompt[known])
        _, number = np.unique(prompt[known], return_inverse=True)
        by_prompt = np.bincount(number, sizes) / np.bincount(number)
        interval = bootstrap_interval(by_prompt, seed) if len(by_prompt) >= FEWEST_PROMPTS else None
    scale = float(np.sqrt((x @ x) * (y @ y)))
    correlation = float(np.clip(x @ y / scale, -1, 1)) if scale > 1e-12 else None
    return HeadDifference(head, unit, known, a, b, correlation, float(sizes.mean()), interval, float((a - b).mean()))


def _about_prompts(values: Floats, prompt: Ints) -> Floats:
    """(n,) less the mean of the prompt's known values."""
    _, number = np.unique(prompt, return_inverse=True)
    known = ~np.isnan(values)
    count = np.bincount(number, known)
    mean = np.bincount(number, np.where(known, values, 0)) / np.maximum(count, 1)
    return np.asarray(values - mean[number])
