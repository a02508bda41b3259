"""`python -m reward.reweigh --model DIR --set-weights spatial=0.3,… --output DIR`: weights of one's own."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reward.cli import EXIT_OK, report
from reward.errors import InputError


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m reward.reweigh", description="Copy a checkpoint with combination weights of your own."
    )
    parser.add_argument(
        "--model", required=True, metavar="DIR", help="checkpoint folder, e.g. outputs/run/best, or hub id"
    )
    parser.add_argument(
        "--set-weights", required=True, metavar="HEAD=W,…", help="a weight for every trained head; scaled to sum to 1"
    )
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="new folder for the checkpoint")
    parser.add_argument(
        "--backbone", metavar="SPEC", help="use this in place of the recorded backbone, if it is the same"
    )
    return parser


def parse_weights(text: str) -> dict[str, float]:
    """`"spatial=0.3,style=1"` → weights by head.

    Raises:
        InputError: names each part that isn't HEAD=NUMBER.
    """
    weights: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        head, _, number = part.partition("=")
        try:
            weights[head.strip()] = float(number)
        except ValueError as error:
            raise InputError.one(
                "--set-weights", f"{part!r} is not HEAD=NUMBER", "e.g. spatial=0.3,style=0.7"
            ) from error
    return weights


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = build_parser().parse_args(argv)
    return report(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    weights = parse_weights(arguments.set_weights)
    if arguments.output.exists() and (not arguments.output.is_dir() or any(arguments.output.iterdir())):
        raise InputError.one("--output", f"{arguments.output} is not empty", "name a new folder")
    from reward.lineage import origin
    from reward.model import MultiHeadReward

    model = MultiHeadReward.from_pretrained(arguments.model, backbone=arguments.backbone)
    copy = model.with_head_weights(weights, origin(Path(arguments.model)))
    copy.save_pretrained(arguments.output)
    for head, share in copy.get_head_importance().items():
        print(f"{head} {share:.3f}")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
