"""Do the trainer's heads order real pictures better than extra-trees? Both on the same folds, a head at a time.

    python benchmarks/heads_or_trees.py --ratings multihead_ratings.csv [--repeats 20] [--quick]

For each rated head: the share of a prompt's pairs that are put in the right order, mean over prompts, out of fold
(5 folds by prompt, mean over repeats), of the published default and of extra-trees on the head's own ratings, and the
difference with a paired 95 % bootstrap interval over prompts. An interval that holds 0 means that it can't be told.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.nested_objectives import all_scores, by_prompt
from benchmarks.pixelstats_avt import LEARNERS
from reward.aspects import HEADS
from reward.backbones.registry import make_backbone
from reward.config import TrainConfig
from reward.dataset import Dataset, read_dataset
from reward.embeddings import EmbeddingCache, default_cache_dir, embed_files
from reward.experiments import shown
from reward.groups import folds
from reward.metrics import bootstrap_interval
from reward.problem import Sides
from reward.training import OBJECTIVE

FOLDS = 5

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def of_heads(data: Dataset, x: npt.NDArray[np.float32], fold: Ints, config: TrainConfig, seed: int) -> Floats:
    """(N, H) out-of-fold scores of the trainer's heads."""
    left_out = (frozenset[int](), *(frozenset({k}) for k in range(FOLDS)))
    sides = Sides(np.ones(len(x), dtype=bool), fold, left_out)
    scores = all_scores(data, x, sides, OBJECTIVE, config, seed)
    picked: Floats = scores[fold + 1, np.arange(len(x))]
    return picked


def of_trees(data: Dataset, x: npt.NDArray[np.float32], fold: Ints, heads: list[int], seed: int, quick: bool) -> Floats:
    """(N, H) out-of-fold scores of extra-trees, each fitted to the ratings of one head."""
    scores = np.zeros((len(x), len(HEADS)))
    for head in heads:
        rated = ~np.isnan(data.ratings[:, head])
        for k in range(FOLDS):
            trees = LEARNERS["extra-trees"](seed)
            if quick:
                trees.set_params(n_estimators=5)
            trees.fit(x[rated & (fold != k)], data.ratings[rated & (fold != k), head])
            scores[fold == k, head] = trees.predict(x[fold == k])
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--ratings", type=Path, required=True, help="ratings CSV")
    parser.add_argument("--backbone", default="pixelstats")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="one repeat, one epoch, few trees: to see it run")
    arguments = parser.parse_args()
    config = TrainConfig(ratings=arguments.ratings, backbone=arguments.backbone)
    repeats = arguments.repeats
    if arguments.quick:
        config, repeats = dataclasses.replace(config, epochs=1), 1
    data = read_dataset(config)
    x = embed_files(data.files, make_backbone(config.backbone), EmbeddingCache(default_cache_dir())).vectors.astype(
        np.float32
    )
    heads = np.flatnonzero(~np.isnan(data.ratings).all(axis=0)).tolist()
    everything = np.ones(len(x), dtype=bool)
    found = np.zeros((2, len(HEADS), len(data.prompt_names)))  # mean over repeats
    for repeat in range(repeats):
        fold = folds(data.prompt, data.in_a_pair, FOLDS, repeat)
        ways = of_heads(data, x, fold, config, repeat), of_trees(data, x, fold, heads, repeat, arguments.quick)
        for way, scores in enumerate(ways):
            for head in heads:
                found[way, head] += by_prompt(data, scores[:, head], head, everything) / repeats
        print(f"repeat {repeat + 1}/{repeats}", file=sys.stderr, flush=True)
    print("| head | heads | extra-trees | heads less trees | 95 %, paired |")
    print("|---|---|---|---|---|")
    for head in heads:
        ours, theirs = found[:, head][:, ~np.isnan(found[0, head])]
        interval = shown(bootstrap_interval(ours - theirs))
        difference = f"{(ours - theirs).mean():+.3f}"
        print(f"| {HEADS[head]} | {ours.mean():.3f} | {theirs.mean():.3f} | {difference} | {interval} |")


if __name__ == "__main__":
    main()
