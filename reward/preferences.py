"""Pairs JSONL → checked overall preferences between two images of a prompt."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reward.errors import Fault, InputError
from reward.images import find_problems, resolve_image, search_bases
from reward.textfiles import read_text

if TYPE_CHECKING:
    import pandas as pd

KIND: Final = "a pairs JSONL"
_KEYS = ("prompt", "img_pos", "img_neg", "label")


@dataclass(frozen=True)
class PreferencesTable:
    """Overall preferences as a file holds them.

    `frame` has prompt, img_pos, img_neg (files, str) and label in [0, 1]: how surely img_pos is the better one.
    Lines about the same two images of a prompt are merged into one, label = their mean.
    """

    source: Path
    frame: "pd.DataFrame"


def read_preferences(
    path: Path, image_root: Path | None = None, *, check_images: bool = True, content: bytes | None = None
) -> PreferencesTable:
    """Read and check a pairs JSONL; paths resolve as in a ratings CSV.

    Args:
        content: the file's, where it has been read already or `path` holds something else by now.

    Raises:
        InputError: every fault of the file at once, each with its line and remedy.
    """
    import pandas as pd

    text = read_text(path, KIND, content)
    bases = search_bases(path, image_root)
    rows: list[tuple[int, dict[str, Any]]] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        problem = _parse(line)
        if isinstance(problem, dict):
            rows.append((number, problem))
        else:
            faults.append(Fault(str(path), number, *problem))
    files = {row[key]: resolve_image(row[key], bases) for _, row in rows for key in ("img_pos", "img_neg")}
    if check_images:
        faults += _bad_images(path, rows, files)
    if faults:
        raise InputError(sorted(faults, key=lambda fault: fault.line or 0))
    records = [
        (row["prompt"], str(files[row["img_pos"]]), str(files[row["img_neg"]]), float(row["label"])) for _, row in rows
    ]
    return PreferencesTable(path, _merged(pd.DataFrame(records, columns=list(_KEYS))))


def _parse(line: str) -> dict[str, Any] | tuple[str, str]:
    """The row, or (what is wrong, what would be right)."""
    example = 'write {"prompt": …, "img_pos": …, "img_neg": …, "label": 0…1}'
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        return f"broken JSON ({error.msg} at column {error.colno})", example
    if not isinstance(row, dict):
        return "not a JSON object", example
    if missing := [key for key in _KEYS if key not in row]:
        return f"{', '.join(missing)} missing", example
    for key in ("prompt", "img_pos", "img_neg"):
        if not isinstance(row[key], str) or not row[key].strip():
            return f"{key} is {row[key]!r}, not a text", example
    label = row["label"]
    if isinstance(label, bool) or not isinstance(label, int | float) or math.isnan(label):
        return f"label is {label!r}, not a number", "give a number from 0 to 1"
    if not 0 <= label <= 1:
        return f"label is {label:g}, outside 0–1", "give how surely img_pos is better: 1 surely, ½ a tie, 0 surely not"
    if row["img_pos"] == row["img_neg"]:
        return "img_pos and img_neg are the same image", "compare two different images"
    return row


def _bad_images(path: Path, rows: list[tuple[int, dict[str, Any]]], files: dict[str, Path]) -> list[Fault]:
    problems = find_problems(files.values())
    faults, named = [], set()
    for number, row in rows:
        for key in ("img_pos", "img_neg"):
            written = row[key]
            if (problem := problems.get(files[written])) and written not in named:
                named.add(written)
                remedy = "correct the path" if "exist" in problem else "replace the file or remove the line"
                faults.append(Fault(str(path), number, f"{key} {written}: {problem}", remedy))
    return faults


def _merged(frame: "pd.DataFrame") -> "pd.DataFrame":
    """One row an unordered pair of a prompt, turned as in its first line, label = mean."""
    swap = frame["img_pos"] > frame["img_neg"]
    low = frame["img_pos"].where(~swap, frame["img_neg"])
    high = frame["img_neg"].where(~swap, frame["img_pos"])
    toward_low = frame["label"].where(~swap, 1 - frame["label"])
    keyed = frame.assign(low=low, high=high, toward_low=toward_low)
    groups = keyed.groupby(["prompt", "low", "high"], sort=False)
    first = groups.first().reset_index()
    mean = groups["toward_low"].mean().reset_index(drop=True)
    first["label"] = mean.where(first["img_pos"] == first["low"], 1 - mean)
    return first[list(_KEYS)]
