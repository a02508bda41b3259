"""Which objective orders pictures best: repeated cross-validation by prompt on ratings of real people.

    python benchmarks/objectives.py --ratings multihead_ratings.csv [--repeats 20]

Prints, for each objective, the share of held-out pairs in the right order (mean over prompts, repeats: mean ± SD).
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from reward.aspects import HEADS
from reward.backbones.registry import make_backbone
from reward.combination import prompt_weights
from reward.config import TrainConfig
from reward.dataset import Dataset, read_dataset
from reward.embeddings import EmbeddingCache, default_cache_dir, embed_files
from reward.fitting import Fit, Sides, multihead_problem
from reward.groups import folds
from reward.losses import Objective

VARIANTS = {
    "pairs (BT)": Objective(ratings=0),
    "pairs + margin": Objective(ratings=0, margin=True),
    "pairs + ties": Objective(ratings=0, ties=True),
    "pairs + ratings": Objective(),
    "pairs + ties + ratings": Objective(ties=True),
    "ratings alone": Objective(pairs=0),
    "start (ridge)": None,
}


def accuracy(data: Dataset, scores: np.ndarray, head: int) -> float:
    pairs = data.pairs
    won = pairs.sign[:, head] != 0
    first, second, sign = pairs.first[won], pairs.second[won], pairs.sign[won, head]
    right = np.sign(scores[first, head] - scores[second, head]) == sign
    weight = prompt_weights(pairs.prompt[won])
    return float((right * weight).sum() / weight.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ratings", type=Path, required=True)
    parser.add_argument("--backbone", default="pixelstats")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--only", nargs="*")
    args = parser.parse_args()
    config = TrainConfig(ratings=args.ratings, backbone=args.backbone)
    data = read_dataset(config)
    x = embed_files(data.files, make_backbone(args.backbone), EmbeddingCache(default_cache_dir())).vectors
    heads = [h for h in range(len(HEADS)) if not np.isnan(data.ratings[:, h]).all()]
    left_out = (frozenset(), *(frozenset({k}) for k in range(args.folds)))
    for name, objective in VARIANTS.items():
        if args.only and name not in args.only:
            continue
        rows = []
        for repeat in range(args.repeats):
            fold = folds(data.prompt, data.in_a_pair, args.folds, repeat)
            sides = Sides(np.ones(len(x), dtype=bool), fold, left_out)
            problem = multihead_problem(data, x, sides, objective or Objective())
            fit = Fit(problem, args.learning_rate, config.pairs_per_step, repeat, torch.device("cpu"))
            if objective is not None:
                for epoch in range(1, args.epochs + 1):
                    fit.run_epoch(epoch, lambda: False)
            scores = fit.scores()[fold + 1, np.arange(len(x))]
            rows.append([accuracy(data, scores, h) for h in heads])
        mean, sd = np.mean(rows, axis=0), np.std(rows, axis=0)
        print(
            f"{name:24s}",
            "  ".join(f"{HEADS[h]} {m:.3f} ± {s:.3f}" for h, m, s in zip(heads, mean, sd, strict=True)),
            flush=True,
        )


if __name__ == "__main__":
    main()
