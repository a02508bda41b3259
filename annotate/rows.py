"""Ratings as rows of the database: written, read back, and which of a person’s ratings of an image is current."""

from collections.abc import Sequence

from sqlite_utils import Database

from annotate.errors import BadRequestError, RevisedError, StorageError
from annotate.judgement import CORRECTION_NAME, SIMULATED_CORRECTION_NAME, Rating, StoredRating
from reward.aspects import HEADS

COLUMNS = ("id", "image_id", "annotator", *HEADS, "unjudged", "seconds", "key", "source", "withdrawn", "covers",
           "revises", "late", "created")  # fmt: skip
_INSERT = f"INSERT INTO ratings ({', '.join(COLUMNS[1:])}) VALUES ({', '.join('?' * (len(COLUMNS) - 1))})"

_KNOWN = "SELECT EXISTS (SELECT 1 FROM ratings WHERE key = :key) OR EXISTS (SELECT 1 FROM repeats WHERE key = :key)"


def insert_rating(db: Database, rating: Rating, created: str) -> StoredRating:
    """Append a rating."""
    if rating.source == "correction" and rating.annotator not in {CORRECTION_NAME, SIMULATED_CORRECTION_NAME}:
        raise BadRequestError("A correction belongs to nobody in particular.")
    cursor = db.execute(
        _INSERT,
        [rating.image_id, rating.annotator, *rating.values, " ".join(rating.unjudged), rating.seconds, rating.key,
         rating.source, int(rating.withdrawn), rating.covers, rating.revises, int(rating.late), created],
    )  # fmt: skip
    if cursor.lastrowid is None:
        raise StorageError("The database gave no number to the rating.")
    return StoredRating(**vars(rating), id=cursor.lastrowid, created=created)


def select_ratings(rest: str) -> str:
    """The query for whole rating rows (table `r`), followed by `rest`."""
    return f"SELECT {', '.join(f'r.{column}' for column in COLUMNS)} FROM ratings r {rest}"


def row_to_rating(row: Sequence[object]) -> StoredRating:
    """A StoredRating from the columns that `select_ratings` selects."""
    fields = dict(zip(COLUMNS, row, strict=True))
    values = tuple(fields.pop(head) for head in HEADS)
    fields["unjudged"] = tuple(str(fields["unjudged"]).split())
    fields["withdrawn"], fields["late"] = bool(fields["withdrawn"]), bool(fields["late"])
    return StoredRating(values=values, **fields)  # type: ignore[arg-type]  # STRICT tables hold these types


def is_stored(db: Database, key: str) -> bool:
    """Whether a rating, or an answer to a repeat, was stored under a key."""
    return bool(db.execute(_KNOWN, {"key": key}).fetchone()[0])


def rating_by_key(db: Database, key: str) -> StoredRating | None:
    """The rating that was stored under a key."""
    row = db.execute(select_ratings("WHERE r.key = ?"), [key]).fetchone()
    return None if row is None else row_to_rating(row)


def current_rating(db: Database, image_id: int, annotator: str) -> StoredRating | None:
    """What a person says of an image now: their newest rating of it, None if there is none or it was withdrawn."""
    query = select_ratings("WHERE r.annotator = ? AND r.image_id = ? ORDER BY r.id DESC LIMIT 1")
    row = db.execute(query, [annotator, image_id]).fetchone()
    rating = None if row is None else row_to_rating(row)
    return None if rating is None or rating.withdrawn else rating


def same_content(stored: StoredRating, rating: Rating) -> bool:
    """Whether a rating that came again says what it said the first time; the time it took may differ."""
    names = ("image_id", "annotator", "values", "unjudged", "source", "withdrawn", "covers")
    return all(getattr(stored, name) == getattr(rating, name) for name in names)


def require_current(current: StoredRating | None, rating: Rating) -> None:
    """Nothing, where a rating revises what is current, or is the first.

    Raises:
        RevisedError: something else was said, or withdrawn, meanwhile.
    """
    if current is None and rating.revises is not None:
        raise RevisedError("The rating that this one revises was withdrawn meanwhile. Save again to rate anew.", None)
    if current is not None and rating.revises != current.key:
        raise RevisedError(
            "You rated this image meanwhile, in another tab or browser. Save again to put this rating in its place.",
            current.id,
        )
