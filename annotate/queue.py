"""Which image a person sees next, and how far they are. Reads the database; decides nothing about others."""

from dataclasses import dataclass

from sqlite_utils import Database

from annotate.catalogue import ImageRow, one_image, row_to_image, select_images
from annotate.drafts import drafted_images, one_draft
from annotate.rows import current_rating

_RATED = (
    "COALESCE((SELECT 1 - r.withdrawn FROM ratings r WHERE r.annotator = :annotator AND r.image_id = i.id "
    "ORDER BY r.id DESC LIMIT 1), 0)"
)
_SKIPPED = "(SELECT max(s.id) FROM skips s WHERE s.annotator = :annotator AND s.image_id = i.id)"


@dataclass(frozen=True)
class Progress:
    """Images that a person has rated, and images there are."""

    rated: int
    total: int


def next_images(db: Database, annotator: str, after: int | None, limit: int) -> list[ImageRow]:
    """Up to `limit` images not rated by this person: in order from behind image `after`, then from the start,
    then the skipped ones, longest skipped first. Several people may get the same image: means are over people.

    Without `after` (a person comes, or comes back), the image that they were in the midst of is the first.
    """
    begun = _begun(db, annotator) if after is None else []
    fresh = [image for image in _unrated(db, annotator, after, limit) if image.id not in {b.id for b in begun}]
    return [*begun, *fresh][:limit]


def _begun(db: Database, annotator: str) -> list[ImageRow]:
    """The image of the person's newest draft, as a list of one or none."""
    for image_id in drafted_images(db, annotator):
        image = one_image(db, image_id)
        current = current_rating(db, image_id, annotator)
        draft = one_draft(db, image_id, annotator)
        if image is not None and image.active and draft and draft.revises == (current.key if current else None):
            return [image]
    return []


def _unrated(db: Database, annotator: str, after: int | None, limit: int) -> list[ImageRow]:
    position = -1
    if after is not None:
        row = db.execute("SELECT position FROM images WHERE id = ?", [after]).fetchone()
        position = -1 if row is None else int(row[0])
    fresh = f"AND NOT {_RATED} AND {_SKIPPED} IS NULL ORDER BY i.position"
    passes = [f"AND i.position > :position {fresh}"]
    if position >= 0:
        passes.append(f"AND i.position <= :position {fresh}")
    passes.append(f"AND NOT {_RATED} AND {_SKIPPED} IS NOT NULL ORDER BY {_SKIPPED}")
    found: list[ImageRow] = []
    for condition in passes:
        if len(found) < limit:
            query = select_images(f"WHERE i.active = 1 {condition} LIMIT :limit")
            values = {"annotator": annotator, "position": position, "limit": limit - len(found)}
            found += [row_to_image(row) for row in db.execute(query, values)]
    return found


def count_progress(db: Database, annotator: str, rated: int | None = None) -> Progress:
    """The counts of a person; `rated` where the caller knows it already."""
    total = int(db.execute("SELECT count(*) FROM images WHERE active = 1").fetchone()[0])
    if rated is None:
        query = f"SELECT count(*) FROM images i WHERE i.active = 1 AND {_RATED} = 1"
        rated = int(db.execute(query, {"annotator": annotator}).fetchone()[0])
    return Progress(rated, total)
