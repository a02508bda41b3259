"""In which order a person gets images, as the project's settings say."""

import random
from typing import Final

from sqlite_utils import Database

from annotate.lots import count_done, draw
from annotate.project import Project
from annotate.queue import Order
from annotate.ranking import RankingFile
from annotate.settings import Campaign

LOT: Final = 0.1  # share of images that come by lot, so that some ratings are of images nobody chose
_RANDOM: Final = "Images come in random order."
_UNRANKED: Final = "No trained model has ranked the images yet, so they come in random order."


class Orders:
    """Everybody's order in one project. Called by one thread at a time."""

    def __init__(self, project: Project, campaign: Campaign) -> None:
        self._campaign = campaign
        self._file = RankingFile(project.priorities)
        self._shuffled: dict[str, list[int]] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the file that ranks images, if anything."""
        return self._file.problems

    def forget(self) -> None:
        """The project's images have changed, or ratings came in from a file."""
        self._shuffled.clear()
        self._file.forget()

    def note_rated(self, image: int) -> None:
        """Somebody has rated an image for the first time: others come first where images are ranked."""
        self._file.note_rated(image)

    def of(self, db: Database, studio: str, annotator: str, limit: int) -> Order | None:
        """A person's order for the next `limit` images; None goes prompt by prompt.

        Args:
            studio: the project's identity, so that people draw other lots in another project.
        """
        if self._campaign.order == "prompt":
            return None
        if annotator not in self._shuffled:
            self._shuffled[annotator] = _shuffled_images(db, annotator)
        shuffled = self._shuffled[annotator]
        if self._campaign.order == "random":
            return Order(shuffled, _RANDOM)
        ranking = self._file.current(db)
        if ranking is None:
            return Order(shuffled, _UNRANKED)
        done = count_done(db, annotator)
        lots = tuple(draw(f"lot {studio} {annotator} {done + ahead}")[0] < LOT for ahead in range(limit))
        return Order(shuffled, _RANDOM, ranking, lots)


def _shuffled_images(db: Database, annotator: str) -> list[int]:
    """All images in an order that is this person's own and stays so."""
    ids = [int(row[0]) for row in db.execute("SELECT id FROM images WHERE active = 1 ORDER BY id")]
    random.Random(annotator).shuffle(ids)
    return ids
