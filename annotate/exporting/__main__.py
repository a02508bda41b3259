"""`python -m annotate.exporting --data DIR --format FORMAT --output FILE`: ratings as a file."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from annotate.exporting.current import take_current
from annotate.exporting.formats import FORMATS
from annotate.project import Project
from annotate.store import Store
from reward.cli import EXIT_OK, report
from reward.errors import InputError
from reward.outputs import check_output, whole_file


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m annotate.exporting",
        description="Write the ratings of a data folder as a file. No studio may have the folder open meanwhile.",
    )
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="the project (default: data)")
    parser.add_argument("--format", choices=list(FORMATS), required=True, help="what to write")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="a file that is not there yet")
    parser.add_argument("--simulated", action="store_true", help="of the sample, the simulated people's ratings")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = build_parser().parse_args(argv)
    return report(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    project = Project(arguments.data)
    if not project.database.is_file():
        raise InputError.one("--data", f"{arguments.data} holds no studio.db", "name the folder that a studio serves")
    check_output("--output", arguments.output)
    if arguments.output.exists():
        raise InputError.one("--output", f"{arguments.output} is there already", "name another file, or remove it")
    store = Store.open(project)
    try:
        current = take_current(store, simulated=arguments.simulated)
        pieces = FORMATS[arguments.format].pieces(current)
        with whole_file(arguments.output) as temporary, temporary.open("wb") as file:
            file.writelines(pieces)
    finally:
        store.close()
    print(f"{arguments.output}: {len(current.rated):,} rated images of {len(current.images):,}")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
