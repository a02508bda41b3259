"""Images that somebody sent back to the rating queue, with a note for the person who rates it next.

A request is open until one more rating of the image has come; until then the image goes first, to people who haven't
rated it, however many have. Requests are append-only; each function is part of its caller's transaction.
"""

import unicodedata
from dataclasses import dataclass

from sqlite_utils import Database

from annotate.errors import BadRequestError
from annotate.judgement import check_annotator
from reward.aspects import BY_NAME

MOST_NOTE = 200

# As a condition on a query's image `i`: somebody asked for one more rating of it, which hasn't come yet.
OPEN = """
EXISTS (SELECT 1 FROM requests q WHERE q.image_id = i.id AND NOT EXISTS (
    SELECT 1 FROM ratings r WHERE r.image_id = i.id AND r.id > q.last_rating_id AND NOT r.withdrawn
        AND r.source <> 'correction'))
"""
# Nobody else has it before them; one rating is asked for.
FREE = """
NOT EXISTS (SELECT 1 FROM leases l WHERE l.image_id = i.id AND l.annotator <> :annotator AND l.kind = 'first'
    AND l.expires > :now)
"""


@dataclass(frozen=True)
class Request:
    """One more rating of an image is asked for, on one head or (None) on all; `requester` is who asks."""

    image_id: int
    head: str | None
    note: str
    requester: str

    @property
    def why(self) -> str:
        """What the person is told who gets the image."""
        about = "" if self.head is None else f" Look at {BY_NAME[self.head].label} above all."
        note = f": “{self.note}”." if self.note else "."
        return f"{self.requester} asks for one more rating{note}{about}"


def check_request(image_id: int, head: str | None, note: str, requester: str) -> Request:
    """A request as it is stored.

    Raises:
        BadRequestError: what is wrong, in one sentence.
    """
    if head is not None and head not in BY_NAME:
        raise BadRequestError(f"There is no head {head[:40]!r}; the heads are {', '.join(BY_NAME)}.")
    tidy = unicodedata.normalize("NFC", note.strip())
    if len(tidy) > MOST_NOTE or any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in tidy):
        raise BadRequestError(f"A note holds up to {MOST_NOTE} characters, without line breaks.")
    return Request(image_id, head, tidy, check_annotator(requester))


def insert_request(db: Database, request: Request, created: str) -> None:
    """Append a request; ratings that are there already don't answer it."""
    db.execute(
        "INSERT INTO requests (image_id, head, note, requester, last_rating_id, created) "
        "VALUES (?, ?, ?, ?, (SELECT COALESCE(max(id), 0) FROM ratings), ?)",
        [request.image_id, request.head, request.note, request.requester, created],
    )


def newest_request(db: Database, image_id: int) -> Request | None:
    """The last request for an image, answered or not."""
    row = db.execute(
        "SELECT image_id, head, note, requester FROM requests WHERE image_id = ? ORDER BY id DESC LIMIT 1", [image_id]
    ).fetchone()
    return None if row is None else Request(*row)


def is_open(db: Database, image_id: int) -> bool:
    """Whether a rating of the image is still asked for."""
    row = db.execute(f"SELECT 1 FROM images i WHERE i.id = ? AND {OPEN}", [image_id]).fetchone()
    return row is not None
