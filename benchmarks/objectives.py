"""Which objective orders pictures best: repeated cross-validation by prompt on ratings of real people.

    python benchmarks/objectives.py --ratings multihead_ratings.csv --people ratings_per_annotator.csv

For each objective and head: the share of held-out pairs in the right order (mean over prompts; repeats: mean ± SD), and
the mean absolute error in rating points. Objectives that aren't anchored to ratings get a linear map first, fitted on
the out-of-fold scores of the other folds.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reward.aspects import HEADS, RATING_COLUMNS
from reward.backbones.registry import make_backbone
from reward.combination import prompt_weights
from reward.config import TrainConfig
from reward.dataset import Dataset, read_dataset
from reward.embeddings import EmbeddingCache, default_cache_dir, embed_files
from reward.fitting import Fit
from reward.groups import folds
from reward.losses import Objective
from reward.problem import Problem, Sides, multihead_problem
from reward.ratings import read_ratings

Floats = npt.NDArray[np.float64]

VARIANTS: dict[str, Objective | None] = {
    "pairs (Bradley-Terry)": Objective(ratings=0),
    "pairs + margin": Objective(ratings=0, margin=True),
    "pairs + ties (Rao-Kupper)": Objective(ratings=0, ties=True),
    "pairs + 0.1 ratings": Objective(ratings=0.1),
    "pairs + ties + 0.1 ratings": Objective(ratings=0.1, ties=True),
    "pairs + 1 ratings": Objective(ratings=1),
    "pairs + ties + 1 ratings": Objective(ratings=1, ties=True),
    "ratings alone": Objective(pairs=0),
    "soft labels (people's shares)": Objective(ratings=0),
    "the start (ridge on ratings)": None,
}
SOFT = "soft labels (people's shares)"


def accuracy(data: Dataset, score: Floats, head: int) -> float:
    """Share of pairs in the right order, mean over prompts."""
    assert data.pairs is not None
    won = data.pairs.sign[:, head] != 0
    first, second, sign = data.pairs.first[won], data.pairs.second[won], data.pairs.sign[won, head]
    right = np.sign(score[first] - score[second]) == sign
    return float(np.average(right, weights=prompt_weights(data.pairs.prompt[won])))


def error(ratings: Floats, score: Floats, fold: npt.NDArray[np.int64], anchored: bool) -> float:
    """Mean absolute error in rating points, after a linear map from the other folds where nothing anchors scores."""
    rated = ~np.isnan(ratings)
    predicted = score.copy()
    if not anchored:
        for k in np.unique(fold):
            slope, level = np.polyfit(score[rated & (fold != k)], ratings[rated & (fold != k)], 1)
            predicted[fold == k] = slope * score[fold == k] + level
    return float(np.abs(predicted - ratings)[rated].mean())


def soft_labels(problem: Problem, data: Dataset, people: Path) -> Problem:
    """The problem with labels = share of the people who rated both and preferred the first, ties half."""
    frame = read_ratings(people).frame
    row = {
        (data.prompt_names[p], str(file)): n for n, (p, file) in enumerate(zip(data.prompt, data.files, strict=True))
    }
    who = frame["annotator"].astype("category").cat.codes.to_numpy()
    table = np.full((who.max() + 1, len(data.files), len(HEADS)), np.nan)
    at = [row[key] for key in zip(frame["prompt_id"], frame["file"], strict=True)]
    table[who, at] = frame[list(RATING_COLUMNS)].to_numpy()
    delta = table[:, problem.first] - table[:, problem.second]  # (people, P, H)
    asked = (~np.isnan(delta)).sum(axis=0)
    label = np.where(asked > 0, np.nansum((np.sign(delta) + 1) / 2, axis=0) / np.maximum(asked, 1), 0.5)
    weight = np.where(asked > 0, problem.weight[0], 0)
    return dataclasses.replace(problem, label=label[None], weight=weight[None])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--ratings", type=Path, required=True, help="ratings CSV")
    parser.add_argument("--people", type=Path, help="the same by annotator, for soft labels")
    parser.add_argument("--backbone", default="pixelstats")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--folds", type=int, default=5)
    arguments = parser.parse_args()
    config = TrainConfig(ratings=arguments.ratings, backbone=arguments.backbone)
    data = read_dataset(config)
    x = embed_files(data.files, make_backbone(config.backbone), EmbeddingCache(default_cache_dir())).vectors
    heads = [head for head in range(len(HEADS)) if not np.isnan(data.ratings[:, head]).all()]
    left_out = (frozenset[int](), *(frozenset({k}) for k in range(arguments.folds)))
    print("| objective | " + " | ".join(f"{HEADS[head]} accuracy | error" for head in heads) + " |")
    print("|---" * (1 + 2 * len(heads)) + "|")
    for name, objective in VARIANTS.items():
        if name == SOFT and arguments.people is None:
            continue
        rows = []
        for repeat in range(arguments.repeats):
            fold = folds(data.prompt, data.in_a_pair, arguments.folds, repeat)
            sides = Sides(np.ones(len(x), dtype=bool), fold, left_out)
            problem = multihead_problem(data, x, sides, objective or Objective())
            if name == SOFT:
                problem = soft_labels(problem, data, arguments.people)
            fit = Fit(problem, config.learning_rate, config.pairs_per_step, repeat, torch.device("cpu"))
            for epoch in range(1, config.total_epochs + 1) if objective is not None else ():
                fit.run_epoch(epoch, lambda: False)
            score = fit.scores()[fold + 1, np.arange(len(x))]
            anchored = objective is None or objective.ratings > 0
            rows.append(
                [
                    (accuracy(data, score[:, h], h), error(data.ratings[:, h], score[:, h], fold, anchored))
                    for h in heads
                ]
            )
        mean, deviation = np.mean(rows, axis=0), np.std(rows, axis=0)
        cells = [f"{m[0]:.3f} ± {s[0]:.3f} | {m[1]:.2f}" for m, s in zip(mean, deviation, strict=True)]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
