"""What was imported before: a table that comes again, with the same options, adds nothing."""

from dataclasses import dataclass

from sqlite_utils import Database

from annotate.store import Store


@dataclass(frozen=True)
class Imported:
    """One table that was taken in, and when (ISO 8601, UTC)."""

    name: str
    created: str


def earlier_import(store: Store, mark: str) -> str | None:
    """When the table with this mark was taken in; None if never."""
    with store.reading() as db:
        row = db.execute("SELECT created FROM imports WHERE mark = ?", [mark]).fetchone()
    return None if row is None else str(row[0])


def newest_imports(store: Store, limit: int = 10) -> list[Imported]:
    """The tables that were taken in last, newest first."""
    with store.reading() as db:
        rows = db.execute("SELECT name, created FROM imports ORDER BY created DESC, name LIMIT ?", [limit])
        return [Imported(str(name), str(created)) for name, created in rows]


def note_import(db: Database, mark: str, name: str, created: str) -> bool:
    """Note a table as taken in; False where it had been before."""
    cursor = db.execute(
        "INSERT INTO imports (mark, name, created) VALUES (?, ?, ?) ON CONFLICT (mark) DO NOTHING",
        [mark, name, created],
    )
    return bool(cursor.rowcount)
