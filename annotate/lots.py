"""Draws that a text decides: the same person at the same place always draws the same, also after a restart."""

import hashlib

from sqlite_utils import Database


def draw(text: str) -> tuple[float, float]:
    """Two numbers in [0, 1) that the text decides."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48, int.from_bytes(digest[6:12]) / 2**48


def count_done(db: Database, annotator: str) -> int:
    """How often a person has rated, rated again or skipped."""
    own = "SELECT count(*) FROM {} WHERE annotator = ?"
    tables = ("ratings", "repeats", "skips")
    return sum(int(db.execute(own.format(table), [annotator]).fetchone()[0]) for table in tables)
