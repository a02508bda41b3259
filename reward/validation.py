"""How a run is validated, whole prompts held out or every prompt in turn, and which epoch is best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reward.errors import InputError
from reward.evaluation import Evaluation, Evaluator, Round
from reward.fitting import Fit
from reward.groups import folds, hold_out
from reward.problem import Sides

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
State = dict[str, Tensor]

INNER_FOLDS: Final = 5
ENOUGH_PROMPTS: Final = 50  # from here on a held-out fifth gives an interval that covers


@dataclass(frozen=True)
class Chosen:
    """The best epoch so far: its number, how it measures, and the model's parameters then."""

    epoch: int
    evaluation: Evaluation
    stack: State


class Validation(Protocol):
    """What both ways of validating offer the training loop."""

    sides: Sides
    rounds: Sequence[Round]
    name: str

    def unseen(self, scores: Floats) -> Floats:
        """(M, N, H) scores of all members → (N, H), each image's by a member that hasn't seen it."""

    def choose(self, epoch: int, fit: Fit, scores: Floats, current: Evaluation, evaluator: Evaluator) -> Chosen | None:
        """The best epoch, where this epoch changed what that is."""

    @property
    def best_epoch(self) -> int:
        """0 before the first epoch."""

    def state(self) -> State:
        """All that a resumed run needs."""

    def load_state(self, state: State) -> None:
        """Put `state`'s tensors back."""


class HoldOut:
    """A share of the prompts is never learned from, and has no say in what is reported of it.

    Members that leave an inner fold of the other prompts out give the out-of-fold scores for temperatures and weights.
    The epoch with the lowest loss of these scores is best. Were it chosen by the prompts held out, it would be the
    luckiest there, and its figures better than any new prompt's.
    """

    name: str = "held-out"

    def __init__(self, groups: Ints, eligible: Bools, fraction: float, seed: int) -> None:
        val = hold_out(groups, eligible, fraction, seed)
        train = ~val
        inner = folds(groups, eligible & train, INNER_FOLDS, seed)
        inner[val] = -1
        count = len(np.unique(inner[inner >= 0]))
        left_out = (frozenset[int](), *(frozenset({fold}) for fold in range(count if count > 1 else 0)))
        self.sides = Sides(train, inner, left_out)
        # Without inner folds there is nothing out of fold to fit to; else images in no fold would be scored in-sample.
        self.rounds: Sequence[Round] = [Round(inner >= 0 if count > 1 else train, val)]
        self._best, self._best_epoch = float("inf"), 0

    @property
    def best_epoch(self) -> int:
        return self._best_epoch

    def unseen(self, scores: Floats) -> Floats:
        member = self.sides.fold + 1 if len(self.sides.left_out) > 1 else np.zeros_like(self.sides.fold)
        picked: Floats = scores[member, np.arange(len(member))]
        return picked

    def choose(self, epoch: int, fit: Fit, scores: Floats, current: Evaluation, evaluator: Evaluator) -> Chosen | None:
        # Without inner folds these scores would be of images that the model has learned from.
        watched = current.fitted_loss if len(self.sides.left_out) > 1 else float("nan")
        if watched >= self._best:  # False for NaN: without anything to watch, the last epoch is taken
            return None
        self._best, self._best_epoch = watched, epoch
        thorough = evaluator.evaluate(epoch, self.unseen(scores), fit.train_losses, thorough=True)
        return Chosen(epoch, thorough, snapshot(fit))

    def state(self) -> State:
        return {"best": torch.tensor(self._best, dtype=torch.float64), "best_epoch": torch.tensor(self._best_epoch)}

    def load_state(self, state: State) -> None:
        self._best, self._best_epoch = float(state["best"]), int(state["best_epoch"])


class CrossValidation:
    """Every prompt is measured once, by a member that left its fold out; the model itself learns from all of them.

    When to stop is decided without the fold that is measured: member k leaves fold k out, a companion leaves fold k + 1
    out as well and is watched there. The model is taken from the median of the folds' stopping epochs.
    """

    name: str = "out-of-fold"

    def __init__(self, groups: Ints, eligible: Bools, count: int, seed: int) -> None:
        self._count = count
        fold = folds(groups, eligible, count, seed)
        measured = [frozenset({k}) for k in range(count)]
        watched = [frozenset({k, (k + 1) % count}) for k in range(count)]
        every = np.ones(len(groups), dtype=bool)
        self.sides = Sides(every, fold, (frozenset[int](), *measured, *watched))
        self.rounds: Sequence[Round] = [Round((fold >= 0) & (fold != k), fold == k) for k in range(count)]
        self._stop_loss = np.full(count, np.inf)
        self._stop_epoch = np.zeros(count, dtype=np.int64)
        self._stopped = np.zeros((0, 0))
        self._snapshots: dict[int, State] = {}

    @property
    def best_epoch(self) -> int:
        return int(np.sort(self._stop_epoch)[(self._count - 1) // 2])

    def unseen(self, scores: Floats) -> Floats:
        fold = self.sides.fold
        picked: Floats = scores[fold + 1, np.arange(len(fold))]
        return picked

    def choose(self, epoch: int, fit: Fit, scores: Floats, current: Evaluation, evaluator: Evaluator) -> Chosen | None:
        unseen = self.unseen(scores)
        if not self._stopped.size:
            self._stopped = unseen.copy()
        better = []
        for k in range(self._count):
            loss = fit.loss_on_fold(scores, 1 + self._count + k, (k + 1) % self._count)
            if not loss >= self._stop_loss[k]:
                self._stop_loss[k], self._stop_epoch[k] = loss, epoch
                self._stopped[self.sides.fold == k] = unseen[self.sides.fold == k]
                better.append(k)
        if not better:
            return None
        self._snapshots[epoch] = snapshot(fit)
        wanted = set(self._stop_epoch.tolist())
        self._snapshots = {number: state for number, state in self._snapshots.items() if number in wanted}
        best = self.best_epoch
        losses = [float(value) for value in self._snapshots[best]["train_losses"]] if best else []
        evaluation = evaluator.evaluate(best, self._stopped, losses, thorough=True)
        return Chosen(best, evaluation, self._snapshots[best])

    def state(self) -> State:
        state = {
            "stop_loss": torch.from_numpy(self._stop_loss),
            "stop_epoch": torch.from_numpy(self._stop_epoch),
            "stopped": torch.from_numpy(self._stopped),
        }
        for number, parameters in self._snapshots.items():
            state |= {f"snapshot.{number}.{name}": value for name, value in parameters.items()}
        return state

    def load_state(self, state: State) -> None:
        self._stop_loss = state["stop_loss"].numpy().copy()
        self._stop_epoch = state["stop_epoch"].numpy().copy()
        self._stopped = state["stopped"].numpy().copy()
        for key, value in state.items():
            if key.startswith("snapshot."):
                _, number, name = key.split(".", 2)
                self._snapshots.setdefault(int(number), {})[name] = value


def snapshot(fit: Fit) -> State:
    """The model's parameters as they are, and the training losses of the epoch that made them."""
    state = {name: value.detach().cpu() for name, value in fit.stack.member(0).state_dict().items()}
    return {**state, "train_losses": torch.tensor(fit.train_losses, dtype=torch.float64)}


def make_validation(
    groups: Ints, eligible: Bools, folds_wanted: int | None, fraction: float, seed: int
) -> HoldOut | CrossValidation:
    """Cross-validation with `folds_wanted` folds; 0 = hold `fraction` out; None = 5 folds below `ENOUGH_PROMPTS`.

    Raises:
        InputError: fewer groups with pairs than folds, or fewer than two.
    """
    available = len(np.unique(groups[eligible]))
    if folds_wanted is None:
        folds_wanted = min(5, available) if 3 <= available < ENOUGH_PROMPTS else 0
    if folds_wanted == 0:
        return HoldOut(groups, eligible, fraction, seed)
    if folds_wanted > available:
        raise InputError.one(
            "--folds", f"{folds_wanted} folds, but only {available} prompts have pairs", "fewer folds, or more prompts"
        )
    return CrossValidation(groups, eligible, folds_wanted, seed)
