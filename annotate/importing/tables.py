"""The CSVs that can be imported: ratings (by image, or by image and person), single ratings of old, prompts."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from annotate.errors import BadRequestError
from annotate.importing.finder import Finder
from annotate.importing.people import CheckName
from annotate.importing.pictures import prompt_problem
from annotate.importing.plan import NewPreference, NewRating, Options, Plan
from annotate.pairs_file import MAX_PAIRS_A_PROMPT, chosen_pairs
from reward.aspects import MAX_RATING, MIN_RATING, RATING_COLUMNS
from reward.errors import Fault
from reward.prompts import read_prompts
from reward.tables import CsvTable, open_csv

SINGLE = "rating"
_WHERE = ("prompt_id", "image_path")
_KIND = "a ratings CSV"


@dataclass(frozen=True)
class Reading:
    """What every reader of a table needs: where images are found, how names are checked, and the plan to fill."""

    plan: Plan
    finder: Finder
    check_name: CheckName
    options: Options


@dataclass(frozen=True)
class _Row:
    """One row that can be used: its image, who rated it, and the numbers."""

    prompt_id: str
    path: str
    annotator: str
    values: tuple[float | None, ...]


def columns_of(path: Path) -> tuple[str, ...]:
    """The column names of a CSV.

    Raises:
        InputError: it is no CSV.
    """
    return open_csv(path, "a CSV", ()).columns


def read_ratings(path: Path, reading: Reading) -> None:
    """Ratings on five heads; without a column `annotator` they are those of `options.annotator`.

    Raises:
        InputError: the file can't be read at all.
    """
    table = open_csv(path, _KIND, (*_WHERE, *RATING_COLUMNS))
    for row in _usable_rows(table, RATING_COLUMNS, reading, (MIN_RATING, MAX_RATING)):
        if any(value is not None for value in row.values):
            reading.plan.ratings.append(NewRating(row.path, row.annotator, row.values))


def read_single_ratings(path: Path, reading: Reading) -> None:
    """One rating an image, on any scale: of two images of a prompt, a person prefers the one they rated higher.

    Raises:
        InputError: the file can't be read at all.
    """
    table = open_csv(path, "a CSV of single ratings", (*_WHERE, SINGLE))
    rated: dict[tuple[str, str], dict[str, float]] = {}
    for row in _usable_rows(table, (SINGLE,), reading, (-math.inf, math.inf)):
        if row.values[0] is not None:
            rated.setdefault((row.prompt_id, row.annotator), {})[row.path] = row.values[0]
    for (prompt_id, name), ratings in rated.items():
        reading.plan.preferences.extend(_preferences(ratings, name))
        if math.comb(len(ratings), 2) > MAX_PAIRS_A_PROMPT:
            told = f"Of the pairs that {len(ratings):,} images of prompt {prompt_id} make, {MAX_PAIRS_A_PROMPT:,}"
            reading.plan.notes.append(f"{told} at most are taken in; each image is in equally many.")


def read_prompt_texts(path: Path, known: dict[str, str], plan: Plan, *, replace: bool) -> None:
    """Prompt texts; one that the project has otherwise is a fault unless it is to be replaced.

    Raises:
        InputError: the file can't be used.
    """
    for prompt_id, text in read_prompts(path).items():
        problem = prompt_problem(prompt_id)
        if problem is not None:
            plan.faults.append(Fault(str(path), None, problem, "choose another id"))
        elif known.get(prompt_id, text) != text and not replace:
            plan.faults.append(
                Fault(
                    path.name, None, f"prompt {prompt_id!r} has another text here", "say to replace it, or correct it"
                )
            )
        elif known.get(prompt_id) != text:
            plan.prompts[prompt_id] = text


def _usable_rows(
    table: CsvTable, numbers: tuple[str, ...], reading: Reading, scale: tuple[float, float]
) -> Iterator[_Row]:
    """The rows of known images; all others are counted or named as faults."""
    plan, options = reading.plan, reading.options
    strings = [*_WHERE, *(["annotator"] if "annotator" in table.columns else [])]
    frame, faults = table.frame(strings, numbers)
    plan.faults.extend(faults)
    if frame.empty:
        plan.faults.append(Fault(str(table.path), None, "there is a header but no row", "add a row an image"))
    seen: dict[tuple[str, str], int] = {}
    columns = [frame[name].tolist() for name in (*strings, *numbers)]
    for row, (prompt_id, written, *rest) in enumerate(zip(*columns, strict=True)):
        name = rest.pop(0) if "annotator" in strings else options.annotator
        values = tuple(None if math.isnan(value) else float(value) for value in rest)
        wrong = _row_problem(prompt_id, written, values, numbers, scale)
        try:
            name = reading.check_name(name)
        except BadRequestError as error:
            wrong = wrong or (f"annotator {name!r} can't be used", str(error))
        if wrong is not None:
            plan.faults.append(table.fault(row, *wrong))
            continue
        path, why = reading.finder.find(prompt_id, written, table.path)
        if path is None:
            plan.unknown += 1
            if not options.skip_unknown:
                plan.faults.append(table.fault(row, f"{written} {why}", "correct the row, or import its image first"))
            continue
        if (path, name) in seen:
            first = table.lines[seen[path, name]]
            plan.faults.append(table.fault(row, f"{written} is a duplicate of line {first}", "keep one row of the two"))
            continue
        seen[path, name] = row
        yield _Row(prompt_id, path, name, values)


def _row_problem(
    prompt_id: str,
    written: str,
    values: tuple[float | None, ...],
    numbers: tuple[str, ...],
    scale: tuple[float, float],
) -> tuple[str, str] | None:
    """What is wrong with a row by itself, and what would be right."""
    if not prompt_id or not written:
        return f"{_WHERE[0] if not prompt_id else _WHERE[1]} is blank", "give every row its prompt and image"
    for name, value in zip(numbers, values, strict=True):
        if value is not None and not (math.isfinite(value) and scale[0] <= value <= scale[1]):
            bounded = math.isfinite(scale[0])
            right = "rate from 0 (worst) to 10 (best)" if bounded else "give a plain number"
            return f"{name} is {value:g}{', outside 0–10' if bounded else ''}", right
    return None


def _preferences(ratings: dict[str, float], annotator: str) -> Iterator[NewPreference]:
    ordered = sorted(ratings)
    for first, second in chosen_pairs(range(len(ordered)), MAX_PAIRS_A_PROMPT):
        one, other = ordered[first], ordered[second]
        if ratings[one] != ratings[other]:
            better, worse = (one, other) if ratings[one] > ratings[other] else (other, one)
            yield NewPreference(better, worse, annotator)
