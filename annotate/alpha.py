"""Krippendorff's α of each head at the interval level, with its interval: how far people mean the same by a rating."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from annotate.rated import Rated
from annotate.resampling import percentile_interval, resampled
from reward.aspects import HEADS
from reward.metrics import FEWEST_PROMPTS

Floats = npt.NDArray[np.float64]

RELIABLE: Final = 0.8  # Krippendorff, Content Analysis (2004), p. 241: rely on variables with α ≥ .800,
TENTATIVE: Final = 0.667  # and draw no more than tentative conclusions from those between .667 and .800
_SUMS: Final = 4


@dataclass(frozen=True)
class HeadAgreement:
    """Agreement on one head, over the images that two or more people rated on it.

    `alpha` is 1 where people agree, 0 where they might as well have dealt the ratings at random, below where they
    oppose one another; None where it can't be told. `interval`: 95 %, bootstrap over prompts. `note` says what is
    missing for either.
    """

    head: str
    alpha: float | None
    interval: tuple[float, float] | None
    images: int
    prompts: int
    people: int
    note: str = ""

    @property
    def word(self) -> str:
        """What α allows, by Krippendorff's thresholds."""
        if self.alpha is None:
            return "too little"
        return "reliable" if self.alpha >= RELIABLE else "tentative" if self.alpha >= TENTATIVE else "low"


def head_agreements(rated: Rated, seed: int = 0) -> list[HeadAgreement]:
    """One a head, in the heads' order."""
    prompts = int(rated.prompt.max(initial=-1)) + 1
    if not prompts:
        return [HeadAgreement(head, None, None, 0, 0, 0, "nobody rated anything") for head in HEADS]
    heads = [_Pairable.of(rated, number) for number in range(len(HEADS))]
    drawn = resampled(np.concatenate([head.sums(prompts) for head in heads], axis=1), seed)
    draws = np.split(drawn, len(HEADS), axis=1)
    return [head.agreement(name, draw) for name, head, draw in zip(HEADS, heads, draws, strict=True)]


def alpha_of(sums: Floats) -> Floats:
    """(…) α from (…, 4) sums over images: ratings n, their sum, sum of squares, and disagreement within images.

    α = 1 − D_o / D_e with the interval metric (Krippendorff 2011, "Computing Krippendorff's alpha-reliability", C).
    An image's squared differences over all ordered pairs are 2 (m Σx² − (Σx)²), weighted 1 / (m − 1); the expected
    ones are the same expression over all ratings, weighted 1 / (n − 1). NaN where all ratings are equal.
    """
    count, total, squares, within = (sums[..., k] for k in range(_SUMS))
    expected = 2 * (count * squares - total**2)
    varied = expected > 1e-9 * np.maximum(count, 1) ** 2
    return np.where(varied, 1 - (count - 1) * within / np.where(varied, expected, 1), np.nan)


@dataclass(frozen=True)
class _Pairable:
    """The ratings of one head on images that several people rated on it; x less the mean, against rounding."""

    image: npt.NDArray[np.int64]
    prompt: npt.NDArray[np.int64]
    person: npt.NDArray[np.int64]
    x: Floats

    @classmethod
    def of(cls, rated: Rated, head: int) -> "_Pairable":
        people = rated.people
        known = ~np.isnan(people.values[:, head])
        image, person, x = people.image[known], people.person[known], people.values[known, head]
        several = np.bincount(image, minlength=rated.images)[image] > 1
        image, person, x = image[several], person[several], x[several]
        return cls(image, rated.prompt[image], person, x - (x.mean() if len(x) else 0))

    def sums(self, prompts: int) -> Floats:
        """(P, 4) as `alpha_of` takes them."""
        images = int(self.image.max(initial=-1)) + 1
        count = np.bincount(self.image, minlength=images)
        total, squares = np.bincount(self.image, self.x, images), np.bincount(self.image, self.x**2, images)
        within = 2 * (count * squares - total**2) / np.maximum(count - 1, 1)
        of_image = np.zeros(images, dtype=np.int64)
        of_image[self.image] = self.prompt
        return np.stack([np.bincount(of_image, part, prompts) for part in (count, total, squares, within)], axis=1)

    def agreement(self, head: str, drawn: Floats) -> HeadAgreement:
        """The head's figures; `drawn` (B, 4) are its resampled sums."""
        images, prompts, people = (len(np.unique(part)) for part in (self.image, self.prompt, self.person))
        if not images:
            return HeadAgreement(head, None, None, 0, 0, 0, "no image was rated by two people")
        alpha = float(alpha_of(self.sums(int(self.prompt.max()) + 1).sum(axis=0)))
        if np.isnan(alpha):
            note = "everybody gave the same rating, so agreement can't be told from habit"
            return HeadAgreement(head, None, None, images, prompts, people, note)
        interval = percentile_interval(alpha_of(drawn), prompts)
        note = "" if interval else f"too little for an interval: {prompts} prompts, {FEWEST_PROMPTS} are needed"
        return HeadAgreement(head, alpha, interval, images, prompts, people, note)
