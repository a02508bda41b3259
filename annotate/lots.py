"""Draws that a text decides: the same person at the same place always draws the same, also after a restart."""

import hashlib

from sqlite_utils import Database

_DONE = "SELECT " + " + ".join(
    f"(SELECT count(*) FROM {table} WHERE annotator = :annotator)" for table in ("ratings", "repeats", "skips")
)


def draw(text: str) -> tuple[float, float]:
    """Two numbers in [0, 1) that the text decides."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48, int.from_bytes(digest[6:12]) / 2**48


def count_done(db: Database, annotator: str) -> int:
    """How often a person has rated, rated again or skipped."""
    return int(db.execute(_DONE, {"annotator": annotator}).fetchone()[0])
