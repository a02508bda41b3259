"""The optimisation on embeddings that needn't fit into memory."""

from pathlib import Path

import numpy as np
import torch

from reward.fitting import Fit
from reward.losses import Objective
from reward.pairs import rating_pairs
from reward.problem import Problem, Sides


def problem(x: np.ndarray, prompts: int = 20) -> Problem:
    """Ratings that follow from the first five inputs, five images a prompt; a member that leaves a fold out beside."""
    prompt = np.repeat(np.arange(prompts), len(x) // prompts)
    ratings = 5 + x[:, :5].astype(np.float64)
    pairs = rating_pairs(prompt, ratings, 0.5)
    sides = Sides(np.ones(len(x), dtype=bool), prompt % 3, (frozenset(), frozenset({0})))
    decided = pairs.sign != 0
    return Problem(
        x, ratings[None], prompt, sides, pairs.first, pairs.second,
        label=(pairs.sign[None] + 1) / 2.0, weight=decided[None].astype(float), objective=Objective(ratings=0.1),
    )  # fmt: skip


def test_dropout_is_off_while_an_epoch_is_evaluated() -> None:
    inputs = np.random.default_rng(0).normal(size=(100, 12)).astype(np.float32)
    fit = Fit(problem(inputs), 1e-2, 64, 0, torch.device("cpu"))
    fit.stack.dropout = 0.5
    for epoch in (1, 2):
        fit.run_epoch(epoch, lambda: False)
    x = torch.from_numpy(fit.problem.x)
    with torch.no_grad():
        dropped = fit.stack.train()(x)
        kept = fit.stack.eval()(x)
        alone = fit.stack.member(0).eval()(x)
    assert not torch.allclose(dropped, kept, atol=1e-2)
    for leave_on in (True, False):
        fit.stack.train(leave_on)
        assert (fit.scores() == kept.double().numpy()).all()
    assert torch.allclose(alone[0], kept[0], atol=1e-5)


def test_a_head_whose_loss_is_no_better_than_guessing_is_named() -> None:
    """Steps so large that the parameters are thrown about: scores differ, and order pairs no better than a coin."""
    x = np.random.default_rng(0).normal(size=(100, 12)).astype(np.float32)
    named = []
    for learning_rate in (1e-3, 3.0):
        fit = Fit(problem(x), learning_rate, 4, 0, torch.device("cpu"))
        fit.run_epoch(1, lambda: False)
        named.append(fit.dead_heads())
    assert named[0] == {}
    assert set(named[1]) == set(range(5))
    for head, reason in named[1].items():
        loss = fit.train_losses[head]
        assert loss >= np.log(2)
        assert reason == f"learned nothing: its loss on its own pairs is {loss:.3f}, that of guessing 0.693"


def test_half_precision_on_disk_trains_as_single_precision_in_memory(tmp_path: Path) -> None:
    half = np.random.default_rng(0).normal(size=(100, 12)).astype(np.float16)
    mapped = np.memmap(tmp_path / "x.f16", np.float16, "w+", shape=half.shape)
    mapped[:] = half
    scores = []
    for x in (half.astype(np.float32), mapped):
        fit = Fit(problem(x), 1e-3, 64, 0, torch.device("cpu"))
        fit.run_epoch(1, lambda: False)
        scores.append(fit.scores())
    assert scores[0].shape == (2, 100, 5)
    assert np.allclose(scores[0], scores[1], atol=1e-5)
    assert np.corrcoef(scores[0][0, :, 0], half[:, 0])[0, 1] > 0.9
