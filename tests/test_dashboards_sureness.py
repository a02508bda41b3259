"""How sure a model is, in words: never more than its figures bear out."""

from typing import Any

import pytest

from dashboards.headtable import verdict
from dashboards.sureness import NOT_SURE, TOO_SURE, Bin, chance, way_off

NEAR_HALF = [Bin(60, 0.53, 0.9), Bin(40, 0.58, 0.92), Bin(25, 0.62, 0.95)]  # much more often right than it says
SUREST = [Bin(12, 0.88, 4 / 12), Bin(12, 0.98, 0)]


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.5, "50 %"),
        (0.731, "73 %"),
        (0.994, "99 %"),
        (0.998, "over 99 %"),
        (1.0, "over 99 %"),
        (0.006, "1 %"),
        (0.004, "under 1 %"),
        (0.0, "under 1 %"),
    ],
)
def test_a_chance_is_never_certain(probability: float, words: str) -> None:
    assert chance(probability) == words


@pytest.mark.parametrize(
    ("bins", "words"),
    [
        ([*NEAR_HALF, *SUREST], f"{TOO_SURE} where it is surest, {NOT_SURE} elsewhere"),
        (NEAR_HALF, NOT_SURE),
        (SUREST, TOO_SURE),
        ([Bin(60, 0.55, 0.2), Bin(60, 0.75, 0.99)], f"{NOT_SURE} where it is surest, {TOO_SURE} elsewhere"),
        (
            [Bin(60, 0.55, 0.2), Bin(60, 0.75, 0.99), Bin(60, 0.95, 0.3)],
            f"{TOO_SURE} on some pairs, {NOT_SURE} on others",
        ),
        ([Bin(3, 0.98, 0), Bin(5, 0.55, 1)], ""),
        ([Bin(30, 0.6, 0.63), Bin(30, 0.8, 0.77)], ""),
        ([Bin(4, 0.93, 0), Bin(3, 0.86, 0), Bin(3, 0.81, 0)], TOO_SURE),
        ([Bin(11, 0.5 + step / 20, 0.2 + step / 20) for step in range(10)], TOO_SURE),
        ([], ""),
    ],
    ids=[
        *("too sure where surest", "all less sure", "all too sure", "the other way round", "in turns", "tiny"),
        *("as it should be", "thin bins together", "each alone tells nothing", "no pairs"),
    ],
)
def test_where_it_is_too_sure_and_where_it_isn_t_sure_enough(bins: list[Bin], words: str) -> None:
    assert way_off(bins) == words
    assert way_off(bins[::-1]) == words


def told(bins: list[Bin]) -> str:
    result: dict[str, Any] = {"trained": True, "accuracy": 0.8, "accuracy_interval": [0.5, 0.86], "prompts": 20}
    rows = [{"pairs": one.pairs, "confidence": one.sure, "accuracy": one.right} for one in bins]
    return verdict(result | {"pairs": 180, "calibration_error": 0.26, "reliability": rows}).reasons[-1]


def test_confident_mistakes_aren_t_outweighed_by_pairs_that_could_be_surer() -> None:
    bins = [*NEAR_HALF, *SUREST]
    assert sum(one.pairs * (one.sure - one.right) for one in bins) < 0  # over all pairs it is less sure than right
    words = "too sure of itself where it is surest, less sure than it could be elsewhere"
    assert told(bins) == f"its probabilities are off by 0.26: it is {words}"


def test_of_a_few_pairs_no_direction_is_told() -> None:
    words = "8 pairs are too few to tell whether it is too sure or not sure enough"
    assert "off by" not in told([Bin(50, 0.98, 1.5)])  # a damaged file
    assert told([Bin(3, 0.98, 0), Bin(5, 0.55, 1)]) == f"its probabilities are off by 0.26: {words}"
