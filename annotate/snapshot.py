"""The current ratings of every image, folded from the store's rows: what the exported files are written from.

Kept up to date row by row, so that an export costs what has changed, not what there is.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from annotate.judgement import StoredRating, Values
from reward.aspects import HEADS

DECIMALS = 3


@dataclass(frozen=True)
class Correction:
    """What an edited means file or a reviewer says about one head of one image.

    It speaks for the ratings up to the one numbered `covers`; a reviewer's for later ones too.
    """

    value: float | None
    covers: int


class Snapshot:
    """Current ratings by image and person, and the corrections of means. Not thread-safe."""

    def __init__(self, rows: Iterable[StoredRating] = ()) -> None:
        self.last_id = 0
        self._people: dict[int, dict[str, StoredRating]] = {}
        self._corrections: dict[int, dict[str, Correction]] = {}
        self.add(rows)

    def add(self, rows: Iterable[StoredRating]) -> set[int]:
        """Fold in rows, oldest first; returns the images they change."""
        changed = set()
        for row in rows:
            changed.add(row.image_id)
            self.last_id = row.id
            if row.source == "correction":
                self._correct(row)
            elif row.withdrawn:
                self._people.get(row.image_id, {}).pop(row.annotator, None)
            else:
                self._people.setdefault(row.image_id, {})[row.annotator] = row
        return changed

    def _correct(self, row: StoredRating) -> None:
        corrections = self._corrections.setdefault(row.image_id, {})
        for head, value in zip(HEADS, row.values, strict=True):
            if value is not None or head in row.unjudged:
                corrections[head] = Correction(value, row.covers or 0)

    def people(self, image_id: int) -> dict[str, StoredRating]:
        """The current ratings of an image by person."""
        return self._people.get(image_id, {})

    def images(self) -> set[int]:
        """The images that anything was said about."""
        return self._people.keys() | self._corrections.keys()

    def means(self, image_id: int) -> Values:
        """Mean over people on each head, rounded to 3 decimals; None where nobody rated.

        A corrected head counts as what all ratings that the correction covers said; later ratings count beside it,
        so that an edit is neither lost nor counted twice.
        """
        return tuple(self._mean(image_id, position, head) for position, head in enumerate(HEADS))

    def _mean(self, image_id: int, position: int, head: str) -> float | None:
        rated = [(row.id, row.values[position]) for row in self.people(image_id).values()]
        correction = self._corrections.get(image_id, {}).get(head)
        if correction is None:
            values = [value for _, value in rated]
        else:
            values = [correction.value if number <= correction.covers else value for number, value in rated]
            if all(number > correction.covers for number, _ in rated):
                values.append(correction.value)
        known = [value for value in values if value is not None]
        return round(math.fsum(known) / len(known), DECIMALS) if known else None

    def corrected_values(self, image_id: int) -> Values | None:
        """The means of an image that only corrections speak of; None for any other."""
        if self.people(image_id) or image_id not in self._corrections:
            return None
        return self.means(image_id)
