"""`python -m reward.correct --ratings CSV`: each annotator's bias and inconsistency, and ratings without them."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reward.aspects import HEADS, MAX_RATING, MIN_RATING, RATING_COLUMNS
from reward.cli import EXIT_OK, add_flags, report
from reward.errors import InputError
from reward.outputs import check_output, write_csv
from reward.raters import RaterModel
from reward.ratings import RatingsTable, read_ratings


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m reward.correct",
        description="Tell each annotator's bias and inconsistency, and write ratings corrected for them.",
    )
    add_flags(parser, ["ratings", "image_root"])
    parser.add_argument("--csv", type=Path, metavar="OUT", help="write a ratings CSV, one corrected row an image")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = build_parser().parse_args(argv)
    return report(lambda: _run(arguments.ratings, arguments.image_root, arguments.csv))


def _run(ratings: Path | None, image_root: Path | None, out: Path | None) -> int:
    if ratings is None:
        raise InputError.one("--ratings", "missing", "name a ratings CSV with an annotator column")
    check_output("--csv", out, [ratings])
    table = read_ratings(ratings, image_root, check_images=False)
    if not table.has_annotators:
        raise InputError.one(ratings, "no annotator column", "corrections need to know who gave which rating")
    people = table.by_person()
    model = RaterModel.of(people, int(people.image.max()) + 1)
    _print(model)
    if out is not None:
        _write(table, model, out)
    return EXIT_OK


def _print(model: RaterModel) -> None:
    for number, head in enumerate(HEADS):
        fit = model.fits[number]
        if not fit.ratings.any():
            continue
        print(f"{head}\n  {'annotator':24s} {'bias':>6s} {'inconsistency':>14s} {'ratings':>8s}")
        for person in np.argsort(-np.nan_to_num(fit.bias, nan=-99)):
            if fit.ratings[person]:
                spread = fit.inconsistency[person]
                shown = "–" if np.isnan(spread) else f"{spread:.2f}"
                print(f"  {model.names[person]:24s} {fit.bias[person]:+6.2f} {shown:>14s} {fit.ratings[person]:8d}")
        for note in model.notes(number):
            print(f"  {note}")


def _write(table: RatingsTable, model: RaterModel, out: Path) -> None:
    frame = table.frame.drop_duplicates(["prompt_id", "file"])[["prompt_id", "image_path"]].reset_index(drop=True)
    frame[list(RATING_COLUMNS)] = np.clip(model.corrected, MIN_RATING, MAX_RATING).round(3)
    write_csv(frame, out)


if __name__ == "__main__":
    sys.exit(main())
