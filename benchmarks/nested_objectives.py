"""What the trainer reaches when its objective is chosen without a look at the prompts it is measured on.

    python benchmarks/nested_objectives.py --ratings multihead_ratings.csv

`objectives.py` compares objectives on the folds that it reports, so the best row is flattered. Here each outer fold's
objective is chosen by the inner folds of the other prompts; what is reported comes from prompts that neither training
nor choice has seen. Mean over repeats, with a 95 % bootstrap interval over prompts; beside it the published default.
"""

import argparse
import itertools
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.objectives import SOFT, VARIANTS
from reward.aspects import HEADS
from reward.backbones.registry import make_backbone
from reward.config import TrainConfig
from reward.dataset import Dataset, read_dataset
from reward.embeddings import EmbeddingCache, default_cache_dir, embed_files
from reward.fitting import Fit
from reward.groups import folds
from reward.losses import Objective
from reward.metrics import bootstrap_interval
from reward.problem import Sides, multihead_problem
from reward.threads import threads_for
from reward.training import OBJECTIVE

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CANDIDATES = {name: objective for name, objective in VARIANTS.items() if name != SOFT}
DEFAULT = next(name for name, objective in VARIANTS.items() if objective == OBJECTIVE)


def by_prompt(data: Dataset, score: Floats, head: int, images: Bools) -> Floats:
    """(prompts,) share of pairs in the right order within `images` (N,); NaN for prompts without a pair there."""
    assert data.pairs is not None
    pairs = data.pairs
    use = (pairs.sign[:, head] != 0) & images[pairs.first] & images[pairs.second]
    first, second, sign = pairs.first[use], pairs.second[use], pairs.sign[use, head]
    right = np.sign(score[first] - score[second]) == sign
    counts = np.bincount(pairs.prompt[use], minlength=len(data.prompt_names))
    sums = np.bincount(pairs.prompt[use], weights=right, minlength=len(data.prompt_names))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def all_scores(
    data: Dataset, x: npt.NDArray[np.float32], sides: Sides, objective: Objective | None, config: TrainConfig, seed: int
) -> Floats:
    """(M, N, H) scores of all members after training."""
    problem = multihead_problem(data, x, sides, objective or Objective())
    with threads_for(x.size * min(x.shape)):
        fit = Fit(problem, config.learning_rate, config.pairs_per_step, seed, torch.device("cpu"))
        for epoch in range(1, config.total_epochs + 1) if objective is not None else ():
            fit.run_epoch(epoch, lambda: False)
        return fit.scores()


def measure(
    data: Dataset, scores: dict[str, Floats], members: list[frozenset[int]], fold: Ints, heads: list[int]
) -> tuple[dict[str, Floats], list[str]]:
    """(heads, prompts) accuracy of the chosen objective and of the default in each outer fold; what was chosen."""
    prompts, count = len(data.prompt_names), int(fold.max()) + 1
    found = {name: np.full((len(heads), prompts), np.nan) for name in ("chosen", "default")}
    choices = []
    for outer in range(count):

        def inner(name: str, outer: int = outer) -> float:
            shares = [
                by_prompt(data, scores[name][members.index(frozenset({outer, k})), :, head], head, fold == k)
                for k in range(count)
                if k != outer
                for head in heads
            ]
            return float(np.nanmean(shares))

        choice = max(scores, key=inner)
        choices.append(choice)
        for kind, name in (("chosen", choice), ("default", DEFAULT)):
            own = scores[name][members.index(frozenset({outer}))]
            for row, head in enumerate(heads):
                here = by_prompt(data, own[:, head], head, fold == outer)
                found[kind][row] = np.where(np.isnan(here), found[kind][row], here)
    return found, choices


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--ratings", type=Path, required=True, help="ratings CSV")
    parser.add_argument("--backbone", default="pixelstats")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--folds", type=int, default=5)
    arguments = parser.parse_args()
    config = TrainConfig(ratings=arguments.ratings, backbone=arguments.backbone)
    data = read_dataset(config)
    embedded = embed_files(data.files, make_backbone(config.backbone), EmbeddingCache(default_cache_dir()))
    x = np.asarray(embedded.vectors, dtype=np.float32)
    heads = [head for head in range(len(HEADS)) if not np.isnan(data.ratings[:, head]).all()]
    numbers = range(arguments.folds)
    members = [frozenset[int](), *(frozenset({k}) for k in numbers)]
    members += [frozenset(both) for both in itertools.combinations(numbers, 2)]
    found: dict[str, list[Floats]] = {"chosen": [], "default": []}
    chosen: Counter[str] = Counter()
    for repeat in range(arguments.repeats):
        fold = folds(data.prompt, data.in_a_pair, arguments.folds, repeat)
        sides = Sides(np.ones(len(x), dtype=bool), fold, tuple(members))
        scores = {name: all_scores(data, x, sides, way, config, repeat) for name, way in CANDIDATES.items()}
        measured, choices = measure(data, scores, members, fold, heads)
        chosen.update(choices)
        for kind, values in measured.items():
            found[kind].append(values)
        print(f"repeat {repeat + 1}/{arguments.repeats}", file=sys.stderr, flush=True)
    print("| head | chosen in inner folds | 95 % | published default | 95 % |")
    print("|---|---|---|---|---|")
    for row, head in enumerate(heads):
        cells = []
        for repeats in found.values():
            shares = np.mean([repeat[row] for repeat in repeats], axis=0)
            shares = shares[~np.isnan(shares)]
            low, high = bootstrap_interval(shares) or (np.nan, np.nan)
            cells.append(f"{shares.mean():.3f} | {low:.3f}–{high:.3f}")
        print(f"| {HEADS[head]} | " + " | ".join(cells) + " |")
    print("chosen:", ", ".join(f"{name} {count}×" for name, count in chosen.most_common()))


if __name__ == "__main__":
    main()
