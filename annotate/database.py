"""How `studio.db` is opened, and how its refusals become words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from annotate.errors import StorageError


def connect(path: Path) -> Database:
    """A connection that any thread may use, one at a time: write-ahead log, every commit synced."""
    db = Database(sqlite3.connect(path, check_same_thread=False, timeout=10))
    db.enable_wal()
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    return db


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns SQLite's refusals (disk full, read-only, damaged) into a message; nothing was committed then."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise  # a bug of ours, not the disk's
        raise StorageError(
            f"{path.name} can't be used ({error}); nothing was stored. Check disk space and permissions."
        ) from error


def now() -> str:
    """This moment as it is stored."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
