"""Which pairs of images a person is asked about, in which order, on which sides, and why. Pure functions.

All pairs of a prompt would be n(n - 1)/2; asked are at most 3n, chosen so that each image meets several others and
every image is few steps from every other.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice

from annotate.preferences import SKIP, Pair, Votes

_RINGS = 3
_ALL_PAIRS_UP_TO = 2 * _RINGS + 1  # images: then all pairs are no more than the rings would have

Means = Mapping[int, float]


class Plan:
    """The pairs that are asked, by prompt in the prompts' order. `prompt_of`: prompt id by image, of what is there."""

    def __init__(self, prompt_of: Mapping[int, str]) -> None:
        images: dict[str, list[int]] = {}
        for image, prompt_id in prompt_of.items():
            images.setdefault(prompt_id, []).append(image)
        self.prompt_of = prompt_of
        self.pairs = {prompt_id: pair_design(tuple(sorted(found))) for prompt_id, found in images.items()}
        self.planned = frozenset(pair for pairs in self.pairs.values() for pair in pairs)


@dataclass(frozen=True)
class PairPick:
    """A pair for a person: from left to right, and why it comes, in words."""

    left: int
    right: int
    why: str


@dataclass(frozen=True)
class PairProgress:
    """Pairs that a person has judged, and those together with the ones they may still be asked about."""

    judged: int
    total: int


@dataclass(frozen=True)
class PairAsking:
    """A person who wants pairs, in the studio `studio`; `wanted` people judge each pair (0: everybody)."""

    studio: str
    annotator: str
    wanted: int = 0
    shuffled: bool = False


@lru_cache(maxsize=4096)
def pair_design(images: tuple[int, ...]) -> tuple[Pair, ...]:
    """The pairs of one prompt that are asked, at most three an image.

    Up to seven images: all pairs. Beyond: three rings, each in a hashed order of its own, in which an image is paired
    with the next one that it isn't paired with yet. The first ring joins all; three in unlike orders keep the way
    between any two images short (random regular graphs are expanders), which is what makes scores from paired
    comparisons precise. A new image changes only the pairs near it in each ring.
    """
    if len(images) <= _ALL_PAIRS_UP_TO:
        return tuple(combinations(sorted(images), 2))
    pairs: dict[Pair, None] = {}
    for ring in range(_RINGS):
        order = sorted(images, key=lambda image: _hash(f"{ring} {image}"))
        for place, image in enumerate(order):
            others = (*order[place + 1 :], *order[:place]) if ring else (order[(place + 1) % len(order)],)
            fresh = (pair for other in others if (pair := _pair(image, other)) not in pairs)
            pairs.update((pair, None) for pair in islice(fresh, 1))
    return tuple(pairs)


def next_pairs(
    plan: Plan,
    votes: Votes,
    asking: PairAsking,
    means_of: Callable[[set[int]], Means],
    limit: int,
) -> list[PairPick]:
    """Up to `limit` pairs that this person has said nothing of and that still want votes.

    Prompt by prompt, beginning with the one they were at; within a prompt those with the fewest votes first, then
    pairs whose images both are rated, the closer the sooner.

    Args:
        means_of: mean rating by image, of those of the given images that are rated on all heads.
    """
    picks: list[PairPick] = []
    for prompt_id in _prompts(plan, votes, asking):
        free = [pair for pair in plan.pairs[prompt_id] if _is_open(pair, votes, asking)]
        if not free:
            continue
        means = means_of({image for pair in free for image in pair})
        free.sort(key=lambda pair: _urgency(pair, votes, means, asking))
        for pair in free[: limit - len(picks)]:
            left, right = sides(asking.studio, asking.annotator, pair)
            picks.append(PairPick(left, right, _why(pair, votes, means)))
        if len(picks) >= limit:
            break
    return picks


def count_pairs(plan: Plan, votes: Votes, asking: PairAsking) -> PairProgress:
    """How far a person is. Judged pairs of images that are gone don't count."""
    said = votes.said_by(asking.annotator)
    judged = sum(row.choice != SKIP and {*pair} <= plan.prompt_of.keys() for pair, row in said.items())
    touched = votes.pairs() if asking.wanted else said
    closed = sum(pair in plan.planned and not _is_open(pair, votes, asking) for pair in touched)
    return PairProgress(judged, judged + len(plan.planned) - closed)


def _is_open(pair: Pair, votes: Votes, asking: PairAsking) -> bool:
    if pair in votes.said_by(asking.annotator):
        return False
    return asking.wanted == 0 or len(votes.choices(pair)) < asking.wanted


def sides(studio: str, annotator: str, pair: Pair) -> Pair:
    """The pair from left to right: as a coin would fall, but the same for this person each time."""
    swapped = _hash(f"{studio} {annotator} {pair[0]} {pair[1]}")[0] & 1
    return (pair[1], pair[0]) if swapped else pair


def _prompts(plan: Plan, votes: Votes, asking: PairAsking) -> Iterator[str]:
    order = list(plan.pairs)
    if asking.shuffled:
        random.Random(asking.annotator).shuffle(order)
    newest = votes.newest(asking.annotator)
    last = None if newest is None else plan.prompt_of.get(newest.first)
    at = 0 if last is None else order.index(last)
    yield from order[at:]
    yield from order[:at]


def _urgency(pair: Pair, votes: Votes, means: Means, asking: PairAsking) -> tuple[int, bool, float, bytes]:
    apart = _apart(pair, means)
    # The last part differs from person to person, so that two who rate at once are seldom given the same pair.
    chance = _hash(f"{asking.annotator} {pair[0]} {pair[1]} next")
    return len(votes.choices(pair)), apart is None, apart or 0.0, chance


def _apart(pair: Pair, means: Means) -> float | None:
    """How far the images' mean ratings are apart, in rating points; None where one has none."""
    if pair[0] not in means or pair[1] not in means:
        return None
    return round(abs(means[pair[0]] - means[pair[1]]), 2)


def _why(pair: Pair, votes: Votes, means: Means) -> str:
    people, apart = len(votes.choices(pair)), _apart(pair, means)
    words = "Nobody has compared these two yet"
    if people:
        words = f"Compared by {people} {'person' if people == 1 else 'people'} so far"
    return f"{words}." if apart is None else f"{words}; their mean ratings lie {apart:.1f} apart."


def _pair(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
