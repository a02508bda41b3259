"""Scores of a fit → the line of metrics.jsonl: temperatures, combination weights, and metrics of the held-out pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reward.aspects import HEADS
from reward.combination import Combination, fit_combination, fit_temperature, prompt_weights
from reward.dataset import Dataset, LabelledPairs, Partition, oriented
from reward.metrics import HELD_OUT, as_json, pair_metrics

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Evaluation:
    """One epoch's results.

    Attributes:
        metrics: the line of metrics.jsonl.
        primary: the figure that chooses the best epoch; lower is better, NaN where nothing was held out to measure on.
        head_temperatures: (H,).
        combination: of the trained heads, None in pairs mode.
    """

    metrics: dict[str, Any]
    primary: float
    head_temperatures: Floats
    combination: Combination | None


class Evaluator:
    """Knows the pairs of both sides of the split; `evaluate` is called once an epoch."""

    def __init__(self, data: Dataset, partition: Partition, hashes: Sequence[str], seed: int) -> None:
        self._data, self._seed = data, seed
        self._train_combined = data.combined.where(partition.train[data.combined.first])
        self._val_combined = data.combined.where(partition.val[data.combined.first])
        self._hashes = hashes
        rated = ~np.isnan(data.ratings)
        self.trained = [head for number, head in enumerate(HEADS) if rated[partition.train, number].any()]
        self._rated_somewhere = [bool(rated[:, number].any()) for number in range(len(HEADS))]
        if data.pairs is not None:
            self._train_heads = [_head_pairs(data, head, partition.train) for head in range(len(HEADS))]
            self._val_heads = [_head_pairs(data, head, partition.val) for head in range(len(HEADS))]

    def evaluate(self, epoch: int, scores: Floats, out_of_fold: Floats, train_losses: list[float]) -> Evaluation:
        """Args: (N, H) scores of the model and out-of-fold ones, and the epoch's training loss of each head."""
        if self._data.pairs is None:
            return self._evaluate_overall(epoch, scores[:, 0], train_losses[0])
        temperatures = np.ones(len(HEADS))
        heads: dict[str, Any] = {}
        losses = []
        for number, head in enumerate(HEADS):
            if head not in self.trained:
                reason = "no ratings in the training prompts" if self._rated_somewhere[number] else "no ratings"
                heads[head] = {"trained": False, "reason": reason}
                continue
            fitting, held_out = self._train_heads[number], self._val_heads[number]
            temperatures[number] = _temperature(fitting, out_of_fold[:, number])
            measured = self._measure(held_out, scores[:, number], temperatures[number])
            heads[head] = {"trained": True, **measured, "train_loss": train_losses[number]}
            if measured["loss"] is not None and measured["pairs"]:
                losses.append(measured["loss"])
        trained = [HEADS.index(head) for head in self.trained]
        combination = self._combine(out_of_fold[:, trained])
        weights = np.zeros(len(HEADS))
        weights[trained] = combination.weights
        combined = scores[:, trained] @ combination.weights
        spread = _spread(scores[self._val_rows()], trained)
        primary = float(np.mean(losses)) if losses else float("nan")
        metrics = {
            "epoch": epoch,
            "mode": "multihead",
            "evaluation": HELD_OUT,
            "primary": {"name": "mean head loss", "value": primary},
            "heads": heads,
            "combined": {
                **self._measure(self._val_combined, combined, combination.temperature),
                "target": self._data.target,
            },
            "importance": dict(zip(HEADS, weights.tolist(), strict=True)),
            "importance_spread": dict(zip(HEADS, (weights * spread).tolist(), strict=True)),
        }
        return Evaluation(metrics, primary, temperatures, combination)

    def _evaluate_overall(self, epoch: int, scores: Floats, train_loss: float) -> Evaluation:
        measured = self._measure(self._val_combined, scores, 1.0)  # the score is a logit already
        primary = measured["loss"] if measured["loss"] is not None else float("nan")
        metrics = {
            "epoch": epoch,
            "mode": "pairs",
            "evaluation": HELD_OUT,
            "primary": {"name": "preference loss", "value": primary},
            "overall": {**measured, "train_loss": train_loss, "target": self._data.target},
            "importance": None,
            "importance_spread": None,
        }
        return Evaluation(metrics, primary, np.ones(1), None)

    def _combine(self, out_of_fold: Floats) -> Combination:
        """(N, K) out-of-fold scores of the trained heads → weights and temperature."""
        pairs = self._train_combined
        use = pairs.label != 0.5
        if self._data.has_preferences:  # a tie among people is evidence too; a tie of mean ratings is only closeness
            use = np.ones(len(pairs), dtype=bool)
        delta = out_of_fold[pairs.first[use]] - out_of_fold[pairs.second[use]]
        return fit_combination(delta, pairs.label[use], prompt_weights(pairs.prompt[use]))

    def _measure(self, pairs: LabelledPairs, score: Floats, temperature: float) -> dict[str, Any]:
        if not self._data.has_preferences or pairs is not self._val_combined:
            won = pairs.label != 0.5  # ties of ratings stay out of the loss too; ties of people's preferences count
            pairs = pairs.where(won, pairs.ties + int(np.count_nonzero(~won)))
        delta = score[pairs.first] - score[pairs.second]
        first = oriented(pairs, self._hashes)
        return as_json(
            pair_metrics(delta, pairs.label, pairs.prompt, first, temperature, ties=pairs.ties, seed=self._seed)
        )

    def _val_rows(self) -> npt.NDArray[np.int64]:
        """Images in held-out pairs."""
        pairs = self._val_combined
        return np.unique(np.concatenate([pairs.first, pairs.second]))


def _head_pairs(data: Dataset, head: int, side: Bools) -> LabelledPairs:
    """The pairs of one head on one side of the split, ties counted and left out."""
    pairs = data.pairs
    assert pairs is not None
    here = side[pairs.first] & pairs.rated[:, head]
    won = here & (pairs.sign[:, head] != 0)
    label = (pairs.sign[won, head] > 0).astype(np.float64)
    ties = int(np.count_nonzero(here)) - int(np.count_nonzero(won))
    return LabelledPairs(pairs.first[won], pairs.second[won], pairs.prompt[won], label, ties)


def _temperature(pairs: LabelledPairs, score: Floats) -> float:
    delta = score[pairs.first] - score[pairs.second]
    return fit_temperature(delta, pairs.label, prompt_weights(pairs.prompt)) if len(pairs) else 1.0


def _spread(scores: Floats, trained: list[int]) -> Floats:
    """(H,) standard deviation of each trained head's scores, 0 for the others."""
    spread = np.zeros(len(HEADS))
    if len(scores) > 1:
        spread[trained] = scores[:, trained].std(axis=0)
    return spread
