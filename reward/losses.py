"""The training objectives, on batches of scores.

d = τ(s_i − s_j). P(i ≻ j) = σ(d − ν), P(j ≻ i) = σ(−d − ν), P(tie) = 1 − both: Bradley and Terry 1952 for ν = 0, with
ties as Rao and Kupper 1967 have them (θ = e^ν ≥ 1).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Objective:
    """What a head is trained on.

    Attributes:
        pairs: weight of the pairs' negative log-likelihood.
        ratings: weight of the Huber loss to the ratings, which anchors scores to rating units.
        ties: pairs without a winner count as ties (Rao–Kupper) instead of being left out.
        margin: a win has to be as large as the ratings' difference: −log σ(d − τ|Δr|).
    """

    pairs: float = 1.0
    ratings: float = 1.0
    ties: bool = False
    margin: bool = False


def pair_losses(d: Tensor, label: Tensor, tie_width: Tensor | None = None, margin: Tensor | None = None) -> Tensor:
    """Negative log-likelihood of each pair, shape as broadcast.

    Args:
        d: score differences in units of 1/τ.
        label: how surely the first is better, 0 to 1. Between the ends a soft label; with `tie_width`, ½ is a tie.
        tie_width: ν ≥ 0.
        margin: how much d has to exceed 0 by, for the winner.
    """
    shift = 0.0 if tie_width is None else tie_width
    lead = 0.0 if margin is None else margin
    first = functional.softplus(shift + lead - d)  # −log σ(d − ν − margin)
    second = functional.softplus(shift + lead + d)
    decided = label * first + (1 - label) * second
    if tie_width is None:
        return decided
    wide = tie_width.clamp_min(1e-4)
    tie = torch.logaddexp(wide, d) + torch.logaddexp(wide, -d) - torch.log(torch.expm1(2 * wide))
    return torch.where(label == 0.5, tie, decided)


def tie_width_of_share(share: float) -> float:
    """ν at which a share `share` of pairs ties, when d is normal with variance 1, as τ = 1/SD makes it."""
    if share <= 0:
        return 0.0
    points, weights = np.polynomial.hermite_e.hermegauss(41)
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        decided = 1 / (1 + np.exp(middle - points)) + 1 / (1 + np.exp(middle + points))
        tied = 1 - float(weights @ decided / weights.sum())
        low, high = (middle, high) if tied < share else (low, middle)
    return (low + high) / 2


def rating_losses(scores: Tensor, ratings: Tensor, scale: Tensor) -> Tensor:
    """Huber loss (δ = 1 standard deviation) of scores against ratings; NaN ratings cost nothing.

    Args:
        scores: (M, U, H), ratings: (M or 1, U, H), both in rating units.
        scale: (M, 1, H) standard deviation of the ratings.
    """
    known = ~torch.isnan(ratings)
    target = torch.where(known, ratings, 0).expand_as(scores)
    return functional.huber_loss(scores / scale, target / scale, reduction="none") * known
