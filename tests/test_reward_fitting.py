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
