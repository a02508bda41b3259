"""What the studio itself wrote into each exported file, so that an edit by someone else is recognised.

An export is noted before its file is replaced, and again after. So a file that matches either note is ours, also when
the studio was killed between the two.
"""

from dataclasses import dataclass

from sqlite_utils import Database


@dataclass(frozen=True)
class Export:
    """One export: the file's sha256, the newest rating in it, and its time (ISO 8601, UTC)."""

    sha256: str
    last_rating_id: int
    written: str


def known_exports(db: Database, name: str) -> list[Export]:
    """The last finished export of a file (an empty one if there was none), then the one begun after it, if any."""
    found = []
    for table in ("exports", "begun_exports"):
        row = db.execute(f"SELECT sha256, last_rating_id, written FROM {table} WHERE name = ?", [name]).fetchone()
        found.append(None if row is None else Export(str(row[0]), int(row[1]), str(row[2])))
    finished, begun = found
    return [finished or Export("", 0, ""), *([begun] if begun else [])]


def note_begun(db: Database, name: str, export: Export) -> None:
    """The file is about to be replaced by this export."""
    _put(db, "begun_exports", name, export)


def note_finished(db: Database, name: str, export: Export) -> None:
    """The file is this export, or an edited one that was taken in."""
    _put(db, "exports", name, export)
    db.execute("DELETE FROM begun_exports WHERE name = ?", [name])


def _put(db: Database, table: str, name: str, export: Export) -> None:
    db.execute(
        f"INSERT INTO {table} (name, sha256, last_rating_id, written) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE "
        "SET sha256 = excluded.sha256, last_rating_id = excluded.last_rating_id, written = excluded.written",
        [name, export.sha256, export.last_rating_id, export.written],
    )
