"""The optimisation itself: a run's model and its copies that leave folds out, trained side by side on embeddings.

Member 0 learns from all training prompts and becomes the model. The others each leave some folds of them out: their
scores there are out-of-fold scores, which temperatures and combination weights are fitted to, since weights learned on
the heads' own training prompts would reward the head that overfits.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reward.adamw import AdamW
from reward.errors import InterruptedTrainingError
from reward.heads import HeadStack
from reward.linear import FoldRidge, Normaliser, enough_rows
from reward.losses import pair_losses, rating_losses, tie_width_of_share
from reward.problem import Problem

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WEIGHT_DECAY: Final = 0.01
_EVAL_NUMBERS: Final = 2**24  # hidden activations of all members at a time: 64 MiB each time they are kept
_ALIKE: Final = 1e-4  # standard deviations of the ratings


class Fit:
    """Parameters, optimizer and data of one optimisation on one device."""

    def __init__(
        self, problem: Problem, learning_rate: float, batch_size: int, seed: int, device: torch.device
    ) -> None:
        self.problem, self.batch_size, self.seed, self.device = problem, batch_size, seed, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.stack = HeadStack(problem.members, problem.heads, problem.x.shape[1])
        self.tau = torch.ones(problem.members, 1, problem.heads)
        self.tie_width = torch.zeros(problem.members, 1, problem.heads)
        self._start()
        self.stack.to(device)
        self.tau, self.tie_width = self.tau.to(device), self.tie_width.to(device)
        self.optimizer = AdamW(self.stack.parameters(), learning_rate=learning_rate, weight_decay=WEIGHT_DECAY)
        self._x = torch.from_numpy(problem.x).to(device)
        self._ratings = torch.from_numpy(problem.ratings).float().to(device)
        self._pairs = torch.from_numpy(np.stack([problem.first, problem.second], axis=1)).to(device)
        self._label = torch.from_numpy(problem.label).float().to(device)
        self._weight = torch.from_numpy(problem.weight).float().to(device)
        self._sees = torch.from_numpy(problem.sides.all_see()).to(device)  # (M, N)
        self.train_losses = [float("nan")] * problem.heads

    def run_epoch(self, epoch: int, should_stop: Callable[[], bool]) -> None:
        """One pass over the pairs in an order that follows from (seed, epoch); leaves `train_losses`, one a head.

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
                total += self._step(batch.to(self.device))
        self.stack.eval()
        self.train_losses = [float(value) for value in (total / self._weight[0].sum(dim=0)).cpu()]

    def _step(self, batch: Tensor) -> Tensor:
        """One optimizer step; (H,) sums of weighted pair losses of member 0."""
        images, place = torch.unique(self._pairs[batch], return_inverse=True)  # each image once, however many pairs
        scores = self.stack(self._x[images])  # (M, U, H)
        delta = (scores[:, place[:, 0]] - scores[:, place[:, 1]]) * self.tau
        member_sees = self._sees[:, images].unsqueeze(-1)  # (M, U, 1)
        losses = self._pair_losses(delta, batch, images, place)  # (M, B, H)
        objective = self.problem.objective
        loss = objective.pairs * (losses * member_sees[:, place[:, 0]]).sum() / len(batch)
        if objective.ratings:
            anchored = rating_losses(scores, self._ratings[:, images], self.stack.scale[:, None]) * member_sees
            loss = loss + objective.ratings * anchored.sum() / len(images)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimizer.step()
        return losses[0].detach().sum(dim=0)

    def _pair_losses(self, delta: Tensor, batch: Tensor, images: Tensor, place: Tensor) -> Tensor:
        """(M, B, H) weighted losses of the pairs in `batch`."""
        margin = None
        if self.problem.objective.margin:
            ratings = self._ratings[:, images].nan_to_num()
            margin = (ratings[:, place[:, 0]] - ratings[:, place[:, 1]]).abs() * self.tau
        width = self.tie_width if self.problem.objective.ties else None
        return pair_losses(delta, self._label[:, batch], width, margin) * self._weight[:, batch]

    @torch.no_grad()
    def scores(self) -> Floats:
        """(M, N, H) scores of all images by all members."""
        self.stack.eval()
        images = max(1, _EVAL_NUMBERS // self.stack.b1.numel())
        # Kept one by one, the parts would lie between freed blocks and hold on to five times their memory.
        scores = np.empty((self.problem.members, len(self._x), self.problem.heads))
        for start in range(0, len(self._x), images):
            scores[:, start : start + images] = self.stack(self._x[start : start + images]).cpu().numpy()
        return scores

    def dead_heads(self) -> dict[int, str]:
        """Heads of member 0 that had pairs to learn from and didn't, with the reason in words."""
        scores, learned = self.scores()[0, self.problem.sides.train], self.problem.weight[0].any(axis=0)
        found = {}
        for head in np.flatnonzero(learned).tolist():
            loss = self.train_losses[head]
            if scores[:, head].std() < _ALIKE * self.stack.scale[0, head].item():
                found[head] = "gives every picture the same score; the pictures' embeddings tell it nothing"
            elif loss >= np.log(2):
                found[head] = (
                    f"learned nothing: its loss on its own pairs is {loss:.3f}, that of guessing {np.log(2):.3f}"
                )
        return found

    def loss_on_fold(self, scores: Floats, member: int, fold: int) -> float:
        """Mean over heads of the loss of `member`'s scores, of (M, N, H), on a fold's decided pairs; NaN if none."""
        problem = self.problem
        here = problem.sides.fold[problem.first] == fold
        first, second = problem.first[here], problem.second[here]
        delta = (scores[member, first] - scores[member, second]) * self.tau[member, 0].double().cpu().numpy()
        target = problem.target_of(member)
        label, weight = problem.label[target, here], problem.weight[target, here]
        if problem.has_ratings:
            weight = weight * (label != 0.5)
        total = weight.sum(axis=0)
        losses = (weight * (np.logaddexp(0, delta) - label * delta)).sum(axis=0)[total > 0] / total[total > 0]
        return float(losses.mean()) if len(losses) else float("nan")

    @torch.no_grad()
    def _start(self) -> None:
        """Each member's normalisation, centre and scale from the images it sees; linear parts from ridge fits."""
        problem, stack = self.problem, self.stack
        normalisers: dict[frozenset[int], Normaliser] = {}
        for member, left_out in enumerate(problem.sides.left_out):
            seen = np.flatnonzero(problem.sides.sees(member))
            normalisers[left_out] = Normaliser.of(problem.x[seen[enough_rows(len(seen), self.seed)]])
            stack.input_mean[member] = torch.from_numpy(normalisers[left_out].mean)
            stack.input_std[member] = torch.from_numpy(normalisers[left_out].std)
        if not problem.has_ratings:
            self._start_from_preferences(normalisers)
            return
        rated = problem.sides.train[:, None] & ~np.isnan(problem.ratings[0])
        together: dict[bytes, list[int]] = {}  # heads that are rated on the same images need their decompositions once
        for head in np.flatnonzero(rated.any(axis=0)).tolist():
            together.setdefault(rated[:, head].tobytes(), []).append(head)
        for heads in together.values():
            self._start_from_ratings(heads, rated[:, heads[0]], normalisers)
        for head in range(problem.heads):
            self._start_ties(head)

    def _start_from_ratings(
        self, heads: list[int], rated: Bools, normalisers: dict[frozenset[int], Normaliser]
    ) -> None:
        """Heads that are all rated on the images `rated` (N,), and on no others."""
        problem, stack = self.problem, self.stack
        targets = problem.ratings[:, rated][:, :, heads]  # (T, images, heads)
        prompt, fold = problem.prompt[rated], problem.sides.fold[rated]
        level, unit = targets.mean(axis=(0, 1)), targets.std(axis=(0, 1))
        unit = np.where(unit > 0, unit, 1.0)
        # Drawn before the embeddings are taken out: all of them may not fit into memory.
        drawn = enough_rows(len(prompt), self.seed)
        columns = np.moveaxis((targets[:, drawn] - level) / unit, 1, 0).reshape(len(drawn), -1)
        x = problem.x[np.flatnonzero(rated)[drawn]]
        ridge = FoldRidge(x, columns, prompt[drawn], fold[drawn], normalisers)
        left_out = problem.sides.left_out
        members = [member for member in range(problem.members) if not np.isin(fold, list(left_out[member])).all()]
        wanted = [(member, place) for member in members for place in range(len(heads))]
        fits = ridge.fit_all([(left_out[m], problem.target_of(m) * len(heads) + place) for m, place in wanted])
        for (member, place), fit in zip(wanted, fits, strict=True):
            seen = ~np.isin(fold, list(left_out[member]))
            target, head = targets[problem.target_of(member), seen, place], heads[place]
            centre, scale = float(target.mean()), float(target.std()) or float(unit[place])
            stack.centre[member, head], stack.scale[member, head] = centre, scale
            stack.linear[member, :, head] = torch.from_numpy(fit.coefficients) * float(unit[place] / scale)
            stack.b2[member, head] = float(level[place] + unit[place] * fit.intercept - centre) / scale
            self.tau[member, 0, head] = 1 / _within_spread(target, prompt[seen], scale)

    def _start_ties(self, head: int) -> None:
        """ν of each member from the share of ties among the pairs it sees."""
        problem = self.problem
        for member in range(problem.members):
            target = problem.target_of(member)
            tied = problem.label[target, :, head] == 0.5
            seen = problem.weight[target, :, head] * problem.sides.sees(member)[problem.first]
            if seen.any():
                self.tie_width[member, 0, head] = tie_width_of_share(float((seen * tied).sum() / seen.sum()))

    def _start_from_preferences(self, normalisers: dict[frozenset[int], Normaliser]) -> None:
        """A ridge on differences, scaled to the log-odds that labels of its size stand for."""
        problem, stack = self.problem, self.stack
        # Drawn before the differences are made, which would be as large as all pairs.
        drawn = enough_rows(len(problem.first), self.seed)
        first, second, target = problem.first[drawn], problem.second[drawn], 2 * problem.label[0, drawn, 0] - 1
        fold, prompt = problem.sides.fold[first], problem.prompt[first]
        for member, left_out in enumerate(problem.sides.left_out):
            normal = normalisers[left_out]
            difference = normal(problem.x[first]) - normal(problem.x[second])
            fit = FoldRidge(difference, target, prompt, fold, {}, intercept=False).fit(left_out)
            stack.linear[member, :, 0] = torch.from_numpy(2 * fit.coefficients)


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
