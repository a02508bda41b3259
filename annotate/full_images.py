"""What is kept in memory of the images: their order, what was looked at, and which ones enough people have rated,
so that nobody's next image is looked for among those."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from sqlite_utils import Database

from annotate.catalogue import ImageRow, one_image
from annotate.errors import NotFoundError

_RATERS: Final = """
SELECT image_id FROM (SELECT image_id, annotator, withdrawn, max(id) FROM ratings
    WHERE source <> 'correction' {} GROUP BY image_id, annotator)
WHERE NOT withdrawn GROUP BY image_id HAVING count(*) >= :wanted
"""


@dataclass(frozen=True)
class Places:
    """The images that are there, prompt by prompt: their numbers and positions, and which of them are full."""

    images: Sequence[int] = ()
    positions: Sequence[int] = ()
    full: Set[int] = frozenset()
    rows: dict[int, ImageRow] = field(default_factory=dict)  # those that were looked at

    def image(self, db: Database, number: int) -> ImageRow | None:
        """The image with this number, also if it is gone from the folder."""
        found = self.rows.get(number) or one_image(db, number)
        if found is not None:
            self.rows[number] = found
        return found

    def require(self, db: Database, number: int) -> None:
        """Nothing, where the image is there.

        Raises:
            NotFoundError: it isn't.
        """
        found = self.image(db, number)
        if found is None or not found.active:
            raise NotFoundError(f"There is no image {number}; it may have been removed. Reload the page.")


class FullImages:
    """The images that `wanted` different people have rated; 0 wants everybody, so that none ever is.

    Called by one thread at a time. Ratings make images full; what may empty them (a file that takes ratings back, other
    settings) or changes which there are calls for `forget`.
    """

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._full: set[int] = set()
        self._places: Places | None = None

    def forget(self) -> None:
        """Look anew the next time."""
        self._places = None

    def known(self, number: int) -> ImageRow | None:
        """An image that was looked at since the last `forget`; any thread may ask."""
        places = self._places
        return None if places is None else places.rows.get(number)

    def note_rated(self, db: Database, image_id: int) -> None:
        """Somebody has rated an image."""
        if self._places is not None and self._wanted:
            values = {"wanted": self._wanted, "image": image_id}
            if db.execute(_RATERS.format("AND image_id = :image"), values).fetchone():
                self._full.add(image_id)

    def places(self, db: Database) -> Places:
        """All images, with those that are full by now."""
        if self._places is None:
            query = _RATERS.format("")
            found = db.execute(query, {"wanted": self._wanted}) if self._wanted else ()
            self._full = {int(row[0]) for row in found}
            rows = db.execute("SELECT id, position FROM images WHERE active = 1 ORDER BY position").fetchall()
            self._places = Places([int(row[0]) for row in rows], [int(row[1]) for row in rows], self._full)
        return self._places
