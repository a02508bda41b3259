"""Scores by models that haven't seen the images → temperatures, combination weights, a line of metrics.jsonl."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from reward.aspects import HEADS
from reward.calibration import calibration, rating_agreement
from reward.combination import Combination, fit_combination, fit_temperature, prompt_weights, weight_draws
from reward.dataset import Dataset, LabelledPairs
from reward.metrics import FEWEST_PROMPTS, as_json, first_by_hash, hash_numbers, pair_metrics
from reward.people import PersonPairs, person_line, person_pairs
from reward.units import UnitMap, fit_units

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Round:
    """One measurement: temperatures and weights are fitted to the images of `fits` (N,), tried on `measures` (N,)."""

    fits: Bools
    measures: Bools


@dataclass(frozen=True)
class Evaluation:
    """One epoch's results.

    Attributes:
        metrics: the line of metrics.jsonl.
        fitted_loss: mean head loss, as in `metrics`, but of the images that temperatures are fitted to; NaN without
            pairs there. What an epoch can be chosen by without a look at the measured images.
        head_temperatures: (H,) for the model.
        combination: of the trained heads, for the model; None in pairs mode.
        units: what brings the model's scores to rating points; None in pairs mode.
    """

    metrics: dict[str, Any]
    fitted_loss: float
    head_temperatures: Floats
    combination: Combination | None
    units: UnitMap | None


class Evaluator:
    """Knows the pairs; `evaluate` is called once an epoch.

    Every figure pools the rounds' measured pairs. What the model itself is given is fitted to all images that any round
    fits to.
    """

    def __init__(
        self, data: Dataset, hashes: Sequence[str], rounds: Sequence[Round], train: Bools, evaluation: str, seed: int
    ) -> None:
        """Args: hashes (N) content sha256 of the images; train (N,) the images the model learns from."""
        self._data, self._hashes, self._rounds, self._seed = data, hashes, rounds, seed
        self._evaluation = evaluation
        self._fits = np.logical_or.reduce([one.fits for one in rounds])
        self._measures = np.logical_or.reduce([one.measures for one in rounds])
        rated = ~np.isnan(data.ratings)
        self.trained = [head for number, head in enumerate(HEADS) if rated[train, number].any()]
        self._rated_somewhere = [bool(rated[:, number].any()) for number in range(len(HEADS))]
        self._people: dict[int, PersonPairs] = {}
        self._heads = [head_pairs(data, number) for number in range(len(HEADS))] if data.pairs is not None else []

    @cached_property
    def _numbers(self) -> Ints:
        return hash_numbers(self._hashes)

    def evaluate(
        self, epoch: int, unseen: Floats, train_losses: Sequence[float], *, thorough: bool = False
    ) -> Evaluation:
        """Args: (N, H) scores, each by a model that hasn't seen the image; the epoch's training loss of each head;
        whether to find out what each head is worth, how sure the weights are, and how single people would do.
        """
        if self._data.pairs is None:
            return self._evaluate_overall(epoch, unseen, train_losses[0])
        units = fit_units(unseen[self._fits], self._data.ratings[self._fits])
        rounds = [fit_units(unseen[one.fits], self._data.ratings[one.fits])(unseen) for one in self._rounds]
        temperatures = np.ones(len(HEADS))
        heads: dict[str, Any] = {}
        losses, fitted = [], []
        for number, head in enumerate(HEADS):
            if head not in self.trained:
                reason = "no ratings in the training prompts" if self._rated_somewhere[number] else "no ratings"
                heads[head] = {"trained": False, "reason": reason}
                continue
            pairs, score = self._heads[number].inside(self._fits).decided(), units(unseen)[:, number]
            temperatures[number] = _temperature(pairs, score)
            fitted.append(_loss(pairs, temperatures[number] * score))
            measured = self._measure_head(number, [scores[:, number] for scores in rounds])
            if thorough and (line := self._person_line(number, unseen[:, number])) is not None:
                measured["single_person"] = line
            heads[head] = {"trained": True, **measured, "train_loss": train_losses[number]}
            if measured["pairs"]:
                losses.append(measured["loss"])
        primary = _mean(losses)
        combination, combined, importance = self._combined(units(unseen), rounds, thorough)
        metrics = {
            "epoch": epoch,
            "mode": "multihead",
            "evaluation": self._evaluation,
            "primary": {"name": "mean head loss", "value": primary},
            "heads": heads,
            "combined": combined,
            **importance,
        }
        return Evaluation(metrics, _mean(fitted), temperatures, combination, units)

    def _measure_head(self, head: int, rounds: list[Floats]) -> dict[str, Any]:
        """Metrics of one head; `rounds` has (N,) scores in rating points for each round."""
        pairs = self._heads[head]
        logits, scores, ratings, prompts = [], [], [], []
        for one, score in self._each(rounds):
            tau = _temperature(pairs.inside(one.fits), score)
            logits.append(_difference(pairs.inside(one.measures), score) * tau)
            scores.append(score[one.measures])
            ratings.append(self._data.ratings[one.measures, head])
            prompts.append(self._data.prompt[one.measures])
        following = rating_agreement(np.concatenate(scores), np.concatenate(ratings), np.concatenate(prompts))
        return {**self._measure(pairs, logits), **following}

    def _combined(
        self, unseen: Floats, rounds: list[Floats], thorough: bool
    ) -> tuple[Combination, dict[str, Any], dict[str, Any]]:
        trained = [HEADS.index(head) for head in self.trained]
        combination = self._combine(self._data.combined.inside(self._fits), unseen[:, trained])
        measured = self._measure_combined([scores[:, trained] for scores in rounds])
        lost = {}
        for head in self.trained if thorough and len(trained) > 1 else []:
            others = [number for number in trained if HEADS[number] != head]
            without = self._measure_combined([scores[:, others] for scores in rounds])
            lost[head] = _less(measured["accuracy"], without["accuracy"])
        weights, spread = np.zeros(len(HEADS)), np.zeros(len(HEADS))
        weights[trained] = combination.weights
        spread[trained] = unseen[self._measures][:, trained].std(axis=0)
        interval = self._importance_interval(unseen[:, trained]) if thorough else None
        importance = {
            "importance": dict(zip(HEADS, weights.tolist(), strict=True)),
            "importance_spread": dict(zip(HEADS, (weights * spread).tolist(), strict=True)),
            "importance_interval": interval,
            "accuracy_lost_without": lost,
        }
        return combination, {**measured, "target": self._data.target}, importance

    def _importance_interval(self, scores: Floats) -> dict[str, list[float]] | None:
        """95 % interval of each trained head's weight over the prompts it is fitted to; None with too few of them.

        Args: scores (N, K) of the trained heads.
        """
        pairs = self._evidence(self._data.combined.inside(self._fits))
        if len(np.unique(pairs.prompt)) < FEWEST_PROMPTS:
            return None
        draws = weight_draws(_difference(pairs, scores), pairs.label, pairs.prompt, self._seed)
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        return {head: [float(low[k]), float(high[k])] for k, head in enumerate(self.trained)}

    def _person_line(self, head: int, score: Floats) -> dict[str, Any] | None:
        """How single people order pictures as the others do, and the model beside them; None without several people."""
        if self._data.by_person is None:
            return None
        if head not in self._people:
            people = self._data.by_person.of_images(self._measures)
            threshold = self._data.min_rating_diff
            self._people[head] = person_pairs(people, head, self._data.prompt, threshold, self._seed)
        pairs = self._people[head]
        return person_line(pairs, score, self._seed) if len(pairs.first) else None

    def combined_logits(self, unseen: Floats) -> Floats:
        """(N, H) scores by models that haven't seen the image → (N,) combined logits of the measured images, else NaN.

        An image's weights are fitted in the round that measures it; images of one round can be compared.
        """
        trained = [HEADS.index(head) for head in self.trained]
        logits = np.full(len(unseen), np.nan)
        for one in self._rounds:
            scores = fit_units(unseen[one.fits], self._data.ratings[one.fits])(unseen)[:, trained]
            fitted = self._combine(self._data.combined.inside(one.fits), scores)
            logits[one.measures] = (scores @ fitted.weights * fitted.temperature)[one.measures]
        return logits

    def _measure_combined(self, rounds: list[Floats]) -> dict[str, Any]:
        """Metrics of the combined score; `rounds` has (N, K) head scores for each round, which fits its own weights."""
        pairs, logits = self._data.combined, []
        for one, scores in self._each(rounds):
            fitted = self._combine(pairs.inside(one.fits), scores)
            logits.append(_difference(pairs.inside(one.measures), scores @ fitted.weights) * fitted.temperature)
        return self._measure(pairs, logits, count_ties=self._data.has_preferences)

    def _evaluate_overall(self, epoch: int, unseen: Floats, train_loss: float) -> Evaluation:
        pairs = self._data.combined
        logits = [_difference(pairs.inside(one.measures), unseen[:, 0]) for one in self._rounds]  # a logit already
        measured = self._measure(pairs, logits, count_ties=True)
        primary = measured["loss"] if measured["loss"] is not None else float("nan")
        metrics = {
            "epoch": epoch,
            "mode": "pairs",
            "evaluation": self._evaluation,
            "primary": {"name": "preference loss", "value": primary},
            "overall": {**measured, "train_loss": train_loss, "target": self._data.target},
            "importance": None,
            "importance_spread": None,
        }
        return Evaluation(metrics, _loss(pairs.inside(self._fits), unseen[:, 0]), np.ones(1), None, None)

    def _combine(self, pairs: LabelledPairs, scores: Floats) -> Combination:
        """(N, K) scores of the trained heads → weights and temperature."""
        use = self._evidence(pairs)
        return fit_combination(_difference(use, scores), use.label, prompt_weights(use.prompt))

    def _evidence(self, pairs: LabelledPairs) -> LabelledPairs:
        """What weights are fitted to: a tie among people is evidence too, a tie of mean ratings is only closeness."""
        return pairs if self._data.has_preferences else pairs.decided()

    def _measure(self, pairs: LabelledPairs, logits: list[Floats], *, count_ties: bool = False) -> dict[str, Any]:
        """Metrics of the rounds' measured pairs together; `logits` has an array (P_r,) for each round."""
        parts = [pairs.inside(one.measures) for one in self._rounds]
        logit = np.concatenate(logits)
        label, prompt = np.concatenate([p.label for p in parts]), np.concatenate([p.prompt for p in parts])
        first = np.concatenate([first_by_hash(self._numbers[part.first], self._numbers[part.second]) for part in parts])
        ties = 0
        if not count_ties:  # ties of ratings stay out of the loss too; ties of people's preferences count
            won = label != 0.5
            ties = int(np.count_nonzero(~won))
            logit, label, prompt, first = logit[won], label[won], prompt[won], first[won]
        measured = pair_metrics(logit, label, prompt, first, ties=ties, evaluation=self._evaluation, seed=self._seed)
        calibrated = calibration(logit, label)
        return {**as_json(measured), "calibration_error": calibrated.error, "reliability": calibrated.table}

    def _each(self, values: Sequence[Floats]) -> "zip[tuple[Round, Floats]]":
        return zip(self._rounds, values, strict=True)


def head_pairs(data: Dataset, head: int) -> LabelledPairs:
    """The pairs rated on one head; ½ where nobody won."""
    assert data.pairs is not None
    rated = data.pairs.rated[:, head]
    label = (data.pairs.sign[rated, head] + 1) / 2.0
    return LabelledPairs(data.pairs.first[rated], data.pairs.second[rated], data.pairs.prompt[rated], label)


def _difference(pairs: LabelledPairs, score: Floats) -> Floats:
    delta: Floats = score[pairs.first] - score[pairs.second]
    return delta


def _loss(pairs: LabelledPairs, logit: Floats) -> float:
    """Mean negative log-likelihood; NaN without pairs."""
    delta = _difference(pairs, logit)
    return _mean(np.logaddexp(0, delta) - pairs.label * delta)


def _mean(values: Sequence[float] | Floats) -> float:
    """NaN of nothing and of NaNs alone, which are left out."""
    known = np.asarray(values)[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _less(whole: float | None, part: float | None) -> float | None:
    return None if whole is None or part is None else whole - part


def _temperature(pairs: LabelledPairs, score: Floats) -> float:
    won = pairs.label != 0.5
    delta = _difference(pairs, score)[won]
    return fit_temperature(delta, pairs.label[won], prompt_weights(pairs.prompt[won])) if won.any() else 1.0
