"""The two ratings CSVs as text: one line an image, or an image and person. Plain functions of a snapshot."""

import csv
import io
from collections.abc import Sequence

from annotate.judgement import Values
from annotate.snapshot import Snapshot
from reward.aspects import RATING_COLUMNS

MEANS_HEADER = ("prompt_id", "image_path", *RATING_COLUMNS)
PEOPLE_HEADER = ("prompt_id", "image_path", "annotator", *RATING_COLUMNS)


def csv_line(cells: Sequence[str]) -> str:
    """One line of CSV, quoted where needed, ending in a line feed."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def write_number(value: float | None) -> str:
    """A rating as the shortest text that reads back as the same number; blank for None."""
    return "" if value is None else repr(value).removesuffix(".0")


def means_line(snapshot: Snapshot, image_id: int, prompt_id: str, path: str) -> str:
    """The line of the means CSV for an image; empty if nobody rated any head of it."""
    values = snapshot.means(image_id)
    return _line((prompt_id, path), values)


def people_lines(snapshot: Snapshot, image_id: int, prompt_id: str, path: str) -> str:
    """The lines of the per-annotator CSV for an image, by name; a person who judged no head has none."""
    people = sorted(snapshot.people(image_id).items())
    return "".join(_line((prompt_id, path, name), row.values) for name, row in people)


def _line(strings: tuple[str, ...], values: Values) -> str:
    if all(value is None for value in values):
        return ""
    return csv_line([*strings, *(write_number(value) for value in values)])
