"""Carry out an import as it was looked at: all of it, or, where the disk or database refuses, nothing."""

import csv
import io
import os
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from annotate.errors import ConflictError, StorageError
from annotate.files import Signature, replace_atomically, sync_folder
from annotate.importing.log import note_import
from annotate.importing.plan import NewImage, NewRating, Options, Plan
from annotate.importing.preferences import store_preferences
from annotate.importing.values import marks, says_the_same
from annotate.judgement import Rating
from annotate.leases import moment
from annotate.project import Project
from annotate.rows import current_rating, insert_rating
from annotate.store import Store
from reward.errors import InputError
from reward.tables import open_csv


@dataclass(frozen=True)
class Taken:
    """What really came in."""

    images: int
    prompts: int
    ratings: int
    preferences: int


def take_in(store: Store, plan: Plan, options: Options) -> Taken:
    """Store what a plan holds; call it while the plan's new images still wait.

    Raises:
        InputError: the plan has faults; nothing is stored.
        ConflictError: a file came meanwhile under a name that was free; nothing is stored.
        StorageError: the disk or database refuses; nothing is stored.
    """
    if plan.faults:
        raise InputError(plan.faults)
    project = store.project
    with ExitStack() as undo:
        undo.callback(store.rescan)
        try:
            for image in plan.images:
                _place(project, image)
                undo.callback((project.images / image.path).unlink, missing_ok=True)
            for folder in {(project.images / image.path).parent for image in plan.images}:
                sync_folder(folder)
            _put_prompts(project, plan.prompts, undo)
        except OSError as error:
            raise StorageError(f"{project.root} can't be written ({error.strerror}); nothing was taken in.") from error
        store.rescan()
        ratings, preferences = store.bring_in(lambda db: _store(db, plan, options))
        undo.pop_all()
    return Taken(len(plan.images), len(plan.prompts), ratings, preferences)


def _place(project: Project, image: NewImage) -> None:
    target = project.images / image.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.parent.is_symlink():
        raise ConflictError(f"images/{target.parent.name} is a link, which is not followed; nothing was taken in.")
    try:
        _move(image.staged, target)
    except FileExistsError as error:
        raise ConflictError(f"images/{image.path} came meanwhile; nothing was taken in. Look again.") from error


def _move(file: Path, target: Path) -> None:
    """Unlike a rename it never puts itself in place of another file."""
    try:
        os.link(file, target)
    except FileExistsError:
        raise
    except OSError as error:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(target) from error
        file.rename(target)


def _put_prompts(project: Project, prompts: Mapping[str, str], undo: ExitStack) -> None:
    """Add prompts to prompts.csv, which keeps its further columns and its separator."""
    if not prompts:
        return
    path = project.prompts_csv
    before = path.read_bytes() if path.exists() else None
    rows, separator = _prompt_rows(path) if before is not None else ([["prompt_id", "prompt"]], ",")
    header = [name.strip() for name in rows[0]]
    where, text = header.index("prompt_id"), header.index("prompt")
    places = {row[where].strip(): row for row in rows[1:]}
    for prompt_id, words in prompts.items():
        if prompt_id not in places:
            rows.append([""] * len(header))
            rows[-1][where] = prompt_id
            places[prompt_id] = rows[-1]
        places[prompt_id][text] = words
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator="\n").writerows(rows)
    written = replace_atomically(path, [buffer.getvalue().encode()], Signature.of(path))
    undo.callback(_put_back, path, before, written)


def _prompt_rows(path: Path) -> tuple[list[list[str]], str]:
    table = open_csv(path, "a prompts CSV", ("prompt_id", "prompt"))
    reader = csv.reader(io.StringIO(table.text, newline=""), delimiter=table.separator)
    return [row for row in reader if row], table.separator


def _put_back(path: Path, before: bytes | None, written: Signature) -> None:
    if before is None:
        path.unlink(missing_ok=True)
    else:
        replace_atomically(path, [before], written)


def _store(db: Database, plan: Plan, options: Options) -> tuple[int, int]:
    """Ratings and preferences, in one transaction; returns how many of each."""
    created = moment()
    fresh = [note_import(db, mark, name, created) for name, mark in plan.marks.items()]
    if plan.marks and not any(fresh):  # somebody took the same tables in since they were looked at
        return 0, 0
    ids = {str(path): int(number) for path, number in db.execute("SELECT path, id FROM images WHERE active")}
    ratings = sum(_store_rating(db, ids[rating.path], rating, options, created) for rating in plan.ratings)
    return ratings, store_preferences(db, plan.preferences, ids, created)


def _store_rating(db: Database, image_id: int, new: NewRating, options: Options, created: str) -> bool:
    current = current_rating(db, image_id, new.annotator)
    if current is not None and (not options.replace or says_the_same(current, new)):
        return False
    rating = Rating(
        image_id,
        new.annotator,
        new.values,
        marks(current, new),
        new.seconds,
        key=f"import-{uuid.uuid4().hex}",
        source="import",
        revises=None if current is None else current.key,
    )
    insert_rating(db, rating, created)
    return True
