"""A reviewer's decision on a head of an image: what the ratings CSV holds in place of the mean, who decided, and why.

Its effect is a correction like that of an edited means file, so that exports and edits know one mechanism; the table
`adjudications` beside it, append-only too, tells the reviewer and the note. People's ratings stay as they are.
"""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlite_utils import Database

from annotate.errors import BadRequestError, ConflictError, StorageError
from annotate.judgement import CORRECTION_NAME, Rating, StoredRating, check_annotator, check_text, check_value
from annotate.rows import insert_rating, row_to_rating, select_ratings
from reward.aspects import BY_NAME, HEADS

LONGEST_NOTE = 500
_EVERYBODY = 2**63 - 1  # it covers whatever people say, also later
_COLUMNS = ("id", "image_id", "head", "value", "reviewer", "note", "rating_id", "created")
_INSERT = f"INSERT INTO adjudications ({', '.join(_COLUMNS[1:])}) VALUES ({', '.join('?' * (len(_COLUMNS) - 1))})"


@dataclass(frozen=True)
class Adjudication:
    """A decision: `value` (0–10) stands for the image's head from now on; None revokes the one that stands."""

    image_id: int
    head: str
    value: float | None
    reviewer: str
    note: str = ""


@dataclass(frozen=True)
class StoredAdjudication(Adjudication):
    """A decision as it is stored. `rating_id` numbers the correction that carries it.

    `stands`: nothing later (another decision, or an edited ratings CSV) speaks for this head of the image.
    """

    id: int = 0
    rating_id: int = 0
    created: str = ""
    stands: bool = True


def check_adjudication(image_id: int, head: str, value: object, reviewer: str, note: str) -> Adjudication:
    """A decision as it was sent, checked.

    Raises:
        BadRequestError: what is wrong, in one sentence.
    """
    if head not in BY_NAME:
        raise BadRequestError(f"There is no head {head[:40]!r}; the heads are {', '.join(HEADS)}.")
    decided = None if value is None else check_value(value, BY_NAME[head].label)
    return Adjudication(
        image_id, head, decided, check_annotator(reviewer), check_text(note, LONGEST_NOTE, "A note")
    )  # fmt: skip


def list_adjudications(db: Database, image_id: int | None = None) -> list[StoredAdjudication]:
    """All decisions, or an image's, newest first; revocations are rows of their own, with the value None."""
    where = "" if image_id is None else "WHERE image_id = :image"
    rows = db.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM adjudications {where} ORDER BY id DESC", {"image": image_id}
    ).fetchall()
    newest: dict[int, dict[str, int]] = {}
    found = []
    for row in rows:
        one = StoredAdjudication(**dict(zip(_COLUMNS, row, strict=True)))
        if one.image_id not in newest:
            newest[one.image_id] = {
                head: said.id for said in _corrections(db, one.image_id) for head in _heads_of(said)
            }
        found.append(replace(one, stands=newest[one.image_id].get(one.head) == one.rating_id))
    return found


def insert_adjudication(db: Database, decision: Adjudication, created: str) -> StoredAdjudication:
    """Append a decision with the correction that carries it; part of the caller's transaction.

    Raises:
        BadRequestError: it revokes, and no decision stands.
    """
    earlier = list_adjudications(db, decision.image_id)
    if decision.value is None:
        standing = [one for one in earlier if one.head == decision.head and one.stands and one.value is not None]
        if not standing:
            raise BadRequestError(f"No adjudicated value of {BY_NAME[decision.head].label} stands for this image.")
        rating = _before(db, decision, {one.rating_id for one in earlier})
    else:
        rating = _correction(decision.image_id, decision.head, decision.value, _EVERYBODY)
    carrier = insert_rating(db, replace(rating, key=f"adjudication-{uuid.uuid4().hex}"), created)
    values = [decision.image_id, decision.head, decision.value, decision.reviewer, decision.note, carrier.id, created]
    cursor = db.execute(_INSERT, values)
    if cursor.lastrowid is None:
        raise StorageError("The database gave no number to the adjudication.")
    return StoredAdjudication(**asdict(decision), id=cursor.lastrowid, rating_id=carrier.id, created=created)


def known_adjudication(db: Database, decision: Adjudication) -> StoredAdjudication | None:
    """The newest decision of this head of the image, where it stands and says just this: it came twice."""
    newest = newest_adjudication(db, decision.image_id, decision.head)
    same = newest is not None and newest.stands and all(
        getattr(newest, name) == value for name, value in asdict(decision).items()
    )  # fmt: skip
    return newest if same else None


def require_newest(db: Database, decision: Adjudication, replaces: int | None) -> None:
    """See that decision number `replaces` (None: none yet) is the newest of this head of the image.

    Raises:
        ConflictError: somebody decided meanwhile.
    """
    newest = newest_adjudication(db, decision.image_id, decision.head)
    if (None if newest is None else newest.id) == replaces:
        return
    if newest is None:
        raise ConflictError("There is no such adjudication. Reload the list.")
    what = "revoked the adjudicated value" if newest.value is None else f"adjudicated {newest.value:g}"
    raise ConflictError(f"{newest.reviewer} {what} meanwhile. Reload the list, then decide again.")


def newest_adjudication(db: Database, image_id: int, head: str) -> StoredAdjudication | None:
    """What was decided last of a head of an image."""
    return next((one for one in list_adjudications(db, image_id) if one.head == head), None)


def _correction(image_id: int, head: str, value: float | None, covers: int) -> Rating:
    values = tuple(value if name == head else None for name in HEADS)
    cleared = (head,) if value is None else ()
    return Rating(image_id, CORRECTION_NAME, values, cleared, source="correction", covers=covers)


def _before(db: Database, decision: Adjudication, adjudicated: set[int]) -> Rating:
    """What says again what held before anybody decided: the last edit of the ratings CSV, else people's own mean."""
    for said in reversed(_corrections(db, decision.image_id)):
        if said.id not in adjudicated and decision.head in _heads_of(said):
            value = said.values[HEADS.index(decision.head)]
            return _correction(decision.image_id, decision.head, value, said.covers or 0)
    return _correction(decision.image_id, decision.head, None, 0)  # speaks for nobody: all ratings count again


def _corrections(db: Database, image_id: int) -> list[StoredRating]:
    """The corrections of an image, oldest first."""
    query = select_ratings("WHERE r.image_id = ? AND r.annotator = ? AND r.source = 'correction' ORDER BY r.id")
    return [row_to_rating(row) for row in db.execute(query, [image_id, CORRECTION_NAME])]


def _heads_of(said: StoredRating) -> Sequence[str]:
    """The heads that a correction speaks of."""
    return [h for h, value in zip(HEADS, said.values, strict=True) if value is not None or h in said.unjudged]
