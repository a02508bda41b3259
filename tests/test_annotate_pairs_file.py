"""Preference pairs from ratings: the label's definition, and which pairs of a large prompt are written."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotate.judgement import StoredRating, Values
from annotate.pairs_file import MAX_PAIRS_A_PROMPT, chosen_pairs, pair_labels, pair_lines, shortened_prompts
from annotate.snapshot import Snapshot

_cell = st.one_of(st.none(), st.integers(0, 100).map(lambda tenth: tenth / 10))
_votes = st.lists(st.dictionaries(st.sampled_from("ABC"), st.tuples(*[_cell] * 5), max_size=3), min_size=2, max_size=4)


def label_in_words(first: dict[str, Values], second: dict[str, Values]) -> float:
    """The definition, person by person."""
    votes = []
    for name in first.keys() & second.keys():
        both = [(a, b) for a, b in zip(first[name], second[name], strict=True) if a is not None and b is not None]
        if both:
            difference = round(sum(a for a, _ in both) - sum(b for _, b in both), 6)
            votes.append(1.0 if difference > 0 else 0.5 if difference == 0 else 0.0)
    return round(sum(votes) / len(votes), 4) if votes else math.nan


@given(_votes)
def test_labels_follow_their_definition(votes: list[dict[str, Values]]) -> None:
    pairs = list(combinations(range(len(votes)), 2))
    labels = pair_labels(votes, np.array(pairs))
    expected = [label_in_words(votes[first], votes[second]) for first, second in pairs]
    np.testing.assert_array_equal(labels, expected)


def test_a_difference_below_float_noise_is_a_tie() -> None:
    # 0.1 + 0.2 against 0.3: equal to a person, not to floating point.
    first, second = (0.1, 0.2, None, None, None), (0.3, 0.0, None, None, None)
    assert pair_labels([{"A": first}, {"A": second}], np.array([[0, 1]])) == [0.5]


def test_a_small_prompt_gets_all_its_pairs() -> None:
    assert list(chosen_pairs([5, 3, 9], 3)) == [(5, 3), (5, 9), (3, 9)]


def test_a_large_prompt_gets_a_fair_part_of_them() -> None:
    images = list(range(1, 501))
    pairs = list(chosen_pairs(images, MAX_PAIRS_A_PROMPT))
    assert len(pairs) == len(set(pairs)) == MAX_PAIRS_A_PROMPT
    assert all(first < second for first, second in pairs)
    assert set(Counter(image for pair in pairs for image in pair).values()) == {2 * MAX_PAIRS_A_PROMPT // 500}
    more = set(chosen_pairs([*images, 501], MAX_PAIRS_A_PROMPT))
    assert len(more & set(pairs)) > 0.9 * MAX_PAIRS_A_PROMPT


@pytest.mark.parametrize(("images", "written"), [(141, 9870), (151, 9966), (500, 10_000)])
def test_what_is_left_out_is_said_with_the_true_number(images: int, written: int) -> None:
    rows = [StoredRating(n, "Ada", (n % 11,) * 5, id=n) for n in range(1, images + 1)]
    withdrawn = StoredRating(images + 1, "Ada", (None,) * 5, withdrawn=True, id=images + 1)
    paths = {n: f"data/images/p02/{n}.png" for n in range(1, images + 3)}
    pairs = pair_lines("A disc", paths, Snapshot([*rows, withdrawn]))
    assert pairs.lines.count(b"\n") == pairs.written == written
    few = pair_lines("A disc", {1: paths[1], 2: paths[2]}, Snapshot(rows))
    said = shortened_prompts({"p01": few, "p02": pairs})
    if images == 141:
        assert said == []
    else:
        total = images * (images - 1) // 2
        assert said == [f"pairs.jsonl holds {written:,} of the {total:,} pairs of prompt p02."]
