"""Agreement among raters: every head's α and every person's report; `python -m annotate.agreement --ratings FILE`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from annotate.alpha import HeadAgreement, head_agreements
from annotate.disputed import most_disputed
from annotate.rated import Rated, rated_of_table
from annotate.raters import PersonReport, person_reports
from reward.aspects import BY_NAME
from reward.cli import EXIT_OK, add_flags, report
from reward.errors import InputError
from reward.ratings import read_ratings
from reward.resampling import BOOTSTRAP_ROUNDS


@dataclass(frozen=True)
class Agreement:
    """All figures of a project's ratings."""

    heads: list[HeadAgreement]
    people: list[PersonReport]
    images: int

    @classmethod
    def of(cls, rated: Rated, seed: int = 0) -> "Agreement":
        """Compute them. 10,000 images rated on five heads by 50 people each take about two seconds."""
        return cls(head_agreements(rated, seed), person_reports(rated, seed), rated.images)

    @property
    def comparable(self) -> bool:
        """Whether any image was rated by two people."""
        return any(head.images for head in self.heads)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m annotate.agreement",
        description="Tell how far people agree on each head, and each person's bias, spread, halo and signal.",
    )
    add_flags(parser, ["ratings", "image_root"])
    parser.add_argument("--most", type=int, default=5, metavar="N", help="disputed images to list (default: 5)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = build_parser().parse_args(argv)
    return report(lambda: _run(arguments.ratings, arguments.image_root, arguments.most))


def _run(ratings: Path | None, image_root: Path | None, most: int) -> int:
    if ratings is None:
        raise InputError.one("--ratings", "missing", "name a ratings CSV with an annotator column")
    table = read_ratings(ratings, image_root, check_images=False)
    if not table.has_annotators:
        raise InputError.one(ratings, "no annotator column", "agreement needs to know who gave which rating")
    rated = rated_of_table(table)
    agreement = Agreement.of(rated)
    print("\n".join([*_head_lines(agreement), "", *_person_lines(agreement)]))
    paths = table.frame.drop_duplicates(["prompt_id", "file"])["image_path"].tolist()
    for one in most_disputed(rated, most=max(most, 0)):
        told = ", ".join(f"{name} {value:g}" for name, value in one.ratings)
        print(f"people differ: {paths[one.image_id]} {one.head}, SD {_number(one.spread)}: {told}")
    return EXIT_OK


def _head_lines(agreement: Agreement) -> Iterator[str]:
    yield f"{'head':14s} {'alpha':>6s} {'95 % interval':>15s} {'images':>7s} {'prompts':>8s} {'people':>7s}"
    for head in agreement.heads:
        figures = f"{_number(head.alpha):>6s} {_span(head.interval):>15s}"
        counts = f"{head.images:7d} {head.prompts:8d} {head.people:7d}"
        yield f"{BY_NAME[head.head].label:14s} {figures} {counts}  {head.note}".rstrip()
    yield f"interval: bootstrap over prompts, {BOOTSTRAP_ROUNDS} resamples"


def _person_lines(agreement: Agreement) -> Iterator[str]:
    columns = (
        "images",
        "bias",
        "spread",
        "others'",
        "halo",
        "others'",
        "follows",
        "95 % interval",
        "repeat",
        "seconds",
    )
    widths = (6, 6, 6, 7, 6, 7, 7, 14, 6, 7)
    heading = " ".join(f"{name:>{width}s}" for name, width in zip(columns, widths, strict=True))
    yield f"{'person':24s} {heading}"
    for one in agreement.people:
        figures = (
            *(str(one.images), _number(one.mean_bias, "+"), _number(one.spread), _number(one.others_spread)),
            *(_number(one.halo), _number(one.others_halo), _number(one.correlation), _span(one.interval)),
            *(_number(one.repeat_error), "–" if one.seconds is None else f"{one.seconds:.1f}"),
        )
        cells = " ".join(f"{cell:>{width}s}" for cell, width in zip(figures, widths, strict=True))
        told = "; ".join([*(f"NO SIGNAL: {why}" for why in one.no_signal), *one.notes])
        yield f"{one.name:24s} {cells}  {told}".rstrip()


def _number(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.2f}"


def _span(bounds: tuple[float, float] | None) -> str:
    return "–" if bounds is None else f"{bounds[0]:.2f} – {bounds[1]:.2f}"


if __name__ == "__main__":
    sys.exit(main())
