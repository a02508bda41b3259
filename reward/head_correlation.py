"""Does the model mix up heads that people keep apart? Correlations between heads, of its scores and of the ratings.

All correlations are within prompts: what a prompt's images have in common says nothing about which of them is better.
People's inconsistency is taken out of theirs as Spearman (1904) does, by dividing by the ratings' reliability; where
that may be next to nothing, the division would only blow up noise, and nothing is told of people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from reward.aspects import HEADS
from reward.metrics import FEWEST_PROMPTS
from reward.raters import PersonRatings, RaterModel
from reward.resampling import resampled_sums

if TYPE_CHECKING:
    from reward.unseen import Validated

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Of the mean ratings' variance, at the lower end of its 95 % interval: a head less reliable than that would multiply a
# correlation, and its noise, by more than √5.
_LEAST_RELIABILITY: Final = 0.2
_LOWER_END: Final = 0.025


@dataclass(frozen=True)
class HeadPair:
    """Two heads on the images that have ratings and scores on both.

    Attributes:
        first, second: the heads.
        images, prompts: how many.
        model: correlation of the scores, by models that haven't seen the images.
        people: correlation of the mean ratings.
        signal: the same without what single people's inconsistency adds to and takes from it (Spearman 1904's
            correction for attenuation, with people's errors allowed to go together on the two heads); None where people
            aren't told apart, or `unreliable` names a head.
        halo: correlation of a person's deviations from the image's mean on the two heads; None where unknown.
        difference: model less `signal`, or less `people` where they aren't told apart; None where `unreliable`.
        interval: 95 % of the difference, over prompts drawn anew; None with too few, or without a difference.
        unreliable: the heads on which people agree too little for such a correction.
    """

    first: str
    second: str
    images: int
    prompts: int
    model: float
    people: float
    signal: float | None
    halo: float | None
    difference: float | None
    interval: tuple[float, float] | None
    unreliable: tuple[str, ...] = ()

    @property
    def reference(self) -> float | None:
        """What the model is held against; None where people agree too little to tell."""
        return None if self.unreliable else self.people if self.signal is None else self.signal

    @property
    def too_few(self) -> bool:
        """Whether there are too few prompts for an interval."""
        return self.prompts < FEWEST_PROMPTS

    @property
    def mixed_up(self) -> bool:
        """Whether the model's heads surely go together more than people's."""
        return self.interval is not None and self.interval[0] > 0

    @property
    def held_apart(self) -> bool:
        """Whether the model's heads surely go together less than people's."""
        return self.interval is not None and self.interval[1] < 0


def head_pairs_of(found: "Validated", seed: int = 0) -> list[HeadPair]:
    """Every two heads that share images in enough prompts; none in pairs mode, whose scores have no heads."""
    if found.data.pairs is None:
        return []
    pairs = []
    for a, b in combinations(range(len(HEADS)), 2):
        columns = [a, b]
        one = correlate(found.scores[:, columns], found.data.ratings[:, columns], found.data.prompt,
                        _of_heads(found.data.by_person, columns), seed, (HEADS[a], HEADS[b]))  # fmt: skip
        if one is not None:
            pairs.append(one)
    return pairs


def correlate(
    scores: Floats,
    ratings: Floats,
    prompt: Ints,
    people: PersonRatings | None = None,
    seed: int = 0,
    names: tuple[str, str] = ("first", "second"),
) -> HeadPair | None:
    """Two heads' correlations; None where no prompt has two images with all of it, or something doesn't vary.

    Args:
        scores, ratings: (N, 2), NaN = unknown; prompt: (N,) prompt numbers.
        people: the same two heads' ratings by person.
    """
    known = ~(np.isnan(scores).any(axis=1) | np.isnan(ratings).any(axis=1))
    counts = np.bincount(prompt[known], minlength=int(prompt.max(initial=0)) + 1)
    known &= counts[prompt] > 1
    rows = np.flatnonzero(known)
    if not len(rows):
        return None
    _, number = np.unique(prompt[rows], return_inverse=True)
    prompts = int(number.max()) + 1
    model, mean = _products(scores[rows], number), _products(ratings[rows], number)
    r_model, r_people = (float(_correlation(one.sum(axis=0)[None])[0]) for one in (model, mean))
    if np.isnan(r_model) or np.isnan(r_people):
        return None
    noise = _noise(people, rows, number, len(prompt)) if people is not None else None
    reliable = _reliable(mean, noise, len(rows) - prompts, seed) if noise is not None else [True, True]
    unreliable = tuple(name for name, told in zip(names, reliable, strict=True) if not told)
    against = mean if noise is None else mean - noise.products
    r_against = None if unreliable else float(_correlation(against.sum(axis=0)[None])[0])
    return HeadPair(
        *names,
        images=len(rows),
        prompts=prompts,
        model=r_model,
        people=r_people,
        signal=None if noise is None else r_against,
        halo=None if noise is None else noise.halo,
        difference=None if r_against is None else r_model - r_against,
        interval=None if unreliable else _interval(model, against, prompts, seed),
        unreliable=unreliable,
    )


def in_words(pairs: Sequence[HeadPair], label: "dict[str, str]") -> list[str]:
    """What the pairs of heads say, in sentences; `label` by head."""
    if not pairs:
        return ["No two heads have ratings and scores on the same images: nothing can be told."]
    told = []
    for one in pairs:
        both = f"{label[one.first]} and {label[one.second]}"
        figures = f"{one.model:.2f} in the model, {one.reference or 0:.2f} among people"
        if one.mixed_up:
            told.append(f"{both} are mixed up: they go together more than people's ratings do ({figures}).")
        elif one.held_apart:
            told.append(f"{both} go together less than people's ratings do ({figures}).")
    unreliable = [head for head in label if any(head in one.unreliable for one in pairs)]
    if not told and any(not one.unreliable for one in pairs):
        few = all(one.too_few for one in pairs)
        told = [
            f"With fewer than {FEWEST_PROMPTS} prompts no difference can be told."
            if few
            else "No two heads can be told to go together more, or less, in the model than among people."
        ]
    told += [
        f"People agree too little on {label[head]} to tell how it goes together with other heads."
        for head in unreliable
    ]
    if any(one.halo is not None for one in pairs):
        most = max((one for one in pairs if one.halo is not None), key=lambda one: one.halo or 0)
        if (most.halo or 0) > 0.2:
            told.append(
                f"People's own halo: who rates an image higher than others on {label[most.first]} does so on "
                f"{label[most.second]} too (correlation {most.halo:.2f})."
            )
    if any(one.signal is None and not one.unreliable for one in pairs):
        told.append(
            "Where people can't be told apart, their inconsistency lowers the correlation of their mean ratings: "
            "a difference may be due to that."
        )
    return told


def _of_heads(people: PersonRatings | None, columns: list[int]) -> PersonRatings | None:
    return None if people is None else PersonRatings(people.image, people.person, people.values[:, columns],
                                                     people.names)  # fmt: skip


def _products(values: Floats, number: Ints) -> Floats:
    """(P, 3) sums of squares of both columns and of their products, about each prompt's means."""
    size = np.bincount(number)
    centred = values - np.stack([np.bincount(number, column) / size for column in values.T], axis=1)[number]
    parts = (centred[:, 0] ** 2, centred[:, 1] ** 2, centred[:, 0] * centred[:, 1])
    return np.stack([np.bincount(number, part) for part in parts], axis=1).astype(np.float64)


@dataclass(frozen=True)
class _Noise:
    """What people's inconsistency does.

    Attributes:
        products: (P, 3) what it adds to `_products` of mean ratings.
        free: of both heads, how many deviations from an image's mean it is told from.
        halo: see `HeadPair`.
    """

    products: Floats
    free: tuple[float, float]
    halo: float | None


def _noise(people: PersonRatings, rows: Ints, number: Ints, images: int) -> _Noise | None:
    """People's inconsistency on two heads; None where no image has two ratings.

    A mean over k people has error covariance 1/k of one person's; of an image's m − 1 free ones a prompt of m keeps all
    but 1/m. Errors are people's deviations from the image's mean, their bias taken out.
    """
    fits = RaterModel.of(people, images).fits
    errors = np.stack([people.values[:, head] - fit.bias[people.person] for head, fit in enumerate(fits)], axis=1)
    rated = ~np.isnan(errors)
    filled = np.where(rated, errors, 0.0)
    count = np.stack([np.bincount(people.image, rated[:, head], minlength=images) for head in range(2)], axis=1)
    total = np.stack([np.bincount(people.image, filled[:, head], minlength=images) for head in range(2)], axis=1)
    errors = np.where(rated, filled - (total / np.maximum(count, 1))[people.image], 0.0)
    both = rated.all(axis=1)
    shared = np.bincount(people.image, both, minlength=images)
    noise = np.zeros((images, 3))
    squares = [np.bincount(people.image, errors[:, head] ** 2, minlength=images) for head in range(2)]
    free = [float(np.maximum(count[rows, head] - 1, 0).sum()) for head in range(2)]
    if min(free) < 1:
        return None
    # One variance for all images: of a single image's few ratings it is too rough to divide by.
    variance = [float(squares[head][rows].sum()) / free[head] for head in range(2)]
    cross = np.bincount(people.image, errors[:, 0] * errors[:, 1] * both, minlength=images)
    inside = rows[shared[rows] > 1]
    together = float(np.maximum(shared[inside] - 1, 0).sum())
    covariance = float(cross[inside].sum()) / together if together > 0 else 0.0
    halo = covariance / float(np.sqrt(variance[0] * variance[1])) if together > 0 and min(variance) > 0 else None
    for head in range(2):
        noise[:, head] = variance[head] / np.maximum(count[:, head], 1)
    noise[:, 2] = covariance * shared / np.maximum(count[:, 0] * count[:, 1], 1)
    size = np.bincount(number)
    kept = noise[rows] * (1 - 1 / size)[number][:, None]
    products = np.stack([np.bincount(number, kept[:, part]) for part in range(3)], axis=1).astype(np.float64)
    return _Noise(products, (free[0], free[1]), halo)


def _correlation(sums: Floats) -> Floats:
    """(D,) of (D, 3) sums; NaN where a head doesn't vary."""
    scale = np.sqrt(np.where((sums[:, 0] > 0) & (sums[:, 1] > 0), sums[:, 0] * sums[:, 1], np.nan))
    return np.asarray(np.clip(sums[:, 2] / scale, -1, 1))


def _reliable(mean: Floats, noise: _Noise, free: int, seed: int) -> list[bool]:
    """Whether the mean ratings of each of two heads are surely reliable enough to correct for what they aren't.

    The lower end of the reliability is 1 − F_.975 / F, that of an intraclass correlation of means (Shrout and Fleiss
    1979), which holds with few prompts too. With enough of them, some variance must be left in prompts drawn anew too.

    Args:
        mean: (P, 3) `_products` of the mean ratings; free: how many deviations from a prompt's mean it is made of.
    """
    from scipy.stats import f

    total, noisy = mean.sum(axis=0), noise.products.sum(axis=0)
    signal = mean - noise.products
    enough = len(mean) >= FEWEST_PROMPTS
    lost = (resampled_sums(signal[:, :2], seed) <= 0).mean(axis=0) if enough else np.zeros(2)
    return [
        bool(1 - f.ppf(1 - _LOWER_END, free, noise.free[head]) * noisy[head] / total[head] >= _LEAST_RELIABILITY)
        and bool(lost[head] <= _LOWER_END)
        for head in range(2)
    ]


def _interval(model: Floats, people: Floats, prompts: int, seed: int) -> tuple[float, float] | None:
    if prompts < FEWEST_PROMPTS:
        return None
    sums = resampled_sums(np.column_stack([model, people]), seed)
    differences = _correlation(sums[:, :3]) - _correlation(sums[:, 3:])
    if np.isnan(differences).mean() > 0.05:
        return None
    low, high = np.nanquantile(differences, [0.025, 0.975])
    return float(low), float(high)
