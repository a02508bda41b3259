"""Calibration and agreement with ratings, against scipy and cases worked out by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from reward.calibration import calibration, rating_agreement


def test_true_probabilities_are_calibrated_and_overconfident_ones_are_not() -> None:
    random = np.random.default_rng(0)
    logit = random.normal(0, 1.5, 50_000)
    label = (random.random(50_000) < 1 / (1 + np.exp(-logit))).astype(float)
    assert (calibration(logit, label).error or 0) < 0.01
    assert (calibration(4 * logit, label).error or 0) > 0.1


def test_the_reliability_table_by_hand() -> None:
    logit = np.log(np.array([0.72, 0.74, 0.28, 0.9]) / (1 - np.array([0.72, 0.74, 0.28, 0.9])))
    found = calibration(logit, np.array([1.0, 0.0, 0.0, 0.5]))
    assert len(found.table) == 1
    row = found.table[0]
    assert (row["pairs"], row["low"]) == (3, pytest.approx(0.7))
    assert row["accuracy"] == pytest.approx(2 / 3)
    assert found.error == pytest.approx((0.72 + 0.74 + 0.72) / 3 - 2 / 3)
    assert calibration(np.zeros(0), np.zeros(0)).error is None


def test_spearman_is_the_mean_of_the_prompts_own() -> None:
    random = np.random.default_rng(1)
    prompt = np.repeat(np.arange(12), 5)
    rating = random.integers(0, 6, 60).astype(float)
    score = rating + random.normal(0, 2, 60)
    score[::7] = np.nan
    found = rating_agreement(score, rating, prompt)
    expected = []
    for number in range(12):
        here = (prompt == number) & ~np.isnan(score)
        if len(set(rating[here])) > 1:
            expected.append(spearmanr(score[here], rating[here]).statistic)
    assert found["spearman"] == pytest.approx(np.mean(expected))
    assert found["mae"] == pytest.approx(np.nanmean(np.abs(score - rating)))


def test_too_little_to_rank_gives_none() -> None:
    found = rating_agreement(np.array([1.0, 2.0]), np.array([1.0, 3.0]), np.array([0, 0]))
    assert found == {"spearman": None, "mae": 0.5}
    assert rating_agreement(np.array([np.nan]), np.array([1.0]), np.array([0])) == {"spearman": None, "mae": None}


def test_ratings_equal_on_paper_share_a_rank() -> None:
    rating = np.array([0.1 + 0.2, 0.3, 0.9])  # the first is 0.30000000000000004
    one, other = np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 3.0])
    prompt = np.zeros(3, dtype=int)
    assert rating_agreement(one, rating, prompt)["spearman"] == rating_agreement(other, rating, prompt)["spearman"]
