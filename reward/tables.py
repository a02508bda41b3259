"""CSV tables: separator and shape found out, every misshapen line named, cells as text or numbers."""

import csv
import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward.errors import Fault, InputError
from reward.textfiles import read_text

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CsvTable:
    """A CSV file whose lines all have as many cells as its header."""

    path: Path
    text: str
    data: bytes  # the text's, since a copy of a large file takes longer than to look through it
    separator: str
    columns: tuple[str, ...]

    @cached_property
    def lines(self) -> list[int]:
        """Line number of each data row. A quoted cell may span lines, so rows and lines differ."""
        return [line for line, _ in _records(self.text, self.separator)][1:]

    def fault(self, row: int, problem: str, remedy: str) -> Fault:
        """A fault of data row `row` (from 0), with its line."""
        return Fault(str(self.path), self.lines[row], problem, remedy)

    def frame(self, strings: Sequence[str], numbers: Sequence[str]) -> "tuple[pd.DataFrame, list[Fault]]":
        """The named columns: `strings` stripped, `numbers` as float64 with NaN for blank cells.

        Returns:
            The frame, and a fault for every cell of `numbers` that is no number (NaN in the frame).
        """
        import pandas as pd

        options = {
            "sep": self.separator,
            "usecols": [*strings, *numbers],
            "keep_default_na": False,
            "na_values": {name: [""] for name in numbers},
            "skip_blank_lines": True,
        }
        decimal = "," if self.separator == ";" else "."
        faults: list[Fault] = []
        try:
            frame = _typed(self.data, strings, numbers, decimal=decimal, **options)
        except ValueError:
            # Some cell is no number: read all as text and find each.
            frame = pd.read_csv(io.StringIO(self.text), dtype="str", **options)
            for name in numbers:
                cells = frame[name].fillna("").str.strip()
                if decimal == ",":
                    cells = cells.str.replace(",", ".", regex=False)
                values = pd.to_numeric(cells.where(cells != ""), errors="coerce")
                for row in (values.isna() & (cells != "")).to_numpy().nonzero()[0]:
                    wrong = frame[name].iloc[row]
                    faults.append(
                        self.fault(
                            int(row), f"{name} is {wrong!r}, not a number", "give a number or leave the cell blank"
                        )
                    )
                frame[name] = values.astype("float64")
        for name in strings:
            frame[name] = frame[name].str.strip()
        return frame, faults


def _typed(data: bytes, strings: Sequence[str], numbers: Sequence[str], **options: Any) -> "pd.DataFrame":
    """What pandas reads, with these types.

    Text that pandas finds out by itself it reads four times as fast as text that it is told of; so it is told only
    where a column, or a part of it, looks like something else, as `007` looks like a number.
    """
    import pandas as pd

    as_numbers = dict.fromkeys(numbers, "float64")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.DtypeWarning)  # of such a part
        frame = pd.read_csv(io.BytesIO(data), dtype=as_numbers, **options)
    if all(isinstance(frame[name].dtype, pd.StringDtype) for name in strings):
        return frame
    return pd.read_csv(io.BytesIO(data), dtype={**dict.fromkeys(strings, "str"), **as_numbers}, **options)


def open_csv(path: Path, kind: str, required: Iterable[str], content: bytes | None = None) -> CsvTable:
    """Read a CSV's text and header and check its shape.

    Separators `,`, `;` (as Excel writes where the comma is the decimal sign) and tab are told by the header.

    Args:
        content: as in `read_text`.

    Raises:
        InputError: unreadable, a required column is missing or stands twice, or lines of the wrong length; all of them.
    """
    text = read_text(path, kind, content)
    header = _first_line(text.lstrip("\r\n"))
    separator = max(",;\t", key=header.count)
    columns = tuple(name.strip() for name in next(csv.reader([header], delimiter=separator)))
    faults = []
    for name in required:
        if name not in columns:
            found = ", ".join(columns[:12])
            faults.append(Fault(str(path), 1, f"column {name!r} is missing (found: {found})", "add it to the header"))
        elif columns.count(name) > 1:
            faults.append(Fault(str(path), 1, f"column {name!r} stands twice", "keep one of them"))
    data = text.encode()
    faults.extend(_misshapen(path, text, data, separator, len(columns)))
    if faults:
        raise InputError(faults)
    plain = _with_plain_header(text, separator, columns)
    return CsvTable(path, plain, data if plain is text else plain.encode(), separator, columns)


def _with_plain_header(text: str, separator: str, columns: Sequence[str]) -> str:
    """The text with stripped column names, so that `" prompt_id"` is found by its name."""
    if _first_line(text) == separator.join(columns):
        return text
    newline = text.lstrip("\r\n").find("\n")
    lead = len(text) - len(text.lstrip("\r\n"))
    if newline < 0:
        return text
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator="\n").writerow(columns)
    return text[:lead] + buffer.getvalue() + text[lead + newline + 1 :]


def _misshapen(path: Path, text: str, data: bytes, separator: str, width: int) -> list[Fault]:
    if '"' not in text and _is_rectangular(data, separator, width):
        return []
    try:
        return [
            Fault(
                str(path), line, f"{len(cells)} cells where the header has {width}", "quote cells with commas in them"
            )
            for line, cells in _records(text, separator)
            if len(cells) != width
        ]
    except csv.Error as error:
        raise InputError.one(path, f"not a CSV ({error})", "save it as CSV, UTF-8") from error


def _is_rectangular(data: bytes, separator: str, width: int) -> bool:
    """Whether all lines of a UTF-8 text without quotes have `width` cells; False where only a closer look can tell."""
    others = bytes(set(range(256)) - set(f"{separator}\r\n".encode()))
    data, ends = data.lstrip(b"\r\n"), 0
    while ends < len(data) and data[-ends - 1] in b"\r\n":
        ends += 1
    marks = data.translate(None, others)  # no byte of a longer UTF-8 character is below 128
    marks = marks[: len(marks) - ends]
    line = separator.encode() * (width - 1)
    end = b"\r\n" if b"\r" in marks else b"\n"
    return width > 1 and marks + end == (line + end) * (len(marks) // len(line + end) + 1)


def _first_line(text: str) -> str:
    """Up to the first end of a line as the csv module knows it; `str.splitlines` would also split at U+2028."""
    return text[: min(at if (at := text.find(end)) >= 0 else len(text) for end in "\r\n")]


def _records(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """(first line, cells) of each record that isn't blank, the header first."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    records, start = [], 1
    for cells in reader:
        if cells:
            records.append((start, cells))
        start = reader.line_num + 1
    return records
