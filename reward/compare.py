"""`python -m reward.compare`: do five heads pay? The same pictures, folds and target for heads and simpler models.

Fine-grained feedback doesn't win by itself: this tells on data of one's own.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from reward.cli import EXIT_OK, add_flags, report
from reward.config import TrainConfig
from reward.dataset import Dataset
from reward.evaluation import Evaluator
from reward.experiments import EXPERIMENT_FLAGS, prepare, shares_by_prompt, shown, train_to_the_end
from reward.linear import FoldRidge, Normaliser
from reward.metrics import bootstrap_interval
from reward.pairs import rating_pairs
from reward.problem import Problem, multihead_problem, pairs_problem
from reward.training import OBJECTIVE
from reward.validation import CrossValidation

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_TREES: Final = 300


@dataclass(frozen=True)
class Comparison:
    """One way of learning the overall target.

    Attributes:
        name: what it is.
        accuracy: mean over prompts of the share of pairs in the right order, by models that haven't seen the prompt.
        interval: 95 % bootstrap interval over prompts; None with too few.
        difference: accuracy less that of the five heads, with its interval over the same prompts.
    """

    name: str
    accuracy: float
    interval: tuple[float, float] | None
    difference: float
    difference_interval: tuple[float, float] | None


def compare(config: TrainConfig) -> tuple[list[Comparison], str]:
    """Train each way on the same embeddings and folds: the comparisons, heads first, and where the target is from.

    Raises:
        InputError, BackboneError: as `train`; or fewer prompts than folds.
    """
    found = prepare(config)
    data, x = found.data, found.x
    validation = CrossValidation(found.groups, data.in_a_pair, found.folds, config.seed)
    scores = {
        "five heads + weights": _heads(data, x, validation, config),
        "one head on the overall target": _one_head(data, x, validation, config),
        "ridge": _ridge(data, x, validation.sides.fold),
        "extra-trees": _trees(data, x, validation.sides.fold, config.seed),
    }
    shares = {name: shares_by_prompt(data.combined, score) for name, score in scores.items()}
    heads = next(iter(shares.values()))
    return [_summary(name, share, heads, config.seed) for name, share in shares.items()], data.target


def _heads(data: Dataset, x: npt.NDArray[np.floating], validation: CrossValidation, config: TrainConfig) -> Floats:
    """(N,) combined scores of five heads, weights from the other folds."""
    problem = multihead_problem(data, x, validation.sides, OBJECTIVE)
    unseen = _unseen(problem, validation, config)
    evaluator = Evaluator(data, [""] * len(x), validation.rounds, validation.sides.train, validation.name, config.seed)
    return evaluator.combined_logits(unseen)


def _one_head(data: Dataset, x: npt.NDArray[np.floating], validation: CrossValidation, config: TrainConfig) -> Floats:
    """(N,) scores of a single head: on the preferences where there are any, else on the mean over rated heads."""
    if data.has_preferences:
        problem = pairs_problem(data, x, validation.sides)
    else:
        mean = _mean_rating(data)[:, None]
        pairs = rating_pairs(data.prompt, mean, config.min_rating_diff, config.seed)
        overall = replace(data, ratings=mean, pairs=pairs, corrects=False)
        problem = multihead_problem(overall, x, validation.sides, OBJECTIVE)
    return _unseen(problem, validation, config)[:, 0]


def _unseen(problem: Problem, validation: CrossValidation, config: TrainConfig) -> Floats:
    """(N, H) scores after all epochs, each image's by the member that left its fold out."""
    return validation.unseen(train_to_the_end(problem, config, config.seed))


def _ridge(data: Dataset, x: npt.NDArray[np.floating], fold: Ints) -> Floats:
    """(N,) scores of a ridge regression on each image's target."""
    target = _image_target(data)
    known = ~np.isnan(target)
    ridge = FoldRidge(x[known], target[known] - target[known].mean(), data.prompt[known], fold[known], {})
    scores = np.zeros(len(x))
    for k, fit in enumerate(ridge.fit_all([(frozenset({k}), 0) for k in range(fold.max() + 1)])):
        normal = Normaliser.of(x[known & (fold != k)])
        scores[fold == k] = normal(x[fold == k]) @ fit.coefficients
    return scores


def _trees(data: Dataset, x: npt.NDArray[np.floating], fold: Ints, seed: int) -> Floats:
    """(N,) scores of extremely randomised trees (Geurts, Ernst and Wehenkel 2006) on each image's target."""
    from sklearn.ensemble import ExtraTreesRegressor

    target = _image_target(data)
    known = ~np.isnan(target)
    scores = np.zeros(len(x))
    for k in range(fold.max() + 1):
        trees = ExtraTreesRegressor(_TREES, random_state=seed, min_samples_leaf=2)
        scores[fold == k] = trees.fit(x[known & (fold != k)], target[known & (fold != k)]).predict(x[fold == k])
    return scores


def _mean_rating(data: Dataset) -> Floats:
    """(N,) mean over the heads an image is rated on, NaN where on none."""
    rated = ~np.isnan(data.ratings)
    count = rated.sum(axis=1)
    mean: Floats = np.where(count > 0, np.where(rated, data.ratings, 0).sum(axis=1) / np.maximum(count, 1), np.nan)
    return mean


def _image_target(data: Dataset) -> Floats:
    """(N,) what a regression learns: the share of comparisons an image wins within its prompt, or its mean rating."""
    if not data.has_preferences:
        return _mean_rating(data)
    pairs = data.combined
    won, asked = np.zeros(len(data.files)), np.zeros(len(data.files))
    np.add.at(won, pairs.first, pairs.label)
    np.add.at(won, pairs.second, 1 - pairs.label)
    np.add.at(asked, pairs.first, 1)
    np.add.at(asked, pairs.second, 1)
    share: Floats = np.where(asked > 0, won / np.maximum(asked, 1), np.nan)
    return share


def _summary(name: str, share: Floats, heads: Floats, seed: int) -> Comparison:
    difference = share - heads
    same = share is heads
    return Comparison(
        name=name,
        accuracy=float(share.mean()),
        interval=bootstrap_interval(share, seed),
        difference=float(difference.mean()),
        difference_interval=None if same else bootstrap_interval(difference, seed),
    )


def verdict(found: Sequence[Comparison]) -> str:
    """In words, whether five heads order pictures better than the best of the others."""
    best = max(found[1:], key=lambda one: one.accuracy)
    if best.difference_interval is None:
        return "Too few prompts to tell a difference."
    low, high = best.difference_interval
    if low > 0:
        return f"{best.name} orders pictures better than five heads here."
    if high < 0:
        return f"Five heads order pictures better than {best.name}, the next best, here."
    return f"No difference between five heads and {best.name}, the best of the others, can be told on this data."


def build_parser() -> argparse.ArgumentParser:
    """The command line: the trainer's flags that apply."""
    parser = argparse.ArgumentParser(
        prog="python -m reward.compare",
        description="Compare five heads with one head, ridge and extra-trees on the same folds of your own data.",
    )
    add_flags(parser, EXPERIMENT_FLAGS)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = vars(build_parser().parse_args(argv))
    return report(lambda: _run(TrainConfig(**arguments)))


def _run(config: TrainConfig) -> int:
    found, target = compare(config)
    print(f"share of pairs in the right order, out of fold; target: {target}")
    print(f"{'':32s} accuracy  95 % interval    less five heads")
    for one in found:
        print(
            f"{one.name:32s} {one.accuracy:8.3f}  {shown(one.interval):15s}  "
            f"{one.difference:+.3f} {shown(one.difference_interval)}".rstrip()
        )
    print(verdict(found))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
