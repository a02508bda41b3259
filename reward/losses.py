"""The training objectives, on batches of scores."""

import torch
from torch import Tensor
from torch.nn import functional


def bradley_terry(delta: Tensor, sign: Tensor, weight: Tensor) -> Tensor:
    """Weighted negative log-likelihood of wins: −log σ(sign · Δ) (Bradley and Terry 1952).

    Args:
        delta: score differences in units of 1/τ, any shape.
        sign: ±1 who won, 0 = nobody (no loss), broadcastable.
        weight: broadcastable.
    """
    return (functional.softplus(-sign * delta) * weight * (sign != 0)).sum()


def soft_label(delta: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    """Weighted cross-entropy of P(first is better) = σ(Δ) against a soft label in [0, 1]."""
    return (functional.binary_cross_entropy_with_logits(delta, label, reduction="none") * weight).sum()


def rating_huber(scores: Tensor, ratings: Tensor, scale: Tensor, weight: Tensor) -> Tensor:
    """Weighted Huber loss (δ = 1 standard deviation) of scores against ratings; NaN ratings cost nothing.

    Args:
        scores: (M, U, H), ratings: (U, H), both in rating units.
        scale: (M, 1, H) standard deviation of the ratings.
        weight: broadcastable to (M, U, H).
    """
    known = ~torch.isnan(ratings)
    target = torch.where(known, ratings, 0).expand_as(scores)
    error = functional.huber_loss(scores / scale, target / scale, reduction="none")
    return (error * known * weight).sum()
