"""`python -m reward.score --model DIR IMAGE…`: per-aspect scores of image files and folders."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reward.cli import EXIT_OK, report
from reward.errors import InputError
from reward.images import list_images
from reward.textfiles import check_output, write_text


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m reward.score", description="Score images aspect by aspect.")
    parser.add_argument(
        "--model", required=True, metavar="DIR", help="checkpoint folder, e.g. outputs/run/best, or hub id"
    )
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="image files, or folders of them")
    parser.add_argument("--csv", type=Path, metavar="OUT", help="write a CSV file instead of a table to the terminal")
    parser.add_argument(
        "--backbone", metavar="SPEC", help="use this in place of the recorded backbone, if it is the same"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="where embeddings are kept")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = build_parser().parse_args(argv)
    return report(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    import logging

    from reward.scoring import load_model, score_files

    logging.disable(logging.CRITICAL)  # open_clip logs failures that our own message says better
    check_output("--csv", arguments.csv)
    paths = list_images(arguments.images)
    if not paths:
        raise InputError.one(str(arguments.images[0]), "no image in there", "name image files or folders of them")
    model = load_model(arguments.model, arguments.backbone, arguments.device)
    table = score_files(model, paths, arguments.cache_dir)
    if arguments.csv is None:
        print(table.round(3).to_string(index=False))
        return EXIT_OK
    write_text(arguments.csv, table.to_csv(index=False, lineterminator="\n"))
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
