"""The optimisation itself: a run's model and those of its inner folds, trained side by side on embeddings.

Member 0 learns from the whole training split and becomes the model. Members 1 … K each leave one inner fold of the
training prompts out; their scores on that fold are the out-of-fold scores that temperatures and combination weights are
fitted to, since weights learned on the heads' own training prompts would reward the head that overfits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reward.combination import prompt_weights
from reward.dataset import Dataset, LabelledPairs
from reward.errors import InterruptedTrainingError
from reward.heads import CLAMP, HeadStack
from reward.linear import fit_ridge, fold_rows
from reward.losses import bradley_terry, rating_huber, soft_label

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WEIGHT_DECAY: Final = 0.01
_EVAL_CHUNK: Final = 65_536


@dataclass(frozen=True)
class Problem:
    """What is to be learned, as arrays.

    Attributes:
        x: (N, D) embeddings.
        ratings: (N, H) in rating units, NaN = not rated; all NaN in pairs mode.
        prompt: (N,) prompt numbers.
        train: (N,) images that may be learned from.
        fold: (N,) inner fold of each training image, −1 elsewhere; `folds` of them (0 = none).
        first, second: (P,) training pairs.
        sign: (P, H) who won (multihead mode), or None.
        label: (P,) soft labels (pairs mode), or None.
        weight: (P, H) or (P, 1): every prompt counts the same.
    """

    x: npt.NDArray[np.float32]
    ratings: Floats
    prompt: Ints
    train: Bools
    fold: Ints
    folds: int
    first: Ints
    second: Ints
    sign: npt.NDArray[np.int8] | None
    label: Floats | None
    weight: Floats

    @property
    def heads(self) -> int:
        """H, the number of scores an image gets."""
        return int(self.ratings.shape[1])


def multihead_problem(data: Dataset, x: npt.NDArray[np.float32], train: Bools, fold: Ints, folds: int) -> Problem:
    """Five heads from ratings."""
    assert data.pairs is not None
    keep = train[data.pairs.first] & data.pairs.sign.any(axis=1)
    first, second, sign = data.pairs.first[keep], data.pairs.second[keep], data.pairs.sign[keep]
    weight = np.zeros(sign.shape)
    for head in range(sign.shape[1]):
        won = sign[:, head] != 0
        if won.any():
            by_prompt = prompt_weights(data.prompt[first[won]])
            weight[won, head] = by_prompt / by_prompt.mean()
    return Problem(x, data.ratings, data.prompt, train, fold, folds, first, second, sign, None, weight)


def pairs_problem(data: Dataset, x: npt.NDArray[np.float32], train: Bools, fold: Ints, folds: int) -> Problem:
    """One overall score from preferences."""
    pairs: LabelledPairs = data.combined.where(train[data.combined.first])
    by_prompt = prompt_weights(pairs.prompt)
    weight = (by_prompt / by_prompt.mean())[:, None]
    none = np.full((len(x), 1), np.nan)
    return Problem(x, none, data.prompt, train, fold, folds, pairs.first, pairs.second, None, pairs.label, weight)


class Fit:
    """Parameters, optimizer and data of one optimisation on one device."""

    def __init__(
        self, problem: Problem, learning_rate: float, batch_size: int, seed: int, device: torch.device
    ) -> None:
        self.problem, self.batch_size, self.seed, self.device = problem, batch_size, seed, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.stack = HeadStack(1 + problem.folds, problem.heads, problem.x.shape[1])
        self.tau = torch.ones(1 + problem.folds, 1, problem.heads)
        self._start()
        self.stack.to(device)
        self.tau = self.tau.to(device)
        self.optimizer = torch.optim.AdamW(
            self.stack.parameters(), lr=learning_rate, weight_decay=WEIGHT_DECAY, fused=True
        )
        self._x = torch.from_numpy(problem.x).to(device)
        self._ratings = torch.from_numpy(problem.ratings).float().to(device)
        self._pairs = torch.from_numpy(np.stack([problem.first, problem.second], axis=1)).to(device)
        target = problem.sign if problem.sign is not None else problem.label
        self._target = torch.from_numpy(np.asarray(target)).float().to(device)
        self._weight = torch.from_numpy(problem.weight).float().to(device)
        self._fold = torch.from_numpy(problem.fold).to(device)
        # The fold that each member leaves out; no image is in fold −2, so member 0 leaves nothing out.
        self._left_out = torch.tensor([-2, *range(problem.folds)], device=device)

    def run_epoch(self, epoch: int, should_stop: Callable[[], bool]) -> list[float]:
        """One pass over the pairs in an order that follows from (seed, epoch); the mean training loss of each head.

        Raises:
            InterruptedTrainingError: `should_stop` said so; the parameters are then those of the middle of an epoch.
        """
        count = len(self._pairs)
        order = torch.randperm(count, generator=torch.Generator().manual_seed(self.seed * 100_003 + epoch))
        total = torch.zeros(self.problem.heads, device=self.device)
        cuda = [self.device] if self.device.type == "cuda" else []
        self.stack.train()
        with torch.random.fork_rng(devices=cuda):
            torch.manual_seed(self.seed * 100_003 + epoch)  # dropout, so that a resumed epoch is the same epoch
            for batch in torch.split(order, self.batch_size):
                if should_stop():
                    raise InterruptedTrainingError("stopped")
                losses = self._step(batch.to(self.device))
                total += losses * len(batch) / count
        self.stack.eval()
        return [float(value) for value in total.cpu()]

    def _step(self, batch: Tensor) -> Tensor:
        """One optimizer step; (H,) pair losses of member 0."""
        images, place = torch.unique(self._pairs[batch], return_inverse=True)  # each image once, however many pairs
        scores = self.stack(self._x[images])  # (M, U, H)
        delta = (scores[:, place[:, 0]] - scores[:, place[:, 1]]) * self.tau
        fold = self._fold[images]
        member_sees = (fold[None] != self._left_out[:, None]).unsqueeze(-1)  # (M, U, 1)
        sees_pair = member_sees[:, place[:, 0]]
        weight = self._weight[batch] * sees_pair / len(batch)
        if self.problem.sign is not None:
            loss = bradley_terry(delta, self._target[batch], weight)
            anchor = member_sees / len(images)
            loss = loss + rating_huber(scores, self._ratings[images], self.stack.scale[:, None], anchor)
        else:
            loss = soft_label(delta, self._target[batch, None].expand_as(delta), weight)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimizer.step()
        with torch.no_grad():
            return self._pair_losses(delta[0], batch)

    def _pair_losses(self, delta: Tensor, batch: Tensor) -> Tensor:
        rows = [
            bradley_terry(delta[:, head], self._target[batch, head], self._weight[batch, head])
            if self.problem.sign is not None
            else soft_label(delta[:, head], self._target[batch], self._weight[batch, 0])
            for head in range(delta.shape[1])
        ]
        return torch.stack(rows) / len(batch)

    @torch.no_grad()
    def scores(self) -> tuple[Floats, Floats]:
        """(N, H) scores by member 0, and (N, H) out-of-fold scores: by the member that hasn't seen the image's fold.

        Images in no fold (validation, or no folds at all) have member 0's score in both.
        """
        self.stack.eval()
        chunks = [self.stack(part).double().cpu() for part in torch.split(self._x, _EVAL_CHUNK)]
        every = torch.cat(chunks, dim=1).numpy()  # (M, N, H)
        member = self.problem.fold + 1 if self.problem.folds else np.zeros(len(self.problem.fold), dtype=np.int64)
        return every[0], every[member, np.arange(len(member))]

    @torch.no_grad()
    def _start(self) -> None:
        """Normalisation, centre and scale from the training split; linear parts from ridge fits."""
        problem, stack = self.problem, self.stack
        seen = problem.x[problem.train].astype(np.float64)
        mean, std = seen.mean(axis=0), seen.std(axis=0)
        std[std < 1e-6 * max(float(np.abs(mean).max()), 1e-12)] = 1.0  # a constant input carries nothing: keep it at 0
        stack.input_mean.copy_(torch.from_numpy(mean).expand(stack.members, -1))
        stack.input_std.copy_(torch.from_numpy(std).expand(stack.members, -1))
        normal = np.clip((problem.x - mean) / std, -CLAMP, CLAMP)
        for head in range(problem.heads):
            if problem.sign is not None:
                self._start_from_ratings(head, normal)
            else:
                self._start_from_preferences(normal)

    def _start_from_ratings(self, head: int, normal: Floats) -> None:
        problem, stack = self.problem, self.stack
        rows = problem.train & ~np.isnan(problem.ratings[:, head])
        if not rows.any():
            return
        target = problem.ratings[rows, head]
        centre, scale = float(target.mean()), float(target.std()) or 1.0
        stack.centre[:, head], stack.scale[:, head] = centre, scale
        fit = fit_ridge(
            normal[rows],
            (target - centre) / scale,
            problem.prompt[rows],
            problem.fold[rows],
            problem.folds,
            seed=self.seed,
        )
        for member, coefficients in enumerate(fit.coefficients):
            stack.linear[member, :, head] = torch.from_numpy(coefficients)
            stack.b2[member, head] = float(fit.intercepts[member])
        for member, seen in enumerate(fold_rows(rows, problem.fold, problem.folds)):
            self.tau[member, 0, head] = 1 / _within_spread(problem.ratings[seen, head], problem.prompt[seen], scale)

    def _start_from_preferences(self, normal: Floats) -> None:
        """A ridge on differences, scaled to the log-odds that labels of its size stand for."""
        problem, stack = self.problem, self.stack
        assert problem.label is not None
        difference = normal[problem.first] - normal[problem.second]
        fold, prompt = problem.fold[problem.first], problem.prompt[problem.first]
        fit = fit_ridge(difference, 2 * problem.label - 1, prompt, fold, problem.folds, intercept=False, seed=self.seed)
        for member, coefficients in enumerate(fit.coefficients):
            stack.linear[member, :, 0] = torch.from_numpy(2 * coefficients)


def _within_spread(ratings: Floats, prompt: Ints, fallback: float) -> float:
    """Standard deviation of within-prompt differences of ratings, √2 × that around the prompts' means."""
    _, number, counts = np.unique(prompt, return_inverse=True, return_counts=True)
    if not len(ratings) or counts.max() < 2:
        return fallback
    means = np.bincount(number, weights=ratings) / counts
    several = counts[number] > 1
    degrees = several.sum() - np.count_nonzero(counts > 1)
    variance = float(((ratings - means[number])[several] ** 2).sum() / degrees)
    return float(np.sqrt(2 * variance)) or fallback
