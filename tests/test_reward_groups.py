"""What must stay together in a split, and what can't be split."""

import numpy as np
import pytest

from reward.errors import InputError
from reward.groups import Link, check_groups, folds, hold_out, split_groups


def groups_of(prompts: list[str], pictures: list[str], texts: list[str] | None = None) -> list[int]:
    links = [Link("prompt", prompts), Link("picture", pictures), Link("text", texts or [""] * len(prompts))]
    return split_groups(links).tolist()


def test_prompts_are_joined_by_a_shared_picture_and_by_text() -> None:
    same = groups_of(["a", "a", "b", "c", "d"], ["1", "2", "2", "3", "4"])
    assert same[0] == same[1] == same[2]
    assert len(set(same)) == 3
    by_text = groups_of(["a", "b", "c"], ["1", "2", "3"], ["cat", "cat", ""])
    assert by_text[0] == by_text[1] != by_text[2]


def test_an_unknown_text_joins_nothing() -> None:
    assert len(set(groups_of(["a", "b"], ["1", "2"], ["", ""]))) == 2


def test_what_hangs_together_is_named() -> None:
    prompts, pictures = ["a", "b", "c", "d"], ["x", "x", "x", "y"]
    links = [Link("prompt", prompts), Link("the picture", pictures)]
    with pytest.raises(InputError) as caught:
        check_groups(split_groups(links), prompts, links, "r.csv")
    text = str(caught.value)
    assert "3 prompts with 3 of 4 images hang together through the picture 'x' (under 3 prompts)" in text


def test_a_single_prompt_is_refused_and_a_large_one_is_not() -> None:
    links = [Link("prompt", ["a", "a"])]
    with pytest.raises(InputError) as caught:
        check_groups(split_groups(links), ["a", "a"], links, "r.csv")
    assert "only one prompt (a)" in str(caught.value)
    prompts = ["a", "a", "a", "b", "b"]
    links = [Link("prompt", prompts)]
    check_groups(split_groups(links), prompts, links, "r.csv")


def test_hold_out_takes_whole_groups_and_leaves_some() -> None:
    groups = np.repeat(np.arange(10), 3)
    held = hold_out(groups, np.ones(30, dtype=bool), 0.2, seed=0)
    assert held.sum() == 6
    assert all(held[groups == g].all() or not held[groups == g].any() for g in range(10))
    assert (held == hold_out(groups, np.ones(30, dtype=bool), 0.2, seed=0)).all()
    assert (held != hold_out(groups, np.ones(30, dtype=bool), 0.2, seed=1)).any()
    assert not hold_out(groups, np.ones(30, dtype=bool), 0.99, seed=0).all()


def test_hold_out_takes_only_groups_with_pairs() -> None:
    groups = np.array([0, 0, 1, 2, 2])
    held = hold_out(groups, np.array([True, True, False, True, True]), 0.5, seed=3)
    assert not held[2]
    with pytest.raises(InputError) as caught:
        hold_out(groups, np.array([True, True, False, False, False]), 0.5, seed=0)
    assert "fewer than two prompts have pairs" in str(caught.value)


def test_folds_are_of_even_size() -> None:
    groups = np.repeat(np.arange(7), 2)
    number = folds(groups, np.ones(14, dtype=bool), 3, seed=0)
    assert sorted(np.bincount(number).tolist()) == [4, 4, 6]
    assert folds(groups, np.arange(14) < 4, 2, seed=0)[4:].tolist() == [-1] * 10
