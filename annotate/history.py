"""A person's own ratings, newest first: what "my ratings" lists and what going back reopens."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from annotate.catalogue import ImageRow, one_image
from annotate.judgement import StoredRating
from annotate.rows import COLUMNS, row_to_rating, select_ratings

_NEWEST = (
    "JOIN (SELECT max(id) AS id, count(*) AS times FROM ratings WHERE annotator = :annotator GROUP BY image_id) n "
    "ON n.id = r.id JOIN images i ON i.id = r.image_id "
    "WHERE NOT r.withdrawn AND i.active AND r.id < :before AND (:beside IS NULL OR i.id <> :beside "
    "AND i.prompt_id = (SELECT prompt_id FROM images WHERE id = :beside)) ORDER BY r.id DESC LIMIT :limit"
)


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


def _own(db: Database, row: Sequence[object]) -> OwnRating | None:
    rating = row_to_rating(row[: len(COLUMNS)])
    image = one_image(db, rating.image_id)
    return None if image is None else OwnRating(image, rating, int(str(row[-1])))
