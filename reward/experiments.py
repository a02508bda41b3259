"""What the commands that compare ways of learning share: data read and encoded once, training to the end, shares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from reward.backbones.registry import make_backbone
from reward.config import TrainConfig
from reward.dataset import Dataset, LabelledPairs, group_images, read_dataset
from reward.devices import pick_device
from reward.embeddings import EmbeddingCache, default_cache_dir, embed_files
from reward.errors import InputError
from reward.fitting import Fit
from reward.problem import Problem
from reward.threads import threads_for

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# The trainer's flags that apply where nothing is saved.
EXPERIMENT_FLAGS: Final = (
    *("ratings", "pairs", "prompts", "epochs", "batch_size", "learning_rate", "min_rating_diff", "targets", "backbone"),
    *("folds", "seed", "device", "image_root", "cache_dir"),
)
_FOLDS: Final = 5


@dataclass(frozen=True)
class Experiment:
    """Data to learn from: `x` (N, D) embeddings; `groups` (N,) what a split keeps together; `folds`, how many."""

    data: Dataset
    x: npt.NDArray[np.floating]
    groups: Ints
    folds: int


def prepare(config: TrainConfig, kept: Mapping[Path, bytes] | None = None) -> Experiment:
    """Read, check and encode, as `train` does.

    Args:
        kept: as in `read_dataset`.

    Raises:
        InputError, BackboneError: as `train`; or fewer prompts than folds.
    """
    data = read_dataset(config, kept=kept)
    count = config.folds or _FOLDS
    check_folds(len(np.unique(data.prompt[data.in_a_pair])), count)
    backbone = make_backbone(config.backbone).to(pick_device(config.device))
    embedded = embed_files(data.files, backbone, EmbeddingCache(config.cache_dir or default_cache_dir()))
    groups = group_images(data, embedded.hashes)
    check_folds(len(np.unique(groups[data.in_a_pair])), count)  # shared pictures may leave fewer
    return Experiment(data, embedded.vectors, groups, count)


def check_folds(available: int, count: int) -> None:
    """Refuse more folds than there are prompts to deal out."""
    if available < count:
        raise InputError.one("--folds", f"{count} folds, but only {available} prompts have pairs", "fewer folds")


def train_to_the_end(
    problem: Problem, config: TrainConfig, seed: int, after_epoch: Callable[[], object] = lambda: None
) -> Floats:
    """(M, N, H) scores of all members after all epochs."""
    device = pick_device(config.device)
    with threads_for(problem.x.size * min(problem.x.shape)):
        fit = Fit(problem, config.learning_rate, config.pairs_per_step, seed, device)
        for epoch in range(1, config.total_epochs + 1):
            fit.run_epoch(epoch, lambda: False)
            after_epoch()
        return fit.scores()


def shares_by_prompt(pairs: LabelledPairs, score: Floats) -> Floats:
    """(prompts,) share of each prompt's decided pairs that `score` (N,) puts in the right order; a tie is wrong."""
    won = pairs.label != 0.5
    delta = (score[pairs.first] - score[pairs.second])[won]
    right = np.where(pairs.label[won] > 0.5, delta > 0, delta < 0)
    _, number = np.unique(pairs.prompt[won], return_inverse=True)
    shares: Floats = np.bincount(number, weights=right) / np.bincount(number)
    return shares


def shown(interval: tuple[float, float] | None) -> str:
    """An interval as the tables print it."""
    return f"{interval[0]:.3f} – {interval[1]:.3f}" if interval else ""
