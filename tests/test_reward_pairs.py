"""Pairs by their definition, against a plain double loop."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reward.pairs import compare, largest_difference, pair_indices, rating_pairs


def test_the_rounding_that_floats_need() -> None:
    assert 8.2 - 7.7 < 0.5
    assert compare(np.array([8.2]), np.array([7.7]), 0.5).tolist() == [1]


def test_no_difference_is_never_a_win() -> None:
    assert compare(np.array([3.0, 3.1]), np.array([3.0, 3.0]), 0.0).tolist() == [0, 1]


ratings = st.lists(
    st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(0, 100).map(lambda v: v / 10))),
    min_size=1,
    max_size=25,
)


@given(ratings, st.sampled_from([0.0, 0.1, 0.5, 2.0]))
@settings(max_examples=200, deadline=None)
def test_pairs_are_those_of_the_definition(rows: list[tuple[int, float | None]], least: float) -> None:
    prompt = np.array([p for p, _ in rows])
    values = np.array([[np.nan if v is None else v] for _, v in rows])
    found = rating_pairs(prompt, values, least)
    expected = {}
    for (i, (p, a)), (j, (q, b)) in itertools.combinations(enumerate(rows), 2):
        if p == q and a is not None and b is not None:
            delta = round(a - b, 6)
            expected[i, j] = 0 if abs(delta) < least or delta == 0 else (1 if delta > 0 else -1)
    got = {(int(i), int(j)): int(s) for i, j, s in zip(found.first, found.second, found.sign[:, 0], strict=True)}
    assert got == expected
    assert found.wins[0] == sum(s != 0 for s in expected.values())
    assert found.ties[0] == sum(s == 0 for s in expected.values())


def test_a_huge_prompt_is_sampled_not_enumerated() -> None:
    first, second, sampled = pair_indices(np.zeros(20_000, dtype=np.int64), most=500)
    assert sampled == 1
    assert len(first) == 500
    assert (first < second).all()
    assert len(set(zip(first.tolist(), second.tolist(), strict=True))) == 500


def test_a_head_rated_on_one_side_only_makes_no_pair() -> None:
    values = np.array([[5.0, np.nan], [1.0, 3.0]])
    pairs = rating_pairs(np.zeros(2, dtype=np.int64), values, 0.5)
    assert pairs.rated.tolist() == [[True, False]]
    assert pairs.sign.tolist() == [[1, 0]]
    assert pairs.ties.tolist() == [0, 0]


def test_the_largest_difference_is_within_a_prompt() -> None:
    assert largest_difference(np.array([0, 0, 1, 1]), np.array([[1.0], [1.5], [9.0], [8.75]])) == 0.5
