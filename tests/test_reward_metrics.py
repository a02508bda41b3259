"""The metrics by their definitions, on cases that can be worked out by hand."""

import math

import numpy as np
import pytest

from reward.combination import fit_combination, fit_temperature, prompt_weights
from reward.metrics import PairMetrics, bootstrap_interval, first_by_hash, hash_numbers, pair_metrics


def measure(
    delta: list[float], label: list[float], prompt: list[int], tau: float = 1.0, first: list[bool] | None = None
) -> PairMetrics:
    positive_first = np.array(first or [True] * len(delta))
    return pair_metrics(tau * np.array(delta), np.array(label), np.array(prompt), positive_first)


def test_every_prompt_weighs_the_same() -> None:
    found = measure([1, 1, 1, -1], [1, 1, 1, 1], [0, 0, 0, 1])
    assert found.accuracy == 0.5
    assert (found.pairs, found.prompts, found.ties) == (4, 2, 0)


def test_a_model_tie_is_wrong_and_a_rated_tie_is_counted() -> None:
    found = measure([0, 1, 5], [1, 1, 0.5], [0, 0, 0])
    assert found.accuracy == 0.5
    assert found.ties == 1


def test_loss_is_the_mean_negative_log_likelihood() -> None:
    found = measure([2.0, -1.0], [1, 1], [0, 1], tau=0.5)
    expected = -(math.log(1 / (1 + math.exp(-1))) + math.log(1 / (1 + math.exp(0.5)))) / 2
    assert found.loss == pytest.approx(expected, abs=1e-12)


def test_f1_counts_the_first_is_better_with_prompt_weights() -> None:
    # Prompt 0: one true positive and one false negative, half a weight each; prompt 1: one false positive.
    found = measure([1, -1, -1], [1, 1, 1], [0, 0, 1], first=[True, True, False])
    assert found.f1 == pytest.approx(2 * 0.5 / (2 * 0.5 + 0.5 + 1.0))


def test_f1_does_not_depend_on_the_order_of_a_pair() -> None:
    a = hash_numbers(["0" * 64, "a" * 64, "12" * 32])
    b = hash_numbers(["f" * 64, "3" * 64, "9" * 64])
    assert (first_by_hash(a, b) != first_by_hash(b, a)).all()
    random = np.random.default_rng(0)
    assert 0.45 < first_by_hash(*random.integers(0, 2**60, (2, 2000))).mean() < 0.55


def test_no_pairs_give_no_figures() -> None:
    found = measure([], [], [])
    assert (found.accuracy, found.f1, found.loss, found.pairs) == (None, None, None, 0)


def test_few_prompts_have_no_interval() -> None:
    assert bootstrap_interval(np.ones(9)) is None
    low, high = bootstrap_interval(np.tile([0.0, 1.0], 50)) or (1, 0)
    assert 0.35 < low < 0.45 < 0.55 < high < 0.65
    assert measure([1] * 9, [1] * 9, list(range(9))).interval_note == "too few prompts"


def test_the_bootstrap_interval_covers() -> None:
    random = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        low, high = bootstrap_interval(random.normal(0.6, 0.2, 40)) or (1, 0)
        inside += low <= 0.6 <= high
    assert inside >= 180


def test_the_interval_of_many_prompts_is_that_of_few_by_another_way() -> None:
    random = np.random.default_rng(0)
    for few in (True, False):
        values = random.integers(0, 11, 3000) / 10 if few else random.random(3000)
        low, high = bootstrap_interval(values) or (1, 0)
        half = 1.96 * values.std() / math.sqrt(3000)
        assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_planted_weights_and_temperature_come_back() -> None:
    random = np.random.default_rng(1)
    deltas = random.normal(size=(20_000, 3))
    weights = np.array([0.6, 0.3, 0.1])
    label = (random.random(20_000) < 1 / (1 + np.exp(-2 * deltas @ weights))).astype(float)
    found = fit_combination(deltas, label, np.ones(20_000))
    assert np.allclose(found.weights, weights, atol=0.03)
    assert found.temperature == pytest.approx(2, rel=0.1)


def test_separable_data_have_a_finite_answer() -> None:
    assert 0 < fit_temperature(np.array([1.0, 2.0]), np.array([1.0, 1.0]), np.ones(2)) < 100
    assert fit_combination(np.zeros((0, 3)), np.zeros(0), np.zeros(0)).weights.tolist() == pytest.approx([1 / 3] * 3)


def test_prompt_weights_sum_to_one_a_prompt() -> None:
    assert prompt_weights(np.array([4, 4, 7])).tolist() == [0.5, 0.5, 1.0]
