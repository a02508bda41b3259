"""What the next rating would teach: how much surer the heads' order of a prompt's pictures would be by it.

A head is taken as linear in the embedding x: rating = x·a + level of the prompt + what x doesn't tell + noise. Levels
are unknown, so a prompt teaches by differences between its rated pictures. Sureness is the variance of x·a within
prompts, over all pictures (integrated variance: Cohn, Ghahramani and Jordan 1996). Unrated pictures are taken one after
the other, each given those before; a further rating of a rated one makes its mean less noisy.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reward.linear import CLAMP
from reward.raters import PersonRatings, RaterModel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_DIRECTIONS: Final = 64  # of the embedding, those along which pictures of a prompt differ most
_BORROWED: Final = 3.0  # an image's disagreement borrows from all images' as if that many ratings more were known
_SHARE_OF_NOISE: Final = 0.5  # of the variance of ratings, where no image was rated twice
_CONTESTED: Final = 1.25  # times the typical disagreement
_ONE_BY_ONE: Final = (
    1000  # images that are chosen each given those before; the rest by what they would teach after those
)
_LOOKED_AT: Final = 64  # images at a time that taught most when last looked at: what an image teaches hardly ever grows


@dataclass(frozen=True)
class Opinions:
    """What people have said of N images on H heads.

    Attributes:
        count: (N, H) ratings of each image.
        mean: (N, H) in rating units, corrected for who gave them; NaN = not rated.
        disagreement: (N, H) variance of single ratings of the image, drawn towards `typical` where few are known.
        typical: (H,) the same over all images.
    """

    count: Ints
    mean: Floats
    disagreement: Floats
    typical: Floats

    @property
    def rated(self) -> Bools:
        """(N,) images that anybody rated on any head."""
        return np.asarray(self.count.any(axis=1))

    @classmethod
    def of(cls, people: PersonRatings, images: int) -> "Opinions":
        """From ratings by person; biases are taken out first."""
        model = RaterModel.of(people, images)
        mean = model.corrected
        count = np.zeros(mean.shape, dtype=np.int64)
        squares, typical = np.zeros(mean.shape), np.zeros(mean.shape[1])
        for head, fit in enumerate(model.fits):
            known = ~np.isnan(people.values[:, head])
            image, person, value = people.image[known], people.person[known], people.values[known, head]
            count[:, head] = np.bincount(image, minlength=images)
            residual = value - fit.bias[person] - mean[image, head]
            squares[:, head] = np.bincount(image, weights=residual**2, minlength=images)
            free = np.maximum(count[:, head] - 1, 0)
            guess = _SHARE_OF_NOISE * value.var() if len(value) else 0.0
            typical[head] = squares[free > 0, head].sum() / free.sum() if free.any() else guess
        free = np.maximum(count - 1, 0)
        disagreement = (squares + _BORROWED * typical) / (free + _BORROWED)
        return cls(count, mean, disagreement, typical)


@dataclass(frozen=True)
class Advice:
    """Why an image should be rated.

    Attributes:
        image: its number.
        teaches: share of what the heads don't know yet that one more rating of it takes away.
        head: the head that gains most.
        rated: whether anybody rated it.
        begins: whether its prompt has fewer than two rated images, so no pair.
        contested: whether people differ on it more than on others.
    """

    image: int
    teaches: float
    head: int
    rated: bool
    begins: bool
    contested: bool


def rank(x: npt.NDArray[np.floating], prompt: Ints, scores: Floats, opinions: Opinions) -> list[Advice]:
    """All images, the one to be rated next first.

    Args:
        x: (N, D) normalised embeddings; prompt: (N,) prompt numbers from 0; scores: (N, H) the model's, NaN = untrained
            head.
    """
    directions, spread = _directions(x, prompt)
    heads = [
        _Head(number, directions, spread, prompt, scores[:, number], opinions)
        for number in range(scores.shape[1])
        if not np.isnan(scores[:, number]).any() and opinions.count[:, number].any()
    ]
    rated = opinions.rated
    again = sorted(_again(heads, np.flatnonzero(rated), opinions), key=lambda one: -one.teaches)
    fresh = list(_fresh(heads, np.flatnonzero(~rated), prompt, np.bincount(prompt[rated], minlength=prompt.max() + 1)))
    merged: list[Advice] = []
    waiting = deque(again)
    for one in fresh:
        while waiting and waiting[0].teaches > one.teaches:
            merged.append(waiting.popleft())
        merged.append(one)
    return [*merged, *waiting]


def _directions(x: npt.NDArray[np.floating], prompt: Ints) -> tuple[Floats, Floats]:
    """(N, Q) embeddings along the Q directions in which a prompt's images differ most, and (Q,) how much they do."""
    within = np.clip(x, -CLAMP, CLAMP).astype(np.float32)  # a copy: of many images the largest array there is
    groups = _by_number(prompt)
    weight = np.empty((len(prompt), 1), dtype=np.float32)
    for group in groups:
        within[group] -= within[group].mean(axis=0)
        weight[group] = 1 / np.sqrt(len(group) * len(groups))  # every prompt counts the same
    within *= weight
    spread, along = np.linalg.eigh((within.T @ within).astype(np.float64))
    most = slice(-_DIRECTIONS, None)
    return within @ along[:, most] / weight, spread[most].clip(min=0)


def _by_number(prompt: Ints) -> list[Ints]:
    order = np.argsort(prompt, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(prompt[order])) + 1)


class _Head:
    """What is known of one head: the covariance of `a`, given the ratings there are. Prompts are centred in `x`."""

    def __init__(
        self, number: int, x: Floats, spread: Floats, prompt: Ints, scores: Floats, opinions: Opinions
    ) -> None:
        self.number, self._x, self._spread, self._prompt = number, x, spread, prompt
        self.count, self.typical = opinions.count[:, number], float(opinions.typical[number])
        self.disagreement = opinions.disagreement[:, number]
        known = self.count > 0
        signal = _within_variance(scores, prompt)
        residual = _within_variance((opinions.mean[:, number] - scores)[known], prompt[known])
        untold = max(residual - float((self.typical / self.count[known]).mean()), 0.0)  # of an image, by its embedding
        self._noise = max(untold + self.typical, 1e-6)  # of an image's first rating
        prior = max(signal, 0.01 * self._noise) / max(float(spread.sum()), 1e-12)  # a flat model has all to learn
        self._start = prior * float(spread.sum())
        self._sums, self._rated = np.zeros((prompt.max() + 1, len(spread))), np.zeros(prompt.max() + 1)
        precision = np.diag(np.full(len(spread), 1 / prior))
        for group in _by_number(prompt):
            taught = x[group[known[group]]]
            if len(taught):
                centred = taught - taught.mean(axis=0)
                precision += centred.T @ centred / self._noise
                self._sums[prompt[group[0]]], self._rated[prompt[group[0]]] = taught.sum(axis=0), len(taught)
        self._covariance = np.linalg.inv(precision)

    def teaches(self, images: Ints) -> Floats:
        """(images,) share of the first variance that a first rating of each takes away.

        A prompt's first picture teaches nothing alone: it gets half of what a pair with the prompt's middle would.
        """
        away, weight = self._from_the_rated(images)
        first = weight == 0
        weight = np.where(first, 0.5 / self._noise, weight)
        pull = away @ self._covariance
        gain: Floats = weight * (pull**2 @ self._spread) / (1 + weight * (pull * away).sum(axis=1)) / self._start
        return np.where(first, gain / 2, gain)

    def learn(self, image: int) -> None:
        """Take the image as rated (Sherman and Morrison)."""
        away, weight = self._from_the_rated(np.array([image]))
        pull = self._covariance @ away[0]
        self._covariance -= np.outer(pull, pull) * weight / (1 + weight * (pull @ away[0]))
        self._sums[self._prompt[image]] += self._x[image]
        self._rated[self._prompt[image]] += 1

    def _from_the_rated(self, images: Ints) -> tuple[Floats, Floats]:
        """(images, Q) from the mean of their prompts' rated pictures, and (images,) precision of that difference."""
        rated = self._rated[self._prompt[images]]
        means = self._sums[self._prompt[images]] / np.maximum(rated, 1)[:, None]
        return self._x[images] - means, rated / (rated + 1) / self._noise

    def teaches_again(self, images: Ints) -> Floats:
        """(images,) the same share by one rating more of rated images: the noise of their means shrinks."""
        pull = self._x[images] @ self._covariance / self._noise
        given = np.maximum(self.count[images], 1)
        return np.asarray((pull**2 @ self._spread) * self.disagreement[images] / (given * (given + 1)) / self._start)


def _within_variance(values: Floats, prompt: Ints) -> float:
    """Variance around the prompts' means; 0 where no prompt has two values."""
    _, number, count = np.unique(prompt, return_inverse=True, return_counts=True)
    free = len(values) - len(count)
    means = np.bincount(number, weights=values) / count
    return float(((values - means[number]) ** 2).sum() / free) if free else 0.0


def _again(heads: Sequence[_Head], images: Ints, opinions: Opinions) -> Iterator[Advice]:
    gains = np.stack([head.teaches_again(images) for head in heads]) if heads else np.zeros((1, len(images)))
    for gain, image in zip(gains.T, images.tolist(), strict=True):
        shared = [head for head in heads if head.count[image] > 1]
        ratio = max((head.disagreement[image] / max(head.typical, 1e-9) for head in shared), default=0.0)
        most = heads[int(gain.argmax())].number if heads else 0
        yield Advice(image, float(gain.mean()), most, True, False, bool(ratio > _CONTESTED))


def _fresh(heads: Sequence[_Head], images: Ints, prompt: Ints, rated: Ints) -> Iterator[Advice]:
    """Unrated images, each the one that teaches most given those before; `rated` (P,) images of each prompt."""
    gains = np.zeros((len(prompt), max(len(heads), 1)))
    left, rated = images, rated.copy()

    def look(at: Ints) -> Floats:
        for column, head in enumerate(heads):
            gains[at, column] = head.teaches(at)
        return np.asarray(gains[at].mean(axis=1))

    def advise(image: int) -> Advice:
        most = heads[int(gains[image].argmax())].number if heads else 0
        return Advice(image, float(gains[image].mean()), most, False, bool(rated[prompt[image]] < 2), False)

    look(left)
    for _ in range(min(_ONE_BY_ONE, len(images))):
        size = min(_LOOKED_AT, len(left))
        some = np.argpartition(-gains[left].mean(axis=1), size - 1)[:size]
        place = int(some[look(left[some]).argmax()])
        image = int(left[place])
        yield advise(image)
        left = np.delete(left, place)
        rated[prompt[image]] += 1
        for head in heads:
            head.learn(image)
        look(left[prompt[left] == prompt[image]])
    if len(left):
        yield from map(advise, left[np.argsort(-look(left), kind="stable")].tolist())
