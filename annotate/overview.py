"""What a project holds, in numbers: images, prompts, people, ratings and pace, read from the store's database."""

from dataclasses import dataclass
from statistics import median

from sqlite_utils import Database

# A person's current ratings of images that are there; what edited means files say belongs to nobody.
_CURRENT = (
    "WITH newest AS (SELECT max(id) AS id FROM ratings WHERE source != 'correction' GROUP BY annotator, image_id) "
    "SELECT r.image_id, r.annotator, r.seconds, r.created FROM newest JOIN ratings r ON r.id = newest.id "
    "JOIN images i ON i.id = r.image_id WHERE NOT r.withdrawn AND i.active"
)
_PROMPTS = (
    "SELECT p.id, p.text, i.id FROM images i JOIN prompts p ON p.id = i.prompt_id WHERE i.active ORDER BY i.position"
)


@dataclass(frozen=True)
class PersonSummary:
    """What one person has done: images rated now, the median time a rating took (s), and the last one's time (UTC)."""

    name: str
    rated: int
    seconds: float | None
    last: str


@dataclass(frozen=True)
class PromptSummary:
    """One prompt: its images, how many of them anybody rated, and how many ratings they have."""

    id: str
    text: str
    images: int
    rated: int
    ratings: int


@dataclass(frozen=True)
class Overview:
    """A project's numbers. A rating is one person's current opinion of one image; revised ones count once.

    `rated` images have at least one; `seconds` is the median over all ratings whose time was measured.
    """

    images: int
    rated: int
    ratings: int
    seconds: float | None
    people: tuple[PersonSummary, ...]
    prompts: tuple[PromptSummary, ...]

    @property
    def ratings_an_image(self) -> float:
        """Mean over all images, unrated ones included; 0 where there is no image."""
        return self.ratings / self.images if self.images else 0.0


def project_overview(db: Database) -> Overview:
    """The numbers as they stand now; people with most ratings first, prompts in their order."""
    by_person: dict[str, list[tuple[float | None, str]]] = {}
    by_image: dict[int, int] = {}
    for image_id, name, seconds, created in db.execute(_CURRENT):
        by_person.setdefault(str(name), []).append((seconds, str(created)))
        by_image[image_id] = by_image.get(image_id, 0) + 1
    people = [_person(name, ratings) for name, ratings in by_person.items()]
    prompts = _prompts(db, by_image)
    every = [rating for ratings in by_person.values() for rating in ratings]
    return Overview(
        images=sum(prompt.images for prompt in prompts),
        rated=len(by_image),
        ratings=len(every),
        seconds=_median_seconds(every),
        people=tuple(sorted(people, key=lambda person: (-person.rated, person.name))),
        prompts=tuple(prompts),
    )


def _person(name: str, ratings: list[tuple[float | None, str]]) -> PersonSummary:
    return PersonSummary(name, len(ratings), _median_seconds(ratings), max(created for _, created in ratings))


def _prompts(db: Database, ratings: dict[int, int]) -> list[PromptSummary]:
    images: dict[tuple[str, str], list[int]] = {}
    for prompt_id, text, image_id in db.execute(_PROMPTS):
        images.setdefault((str(prompt_id), str(text)), []).append(ratings.get(image_id, 0))
    return [
        PromptSummary(prompt_id, text, len(counts), sum(count > 0 for count in counts), sum(counts))
        for (prompt_id, text), counts in images.items()
    ]


def _median_seconds(ratings: list[tuple[float | None, str]]) -> float | None:
    known = [seconds for seconds, _ in ratings if seconds is not None]
    return median(known) if known else None
