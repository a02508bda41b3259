"""What the embedded default can learn from real ratings: `pixelstats` and three simple learners on the AVT images.

    python benchmarks/pixelstats_avt.py [--data DIR] [--repeats 20]

DIR holds `multihead_ratings.csv` and its images (default: $AVT_DATA, else ../shared/data/avt). Prints, for each rated
head, the share of a prompt's pairs with |Δ| ≥ 0.5 that are put in the right order, averaged over the prompts, out of
fold (5 folds by prompt, mean ± standard deviation over the repeats), and the milliseconds a 1024² picture takes.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image
from sklearn.base import RegressorMixin
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reward.aspects import ASPECTS
from reward.backbones.pixelstats import DIM, pixel_statistics

MIN_DIFFERENCE = 0.5
ALPHAS = tuple(np.geomspace(10, 1e5, 13))  # chosen on the training prompts alone, by leave-one-out

Floats = npt.NDArray[np.floating]
Learner = Callable[[int], RegressorMixin]

LEARNERS: dict[str, Learner] = {
    "ridge, z-scores": lambda seed: make_pipeline(StandardScaler(), RidgeCV(ALPHAS)),
    "ridge, quantiles": lambda seed: make_pipeline(
        QuantileTransformer(n_quantiles=50, output_distribution="normal"), StandardScaler(), RidgeCV(ALPHAS)
    ),
    "extra-trees": lambda seed: ExtraTreesRegressor(
        200, min_samples_leaf=2, max_features=0.3, random_state=seed, n_jobs=-1
    ),
}


def embed(files: list[Path]) -> Floats:
    """(files, DIM)."""
    return np.stack([pixel_statistics(Image.open(file)) for file in files])


def pair_accuracy(scores: Floats, ratings: Floats, prompts: npt.NDArray[np.object_]) -> float:
    """Mean over prompts of the share of pairs in the right order; a tie of the scores is wrong."""
    shares = []
    for prompt in pd.unique(prompts):
        wins = [
            (scores[i] - scores[j]) * (ratings[i] - ratings[j]) > 0
            for i, j in combinations(np.flatnonzero(prompts == prompt), 2)
            if round(abs(ratings[i] - ratings[j]), 6) >= MIN_DIFFERENCE
        ]
        if wins:
            shares.append(np.mean(wins))
    return float(np.mean(shares))


def out_of_fold(
    learner: Learner, X: Floats, ratings: Floats, prompts: npt.NDArray[np.object_], folds: int, seed: int
) -> Floats:
    """(images,): each image's score from a learner that saw none of its prompt."""
    scores = np.zeros(len(X))
    for train, test in GroupKFold(folds, shuffle=True, random_state=seed).split(X, groups=prompts):
        scores[test] = learner(seed).fit(X[train], ratings[train]).predict(X[test])
    return scores


def milliseconds(runs: int = 9) -> float:
    """Median processor time of one 1024² picture, the largest of the folder's kind that people usually rate."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((1024, 1024), Image.Resampling.BICUBIC)
    times = []
    for _ in range(runs):
        start = time.process_time()
        pixel_statistics(picture)
        times.append(time.process_time() - start)
    return 1e3 * float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("AVT_DATA", "../shared/data/avt")))
    parser.add_argument("--repeats", type=int, default=20)
    arguments = parser.parse_args()

    table = pd.read_csv(arguments.data / "multihead_ratings.csv")
    X = embed([arguments.data / path for path in table["image_path"]])
    prompt_count = table["prompt_id"].nunique()
    print(f"{len(X)} images of {prompt_count} prompts, {DIM} numbers an image, {milliseconds():.0f} ms at 1024²")
    print(f"{'head':10}{'pairs of ≥ ' + str(MIN_DIFFERENCE):>16}" + "".join(f"{name:>20}" for name in LEARNERS))
    for aspect in ASPECTS:
        rated = table[aspect.column].notna().to_numpy()
        if not rated.any():
            continue
        ratings, prompts = table.loc[rated, aspect.column].to_numpy(), table.loc[rated, "prompt_id"].to_numpy(object)
        cells = []
        for learner in LEARNERS.values():
            runs = [
                pair_accuracy(out_of_fold(learner, X[rated], ratings, prompts, 5, seed), ratings, prompts)
                for seed in range(arguments.repeats)
            ]
            cells.append(f"{np.mean(runs):.3f} ± {np.std(runs):.3f}")
        same = (prompts[:, None] == prompts) & (np.abs(ratings[:, None] - ratings).round(6) >= MIN_DIFFERENCE)
        print(f"{aspect.name:10}{same.sum() // 2:>16}" + "".join(f"{cell:>20}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
