"""What is to be learned, by whom, as arrays: from a data set to the problem that `reward.fitting` optimises."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reward.combination import prompt_weights
from reward.dataset import Dataset, LabelledPairs
from reward.losses import Objective
from reward.pairs import compare
from reward.raters import RaterModel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sides:
    """Who learns from what.

    Attributes:
        train: (N,) images that may be learned from.
        fold: (N,) fold of each training image; −1 = in none.
        left_out: the folds that each of M members leaves out; the first leaves none out.
    """

    train: Bools
    fold: Ints
    left_out: tuple[frozenset[int], ...]

    def sees(self, member: int) -> Bools:
        """(N,) training images that a member learns from."""
        return self.train & ~np.isin(self.fold, list(self.left_out[member]))

    def all_see(self) -> Bools:
        """(M, N) the same of every member."""
        return np.stack([self.sees(member) for member in range(len(self.left_out))])


@dataclass(frozen=True)
class Problem:
    """What is to be learned, as arrays. T is 1, or M where each member has targets of its own.

    Attributes:
        x: (N, D) embeddings, float32 or float16; may be memory-mapped (not read-only: torch minds).
        ratings: (T, N, H) in rating units, NaN = not rated; all NaN in pairs mode.
        prompt: (N,) prompt numbers.
        sides: which images each member learns from.
        first, second: (P,) training pairs.
        label: (T, P, H) how surely the first is better.
        weight: (T, P, H) how much a pair counts on a head; every prompt counts the same.
        objective: which losses.
        raters: what the first member's ratings were corrected by; None where they are plain means.
    """

    x: npt.NDArray[np.floating]
    ratings: Floats
    prompt: Ints
    sides: Sides
    first: Ints
    second: Ints
    label: Floats
    weight: Floats
    objective: Objective
    raters: RaterModel | None = None

    @property
    def members(self) -> int:
        """M, how many models are trained side by side."""
        return len(self.sides.left_out)

    @property
    def heads(self) -> int:
        """H, the number of scores an image gets."""
        return int(self.label.shape[2])

    @property
    def has_ratings(self) -> bool:
        """Whether scores are anchored to ratings; otherwise they are logits."""
        return not bool(np.isnan(self.ratings).all())

    def target_of(self, member: int) -> int:
        """Which of the T targets a member learns."""
        return member if len(self.ratings) > 1 else 0


def multihead_problem(data: Dataset, x: npt.NDArray[np.floating], sides: Sides, objective: Objective) -> Problem:
    """Five heads from ratings."""
    assert data.pairs is not None
    pairs = data.pairs
    ratings, raters = _targets(data, sides)
    inside = sides.train[pairs.first]
    first, second, rated = pairs.first[inside], pairs.second[inside], pairs.rated[inside]
    sign = np.stack([compare(one[first], one[second], data.min_rating_diff) for one in ratings])  # (T, P, H)
    counts = rated & ((sign != 0) | objective.ties)
    keep = counts.any(axis=(0, 2))
    first, second, sign, counts = first[keep], second[keep], sign[:, keep], counts[:, keep]
    weight = np.zeros(sign.shape)
    for target, head in np.ndindex(len(sign), sign.shape[2]):
        rows = counts[target, :, head]
        if rows.any():
            by_prompt = prompt_weights(data.prompt[first[rows]])
            weight[target, rows, head] = by_prompt / by_prompt.mean()
    return Problem(
        x=x,
        ratings=ratings,
        prompt=data.prompt,
        sides=sides,
        first=first,
        second=second,
        label=(sign + 1) / 2.0,
        weight=weight,
        objective=objective,
        raters=raters,
    )


def _targets(data: Dataset, sides: Sides) -> tuple[Floats, RaterModel | None]:
    """(T, N, H) ratings to learn, and what those of the first member were corrected by.

    A member learns people's biases from the images it sees; the others keep their plain mean, by which it is measured.
    """
    if data.by_person is None or not data.corrects:
        return data.ratings[None], None
    sees = sides.all_see()
    ratings = np.repeat(data.ratings[None], len(sees), axis=0)
    models: dict[bytes, RaterModel] = {}  # members that see the same images share a fit
    for member, images in enumerate(sees):
        key = np.packbits(images).tobytes()
        if key not in models:
            models[key] = RaterModel.of(data.by_person.of_images(images), len(images))
        ratings[member, images] = models[key].corrected[images]
    return ratings, models[np.packbits(sees[0]).tobytes()]


def pairs_problem(data: Dataset, x: npt.NDArray[np.floating], sides: Sides) -> Problem:
    """One overall score from preferences: cross-entropy with soft labels."""
    pairs: LabelledPairs = data.combined.inside(sides.train)
    by_prompt = prompt_weights(pairs.prompt)
    return Problem(
        x=x,
        ratings=np.full((1, len(x), 1), np.nan),
        prompt=data.prompt,
        sides=sides,
        first=pairs.first,
        second=pairs.second,
        label=pairs.label[None, :, None],
        weight=(by_prompt / by_prompt.mean())[None, :, None],
        objective=Objective(ratings=0.0),
    )
