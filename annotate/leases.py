"""Who has which image before them: a lease a person and image, that ends by itself when nothing is done for a while.

Leases keep an image from going to more people than are wanted, and the tabs of one person apart. Each function is part
of the transaction of its caller, so that no image is given twice.
"""

from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

_LEAVING_S = 30  # a page that is left may only be reloading


def take_lease(db: Database, image_id: int, annotator: str, tab: str, kind: str, minutes: float) -> None:
    """Give an image to a person's tab, which lets go of what it had before."""
    db.execute("DELETE FROM leases WHERE annotator = ? AND tab = ? AND image_id <> ?", [annotator, tab, image_id])
    db.execute(
        "INSERT OR REPLACE INTO leases (image_id, annotator, tab, kind, expires) VALUES (?, ?, ?, ?, ?)",
        [image_id, annotator, tab, kind, moment(60 * minutes)],
    )


def renew_lease(db: Database, image_id: int, annotator: str, minutes: float) -> None:
    """The person is at it: what hasn't ended yet begins anew."""
    db.execute(
        "UPDATE leases SET expires = ? WHERE image_id = ? AND annotator = ? AND expires > ?",
        [moment(60 * minutes), image_id, annotator, moment()],
    )


def held_lease(db: Database, annotator: str, tab: str) -> tuple[int, str] | None:
    """The image that a person's tab has before it now, and the lease's kind."""
    row = db.execute(
        "SELECT image_id, kind FROM leases WHERE annotator = ? AND tab = ? AND expires > ?", [annotator, tab, moment()]
    ).fetchone()  # fmt: skip
    return None if row is None else (int(row[0]), str(row[1]))


def end_lease(db: Database, image_id: int, annotator: str) -> tuple[str, bool]:
    """The person is done with the image. Returns the lease's kind ('' if there was none) and whether it had ended."""
    query = "DELETE FROM leases WHERE image_id = ? AND annotator = ? RETURNING kind, expires"
    rows = db.execute(query, [image_id, annotator]).fetchall()
    return (str(rows[0][0]), str(rows[0][1]) <= moment()) if rows else ("", False)


def leave(db: Database, annotator: str, tab: str) -> None:
    """The page is left: its images are free soon, unless it comes back at once."""
    soon = moment(_LEAVING_S)
    db.execute("UPDATE leases SET expires = min(expires, ?) WHERE annotator = ? AND tab = ?", [soon, annotator, tab])


def moment(seconds: float = 0) -> str:
    """Now, or so many seconds from now, as the database has times (ISO 8601, UTC: later ones sort later)."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
