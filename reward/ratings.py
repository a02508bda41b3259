"""Ratings CSV → a checked table of images and their 0–10 ratings on the five heads."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reward.aspects import MAX_RATING, MIN_RATING, RATING_COLUMNS
from reward.errors import Fault, InputError
from reward.images import find_problems, locate_images, resolve_image, search_bases
from reward.raters import PersonRatings
from reward.tables import CsvTable, open_csv

if TYPE_CHECKING:
    import pandas as pd

KIND: Final = "a ratings CSV"
_IMAGE = ("prompt_id", "file")
_FIRST_ROWS = 1_000  # mostly these answer what would take long to ask of all
_REQUIRED = ("prompt_id", "image_path", *RATING_COLUMNS)


@dataclass(frozen=True)
class RatingsTable:
    """Ratings as a file holds them.

    `frame` has prompt_id, image_path (as written), file (where that leads, a str), annotator where the file has
    one, and the five rating columns (float64, NaN = not rated). One row an image, or an annotator and image.
    """

    source: Path
    frame: "pd.DataFrame"

    @property
    def has_annotators(self) -> bool:
        """Whether the file tells who rated."""
        return "annotator" in self.frame.columns

    def by_image(self) -> "pd.DataFrame":
        """One row an image (prompt_id, file, five columns): the mean over annotators, in the file's order."""
        keys = list(_IMAGE)
        if not self.has_annotators:
            return self.frame[[*keys, *RATING_COLUMNS]].reset_index(drop=True)
        return self.frame.groupby(keys, sort=False)[list(RATING_COLUMNS)].mean().reset_index()

    def by_person(self) -> PersonRatings:
        """Who rated what; images by their row in `by_image`. Only where `has_annotators`."""
        person, names = self.frame["annotator"].factorize()
        image = self.frame.groupby(list(_IMAGE), sort=False).ngroup()
        values = self.frame[list(RATING_COLUMNS)].to_numpy(dtype="float64")
        return PersonRatings(image.to_numpy(dtype="int64"), person.astype("int64"), values, list(names))


def read_ratings(
    path: Path, image_root: Path | None = None, *, check_images: bool = True, content: bytes | None = None
) -> RatingsTable:
    """Read and check a ratings CSV.

    Args:
        image_root: where relative image paths are looked for first; then the working directory, then the file's folder.
        check_images: also decode every image, so that missing and broken ones are named.
        content: the file's, where it has been read already or `path` holds something else by now.

    Raises:
        InputError: every fault of the file at once, each with its line and remedy.
    """

    table = open_csv(path, KIND, _REQUIRED, content)
    has_annotators = "annotator" in table.columns
    strings = ["prompt_id", "image_path", *(["annotator"] if has_annotators else [])]
    frame, faults = table.frame(strings, RATING_COLUMNS)
    if frame.empty:
        raise InputError.one(path, "there is a header but no row", "add a row an image")
    faults += _blank_cells(table, frame, strings)
    faults += _out_of_range(table, frame)
    bases = search_bases(path, image_root)
    # Two spellings of one path are one image: `a.png`, `./a.png`, or its absolute path.
    frame["file"] = locate_images(frame["image_path"], bases)
    faults += _duplicates(table, frame, ["prompt_id", "file", *strings[2:]])
    if check_images:
        faults += _bad_images(table, frame, bases)
    if not faults and not _has_two_rated(frame):
        faults.append(
            Fault(str(path), None, "no prompt has two rated images", "rate at least two images of one prompt")
        )
    if faults:
        raise InputError(sorted(faults, key=lambda fault: (fault.line or 0, fault.problem)))
    return RatingsTable(path, frame)


def _blank_cells(table: CsvTable, frame: "pd.DataFrame", strings: list[str]) -> list[Fault]:
    return [
        table.fault(int(row), f"{name} is blank", f"give every row its {name}")
        for name in strings
        for row in (frame[name] == "").to_numpy().nonzero()[0]
    ]


def _out_of_range(table: CsvTable, frame: "pd.DataFrame") -> list[Fault]:
    faults = []
    for name in RATING_COLUMNS:
        values = frame[name]
        for row in ((values < MIN_RATING) | (values > MAX_RATING)).to_numpy().nonzero()[0]:
            problem = f"{name} is {values.iloc[row]:g}, outside {MIN_RATING:g}–{MAX_RATING:g}"
            faults.append(table.fault(int(row), problem, "rate from 0 (worst) to 10 (best)"))
    return faults


def _duplicates(table: CsvTable, frame: "pd.DataFrame", keys: list[str]) -> list[Fault]:
    import pandas as pd

    files = _comparable(frame["file"])
    if _rising(files) or pd.Index(files).is_unique:
        return []
    frame = frame.assign(file=files)[frame["image_path"] != ""]
    same = frame[frame.duplicated(keys, keep=False)]
    first = same.groupby(keys, sort=False)["image_path"].transform(lambda group: group.index[0])
    return [
        table.fault(
            int(row),
            f"{frame.at[row, 'image_path']} is a duplicate of line {table.lines[int(first[row])]}",
            "keep one row of the two",
        )
        for row in same.index[same.duplicated(keys)]
        if frame.at[row, "prompt_id"]
    ]


def _rising(files: "pd.Series[str]") -> bool:
    """Whether each comes after the one before, as programs write them: then no two are equal."""
    import pyarrow.compute as pc

    column = files.array.__arrow_array__()
    return bool(pc.all(pc.greater(column[1:], column[:-1])).as_py())


def _comparable(files: "pd.Series[str]") -> "pd.Series[str]":
    """Normal paths of which two are equal exactly if they name one place; as they are where none leaves the folder."""
    import pandas as pd

    if not files.str.startswith(("/", "..")).any():
        return files
    # Not resolve(), which asks the disk.
    absolute = [name if name.startswith("/") else os.path.abspath(name) for name in files.tolist()]  # noqa: PTH100 (so)
    return pd.Series(absolute, files.index, dtype="str")


def _bad_images(table: CsvTable, frame: "pd.DataFrame", bases: list[Path]) -> list[Fault]:
    first_rows = frame["image_path"].drop_duplicates()
    files = {written: resolve_image(written, bases) for written in first_rows if written}
    problems = find_problems(files.values())
    if not problems:
        return []
    faults = []
    for row, written in first_rows.items():
        if written and (problem := problems.get(files[written])):
            where = "" if Path(written).is_absolute() else " (looked below --image-root, here, and beside the CSV)"
            remedy = f"correct the path{where}" if "exist" in problem else "replace the file or remove the row"
            faults.append(table.fault(int(row), f"image {written}: {problem}", remedy))
    return faults


def _has_two_rated(frame: "pd.DataFrame") -> bool:
    """Whether any head of any prompt has two different images rated."""
    if len(frame) > _FIRST_ROWS and _has_two_rated(frame[:_FIRST_ROWS]):
        return True
    for name in RATING_COLUMNS:
        rated = frame.loc[frame[name].notna(), ["prompt_id", "image_path"]].drop_duplicates()
        if rated["prompt_id"].duplicated().any():
            return True
    return False
