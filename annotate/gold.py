"""Gold images: `gold.csv` names images and the band that ratings are expected in. Everybody gets them, unmarked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from annotate.catalogue import ImageRow
from annotate.project import Project
from reward.aspects import HEADS, MAX_RATING, MIN_RATING
from reward.errors import Fault, InputError
from reward.images import resolve_image, search_bases
from reward.tables import open_csv

if TYPE_CHECKING:
    from reward.tables import CsvTable

GOLD_HEADER: Final = ("prompt_id", "image_path", "head", "low", "high")


@dataclass(frozen=True)
class GoldBand:
    """The ratings (`low` ≤ rating ≤ `high`) that are expected of one head of one image."""

    image_id: int
    head: str
    low: float
    high: float


def read_gold(project: Project, images: Sequence[ImageRow]) -> list[GoldBand]:
    """What the project's gold.csv says of the images that are there; nothing where there is none.

    Raises:
        InputError: every fault of the file, each with its line and remedy.
    """
    path = project.gold_csv
    if not path.exists():
        return []
    table = open_csv(path, "a gold CSV", GOLD_HEADER)
    frame, faults = table.frame(["prompt_id", "image_path", "head"], ["low", "high"])
    known = {(project.images / image.path).resolve(): image for image in images if image.active}
    bases, bands = search_bases(path, None), dict[tuple[int, str], GoldBand]()
    for row, cells in enumerate(frame[list(GOLD_HEADER)].itertuples(index=False, name=None)):
        prompt_id, written, head, low, high = cells
        image = known.get(resolve_image(written, bases).resolve()) if written else None
        wrong = _fault(table, row, image, prompt_id, written) or _band_fault(table, row, head, low, high)
        if wrong is None and image is not None and (image.id, head) in bands:
            wrong = table.fault(row, f"{written} has a second band for {head}", "keep one row of the two")
        if wrong is not None:
            faults.append(wrong)
        elif image is not None:
            bands[image.id, head] = GoldBand(image.id, head, float(low), float(high))
    if faults:
        raise InputError(sorted(faults, key=lambda fault: fault.line or 0))
    return list(bands.values())


def gold_or_problem(project: Project, images: Sequence[ImageRow]) -> tuple[tuple[GoldBand, ...], tuple[str, ...]]:
    """The bands; or none, and the file's faults as sentences."""
    try:
        return tuple(read_gold(project, images)), ()
    except InputError as error:
        return (), tuple(f"{fault}. No image is gold until this is mended." for fault in error.faults[:1])


def band_arrays(bands: Sequence[GoldBand], image_ids: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], ...]:
    """Low and high as (N, H) each, NaN where no band is."""
    low, high = np.full((2, len(image_ids), len(HEADS)), np.nan)
    place = {image_id: number for number, image_id in enumerate(image_ids.tolist())}
    for band in bands:
        if band.image_id in place:
            low[place[band.image_id], HEADS.index(band.head)] = band.low
            high[place[band.image_id], HEADS.index(band.head)] = band.high
    return low, high


def _fault(table: "CsvTable", row: int, image: ImageRow | None, prompt_id: str, written: str) -> Fault | None:
    if image is None:
        return table.fault(row, f"{written or 'a blank path'} is no image of this studio", "correct or remove the row")
    if image.prompt_id != prompt_id:
        return table.fault(row, f"{written} belongs to prompt {image.prompt_id!r}", f"write {image.prompt_id}")
    return None


def _band_fault(table: "CsvTable", row: int, head: str, low: float, high: float) -> Fault | None:
    if head not in HEADS:
        return table.fault(row, f"there is no head {head!r}", f"write one of {', '.join(HEADS)}")
    if not MIN_RATING <= low <= high <= MAX_RATING:  # False for NaN, too: a blank cell
        return table.fault(row, "low and high are no band of 0–10", "write two numbers, the lower one first")
    return None
