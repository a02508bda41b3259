"""Label Studio's JSON export → ratings: a control an aspect, numbers or stars; see `annotate.exporting.label_studio`.

Images are found by the path in a task, never fetched.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from annotate.errors import BadRequestError
from annotate.exporting.label_studio import CANNOT_JUDGE, IMAGE
from annotate.importing.plan import NewRating
from annotate.importing.tables import Reading
from annotate.judgement import check_seconds
from reward.aspects import HEADS, MAX_RATING, MIN_RATING
from reward.errors import Fault, InputError, shown
from reward.textfiles import read_text

_KIND = "Label Studio's JSON export"
_CONTROLS = {**{head: head for head in HEADS}, **{f"{head}_rating": head for head in HEADS}}
_KINDS = ("number", "rating")


class _FaultyError(Exception):
    """What is wrong with a task, and what would be right."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


def read_label_studio(path: Path, reading: Reading) -> None:
    """Each person's newest annotation of each task.

    Raises:
        InputError: the file is none of Label Studio's JSON exports.
    """
    for number, task in enumerate(_tasks(path), start=1):
        try:
            for rating in _ratings(task, path, reading):
                reading.plan.ratings.append(rating)
        except _FaultyError as error:
            reading.plan.faults.append(Fault(str(path), None, f"task {number}: {error.problem}", error.remedy))


def _tasks(path: Path) -> list[Any]:
    try:
        tasks = json.loads(read_text(path, _KIND))
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise InputError.one(path, f"broken JSON ({reason})", f"give {_KIND}", line) from error
    if not isinstance(tasks, list):
        raise InputError.one(path, "no list of tasks", f"give {_KIND}")
    return tasks


def _ratings(task: Any, path: Path, reading: Reading) -> Iterator[NewRating]:
    data = task.get("data") if isinstance(task, dict) else None
    if not isinstance(data, dict):
        raise _FaultyError("no object with data", "export as JSON, not as JSON-MIN or CSV")
    annotations = [one for one in _list(task.get("annotations")) if isinstance(one, dict)]
    annotations = [one for one in annotations if not one.get("was_cancelled")]
    if not annotations:
        return
    image, why = _image(data, path, reading)
    if image is None:
        reading.plan.unknown += len(annotations)
        if reading.options.skip_unknown:
            return
        written = shown(str(data.get("image_path") or data.get(IMAGE)))
        raise _FaultyError(f"{written} {why}", "import the image first, or give the task its prompt_id and image_path")
    said: dict[str, NewRating] = {}
    for annotation in sorted(annotations, key=lambda one: str(one.get("created_at", ""))):
        rating = _rating(annotation, image, reading)
        if rating.unjudged or any(value is not None for value in rating.values):
            said[rating.annotator] = rating
    yield from said.values()


def _image(data: dict[str, Any], path: Path, reading: Reading) -> tuple[str | None, str]:
    prompt_id, exported, reference = (data.get(name) or "" for name in ("prompt_id", "image_path", IMAGE))
    if not all(isinstance(text, str) for text in (prompt_id, exported, reference)) or not (exported or reference):
        raise _FaultyError(f"data tells no {IMAGE}", f"give each task data with {IMAGE}, the image's path")
    if exported and prompt_id:
        found, why = reading.finder.find(prompt_id, exported, path)
        if found is not None or not reference:
            return found, why
    return reading.finder.find_reference(prompt_id, reference or exported)


def _rating(annotation: dict[str, Any], image: str, reading: Reading) -> NewRating:
    values: dict[str, float] = {}
    unjudged: list[str] = []
    name = _completed_by(annotation.get("completed_by"))
    for result in _list(annotation.get("result")):
        if not isinstance(result, dict):
            continue
        meta, value = result.get("meta"), result.get("value")
        if isinstance(meta, dict) and isinstance(meta.get("annotator"), str):
            name = meta["annotator"]
        control, content = str(result.get("from_name")), value if isinstance(value, dict) else {}
        if control == CANNOT_JUDGE:
            unjudged += [head for head in HEADS if head in _list(content.get("choices"))]
        elif control in _CONTROLS:
            values[_CONTROLS[control]] = _number(control, content)
    try:
        who = reading.check_name(name or reading.options.annotator)
    except BadRequestError as error:
        raise _FaultyError(f"annotator {shown(name)} can't be used", str(error)) from error
    marks = tuple(head for head in HEADS if head in unjudged and head not in values)
    seconds = _seconds(annotation.get("lead_time"))
    return NewRating(image, who, tuple(values.get(head) for head in HEADS), marks, seconds)


def _seconds(lead_time: Any) -> float | None:
    """The time it took; None where Label Studio's clock ran on for weeks."""
    try:
        return check_seconds(lead_time)
    except BadRequestError:
        return None


def _completed_by(person: Any) -> str:
    """Who annotated, as a name; empty where that isn't told."""
    if isinstance(person, dict):
        person = person.get("email") or person.get("username") or person.get("id")
    if isinstance(person, int) and not isinstance(person, bool):
        return f"annotator-{person}"
    return person if isinstance(person, str) else ""


def _number(control: str, content: dict[str, Any]) -> float:
    value = next((content[kind] for kind in _KINDS if kind in content), None)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _FaultyError(f"{control} is {shown(str(value))}, not a number", "use Number or Rating controls")
    if not MIN_RATING <= value <= MAX_RATING:
        raise _FaultyError(f"{control} is {value:g}, outside 0–10", "rate from 0 (worst) to 10 (best)")
    return float(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
