"""A ratings CSV that someone edited → the ratings that bring the edit into the store.

An edit is what differs both from our last export (the base) and from what we would write now: so a rating saved
after that export is not taken for an edit, and a file taken in twice changes nothing.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from annotate.csv_files import MEANS_HEADER, PEOPLE_HEADER
from annotate.errors import BadRequestError
from annotate.judgement import CORRECTION_NAME, Rating, Values, check_annotator
from annotate.snapshot import Snapshot
from reward.aspects import HEADS, MAX_RATING, MIN_RATING, RATING_COLUMNS
from reward.errors import Fault, InputError
from reward.images import resolve_image, search_bases
from reward.tables import CsvTable, open_csv

Key = tuple[int, str]  # image number, person (CORRECTION_NAME for the means)
Cells = Mapping[Key, Values]


@dataclass(frozen=True)
class KnownImages:
    """The project's images for a reader of its files: numbers by exported path and by real file, and prompt ids."""

    by_path: Mapping[str, int]
    by_file: Mapping[Path, int]
    prompt_ids: Mapping[int, str]

    def find(self, written: str, source: Path) -> int | None:
        """The image that a path written in the file `source` means."""
        if written in self.by_path:
            return self.by_path[written]
        return self.by_file.get(resolve_image(written, search_bases(source, None)).resolve())


def read_edited(path: Path, images: KnownImages, *, per_annotator: bool) -> dict[Key, Values]:
    """What an edited ratings CSV of this project says.

    Raises:
        InputError: every fault of the file; it must hold our columns and images, since it is written anew afterwards.
    """
    header = PEOPLE_HEADER if per_annotator else MEANS_HEADER
    table = open_csv(path, "a ratings CSV", header)
    extra = [name for name in table.columns if name not in header]
    if extra:
        fault = f"column {extra[0]!r} is none that the studio keeps"
        raise InputError.one(path, fault, "move it to a file of its own and remove it here", 1)
    strings = [name for name in header if name not in RATING_COLUMNS]
    frame, faults = table.frame(strings, RATING_COLUMNS)
    if frame.empty:
        raise InputError.one(path, "there is a header but no row", "delete the file to have it written anew")
    cells: dict[Key, Values] = {}
    columns = [frame[name].tolist() for name in (*strings, *RATING_COLUMNS)]
    for row, (prompt_id, written, *rest) in enumerate(zip(*columns, strict=True)):
        name = rest.pop(0) if per_annotator else CORRECTION_NAME
        values = tuple(None if math.isnan(value) else float(value) for value in rest)
        image_id = images.find(written, path)
        faults += _row_faults(table, row, (prompt_id, written, name), values, image_id, images)
        if image_id is not None and (image_id, name) in cells:
            faults.append(table.fault(row, f"{written} stands twice", "keep one row of the two"))
        if image_id is not None:
            cells[image_id, name] = values
    if faults:
        raise InputError(sorted(faults, key=lambda fault: fault.line or 0))
    return cells


def _row_faults(
    table: CsvTable, row: int, strings: tuple[str, str, str], values: Values, image_id: int | None, images: KnownImages
) -> Iterator[Fault]:
    prompt_id, written, name = strings
    if image_id is None:
        yield table.fault(row, f"{written or 'a blank path'} is no image of this studio", "correct or remove the row")
    elif images.prompt_ids[image_id] != prompt_id:
        right = images.prompt_ids[image_id]
        yield table.fault(row, f"{written} belongs to prompt {right!r}, not {prompt_id!r}", f"write {right}")
    for head, value in zip(HEADS, values, strict=True):
        if value is not None and not MIN_RATING <= value <= MAX_RATING:
            yield table.fault(row, f"{head}_rating is {value:g}, outside 0–10", "rate from 0 (worst) to 10 (best)")
    if name == CORRECTION_NAME:
        return
    try:
        if check_annotator(name) != name:
            yield table.fault(row, f"annotator {name!r} is written in an unusual way", "type the name anew")
    except BadRequestError as error:
        yield table.fault(row, f"annotator {name!r} can't be used", str(error))


def means_cells(snapshot: Snapshot, images: KnownImages) -> dict[Key, Values]:
    """What the means CSV of a snapshot holds."""
    cells = {(image_id, CORRECTION_NAME): snapshot.means(image_id) for image_id in images.prompt_ids}
    return {key: values for key, values in cells.items() if any(value is not None for value in values)}


def people_cells(snapshot: Snapshot, images: KnownImages) -> dict[Key, Values]:
    """What the per-annotator CSV of a snapshot holds."""
    return {
        (image_id, name): row.values
        for image_id in images.prompt_ids
        for name, row in snapshot.people(image_id).items()
        if any(value is not None for value in row.values)
    }


def means_edits(file: Cells, base: Cells, now: Cells, covers: int) -> list[Rating]:
    """Corrections for the cells of the means CSV that someone changed, blanked or (row removed) took away."""
    blank: Values = (None,) * len(HEADS)
    corrections = []
    for key in file.keys() | base.keys():
        said, was, current = file.get(key, blank), base.get(key, blank), now.get(key, blank)
        changed = [i for i in range(len(HEADS)) if said[i] not in (was[i], current[i])]
        if changed:
            values = tuple(said[i] if i in changed else None for i in range(len(HEADS)))
            cleared = tuple(HEADS[i] for i in changed if said[i] is None)
            corrections.append(Rating(key[0], CORRECTION_NAME, values, cleared, source="correction", covers=covers))
    return sorted(corrections, key=lambda rating: rating.image_id)


def people_edits(file: Cells, base: Cells, now: Cells, current: Snapshot) -> list[Rating]:
    """New ratings for the rows of the per-annotator CSV that someone added or changed; removed rows are withdrawn.

    Where the person has meanwhile rated the image anew, cells that the edit didn't touch keep the newer values.
    """
    blank: Values = (None,) * len(HEADS)
    ratings = []
    for key in file.keys() | base.keys():
        said, was, newest = file.get(key, blank), base.get(key, blank), now.get(key, blank)
        merged = tuple(new if cell == old else cell for cell, old, new in zip(said, was, newest, strict=True))
        if merged == newest:
            continue
        image_id, name = key
        earlier = current.people(image_id).get(name)
        marks = tuple(h for h, v in zip(HEADS, merged, strict=True) if v is None and earlier and h in earlier.unjudged)
        gone = all(value is None for value in merged)
        ratings.append(Rating(image_id, name, merged, () if gone else marks, source="import", withdrawn=gone))
    return sorted(ratings, key=lambda rating: (rating.image_id, rating.annotator))
