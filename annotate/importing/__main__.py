"""`python -m annotate.importing --data DIR FILE …`: images, prompts and ratings into a data folder."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from annotate.errors import BadRequestError
from annotate.importing.look import look
from annotate.importing.people import name_check
from annotate.importing.plan import Options, Plan, Source
from annotate.importing.take_in import take_in
from annotate.project import Project
from annotate.store import Store
from reward.cli import EXIT_OK, report
from reward.errors import InputError


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    told = Options()
    parser = argparse.ArgumentParser(
        prog="python -m annotate.importing",
        description="Take images, prompts and ratings into a data folder: all of it, or, where anything is wrong, "
        "nothing. No studio may have the folder open meanwhile.",
    )
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="the project (default: data)")
    parser.add_argument("--prompt", default=told.prompt, metavar="ID", help="prompt of images that lie in no folder")
    parser.add_argument(
        "--annotator",
        default=told.annotator,
        metavar="NAME",
        help=f"whose ratings those are that don't tell (default: {told.annotator})",
    )
    parser.add_argument("--image-root", type=Path, metavar="DIR", help="where a CSV's relative paths are looked for")
    parser.add_argument("--replace", action="store_true", help="replace ratings and prompts that are here otherwise")
    parser.add_argument("--skip-unknown", action="store_true", help="leave out ratings of images that aren't known")
    parser.add_argument("--dry-run", action="store_true", help="tell what would come in, and change nothing")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="image, folder, zip, CSV or JSON")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = build_parser().parse_args(argv)
    return report(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    for file in arguments.files:
        if not file.exists():
            raise InputError.one(file, "does not exist", "name a file or folder")
    try:
        name_check()(arguments.annotator)
    except BadRequestError as error:
        raise InputError.one("--annotator", f"{arguments.annotator!r} can't be used", str(error)) from error
    options = Options(
        arguments.prompt,
        arguments.annotator,
        arguments.replace,
        arguments.skip_unknown,
        arguments.image_root,
        may_read=lambda _path: True,  # what the person who runs this may read
    )
    store = Store.open(Project(arguments.data))
    try:
        with look(store, [Source.of(file) for file in arguments.files], options) as plan:
            _print(plan)
            if plan.faults:
                raise InputError(plan.faults)
            if not arguments.dry_run:
                take_in(store, plan, options)
    finally:
        store.close()
    print("nothing was changed" if arguments.dry_run else "taken in" if plan.adds else "nothing new")
    return EXIT_OK


def _print(plan: Plan) -> None:
    for what, number in plan.counts.items():
        if number:
            print(f"{number:,} {what}")
    for note in plan.notes:
        print(note)


if __name__ == "__main__":
    sys.exit(main())
