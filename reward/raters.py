"""Who rates how: each person's bias and inconsistency on a head, and what the ratings say once these are taken out.

The model is that of ITU-T P.910 (2022), annex E, after Li and others 2020: x_ij = quality_j + bias_i + noise, noise of
standard deviation inconsistency_i; solved by alternating projection.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from reward.groups import bipartite_components

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_ROUNDS: Final = 1000
_SETTLED: Final = 1e-8  # rating points
_BORROWED: Final = 3.0  # a person's inconsistency borrows from everybody's as if that many ratings of theirs were known
_LEAST_SHARE: Final = 0.25  # of everybody's inconsistency: nobody counts for more than 16 typical people


@dataclass(frozen=True)
class PersonRatings:
    """Ratings by person: R rows, one a person and image.

    Attributes:
        image, person: (R,) numbers.
        values: (R, H) in rating units, NaN = not rated.
        names: of the people, by number.
    """

    image: Ints
    person: Ints
    values: Floats
    names: list[str]

    def of_images(self, wanted: Bools) -> "PersonRatings":
        """The rows of the images in a mask (N,)."""
        keep = wanted[self.image]
        return PersonRatings(self.image[keep], self.person[keep], self.values[keep], self.names)


@dataclass(frozen=True)
class RaterFit:
    """What the ratings of one head say.

    Attributes:
        quality: (N,) corrected rating of each image, in rating units, NaN = not rated; may leave 0–10 a little.
        bias: (J,) how much higher than the others each person rates, rating points; they sum to 0 within each group of
            people that images connect; NaN = rated nothing.
        inconsistency: (J,) standard deviation of each person's ratings about quality + bias; NaN = can't be told.
        ratings: (J,) how many each person gave.
        alone: (J,) people who share no image with anybody: their ratings are taken as they are.
        groups: of people, connected by shared images; biases of different groups can't be compared.
    """

    quality: Floats
    bias: Floats
    inconsistency: Floats
    ratings: Ints
    alone: Bools
    groups: int


def fit_raters(
    image: Ints, person: Ints, rating: Floats, images: int, people: int, *, as_recommended: bool = False
) -> RaterFit:
    """Alternating projection on one head.

    Args:
        image, person: (R,) numbers of each rating; rating: (R,) in rating units, NaN rows are skipped.
        images, people: how many there are.
        as_recommended: the variance of residuals as P.910 takes it. Its fixed point gives nearly all weight to one
            person when few rate each image, so by default residuals are divided by what the image's mean leaves of
            them (1 − leverage), and a person with few ratings borrows from everybody's.
    """
    known = ~np.isnan(rating)
    image, person, x = image[known], person[known], rating[known]
    per_image, per_person = np.bincount(image, minlength=images), np.bincount(person, minlength=people)
    shared = per_image[image] > 1  # the only rating of an image tells nothing of who gave it
    quality = _sums(image, x, images) / np.maximum(per_image, 1)
    bias, inconsistency = np.zeros(people), np.full(people, np.nan)
    if shared.any():
        solve = _Projection(image[shared], person[shared], x[shared], images, people, as_recommended)
        bias, inconsistency = solve.run()
        count = np.bincount(person[shared], minlength=people)
        weight = np.where(count > 0, 1 / np.where(count > 0, inconsistency, 1.0) ** 2, 1.0)
        inconsistency = np.where(count > 0, inconsistency, np.nan)
        bias = _centred(bias, image[shared], person[shared], images, people)
        total = _sums(image, weight[person], images)
        quality = _sums(image, weight[person] * (x - bias[person]), images) / np.where(total > 0, total, 1)
    rated_any = per_person > 0
    alone = rated_any & (np.bincount(person[shared], minlength=people) == 0)
    component = bipartite_components(person[shared], image[shared], people, images)[:people]
    return RaterFit(
        quality=np.where(per_image > 0, quality, np.nan),
        bias=np.where(rated_any, bias, np.nan),
        inconsistency=inconsistency,
        ratings=per_person.astype(np.int64),
        alone=alone,
        groups=len(np.unique(component[rated_any & ~alone])),
    )


class _Projection:
    """The iteration, on ratings of images that several people rated."""

    def __init__(self, image: Ints, person: Ints, x: Floats, images: int, people: int, as_recommended: bool) -> None:
        self._image, self._person, self._x = image, person, x
        self._images, self._people, self._as_recommended = images, people, as_recommended
        self._count = np.maximum(np.bincount(person, minlength=people), 1)

    def run(self) -> tuple[Floats, Floats]:
        """(J,) bias up to a constant a group, and (J,) inconsistency."""
        image, person, x = self._image, self._person, self._x
        weight = np.ones(len(x))
        quality = self._quality(weight, np.zeros(self._people))
        bias = self._bias(quality)
        spread = np.ones(self._people)
        for _ in range(_ROUNDS):
            leverage = weight / _sums(image, weight, self._images)[image]
            spread = self._spread(x - quality[image] - bias[person], leverage)
            weight = 1 / spread[person] ** 2
            before, quality = quality, self._quality(weight, bias)
            bias = self._bias(quality)
            if np.abs(quality - before).max() < _SETTLED:
                break
        return bias, spread

    def _quality(self, weight: Floats, bias: Floats) -> Floats:
        total = _sums(self._image, weight, self._images)
        return _sums(self._image, weight * (self._x - bias[self._person]), self._images) / np.where(total > 0, total, 1)

    def _bias(self, quality: Floats) -> Floats:
        return _sums(self._person, self._x - quality[self._image], self._people) / self._count

    def _spread(self, residual: Floats, leverage: Floats) -> Floats:
        """(J,) standard deviations, none of them 0."""
        squares = _sums(self._person, residual**2, self._people)
        if self._as_recommended:
            variance = squares / self._count - (_sums(self._person, residual, self._people) / self._count) ** 2
            return np.asarray(np.sqrt(variance + 1e-8))
        left = _sums(self._person, 1 - leverage, self._people)
        everybody = max(squares.sum() / max(left.sum(), 1e-9), 1e-8)
        variance = (squares + _BORROWED * everybody) / (left + _BORROWED)
        return np.asarray(np.sqrt(np.maximum(variance, _LEAST_SHARE**2 * everybody)))


def _centred(bias: Floats, image: Ints, person: Ints, images: int, people: int) -> Floats:
    """Biases that sum to 0 within each group of people that shared images connect."""
    group = bipartite_components(person, image, people, images)[:people]
    there = np.bincount(person, minlength=people) > 0
    number = np.bincount(group[there], minlength=group.max() + 1)
    mean = np.bincount(group[there], weights=bias[there], minlength=group.max() + 1) / np.maximum(number, 1)
    return np.where(there, bias - mean[group], 0.0)


def _sums(index: Ints, values: Floats, count: int) -> Floats:
    return np.bincount(index, weights=values, minlength=count).astype(np.float64)


@dataclass(frozen=True)
class RaterModel:
    """The fits of H heads. `corrected` (N, H) holds their qualities."""

    fits: list[RaterFit]
    names: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, people: PersonRatings, images: int) -> "RaterModel":
        """Fit every head of the ratings of `images` images."""
        columns = people.values.T
        fits = [fit_raters(people.image, people.person, column, images, len(people.names)) for column in columns]
        return cls(fits, people.names)

    @property
    def corrected(self) -> Floats:
        """(N, H) ratings without people's biases, consistent people counting for more; NaN = not rated."""
        return np.stack([fit.quality for fit in self.fits], axis=1)

    def notes(self, head: int) -> list[str]:
        """What a person should know before believing the correction of a head."""
        fit, found = self.fits[head], []
        if lone := [self.names[number] for number in np.flatnonzero(fit.alone)]:
            shown = ", ".join(lone[:5]) + (" …" if len(lone) > 5 else "")
            share = "shares" if len(lone) == 1 else "share"
            found.append(f"{shown} {share} no image with others: no bias can be told, ratings are taken as they are")
        if fit.groups > 1:
            found.append(
                f"people fall into {fit.groups} groups without a shared image: biases are told within each group only"
            )
        return found

    def as_json(self, head: int) -> dict[str, Any]:
        """The fit of a head as `raters.json` holds it."""
        fit = self.fits[head]
        people = {
            name: {
                "bias": float(fit.bias[number]),
                "inconsistency": float(fit.inconsistency[number]),
                "ratings": int(fit.ratings[number]),
            }
            for number, name in enumerate(self.names)
            if fit.ratings[number]
        }
        return {"people": people, "notes": self.notes(head)}
