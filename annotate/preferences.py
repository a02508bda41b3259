"""Which of two images of a prompt a person prefers: the checks, the rows in the database, and what stands now.

Rows are append-only like ratings; of a person's rows about a pair the newest counts. They go to the queue of pairs
and to `pairs.jsonl`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

from sqlite_utils import Database

from annotate.errors import BadRequestError, StorageError
from annotate.judgement import check_annotator, check_key, check_seconds

Pair = tuple[int, int]  # image numbers, the lower one first

SKIP = "skip"
_SHOWN_CHOICES = ("left", "right", "tie", SKIP)


@dataclass(frozen=True)
class Preference:
    """What a person said of a pair. `first` < `second` are image numbers; `first_side` is where the first was shown.

    `choice`: first, second, tie, or skip, which takes an earlier choice back and asks this person no more.
    `revises` is the key of the same person's row about this pair that this one takes the place of.
    """

    first: int
    second: int
    annotator: str
    choice: str
    first_side: str
    seconds: float | None = None
    key: str = ""
    revises: str | None = None

    @property
    def pair(self) -> Pair:
        """The two images."""
        return self.first, self.second

    @property
    def shown(self) -> Pair:
        """The two images from left to right."""
        return (self.first, self.second) if self.first_side == "left" else (self.second, self.first)

    @property
    def shown_choice(self) -> str:
        """The choice as the person saw it: left, right, tie or skip."""
        if self.choice not in {"first", "second"}:
            return self.choice
        return "left" if (self.choice == "first") == (self.first_side == "left") else "right"


@dataclass(frozen=True)
class StoredPreference(Preference):
    """A row as the database holds it, with its number and its time (ISO 8601, UTC)."""

    id: int = 0
    created: str = ""


_COLUMNS = tuple(field.name for field in fields(StoredPreference))
_INSERTED = tuple(name for name in _COLUMNS if name != "id")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM preferences"


def check_preference(
    left: int, right: int, annotator: str, choice: str, seconds: object, key: str, revises: str | None = None
) -> Preference:
    """A choice between two images as they were shown, checked.

    Raises:
        BadRequestError: what is wrong, in one sentence.
    """
    if choice not in _SHOWN_CHOICES:
        raise BadRequestError(f"choice must be left, right or tie, not {choice[:40]!r}.")
    if left == right:
        raise BadRequestError("left and right are the same image; compare two different ones.")
    based_on = None if revises is None else check_key(revises, "revises")
    side = "left" if left < right else "right"
    said = choice if choice in {"tie", SKIP} else "first" if choice == side else "second"
    name, spent = check_annotator(annotator), check_seconds(seconds)
    return Preference(min(left, right), max(left, right), name, said, side, spent, check_key(key), based_on)


def insert_preference(db: Database, preference: Preference, created: str) -> StoredPreference:
    """Append a row."""
    row = {**asdict(preference), "created": created}
    cursor = db.execute(
        f"INSERT INTO preferences ({', '.join(_INSERTED)}) VALUES ({', '.join('?' * len(_INSERTED))})",
        [row[name] for name in _INSERTED],
    )
    if cursor.lastrowid is None:
        raise StorageError("The database gave no number to the preference.")
    return StoredPreference(**asdict(preference), id=cursor.lastrowid, created=created)


def preference_by_key(db: Database, key: str) -> StoredPreference | None:
    """The row that was stored under a key."""
    row = db.execute(f"{_SELECT} WHERE key = ?", [key]).fetchone()
    return None if row is None else StoredPreference(*row)


def preferences_since(db: Database, last_id: int) -> list[StoredPreference]:
    """The rows after number `last_id`, oldest first."""
    return [StoredPreference(*row) for row in db.execute(f"{_SELECT} WHERE id > ? ORDER BY id", [last_id])]


def own_preferences(db: Database, annotator: str, before: int, limit: int) -> list[StoredPreference]:
    """A person's current rows about images that are there, newest first, those numbered below `before`."""
    names = ", ".join(f"p.{name}" for name in _COLUMNS)
    rows = db.execute(
        f"SELECT {names} FROM preferences p JOIN images a ON a.id = p.first JOIN images b ON b.id = p.second "
        "WHERE p.annotator = :annotator AND p.id < :before AND a.active AND b.active AND a.prompt_id = b.prompt_id "
        "AND NOT EXISTS (SELECT 1 FROM preferences n WHERE n.annotator = p.annotator AND n.first = p.first "
        "AND n.second = p.second AND n.id > p.id) ORDER BY p.id DESC LIMIT :limit",
        {"annotator": annotator, "before": before, "limit": limit},
    )
    return [StoredPreference(*row) for row in rows]


def same_preference(stored: StoredPreference, preference: Preference) -> bool:
    """Whether a choice that came again says what it said the first time; the time it took may differ."""
    names = ("first", "second", "annotator", "choice", "first_side")
    return all(getattr(stored, name) == getattr(preference, name) for name in names)


class Votes:
    """What stands now of every pair, by person, folded from rows. Not thread-safe."""

    def __init__(self, rows: Iterable[StoredPreference] = ()) -> None:
        self.last_id = 0
        self._pairs: dict[Pair, dict[str, StoredPreference]] = {}
        self._people: dict[str, dict[Pair, StoredPreference]] = {}
        self._newest: dict[str, StoredPreference] = {}
        self.add(rows)

    def add(self, rows: Iterable[StoredPreference]) -> set[Pair]:
        """Fold in rows, oldest first; returns the pairs they are about."""
        changed = set()
        for row in rows:
            self._pairs.setdefault(row.pair, {})[row.annotator] = row
            self._people.setdefault(row.annotator, {})[row.pair] = row
            self._newest[row.annotator] = row
            self.last_id = row.id
            changed.add(row.pair)
        return changed

    def pairs(self) -> Iterable[Pair]:
        """The pairs that anything was said about."""
        return self._pairs.keys()

    def said_by(self, annotator: str) -> Mapping[Pair, StoredPreference]:
        """What a person says now, by pair, skips too."""
        return self._people.get(annotator, {})

    def choices(self, pair: Pair) -> list[str]:
        """Everybody's choice now, skips left out: first, second or tie, one a person."""
        return [row.choice for row in self._pairs.get(pair, {}).values() if row.choice != SKIP]

    def newest(self, annotator: str) -> StoredPreference | None:
        """What a person said last, of any pair."""
        return self._newest.get(annotator)
