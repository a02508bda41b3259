"""Whether pair probabilities mean what they say, and how scores follow ratings within a prompt."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BINS: Final = 10


@dataclass(frozen=True)
class Calibration:
    """Expected calibration error (Naeini et al. 2015) over `BINS` equal-width bins of confidence from ½ to 1.

    `table` has a row a non-empty bin: low, high, pairs, mean confidence, share in the right order.
    """

    error: float | None
    table: list[dict[str, float]]


def calibration(logit: Floats, label: Floats) -> Calibration:
    """Calibration of P(first is better) = σ(logit) on pairs with a winner.

    Args:
        logit, label: (P,) as for `pair_metrics`; pairs labelled ½ are left out.
    """
    won = label != 0.5
    logit, first_won = logit[won], label[won] > 0.5
    if not len(logit):
        return Calibration(None, [])
    confidence = 1 / (1 + np.exp(-np.abs(logit)))
    right = (logit > 0) == first_won
    edges = np.linspace(0.5, 1, BINS + 1)
    place = np.clip(np.digitize(confidence, edges) - 1, 0, BINS - 1)
    table, error = [], 0.0
    for number in np.unique(place):
        here = place == number
        mean, share = float(confidence[here].mean()), float(right[here].mean())
        error += abs(mean - share) * np.count_nonzero(here) / len(logit)
        row = {"low": float(edges[number]), "high": float(edges[number + 1]), "pairs": int(np.count_nonzero(here))}
        table.append({**row, "confidence": mean, "accuracy": share})
    return Calibration(error, table)


def rating_agreement(score: Floats, rating: Floats, prompt: Ints) -> dict[str, Any]:
    """How scores follow ratings.

    Args:
        score, rating: (N,) in rating units; images with NaN in either are left out. prompt: (N,) prompt numbers.

    Returns:
        `spearman`: mean of Spearman's ρ over prompts with at least three rated images, not all alike; None without any.
        `mae`: mean absolute error in rating points; None without ratings.
    """
    import pandas as pd

    known = ~(np.isnan(score) | np.isnan(rating))
    if not known.any():
        return {"spearman": None, "mae": None}
    # Means that are equal on paper may differ in the last bit, which would tear a tie of ranks apart.
    rated = rating[known].round(6)
    frame = pd.DataFrame({"score": score[known], "rating": rated, "prompt": prompt[known]})
    ranks = frame.groupby("prompt")[["score", "rating"]].rank()
    ranks = ranks - ranks.groupby(frame["prompt"]).transform("mean")
    products = pd.DataFrame(
        {
            "both": ranks["score"] * ranks["rating"],
            "score": ranks["score"] ** 2,
            "rating": ranks["rating"] ** 2,
            "count": 1,
        }
    )
    sums = products.groupby(frame["prompt"]).sum()
    usable = sums[(sums["count"] >= 3) & (sums["score"] > 0) & (sums["rating"] > 0)]
    rho = usable["both"] / np.sqrt(usable["score"] * usable["rating"])
    return {
        "spearman": float(rho.mean()) if len(rho) else None,
        "mae": float((frame["score"] - frame["rating"]).abs().mean()),
    }
