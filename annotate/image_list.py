"""A project's images with their number of ratings, a page at a time; filtered by words and by how far they are."""

from dataclasses import dataclass
from typing import Final

from sqlite_utils import Database

from annotate.overview import CURRENT, target_ratings

PAGE: Final = 100
ANY: Final = "any"
STATES: Final = (ANY, "untouched", "begun", "done")

_COUNTED = (
    f"{CURRENT}, counted AS (SELECT image_id, count(*) AS ratings FROM current GROUP BY image_id), "
    "found AS (SELECT i.id, i.path, i.prompt_id, p.text, COALESCE(c.ratings, 0) AS ratings, i.position "
    "FROM images i JOIN prompts p ON p.id = i.prompt_id LEFT JOIN counted c ON c.image_id = i.id WHERE i.active), "
    "told AS (SELECT *, CASE WHEN ratings = 0 THEN 'untouched' WHEN ratings < :target THEN 'begun' ELSE 'done' END "
    "AS state FROM found), "
    "wanted AS (SELECT * FROM told WHERE :state IN ('any', state) AND (:words = '' "
    "OR instr(lower(path), lower(:words)) OR instr(lower(prompt_id), lower(:words)) "
    "OR instr(lower(text), lower(:words))))"
)


@dataclass(frozen=True)
class ImageSummary:
    """One image: its path below the images folder, its prompt, how many people rated it, and its state."""

    id: int
    path: str
    prompt_id: str
    text: str
    ratings: int
    state: str


@dataclass(frozen=True)
class ImagePage:
    """A page of the images that were asked for, of `total` ones; pages count from 1, and there is always one."""

    images: tuple[ImageSummary, ...]
    page: int
    total: int

    @property
    def pages(self) -> int:
        """How many there are."""
        return max(1, -(-self.total // PAGE))

    @property
    def first(self) -> int:
        """The number of the page's first image among all that were asked for, from 1."""
        return (self.page - 1) * PAGE + 1


def list_page(db: Database, wanted: int, words: str = "", state: str = ANY, page: int = 1) -> ImagePage:
    """The images in their order, `PAGE` at a time; a page that isn't there becomes the nearest one.

    Args:
        wanted: as `annotate.overview.project_overview` has it.
        words: only images whose path, prompt id or prompt text holds these; case is ignored for ASCII letters.
        state: one of `STATES`; another one finds nothing.
    """
    asked = {"target": target_ratings(db, wanted), "words": words.strip(), "state": state}
    total = int(db.execute(f"{_COUNTED} SELECT count(*) FROM wanted", asked).fetchone()[0])
    page = min(max(page, 1), max(1, -(-total // PAGE)))
    columns = "SELECT id, path, prompt_id, text, ratings, state FROM wanted"
    query = f"{_COUNTED} {columns} ORDER BY position LIMIT :limit OFFSET :at"
    rows = db.execute(query, {**asked, "limit": PAGE, "at": (page - 1) * PAGE}).fetchall()
    return ImagePage(tuple(ImageSummary(*row) for row in rows), page, total)
