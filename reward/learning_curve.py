"""`python -m reward.learning_curve`: would more ratings help? Held-out accuracy against the number of rated prompts."""

import argparse
import csv
import dataclasses
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from reward.aspects import ASPECTS, HEADS
from reward.checkpoints import CONFIG, RunFolder
from reward.cli import EXIT_OK, add_flags, report
from reward.config import TrainConfig
from reward.errors import InputError
from reward.evaluation import Evaluator, Round, head_pairs
from reward.experiments import (
    EXPERIMENT_FLAGS,
    Experiment,
    check_folds,
    prepare,
    shares_by_prompt,
    train_to_the_end,
)
from reward.groups import folds
from reward.metrics import bootstrap_interval
from reward.outputs import check_output, write_text
from reward.problem import Sides, multihead_problem
from reward.training import OBJECTIVE

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

COMBINED: Final = "combined"
REPEATS: Final = 3
_SIZES: Final = 7
_STEP: Final = 2**0.5  # between sizes, so that half of the prompts is one of them
_FLAT: Final = 0.02  # a doubling that gains less than two pairs in a hundred is not worth a person's days
_RISING, _FLAT_NOW, _UNTOLD = "still rising", "flat", "can't be told"


@dataclass(frozen=True)
class Point:
    """Accuracy of models that learned from `prompts` prompts; 95 % interval over measured prompts, where enough."""

    prompts: int
    accuracy: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Doubling:
    """What the last doubling of the rated prompts gained, and its 95 % interval over measured prompts."""

    before: int
    after: int
    gain: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Curve:
    """One head's accuracy by number of rated prompts, smallest first; `doubling` is None for a single size."""

    points: list[Point]
    doubling: Doubling | None

    @property
    def verdict(self) -> str:
        """`still rising`: the gain's interval lies above 0. `flat`: below `_FLAT`. Else `can't be told`."""
        if self.doubling is None or self.doubling.interval is None:
            return _UNTOLD
        low, high = self.doubling.interval
        return _RISING if low > 0 else _FLAT_NOW if high < _FLAT else _UNTOLD

    @property
    def words(self) -> str:
        """The verdict and what follows from it."""
        if self.doubling is None or self.doubling.interval is None:
            return f"{_UNTOLD}: too few prompts"
        meaning = {
            _RISING: "more rated prompts should help",
            _FLAT_NOW: f"a doubling gains less than {_FLAT:g}, so that more of the same will hardly help",
            _UNTOLD: "the interval holds a gain and none",
        }[self.verdict]
        interval = self.points[-1].interval
        guessing = "; no better than guessing so far" if interval and interval[0] <= 0.5 else ""
        return f"{self.verdict}: {meaning}{guessing}"


@dataclass(frozen=True)
class LearningCurve:
    """The curves of the rated heads and of the combined score, whose target is `target`; `prompts` were measured."""

    curves: dict[str, Curve]
    target: str
    prompts: int
    folds: int


def learning_curve(
    config: TrainConfig,
    repeats: int = REPEATS,
    after_epoch: Callable[[], object] = lambda: None,
    kept: Mapping[Path, bytes] | None = None,
) -> LearningCurve:
    """Train on ever more randomly drawn prompts and measure on a fold that isn't drawn from, each fold in turn.

    Args:
        repeats: how often prompts are drawn anew; a size's accuracy is the mean over draws.
        after_epoch: called `repeats` × epochs times.
        kept: as in `read_dataset`.

    All sizes and folds of a draw are trained side by side, each prompt being a "fold" that a member may leave out. A
    size's combination weights are fitted to its own drawn prompts, on scores of members that haven't seen them.

    Raises:
        InputError, BackboneError: as `train`; or fewer prompts than folds.
    """
    found = prepare(config, kept)
    data, count = found.data, found.folds
    assert data.pairs is not None  # multihead mode
    eligible = np.zeros(len(found.x), dtype=bool)
    decided = data.pairs.sign.any(axis=1)
    eligible[data.pairs.first[decided]] = eligible[data.pairs.second[decided]] = True
    check_folds(len(np.unique(found.groups[eligible])), count)
    fold = folds(found.groups, eligible, count, config.seed)
    sizes = curve_sizes(min(len(np.unique(found.groups[(fold >= 0) & (fold != k)])) for k in range(count)))
    shares: dict[tuple[str, int], list[Floats]] = {}
    for draw in range(repeats):
        wanted = sizes if draw == 0 else sizes[:-1]  # there is one way of drawing all
        if not wanted:
            break
        sides = draw_sides(found.groups, fold, count, wanted, config.seed + draw)
        scores = _scores(found, sides, config, config.seed + draw, after_epoch)
        for number, size in enumerate(wanted):
            members = range(number * count, (number + 1) * count)
            rounds = [Round(sides.sees(member), fold == k) for k, member in enumerate(members)]
            for name, share in _shares(found, fold, rounds, scores[members], config.seed).items():
                shares.setdefault((name, size), []).append(share)
    curves = {name: _curve(name, sizes, shares, config.seed) for name, size in shares if size == sizes[-1]}
    return LearningCurve(curves, data.target, len(np.unique(data.prompt[fold >= 0])), count)


def _scores(
    found: Experiment, sides: Sides, config: TrainConfig, seed: int, after_epoch: Callable[[], object]
) -> Floats:
    """(M, N, 5) scores of all members; NaN on heads without ratings, which would only take time."""
    problem = multihead_problem(found.data, found.x, sides, OBJECTIVE)
    rated = ~np.isnan(found.data.ratings).all(axis=0)
    parts = {name: getattr(problem, name)[..., rated] for name in ("ratings", "label", "weight")}
    scores = np.full((problem.members, len(found.x), len(HEADS)), np.nan)
    scores[..., rated] = train_to_the_end(dataclasses.replace(problem, **parts), config, seed, after_epoch)
    return scores


def curve_sizes(most: int) -> list[int]:
    """Numbers of prompts to learn from, smallest first: `most` and some of its parts, each √2 of the one before."""
    return sorted({round(most / _STEP**number) for number in range(_SIZES)} - {0, 1})


def draw_sides(groups: Ints, fold: Ints, count: int, sizes: Sequence[int], seed: int) -> Sides:
    """A member for each size and fold, folds varying fastest: it learns that many groups of the other folds.

    A smaller size's groups are among a larger one's, so that their difference isn't one of luck in drawing.
    """
    random = np.random.default_rng(seed)
    inside = fold >= 0
    orders = [random.permutation(np.unique(groups[inside & (fold != k)])).tolist() for k in range(count)]
    every = frozenset(np.unique(groups[inside]).tolist())
    left_out = tuple(every - frozenset(order[:size]) for size in sizes for order in orders)
    return Sides(inside, np.where(inside, groups, -1), left_out)


def _shares(found: Experiment, fold: Ints, rounds: Sequence[Round], scores: Floats, seed: int) -> dict[str, Floats]:
    """By head, the share of each prompt's pairs in the right order; `scores` (folds, N, H) of one size's members."""
    data, inside = found.data, fold >= 0
    unseen = np.where(inside[:, None], scores[fold, np.arange(len(fold))], np.nan)
    evaluator = Evaluator(data, [""] * len(fold), rounds, inside, "out-of-fold", seed)
    ordered = {head: (head_pairs(data, HEADS.index(head)), unseen[:, HEADS.index(head)]) for head in evaluator.trained}
    ordered[COMBINED] = (data.combined, evaluator.combined_logits(unseen))
    shares = {name: shares_by_prompt(pairs.inside(inside), score) for name, (pairs, score) in ordered.items()}
    return {name: share for name, share in shares.items() if len(share)}


def _curve(name: str, sizes: Sequence[int], shares: dict[tuple[str, int], list[Floats]], seed: int) -> Curve:
    by_size = {size: np.mean(shares[name, size], axis=0) for size in sizes}
    points = [Point(size, float(share.mean()), bootstrap_interval(share, seed)) for size, share in by_size.items()]
    after, doubling = sizes[-1], None
    before = min(sizes, key=lambda size: abs(size - after / 2))
    if before != after:
        gain = by_size[after] - by_size[before]
        doubling = Doubling(before, after, float(gain.mean()), bootstrap_interval(gain, seed))
    return Curve(points, doubling)


def as_json(found: LearningCurve, config: TrainConfig, repeats: int) -> dict[str, Any]:
    """The result for programs; docs/training.md describes it."""
    return {
        "format": 1,
        "backbone": config.backbone,
        "target": found.target,
        "prompts": found.prompts,
        "folds": found.folds,
        "repeats": repeats,
        "epochs": config.total_epochs,
        "seed": config.seed,
        "curves": {
            name: {
                "points": [dataclasses.asdict(point) for point in curve.points],
                "doubling": dataclasses.asdict(curve.doubling) if curve.doubling else None,
                "verdict": curve.verdict,
                "words": curve.words,
            }
            for name, curve in found.curves.items()
        },
    }


def as_csv(found: LearningCurve) -> str:
    """A line a head and size."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["head", "prompts", "accuracy", "low", "high"])
    for name, curve in found.curves.items():
        for point in curve.points:
            writer.writerow([name, point.prompts, point.accuracy, *(point.interval or ("", ""))])
    return buffer.getvalue()


def build_parser() -> argparse.ArgumentParser:
    """The command line: the trainer's flags that apply, and this command's own."""
    parser = argparse.ArgumentParser(
        prog="python -m reward.learning_curve",
        description="Would more ratings help? Held-out accuracy of each head against the number of rated prompts.",
    )
    add_flags(parser, EXPERIMENT_FLAGS)
    parser.add_argument(
        "--repeats", type=int, default=REPEATS, help=f"how often prompts are drawn anew (default: {REPEATS})"
    )
    parser.add_argument(
        "--run", type=Path, metavar="DIR", help="read the input files as this run, which learned from them, keeps them"
    )
    parser.add_argument("--csv", type=Path, metavar="OUT", help="write the curves as CSV too")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the curves and answers as JSON too")
    parser.add_argument(
        "--progress", type=Path, metavar="OUT", help="append a JSON line an epoch that tells how many are done"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = vars(build_parser().parse_args(argv))
    own = {name: arguments.pop(name) for name in ("repeats", "run", "csv", "json", "progress")}
    return report(lambda: _run(TrainConfig(**arguments), **own))


def _run(
    config: TrainConfig,
    *,
    repeats: int,
    run: Path | None,
    csv: Path | None,
    json: Path | None,
    progress: Path | None,
) -> int:
    from tqdm import tqdm

    if repeats < 1:
        raise InputError.one("--repeats", f"{repeats} is too few", "at least 1")
    for flag, file in (("--csv", csv), ("--json", json), ("--progress", progress)):
        check_output(flag, file, [config.ratings, config.pairs, config.prompts])
    kept = _kept_by(run, config) if run is not None else None
    total = repeats * config.total_epochs
    with tqdm(total=total, unit="epoch", desc="training", file=sys.stderr, disable=None, leave=False) as bar:
        counter = _Counter(total, progress)

        def after_epoch() -> None:
            bar.update()
            counter.add()

        found = learning_curve(config, repeats, after_epoch, kept)
    if csv is not None:
        write_text(csv, as_csv(found))
    if json is not None:
        write_text(json, dumps(as_json(found, config, repeats), indent=2) + "\n")
    print(table(found, repeats))
    return EXIT_OK


def _kept_by(run: Path, config: TrainConfig) -> dict[Path, bytes]:
    if not (run / CONFIG).is_file():
        raise InputError.one("--run", f"{run} holds no run that was trained", "give the folder of one")
    kept = RunFolder(run).inputs(config)
    if kept is None:
        raise InputError.one(
            "--run",
            f"{run} learned from other files",
            "give --ratings, --pairs and --prompts as they stand in its config.json",
        )
    return kept


class _Counter:
    """Tells a file how many epochs are done, for whoever looks from outside."""

    def __init__(self, total: int, file: Path | None) -> None:
        self._done, self._total, self._file = 0, total, file

    def add(self) -> None:
        self._done += 1
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(dumps({"done": self._done, "total": self._total}) + "\n")


def table(found: LearningCurve, repeats: int) -> str:
    """What the command prints: accuracies with intervals, a row a size; then the answers."""
    labels = {**{aspect.name: aspect.label for aspect in ASPECTS}, COMBINED: "Combined"}
    lines = [
        "share of pairs in the right order, by the number of rated prompts learned from "
        f"(prompts: {found.prompts}, folds: {found.folds}, draws: {repeats})",
        f"combined: {found.target}; in brackets: 95 % interval over prompts",
        "prompts" + "".join(f"{labels[name]:>17s}" for name in found.curves),
    ]
    rows = zip(*(curve.points for curve in found.curves.values()), strict=True)
    lines += [f"{row[0].prompts:7d}" + "".join(f"{_cell(point):>17s}" for point in row) for row in rows]
    lines += ["", "Would more ratings help?"]
    for name, curve in found.curves.items():
        change = ""
        if (last := curve.doubling) is not None:
            interval = f" ({last.interval[0]:+.3f} – {last.interval[1]:+.3f})" if last.interval else ""
            change = f"{last.before} → {last.after} prompts: {last.gain:+.3f}{interval}  "
        lines.append(f"{labels[name]:13s} {change}{curve.words}")
    return "\n".join(lines)


def _cell(point: Point) -> str:
    interval = " ({:.2f}–{:.2f})".format(*point.interval) if point.interval else ""
    return f"{point.accuracy:.3f}{interval}".replace("0.", ".")


if __name__ == "__main__":
    sys.exit(main())
