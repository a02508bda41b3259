"""What a project holds, in numbers: images, prompts, people, ratings, pace and progress, from the store's database."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from sqlite_utils import Database

from annotate.pace import people_paces

# A person's current ratings of images that are there; what edited means files say belongs to nobody.
CURRENT = (
    "WITH newest AS (SELECT max(id) AS id FROM ratings WHERE source != 'correction' GROUP BY annotator, image_id), "
    "current AS (SELECT r.image_id, r.annotator, r.seconds, r.created FROM newest JOIN ratings r ON r.id = newest.id "
    "JOIN images i ON i.id = r.image_id WHERE NOT r.withdrawn AND i.active)"
)
_PROMPTS = (
    "SELECT p.id, p.text, i.id FROM images i JOIN prompts p ON p.id = i.prompt_id WHERE i.active ORDER BY i.position"
)


@dataclass(frozen=True)
class PersonSummary:
    """What one person has done: images rated now, the median time a rating took (s), ratings an hour while working (as
    `annotate.pace` has it), and the last one's time (UTC)."""

    name: str
    rated: int
    seconds: float | None
    pace: float | None
    last: str


@dataclass(frozen=True)
class Coverage:
    """Images by how far they are: `done` have all the ratings that are wanted, `begun` some, `untouched` none."""

    done: int
    begun: int
    untouched: int

    @classmethod
    def of(cls, counts: Iterable[int], target: int) -> "Coverage":
        """From the number of ratings of each image."""
        known = list(counts)
        untouched = sum(count == 0 for count in known)
        done = sum(count >= max(target, 1) for count in known)
        return cls(done, len(known) - done - untouched, untouched)

    @property
    def images(self) -> int:
        """All of them."""
        return self.done + self.begun + self.untouched


@dataclass(frozen=True)
class PromptSummary:
    """One prompt: its images by how far they are, and how many ratings they have."""

    id: str
    text: str
    coverage: Coverage
    ratings: int


@dataclass(frozen=True)
class Overview:
    """A project's numbers. A rating is one person's current opinion of one image; revised ones count once.

    `rated` images have at least one; `seconds` is the median over all ratings whose time was measured; `target` is how
    many ratings an image needs to be done.
    """

    coverage: Coverage
    target: int
    ratings: int
    seconds: float | None
    people: tuple[PersonSummary, ...]
    prompts: tuple[PromptSummary, ...]

    @property
    def images(self) -> int:
        """Images that are there."""
        return self.coverage.images

    @property
    def rated(self) -> int:
        """Those of them that have a rating."""
        return self.coverage.done + self.coverage.begun

    @property
    def ratings_an_image(self) -> float:
        """Mean over all images, unrated ones included; 0 where there is no image."""
        return self.ratings / self.images if self.images else 0.0


def target_ratings(db: Database, wanted: int) -> int:
    """Ratings that make an image done: those `wanted` of different people; where that is 0 everybody's, which are as
    many as people have rated so far. Gold images, which everybody gets, count as the others."""
    return wanted or int(db.execute(f"{CURRENT} SELECT count(DISTINCT annotator) FROM current").fetchone()[0])


def project_overview(db: Database, wanted: int = 0) -> Overview:
    """The numbers as they stand now; people with most ratings first, prompts in their order.

    Args:
        wanted: different people who are to rate an image (`ratings_per_image` of the settings); 0: everybody.
    """
    by_person: dict[str, list[tuple[float | None, str]]] = {}
    by_image: dict[int, int] = {}
    for image_id, name, seconds, created in db.execute(f"{CURRENT} SELECT * FROM current"):
        by_person.setdefault(str(name), []).append((seconds, str(created)))
        by_image[image_id] = by_image.get(image_id, 0) + 1
    target, paces = wanted or len(by_person), people_paces(db)
    people = [_person(name, ratings, paces.get(name)) for name, ratings in by_person.items()]
    every = [rating for ratings in by_person.values() for rating in ratings]
    prompts = _ratings_by_prompt(db, by_image)
    return Overview(
        coverage=Coverage.of((count for counts in prompts.values() for count in counts), target),
        target=target,
        ratings=len(every),
        seconds=_median_seconds(every),
        people=tuple(sorted(people, key=lambda person: (-person.rated, person.name))),
        prompts=tuple(
            PromptSummary(prompt_id, text, Coverage.of(counts, target), sum(counts))
            for (prompt_id, text), counts in prompts.items()
        ),
    )


def _person(name: str, ratings: list[tuple[float | None, str]], pace: float | None) -> PersonSummary:
    return PersonSummary(name, len(ratings), _median_seconds(ratings), pace, max(created for _, created in ratings))


def _ratings_by_prompt(db: Database, ratings: dict[int, int]) -> dict[tuple[str, str], list[int]]:
    """For each prompt (id, text) the number of ratings of each of its images."""
    images: dict[tuple[str, str], list[int]] = {}
    for prompt_id, text, image_id in db.execute(_PROMPTS):
        images.setdefault((str(prompt_id), str(text)), []).append(ratings.get(image_id, 0))
    return images


def _median_seconds(ratings: list[tuple[float | None, str]]) -> float | None:
    known = [seconds for seconds, _ in ratings if seconds is not None]
    return median(known) if known else None
