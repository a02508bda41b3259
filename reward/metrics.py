"""How well scores order pairs: accuracy, F1 and loss, each with what stands behind it. One definition each, here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from reward.combination import prompt_weights
from reward.resampling import BOOTSTRAP_ROUNDS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_MANY_PROMPTS: Final = 1000
FEWEST_PROMPTS: Final = 10  # a percentile bootstrap over four prompts covers 78 %, not 95 %


@dataclass(frozen=True)
class PairMetrics:
    """Measured on pairs with a winner; `ties` were left out. None where there was nothing to measure on."""

    accuracy: float | None
    accuracy_interval: tuple[float, float] | None
    interval_note: str | None
    f1: float | None
    loss: float | None
    pairs: int
    ties: int
    prompts: int
    evaluation: str


def pair_metrics(
    logit: Floats,
    label: Floats,
    prompt: Ints,
    positive_first: Bools,
    *,
    ties: int = 0,
    evaluation: str = "held-out",
    seed: int = 0,
) -> PairMetrics:
    """Metrics of one score on P pairs.

    Args:
        logit: (P,) τ times the score of the first less that of the second, τ of P = σ(τ Δ).
        label: (P,) how surely the first is better; ½ = a tie, counted but in the loss only.
        prompt: (P,) prompt numbers.
        positive_first: (P,) which image F1 calls "first" (`first_by_hash`).
        ties: pairs without a winner that the caller has left out already.

    Accuracy: mean over prompts of the share of pairs in the right order; equal scores are wrong. F1: scikit-learn's,
    binary, "the first is better", pairs weighted so that each prompt counts the same. Loss: mean negative
    log-likelihood. Interval: 95 %, percentile bootstrap over prompts (Efron 1979).
    """
    from sklearn.metrics import f1_score

    loss = float(np.mean(np.logaddexp(0, logit) - label * logit)) if len(logit) else None
    won = label != 0.5
    ties += int(np.count_nonzero(~won))
    logit, label, prompt, positive_first = logit[won], label[won], prompt[won], positive_first[won]
    if not len(logit):
        return PairMetrics(None, None, "no pairs", None, loss, 0, ties, 0, evaluation)
    truth = label > 0.5
    right = np.where(truth, logit > 0, logit < 0)
    weights = prompt_weights(prompt)
    _, number = np.unique(prompt, return_inverse=True)
    by_prompt: Floats = np.bincount(number, weights=weights * right).astype(np.float64)
    y_true = truth == positive_first
    y_predicted = np.where(right, y_true, ~y_true)
    interval = bootstrap_interval(by_prompt, seed)
    return PairMetrics(
        accuracy=float(by_prompt.mean()),
        accuracy_interval=interval,
        interval_note=None if interval else "too few prompts",
        f1=float(f1_score(y_true, y_predicted, sample_weight=weights, zero_division=0.0)),
        loss=loss,
        pairs=len(logit),
        ties=ties,
        prompts=len(by_prompt),
        evaluation=evaluation,
    )


def bootstrap_interval(values: Floats, seed: int = 0) -> tuple[float, float] | None:
    """95 % percentile interval of the mean over prompts; None below `FEWEST_PROMPTS`, where it would be too narrow."""
    if len(values) < FEWEST_PROMPTS:
        return None
    random, count = np.random.default_rng(seed), len(values)
    if count <= _MANY_PROMPTS:
        means = random.choice(values, (BOOTSTRAP_ROUNDS, count)).mean(axis=1)
    else:  # how often each value comes has the same distribution, and shares of a few pairs are few different values
        distinct, counts = np.unique(values, return_counts=True)
        means = random.multinomial(count, counts / count, BOOTSTRAP_ROUNDS) @ distinct / count
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def hash_numbers(hashes: Sequence[str]) -> Ints:
    """(N,) the first 60 bits of each sha256 (hex), for `first_by_hash`."""
    return np.array([int(text[:15], 16) for text in hashes], dtype=np.int64)


def first_by_hash(a: Ints, b: Ints) -> Bools:
    """(P,) whether F1 takes a (True) or b as the first image of a pair.

    Decided by a mix of both contents' `hash_numbers`, so it is fair, the same in each run, and blind to file order.
    """
    heads_or_tails = ((a ^ b) & 1).astype(bool)
    result: Bools = (a < b) == heads_or_tails
    return result


def as_json(metrics: PairMetrics) -> dict[str, Any]:
    """The metrics under the names of metrics.json."""
    return {
        "accuracy": metrics.accuracy,
        "accuracy_interval": list(metrics.accuracy_interval) if metrics.accuracy_interval else None,
        "interval_note": metrics.interval_note,
        "f1": metrics.f1,
        "loss": metrics.loss,
        "pairs": metrics.pairs,
        "ties": metrics.ties,
        "prompts": metrics.prompts,
        "evaluation": metrics.evaluation,
    }
