"""How fast people rate while they are at it, from the moments of their saves."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from sqlite_utils import Database

PAUSE_S = 300.0  # who saves nothing for so long is taken not to be at it
FEWEST_GAPS = 5  # of fewer, the pace is chance: two quick saves would make thousands an hour

# Every save on the pad: first ratings, revisions and blind repeats, but nothing that came out of a file.
_SAVES = (
    "SELECT annotator, created FROM ratings WHERE source = 'pad' AND NOT withdrawn "
    "UNION ALL SELECT annotator, created FROM repeats ORDER BY created"
)


def people_paces(db: Database) -> dict[str, float | None]:
    """The pace of everybody who saved something on the pad."""
    moments: dict[str, list[float]] = {}
    for name, created in db.execute(_SAVES):
        moments.setdefault(str(name), []).append(datetime.fromisoformat(created).timestamp())
    return {name: pace(of) for name, of in moments.items()}


def pace(moments: Sequence[float]) -> float | None:
    """Ratings an hour while working: 3600 over the mean of the gaps between saves that are shorter than `PAUSE_S`.

    Args:
        moments: of the saves, in seconds, ascending.

    Returns:
        None where fewer than `FEWEST_GAPS` gaps are that short, or where all came at the same moment.
    """
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    working = [gap for gap in gaps if gap < PAUSE_S]
    return 3600 * len(working) / sum(working) if len(working) >= FEWEST_GAPS and sum(working) > 0 else None
