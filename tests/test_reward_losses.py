"""The objectives against their formulas."""

import math

import numpy as np
import pytest
import torch

from reward.losses import pair_losses, rating_losses, tie_width_of_share


def probabilities(d: float, width: float) -> tuple[float, float, float]:
    first = 1 / (1 + math.exp(-(d - width)))
    second = 1 / (1 + math.exp(d + width))
    return first, second, 1 - first - second


@pytest.mark.parametrize(("d", "width"), [(0.0, 0.3), (1.5, 0.3), (-2.0, 1.0), (8.0, 0.1)])
def test_ties_are_what_wins_leave_over(d: float, width: float) -> None:
    found = pair_losses(torch.full((3,), d, dtype=torch.float64), torch.tensor([1.0, 0.0, 0.5]), torch.tensor(width))
    expected = [-math.log(p) for p in probabilities(d, width)]
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


def test_without_ties_a_half_is_a_soft_label() -> None:
    found = pair_losses(torch.tensor([1.0, 1.0]), torch.tensor([0.5, 0.8]))
    first, second = math.log(1 + math.exp(-1)), math.log(1 + math.exp(1))
    assert found.tolist() == pytest.approx([0.5 * first + 0.5 * second, 0.8 * first + 0.2 * second], rel=1e-5)


def test_a_margin_asks_for_more() -> None:
    plain, margin = (
        pair_losses(torch.tensor([1.0, -1.0]), torch.tensor([1.0, 0.0]), margin=m) for m in (None, torch.tensor(0.7))
    )
    assert margin.tolist() == pytest.approx([math.log(1 + math.exp(-0.3))] * 2, rel=1e-5)
    assert (margin > plain).all()


@pytest.mark.parametrize("share", [0.05, 0.2, 0.6])
def test_the_width_gives_back_its_share(share: float) -> None:
    d = np.random.default_rng(0).normal(size=200_000)
    width = tie_width_of_share(share)
    tied = [1 - 1 / (1 + np.exp(width - d)) - 1 / (1 + np.exp(width + d))]
    assert np.mean(tied) == pytest.approx(share, abs=0.005)
    assert tie_width_of_share(0) == 0


def test_ratings_that_are_missing_cost_nothing() -> None:
    scores = torch.tensor([[[5.0, 1.0], [5.0, 9.0]]], requires_grad=True)
    ratings = torch.tensor([[7.0, math.nan], [math.nan, 8.0]])
    losses = rating_losses(scores, ratings, torch.tensor([[[2.0, 2.0]]]))
    assert losses.tolist() == [[[0.5, 0.0], [0.0, 0.125]]]
    losses.sum().backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()
