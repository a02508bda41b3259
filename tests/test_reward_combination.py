"""Combination weights: recovered, finite on separable data, their spread over prompts as refitting has it."""

import numpy as np

from reward.combination import fit_combination, prompt_weights, weight_draws
from reward.resampling import resampled_sums

WEIGHTS = np.array([0.4, 0.3, 0.15, 0.1, 0.05])


def preferences(prompts: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Differences (P, 5), labels and prompts: ten pairs a prompt."""
    random = np.random.default_rng(seed)
    deltas = random.normal(0, 1.5, (10 * prompts, 5))
    label = (random.random(len(deltas)) < 1 / (1 + np.exp(-1.2 * deltas @ WEIGHTS))).astype(float)
    return deltas, label, np.repeat(np.arange(prompts), 10)


def test_weights_come_back() -> None:
    deltas, label, prompt = preferences(2000, 0)
    fitted = fit_combination(deltas, label, prompt_weights(prompt))
    np.testing.assert_allclose(fitted.weights, WEIGHTS, atol=0.03)
    assert abs(fitted.temperature - 1.2) < 0.1


def test_separable_preferences_have_a_finite_answer() -> None:
    deltas = np.array([[1.0, 0.1], [2.0, -0.1], [0.5, 0.0]])
    fitted = fit_combination(deltas, np.ones(3), np.ones(3))
    assert np.isfinite(fitted.logits).all()
    assert fitted.temperature < 100


def test_the_drawn_spread_is_that_of_refitting() -> None:
    deltas, label, prompt = preferences(30, 1)
    random, refits = np.random.default_rng(2), []
    for _ in range(150):
        rows = np.concatenate([np.flatnonzero(prompt == p) for p in random.integers(0, 30, 30)])
        refits.append(fit_combination(deltas[rows], label[rows], np.full(len(rows), 0.1)).weights)
    draws = weight_draws(deltas, label, prompt)
    np.testing.assert_allclose(draws.std(axis=0), np.std(refits, axis=0), rtol=0.25)
    np.testing.assert_allclose(draws.mean(axis=0), np.mean(refits, axis=0), atol=0.02)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = []
    for seed in range(60):
        low, high = np.quantile(weight_draws(*preferences(80, 100 + seed)), [0.025, 0.975], axis=0)
        covered.append((low <= WEIGHTS) & (high >= WEIGHTS))
    assert 0.88 <= np.mean(covered) <= 0.99


def test_sums_over_many_prompts_are_drawn_as_those_over_few() -> None:
    rows = np.random.default_rng(0).exponential(1, (5001, 2)) @ np.array([[1, 0.5], [0, 1]])
    exact, limit = resampled_sums(rows[:5000]), resampled_sums(rows)
    np.testing.assert_allclose(exact.mean(axis=0), rows[:5000].sum(axis=0), rtol=0.001)
    np.testing.assert_allclose(limit.mean(axis=0), rows.sum(axis=0), rtol=0.001)
    np.testing.assert_allclose(np.cov(limit.T), np.cov(exact.T), rtol=0.15)
    for quantile in (0.025, 0.975):
        from_mean = [np.quantile(sums - sums.mean(axis=0), quantile, axis=0) for sums in (exact, limit)]
        np.testing.assert_allclose(from_mean[1], from_mean[0], rtol=0.1)
