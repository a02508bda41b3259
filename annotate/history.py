"""A person's own ratings, newest first: what "my ratings" lists and what going back reopens."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from annotate.catalogue import ImageRow, one_image
from annotate.judgement import StoredRating
from annotate.repeats import repeat_by_number
from annotate.rows import COLUMNS, row_to_rating, select_ratings

_NEWEST = (
    "JOIN (SELECT max(id) AS id, count(*) AS times FROM ratings WHERE annotator = :annotator GROUP BY image_id) n "
    "ON n.id = r.id JOIN images i ON i.id = r.image_id "
    "WHERE NOT r.withdrawn AND i.active AND r.id < :before AND (:beside IS NULL OR i.id <> :beside "
    "AND i.prompt_id = (SELECT prompt_id FROM images WHERE id = :beside)) ORDER BY r.id DESC LIMIT :limit"
)
# A rating's place is its own number; a repeat's is behind the newest rating that there was.
_PLACE = (
    "SELECT id, 0 FROM ratings WHERE key = :key AND annotator = :annotator "
    "UNION ALL SELECT behind, id FROM repeats WHERE key = :key AND annotator = :annotator AND behind IS NOT NULL"
)
_LAST = """
SELECT at, again FROM (
    SELECT r.id AS at, 0 AS again, r.image_id FROM ratings r JOIN (SELECT max(id) AS id FROM ratings
        WHERE annotator = :annotator GROUP BY image_id) n ON n.id = r.id WHERE NOT r.withdrawn
    UNION ALL SELECT behind, max(id), image_id FROM repeats
        WHERE annotator = :annotator AND behind IS NOT NULL GROUP BY image_id
) JOIN images i ON i.id = image_id WHERE i.active AND (at, again) < (:at, :again) ORDER BY at DESC, again DESC LIMIT 1
"""
_NO_END = 2**63 - 1


@dataclass(frozen=True)
class OwnRating:
    """What a person says of an image now, and how often they said something of it."""

    image: ImageRow
    rating: StoredRating
    times: int


def own_ratings(db: Database, annotator: str, before: int, limit: int, beside: int | None = None) -> list[OwnRating]:
    """A person's current ratings of images that are there, newest first, those numbered below `before`.

    With `beside`, an image's number: only of that image's prompt, and not of the image itself.
    """
    query = select_ratings(_NEWEST).replace(" FROM ratings r", ", n.times FROM ratings r", 1)
    rows = db.execute(query, {"annotator": annotator, "before": before, "limit": limit, "beside": beside}).fetchall()
    return [own for row in rows if (own := _own(db, row)) is not None]


def said_last(db: Database, annotator: str, before: str | None = None) -> OwnRating | None:
    """What a person said last, or last before what is stored under the key `before`: what going back reopens.

    Answers to blind repeats are among it, each as a rating of its own: left out, they would be told by that.
    """
    values = {"annotator": annotator, "key": before or ""}
    place = db.execute(_PLACE, values).fetchone() or (_NO_END, 0)
    row = db.execute(_LAST, values | {"at": place[0], "again": place[1]}).fetchone()
    if row is None:
        return None
    if row[1]:
        rating = repeat_by_number(db, int(row[1]))
    else:
        rating = row_to_rating(db.execute(select_ratings("WHERE r.id = ?"), [row[0]]).fetchone())
    image = one_image(db, rating.image_id)
    return None if image is None else OwnRating(image, rating, 1)


def _own(db: Database, row: Sequence[object]) -> OwnRating | None:
    rating = row_to_rating(row[: len(COLUMNS)])
    image = one_image(db, rating.image_id)
    return None if image is None else OwnRating(image, rating, int(str(row[-1])))
