"""What becomes of a rating that is sent: the first of its kind, a revision, an answer to a blind repeat, or known."""

from dataclasses import dataclass, replace

from sqlite_utils import Database

from annotate.database import now
from annotate.drafts import remove_draft
from annotate.errors import ConflictError
from annotate.full_images import Places
from annotate.judgement import Rating, StoredRating
from annotate.leases import end_lease
from annotate.repeats import answers_repeat, insert_repeat, repeat_by_key
from annotate.rows import current_rating, insert_rating, is_stored, rating_by_key, require_current, same_content


@dataclass(frozen=True)
class Saved:
    """A rating as stored; whether it had been stored before; whether it is the person's first of the image."""

    rating: StoredRating
    repeated: bool = False
    first: bool = False


def keep_rating(db: Database, places: Places, rating: Rating, only_if_newest: bool, *, is_lent: bool) -> Saved:
    """Store a checked rating; part of its caller's transaction.

    Args:
        only_if_newest: see `Store.save_rating`.
        is_lent: only so many people rate the image, so that a first rating without a lease is late.

    Raises:
        ConflictError: the key was used for other content.
        NotFoundError: there is no such image.
        RevisedError: the person's current rating isn't the one that was to be revised.
    """
    if is_stored(db, rating.key):
        earlier = rating_by_key(db, rating.key) or repeat_by_key(db, rating.key)
        if earlier is None or not same_content(earlier, rating):
            raise ConflictError("This key was used for another rating; make a new key for each rating.")
        return Saved(earlier, repeated=True)
    places.require(db, rating.image_id)
    current = current_rating(db, rating.image_id, rating.annotator)
    kind, ended = end_lease(db, rating.image_id, rating.annotator)
    remove_draft(db, rating.image_id, rating.annotator)
    if current is not None and answers_repeat(db, rating, only_if_newest or kind == "repeat"):
        return Saved(insert_repeat(db, rating, current.key, now()))
    if only_if_newest:
        require_current(current, rating)
    late = current is None and (ended or (kind == "" and is_lent))
    revises = None if current is None else current.key
    return Saved(insert_rating(db, replace(rating, revises=revises, late=late), now()), first=current is None)
