"""How sure a model is, in words: the chance of an order, and whether it is as sure as it should be."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FEWEST_PAIRS: Final = 10  # with fewer, a bin is judged together with those beside it
TOO_SURE: Final = "too sure of itself"
NOT_SURE: Final = "less sure than it could be"
# Pairs of one prompt share their images, so they tell less than as many others would: an interval of 99 %, not 95 %.
_DEVIATIONS: Final = 2.576


@dataclass(frozen=True)
class Bin:
    """Pairs of which a model was about as sure: how many, its mean sureness, the share in the right order."""

    pairs: float
    sure: float
    right: float


def chance(probability: float) -> str:
    """A probability that a model gives, in whole per cent; it is never certain, whatever it rounds to."""
    whole = round(100 * probability)
    return "under 1 %" if whole < 1 else "over 99 %" if whole > 99 else f"{whole} %"


def way_off(bins: Sequence[Bin]) -> str:
    """Whether a model is too sure of itself or less sure than it could be, and where; empty where that can't be told.

    Bins are judged one by one, the thin ones joined: over all pairs, what is too sure here would hide what isn't sure
    enough there.
    """
    groups = _joined([one for one in bins if one.pairs > 0])
    too_sure = [one for one in groups if _excess(one) > 0]
    not_sure = [one for one in groups if _excess(one) < 0]
    if rest := [one for one in groups if not _excess(one)]:  # each alone tells nothing; together they may
        together = _excess(_together(rest))
        too_sure += rest if together > 0 else []
        not_sure += rest if together < 0 else []
    if not too_sure or not not_sure:
        return TOO_SURE if too_sure else NOT_SURE if not_sure else ""
    if min(one.sure for one in too_sure) > max(one.sure for one in not_sure):
        return f"{TOO_SURE} where it is surest, {NOT_SURE} elsewhere"
    if min(one.sure for one in not_sure) > max(one.sure for one in too_sure):
        return f"{NOT_SURE} where it is surest, {TOO_SURE} elsewhere"
    return f"{TOO_SURE} on some pairs, {NOT_SURE} on others"


def _joined(bins: Sequence[Bin]) -> list[Bin]:
    """From the surest down, each with enough pairs; what is left over at the end goes with the last."""
    groups: list[Bin] = []
    waiting: list[Bin] = []
    for one in sorted(bins, key=lambda one: -one.sure):
        waiting.append(one)
        if sum(each.pairs for each in waiting) >= FEWEST_PAIRS:
            groups.append(_together(waiting))
            waiting = []
    if waiting and groups:
        groups.append(_together([groups.pop(), *waiting]))
    return groups


def _together(bins: Sequence[Bin]) -> Bin:
    pairs = sum(one.pairs for one in bins)
    sure = sum(one.pairs * one.sure for one in bins) / pairs
    return Bin(pairs, sure, sum(one.pairs * one.right for one in bins) / pairs)


def _excess(one: Bin) -> int:
    """1 = surer than it was right, −1 = less sure, 0 = can't be told: by the interval of the share (Wilson 1927)."""
    square = _DEVIATIONS**2
    middle = one.right + square / (2 * one.pairs)
    half = _DEVIATIONS * math.sqrt(one.right * (1 - one.right) / one.pairs + square / (4 * one.pairs**2))
    low, high = ((middle + side * half) / (1 + square / one.pairs) for side in (-1, 1))
    return 1 if one.sure > high else -1 if one.sure < low else 0
