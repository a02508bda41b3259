"""Blind repeats: a few of a person's own images come again unannounced, to see how consistent that person is.

They are a kind of their own: in no mean, no export and no list, and no revision of the earlier rating. Nothing that the
person meets on the way (drafts, reloads, two tabs, going back) may tell a repeat from a first rating.
"""

from collections.abc import Sequence

from sqlite_utils import Database

from annotate.judgement import Draft, Rating, StoredRating
from annotate.leases import moment
from annotate.lots import count_done, draw
from reward.aspects import HEADS

FIRST_AFTER = 20  # ratings that a person has given before anything comes again, and that lie between the two

_COLUMNS = ("id", "image_id", "annotator", *HEADS, "unjudged", "seconds", "key", "created", "behind")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM repeats"
_INSERT = f"INSERT INTO repeats ({', '.join(_COLUMNS[1:])}, of_key) VALUES ({', '.join('?' * len(_COLUMNS[1:]))}, ?)"
# What the person rated here, not lately, that is still there and didn't come again yet, and isn't at in another way.
_CANDIDATES = """
SELECT r.image_id FROM ratings r JOIN images i ON i.id = r.image_id
WHERE r.annotator = :annotator AND i.active AND NOT r.withdrawn AND r.source = 'pad'
AND NOT EXISTS (SELECT 1 FROM repeats p WHERE p.image_id = r.image_id AND p.annotator = :annotator)
AND NOT EXISTS (SELECT 1 FROM ratings n WHERE n.image_id = r.image_id AND n.annotator = :annotator AND n.id > r.id)
AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.image_id = r.image_id AND l.annotator = :annotator AND l.expires > :now)
AND NOT EXISTS (SELECT 1 FROM drafts d WHERE d.image_id = r.image_id AND d.annotator = :annotator
    AND json_extract(d.body, '$.revises') IS NOT NULL)
ORDER BY r.id DESC LIMIT -1 OFFSET :apart
"""
_BEFORE_THEM = "SELECT 1 FROM leases WHERE annotator = ? AND kind = 'repeat' AND expires > ?"
_OFFERED = "SELECT 1 FROM repeat_offers WHERE annotator = ? AND image_id = ?"
_ANSWERED = "SELECT 1 FROM repeats WHERE annotator = ? AND image_id = ?"


def due_repeat(db: Database, studio: str, annotator: str, share: float) -> int | None:
    """The image that is to come again for a person now, if any. The same until they rate or skip something.

    One at a time: none while one is before them in any tab.
    """
    chance, choice = draw(f"{studio} {annotator} {count_done(db, annotator)}")
    if chance >= share or db.execute(_BEFORE_THEM, [annotator, moment()]).fetchone():
        return None
    rows = db.execute(_CANDIDATES, {"annotator": annotator, "apart": FIRST_AFTER, "now": moment()}).fetchall()
    return int(rows[int(choice * len(rows))][0]) if rows else None


def note_offer(db: Database, image_id: int, annotator: str) -> None:
    """An image comes again for a person: from now on, what looks like their first rating of it is an answer to that."""
    db.execute("INSERT OR IGNORE INTO repeat_offers (annotator, image_id) VALUES (?, ?)", [annotator, image_id])


def is_offered(db: Database, image_id: int, annotator: str) -> bool:
    """Whether an image came again for a person, answered or not."""
    return db.execute(_OFFERED, [annotator, image_id]).fetchone() is not None


def is_open(db: Database, image_id: int, annotator: str) -> bool:
    """Whether an image came again for a person who hasn't answered yet."""
    answered = db.execute(_ANSWERED, [annotator, image_id]).fetchone() is not None
    return not answered and is_offered(db, image_id, annotator)


def is_of_repeat(db: Database, draft: Draft) -> bool:
    """Whether a draft on an image that the person has rated is of its repeat, or of a change of what they answered."""
    if draft.revises is None:
        return is_open(db, draft.image_id, draft.annotator)
    return answered_repeat(db, draft.image_id, draft.annotator, draft.revises) is not None


def answered_repeat(db: Database, image_id: int, annotator: str, key: str) -> StoredRating | None:
    """What a person answered to an image's repeat under a key."""
    query = f"{_SELECT} WHERE key = ? AND image_id = ? AND annotator = ?"
    row = db.execute(query, [key, image_id, annotator]).fetchone()
    return None if row is None else _row_to_rating(row)


def insert_repeat(db: Database, rating: Rating, of_key: str, created: str) -> StoredRating:
    """Append an answer to the repeat of the rating stored under `of_key`. Of several of a person the newest counts."""
    (behind,) = db.execute("SELECT COALESCE(max(id), 0) FROM ratings").fetchone()
    db.execute(
        _INSERT,
        [rating.image_id, rating.annotator, *rating.values, " ".join(rating.unjudged), rating.seconds, rating.key,
         created, behind, of_key],
    )  # fmt: skip
    return _row_to_rating(db.execute(f"{_SELECT} WHERE key = ?", [rating.key]).fetchone())


def repeat_by_key(db: Database, key: str) -> StoredRating | None:
    """The answer to a repeat that was stored under a key."""
    row = db.execute(f"{_SELECT} WHERE key = ?", [key]).fetchone()
    return None if row is None else _row_to_rating(row)


def repeat_by_number(db: Database, number: int) -> StoredRating:
    """The answer to a repeat by its row's number."""
    return _row_to_rating(db.execute(f"{_SELECT} WHERE id = ?", [number]).fetchone())


def _row_to_rating(row: Sequence[object]) -> StoredRating:
    """As if it were a rating: numbered as the next one would have been, for a number of its own would tell."""
    fields = dict(zip(_COLUMNS, row, strict=True))
    values = tuple(fields.pop(head) for head in HEADS)
    behind = fields.pop("behind")
    fields["id"] = fields["id"] if behind is None else int(str(behind)) + 1
    fields["unjudged"] = tuple(str(fields["unjudged"]).split())
    return StoredRating(values=values, **fields)  # type: ignore[arg-type]  # STRICT tables hold these types


def answers_repeat(db: Database, rating: Rating, looks_first: bool) -> bool:
    """Whether a rating of an image that the person has rated answers its repeat, or changes what they answered.

    Args:
        looks_first: `rating.revises` is None as for an image that was shown as if it were new, not as left out.
    """
    if rating.revises is None:
        return looks_first and is_offered(db, rating.image_id, rating.annotator)
    return answered_repeat(db, rating.image_id, rating.annotator, rating.revises) is not None
