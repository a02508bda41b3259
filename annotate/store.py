"""Every rating, in SQLite: one writing connection behind one lock, a rating acknowledged only when committed.

Rows come from the JSON routes and from edited files; they go to the queue and to the exported files.
Ratings are append-only (triggers see to it); the current one of a person and image is the newest.
"""

import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from sqlite_utils import Database

from annotate.catalogue import ImageRow, known_files, list_images, one_image, survey_folder, update_catalogue
from annotate.errors import BadRequestError, ConflictError, NotFoundError, StorageError
from annotate.export_log import Export, known_exports, note_begun, note_finished
from annotate.files import lock_file
from annotate.judgement import CORRECTION_NAME, SIMULATED_CORRECTION_NAME, Rating, StoredRating, check_annotator
from annotate.migrations import studio_migrations
from annotate.project import Project
from annotate.queue import Progress, count_progress, next_images
from reward.aspects import HEADS

_COLUMNS = ("id", "image_id", "annotator", *HEADS, "unjudged", "seconds", "key", "source", "withdrawn", "covers",
            "created")  # fmt: skip
_INSERT = f"INSERT INTO ratings ({', '.join(_COLUMNS[1:])}) VALUES ({', '.join('?' * (len(_COLUMNS) - 1))})"


class Store:
    """The ratings of one project. Thread-safe; use `Store.open`."""

    def __init__(self, project: Project, db: Database, reader: Database, lock: TextIO) -> None:
        self.project = project
        self.problems: tuple[str, ...] = ()
        self.catalogue_version = 0
        self._db = db
        self._reader = reader
        self._folder_lock = lock
        self._writing_lock = threading.RLock()
        self._reading_lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._rated: dict[str, int] = {}

    @classmethod
    def open(cls, project: Project) -> "Store":
        """Open (or make) the project's database, bring its tables up to date and take in its images and prompts.

        Raises:
            StorageError: another studio has the folder open, or the database can't be opened or written.
        """
        lock = lock_file(project.root / ".studio.lock")
        try:
            with _translated(project.database):
                db = _connect(project.database)
                studio_migrations().apply(db)
                reader = _connect(project.database)
                reader.execute("PRAGMA query_only = ON")
            store = cls(project, db, reader, lock)
            store.rescan()
        except BaseException:
            lock.close()
            raise
        return store

    def close(self) -> None:
        """Close the connections and let another studio open the folder."""
        with self._writing_lock, self._reading_lock:
            self._reader.close()
            self._db.close()
            self._folder_lock.close()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener` (quick, thread-safe) after every commit that changes what the exported files hold."""
        self._listeners.append(listener)

    def rescan(self) -> tuple[str, ...]:
        """Take in the images and prompts as they lie on disk; returns what can't be used, one sentence each."""
        with self._reading_lock, _translated(self.project.database):
            known = known_files(self._reader)
        survey = survey_folder(self.project, known)
        with self._writing() as db:
            update_catalogue(db, survey, _now())
            self.problems = survey.problems
            self.catalogue_version += 1
            self._rated.clear()
        self._changed()
        return self.problems

    def save_rating(self, rating: Rating) -> tuple[StoredRating, bool]:
        """Store a checked rating; returns it as stored, and whether its key had been stored before.

        Raises:
            ConflictError: the key was used for other content.
            NotFoundError: there is no such image.
            StorageError: the disk or database refuses; nothing is stored.
        """
        with self._writing_lock:  # held beyond the commit, so that nobody counts between it and the new count
            with self._writing() as db:
                earlier = _by_key(db, rating.key)
                if earlier is not None:
                    if not _same_content(earlier, rating):
                        raise ConflictError("This key was used for another rating; make a new key for each rating.")
                    return earlier, True
                self._require_active(db, rating.image_id)
                first = not _is_rated(db, rating.image_id, rating.annotator)
                stored = _insert(db, rating, _now())
            if first and rating.annotator in self._rated:
                self._rated[rating.annotator] += 1
        self._changed()
        return stored, False

    def save_skip(self, image_id: int, annotator: str) -> None:
        """Note that a person left an image for later: it comes again after all others."""
        name = check_annotator(annotator)
        with self._writing() as db:
            self._require_active(db, image_id)
            db.execute("INSERT INTO skips (image_id, annotator, created) VALUES (?, ?, ?)", [image_id, name, _now()])

    def next_images(self, annotator: str, after: int | None = None, limit: int = 2) -> list[ImageRow]:
        """The next images for a person, those after image `after` first, skipped ones last."""
        with self._writing_lock, _translated(self.project.database):
            return next_images(self._db, annotator, after, limit)

    def progress(self, annotator: str) -> Progress:
        """How many of the project's images a person has rated."""
        with self._writing_lock, _translated(self.project.database):
            known = self._rated.get(annotator)
            progress = count_progress(self._db, annotator, known)
            self._rated[annotator] = progress.rated
            return progress

    def image(self, image_id: int) -> ImageRow:
        """One image of the project.

        Raises:
            NotFoundError: there is none with this number.
        """
        with self._writing_lock, _translated(self.project.database):
            row = one_image(self._db, image_id)
        if row is None or not row.active:
            raise NotFoundError(f"There is no image {image_id}.")
        return row

    def images(self) -> list[ImageRow]:
        """All images ever seen, in order; those that are gone have `active` False."""
        with self._reading_lock, _translated(self.project.database):
            return list_images(self._reader)

    def ratings_since(self, last_id: int) -> list[StoredRating]:
        """The ratings after number `last_id`, oldest first. Reads beside the writer, so that no save waits."""
        with self._reading_lock, _translated(self.project.database):
            query = f"SELECT {', '.join(_COLUMNS)} FROM ratings WHERE id > ? ORDER BY id"
            return [_stored(row) for row in self._reader.execute(query, [last_id])]

    def known_exports(self, name: str) -> list[Export]:
        """The last finished export of a file (an empty one if there was none), then the one begun after it, if any."""
        with self._reading_lock, _translated(self.project.database):
            return known_exports(self._reader, name)

    def begin_export(self, name: str, sha256: str, last_rating_id: int) -> Export:
        """Note, before the file is replaced, what the studio itself is about to write."""
        export = Export(sha256, last_rating_id, _now())
        with self._writing() as db:
            note_begun(db, name, export)
        return export

    def record_export(self, name: str, export: Export) -> None:
        """Note that the file is this export now."""
        with self._writing() as db:
            note_finished(db, name, export)

    def import_ratings(self, ratings: Sequence[Rating], name: str, sha256: str, last_rating_id: int) -> None:
        """Store what an edited file says, and in the same transaction that this file has been taken in."""
        with self._writing() as db:
            created = _now()
            for rating in ratings:
                _insert(db, replace(rating, key=f"import-{uuid.uuid4().hex}"), created)
            note_finished(db, name, Export(sha256, last_rating_id, created))
            self._rated.clear()
        self._changed()

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()

    @staticmethod
    def _require_active(db: Database, image_id: int) -> None:
        row = one_image(db, image_id)
        if row is None or not row.active:
            raise NotFoundError(f"There is no image {image_id}; it may have been removed. Reload the page.")

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        with self._writing_lock, _translated(self.project.database), self._db.atomic():
            yield self._db


def _connect(path: Path) -> Database:
    db = Database(sqlite3.connect(path, check_same_thread=False, timeout=10))
    db.enable_wal()
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    return db


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turns SQLite's refusals (disk full, read-only, damaged) into a message; nothing was committed then."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise  # a bug of ours, not the disk's
        raise StorageError(
            f"{path.name} can't be used ({error}); nothing was stored. Check disk space and permissions."
        ) from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _insert(db: Database, rating: Rating, created: str) -> StoredRating:
    if rating.source == "correction" and rating.annotator not in {CORRECTION_NAME, SIMULATED_CORRECTION_NAME}:
        raise BadRequestError("A correction belongs to nobody in particular.")
    cursor = db.execute(
        _INSERT,
        [rating.image_id, rating.annotator, *rating.values, " ".join(rating.unjudged), rating.seconds, rating.key,
         rating.source, int(rating.withdrawn), rating.covers, created],
    )  # fmt: skip
    if cursor.lastrowid is None:
        raise StorageError("The database gave no number to the rating.")
    return StoredRating(**asdict(rating), id=cursor.lastrowid, created=created)


def _stored(row: Sequence[object]) -> StoredRating:
    fields = dict(zip(_COLUMNS, row, strict=True))
    values = tuple(fields.pop(head) for head in HEADS)
    fields["unjudged"] = tuple(str(fields["unjudged"]).split())
    fields["withdrawn"] = bool(fields["withdrawn"])
    return StoredRating(values=values, **fields)  # type: ignore[arg-type]  # STRICT tables hold these types


def _by_key(db: Database, key: str) -> StoredRating | None:
    row = db.execute(f"SELECT {', '.join(_COLUMNS)} FROM ratings WHERE key = ?", [key]).fetchone()
    return None if row is None else _stored(row)


def _same_content(stored: StoredRating, rating: Rating) -> bool:
    names = ("image_id", "annotator", "values", "unjudged", "source", "withdrawn", "covers")
    return all(getattr(stored, name) == getattr(rating, name) for name in names)


def _is_rated(db: Database, image_id: int, annotator: str) -> bool:
    query = "SELECT withdrawn FROM ratings WHERE annotator = ? AND image_id = ? ORDER BY id DESC LIMIT 1"
    row = db.execute(query, [annotator, image_id]).fetchone()
    return row is not None and not row[0]
