"""Scores brought to rating points."""

import numpy as np
import pytest

from reward.units import fit_units


def test_a_line_is_found_and_blank_ratings_are_no_hindrance() -> None:
    scores = np.random.default_rng(0).normal(5, 2, (50, 2))
    ratings = np.column_stack([1 + 0.5 * scores[:, 0], np.full(50, np.nan)])
    ratings[::5, 0] = np.nan
    found = fit_units(scores, ratings)
    assert found.slope.tolist() == pytest.approx([0.5, 1])
    assert found.level.tolist() == pytest.approx([1, 0])
    assert np.allclose(found(scores)[:, 1], scores[:, 1])


def test_a_head_that_knows_nothing_shrinks_to_the_mean_and_keeps_its_order() -> None:
    random = np.random.default_rng(1)
    scores, ratings = random.normal(5, 2, (200, 1)), random.normal(6, 1, (200, 1))
    ratings -= 0.1 * scores  # even the wrong way round
    mapped = fit_units(scores, ratings)(scores)
    assert mapped.std() < 0.1
    assert mapped.mean() == pytest.approx(ratings.mean())
    assert (np.argsort(mapped[:, 0]) == np.argsort(scores[:, 0])).all()
