"""`python -m reward.score --model DIR IMAGE…`: per-aspect scores of image files and folders."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reward.aspects import HEADS
from reward.cli import EXIT_OK, image_bar, report
from reward.errors import InputError
from reward.images import list_images
from reward.outputs import check_output, csv_rows, parquet_rows

if TYPE_CHECKING:
    import pandas as pd

    from reward.model import MultiHeadReward


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m reward.score", description="Score images aspect by aspect.")
    parser.add_argument(
        "--model", required=True, metavar="DIR", help="checkpoint folder, e.g. outputs/run/best, or hub id"
    )
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="image files, or folders of them")
    parser.add_argument("--csv", type=Path, metavar="OUT", help="write a CSV file instead of a table to the terminal")
    parser.add_argument("--parquet", type=Path, metavar="OUT", help="write a Parquet file; may stand beside --csv")
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

    import pandas as pd

    from reward.images import silence_bomb_warnings
    from reward.scoring import load_model, score_in_chunks

    logging.disable(logging.CRITICAL)  # open_clip logs failures that our own message says better
    silence_bomb_warnings()
    paths = list_images(arguments.images)
    check_output("--csv", arguments.csv, paths)
    check_output("--parquet", arguments.parquet, paths)
    if not paths:
        raise InputError.one(str(arguments.images[0]), "no image in there", "name image files or folders of them")
    model = load_model(arguments.model, arguments.backbone, arguments.device)
    table: list[pd.DataFrame] = []
    with image_bar(len(paths)) as progress, ExitStack() as files:
        writers = []
        if arguments.csv is not None:
            writers.append(files.enter_context(csv_rows(arguments.csv)))
        if arguments.parquet is not None:
            writers.append(files.enter_context(scores_parquet(arguments.parquet, model)))
        for part in score_in_chunks(model, paths, arguments.cache_dir, progress):
            for write in writers or [table.append]:
                write(part)
    if table:
        print(pd.concat(table).round(3).to_string(index=False))
    return EXIT_OK


@contextmanager
def scores_parquet(path: Path, model: "MultiHeadReward") -> "Iterator[Callable[[pd.DataFrame], None]]":
    """A function that appends scores to a Parquet file that tells which model they are from."""
    import pyarrow as pa

    numbers = [pa.field(name, pa.float32()) for name in (*HEADS, "combined")]
    schema = pa.schema([pa.field("image", pa.string()), *numbers])
    about = {
        "model_sha256": model.fingerprint(),
        "backbone": model.config.backbone["identity"],
        "score_unit": model.config.score_unit,
        "target": model.config.target,
        "importance": model.get_head_importance(),
    }
    with parquet_rows(path, schema, about) as append:
        yield lambda frame: append(pa.Table.from_pandas(frame, schema, preserve_index=False))


if __name__ == "__main__":
    sys.exit(main())
