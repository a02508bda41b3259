"""Imported preferences as rows beside those that people gave in the studio, so that pairs.jsonl holds both."""

import uuid
from collections.abc import Mapping, Sequence

from sqlite_utils import Database

from annotate.importing.plan import NewPreference
from annotate.preferences import Preference, insert_preference

_SAID = "SELECT 1 FROM preferences WHERE annotator = ? AND first = ? AND second = ? LIMIT 1"


def store_preferences(db: Database, preferences: Sequence[NewPreference], ids: Mapping[str, int], created: str) -> int:
    """Store those that the person has said nothing about yet; returns how many.

    Args:
        ids: image numbers by path below `images/`.
    """
    return sum(_store(db, one.annotator, ids[one.better], ids[one.worse], created) for one in preferences)


def _store(db: Database, annotator: str, better: int, worse: int, created: str) -> bool:
    pair = min(better, worse), max(better, worse)
    if db.execute(_SAID, [annotator, *pair]).fetchone() is not None:
        return False
    choice = "first" if better == pair[0] else "second"
    # No side was shown; a row has to name one.
    insert_preference(db, Preference(*pair, annotator, choice, "left", key=f"import-{uuid.uuid4().hex}"), created)
    return True
