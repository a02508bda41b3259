"""Blind repeats: a few of a person's own images come again unannounced, to see how consistent that person is.

They are a kind of their own: in no mean, no export and no list, and no revision of the earlier rating.
"""

from sqlite_utils import Database

from annotate.judgement import Rating
from annotate.lots import count_done, draw
from reward.aspects import HEADS

FIRST_AFTER = 20  # ratings that a person has given before anything comes again, and that lie between the two

_INSERT = (
    f"INSERT INTO repeats (image_id, annotator, {', '.join(HEADS)}, unjudged, seconds, key, of_key, created) "
    f"VALUES ({', '.join('?' * (len(HEADS) + 7))})"
)
# What the person rated here, not lately, that is still there and didn't come again yet.
_CANDIDATES = """
SELECT r.image_id FROM ratings r JOIN images i ON i.id = r.image_id
WHERE r.annotator = :annotator AND i.active AND NOT r.withdrawn AND r.source = 'pad'
AND NOT EXISTS (SELECT 1 FROM repeats p WHERE p.image_id = r.image_id AND p.annotator = :annotator)
AND NOT EXISTS (SELECT 1 FROM ratings n WHERE n.image_id = r.image_id AND n.annotator = :annotator AND n.id > r.id)
ORDER BY r.id DESC LIMIT -1 OFFSET :apart
"""


def due_repeat(db: Database, studio: str, annotator: str, share: float) -> int | None:
    """The image that is to come again for a person now, if any. The same until they rate or skip something."""
    chance, choice = draw(f"{studio} {annotator} {count_done(db, annotator)}")
    if chance >= share:
        return None
    rows = db.execute(_CANDIDATES, {"annotator": annotator, "apart": FIRST_AFTER}).fetchall()
    return int(rows[int(choice * len(rows))][0]) if rows else None


def insert_repeat(db: Database, rating: Rating, of_key: str, created: str) -> int:
    """Append a repeat of the rating stored under `of_key`; returns its number."""
    cursor = db.execute(
        _INSERT,
        [rating.image_id, rating.annotator, *rating.values, " ".join(rating.unjudged), rating.seconds, rating.key,
         of_key, created],
    )  # fmt: skip
    return int(cursor.lastrowid or 0)


def repeat_by_key(db: Database, rating: Rating) -> tuple[int, str, bool] | None:
    """Number, time and whether the content is the same, of the repeat stored under a rating's key."""
    columns = ", ".join(HEADS)
    row = db.execute(
        f"SELECT id, created, image_id, annotator, unjudged, {columns} FROM repeats WHERE key = ?", [rating.key]
    ).fetchone()
    if row is None:
        return None
    same = (*row[2:5], *row[5:]) == (rating.image_id, rating.annotator, " ".join(rating.unjudged), *rating.values)
    return int(row[0]), str(row[1]), same
