"""Files that are there whole or not at all; tables among them, CSV and Parquet, are written a part at a time."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reward.errors import InputError
from reward.events import plain

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

METADATA: Final = "reward-studio"  # the key of our own JSON in a Parquet file's metadata


def check_output(flag: str, path: Path | None, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse, before any work, a file that couldn't or shouldn't be written when the work is done.

    Args:
        inputs: files that are read, which it must not take the place of.

    Raises:
        InputError: its folder doesn't exist, it is a folder itself, or one of the inputs.
    """
    if path is not None and not path.parent.is_dir():
        raise InputError.one(flag, f"there is no folder {path.parent}", "name a file in a folder that is there")
    if path is not None and path.is_dir():
        raise InputError.one(flag, f"{path} is a folder", "name a file")
    if path is not None and path.exists():
        same = next((one for one in inputs if one is not None and one.exists() and one.samefile(path)), None)
        if same is not None:
            raise InputError.one(flag, f"{path} is read here, and would be replaced", "name another file")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A hidden name beside `path` to write to: renamed over it when the block ends well, removed when it doesn't."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file at once."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def csv_rows(path: Path) -> Iterator[Callable[["pd.DataFrame"], None]]:
    """A function that appends frames of the same columns to a CSV."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:

        def append(frame: "pd.DataFrame") -> None:
            frame.to_csv(file, index=False, header=file.tell() == 0, lineterminator="\n")

        yield append


def write_csv(frame: "pd.DataFrame", path: Path) -> None:
    """Write a CSV at once.

    Raises:
        InputError: its folder doesn't exist.
    """
    check_output("--csv", path)
    with csv_rows(path) as append:
        append(frame)


@contextmanager
def parquet_rows(path: Path, schema: "pa.Schema", about: dict[str, Any]) -> Iterator[Callable[["pa.Table"], None]]:
    """A function that appends tables of this schema to a Parquet file, a row group each.

    Args:
        about: kept as JSON in the file's metadata, under `METADATA`.
    """
    import pyarrow.parquet as pq

    told = json.dumps(plain(about), ensure_ascii=False)
    # The file is opened here, so that a full disk is an OSError and not one of Arrow's own.
    with (
        whole_file(path) as temporary,
        temporary.open("wb") as file,
        pq.ParquetWriter(file, schema.with_metadata({METADATA: told})) as writer,
    ):
        yield writer.write_table
