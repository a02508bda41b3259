"""A project's numbers, as they follow from what people did."""

from collections.abc import Callable

import pytest

from annotate.judgement import Rating, check_rating
from annotate.overview import Overview, project_overview
from annotate.project import Project
from annotate.store import Store
from reward.aspects import HEADS


def look(store: Store) -> Overview:
    with store.reading() as db:
        return project_overview(db)


def rate(store: Store, image_id: int, name: str, seconds: float | None, key: str) -> None:
    store.save_rating(check_rating(image_id, name, dict.fromkeys(HEADS, 5.0), [], seconds, key))


@pytest.fixture
def store(make_project: Callable[..., Project], open_store: Callable[[Project], Store]) -> Store:
    return open_store(make_project(prompts=2, images=3))


def test_an_unrated_project_has_images_only(store: Store) -> None:
    found = look(store)
    assert (found.images, found.rated, found.ratings, found.seconds, found.people) == (6, 0, 0, None, ())
    assert [(p.id, p.images, p.rated) for p in found.prompts] == [("p01", 3, 0), ("p02", 3, 0)]
    assert found.ratings_an_image == 0


def test_revised_withdrawn_and_corrected_ratings_count_as_they_stand(store: Store) -> None:
    rate(store, 1, "Ada", 4.0, "key-00000001")
    rate(store, 1, "Ada", 8.0, "key-00000002")  # a revision
    rate(store, 2, "Ada", 2.0, "key-00000003")
    rate(store, 1, "Bob", None, "key-00000004")
    rate(store, 3, "Bob", 3.0, "key-00000005")
    gone = Rating(3, "Bob", (None,) * 5, source="import", withdrawn=True)
    correction = Rating(4, "edited-csv", (1.0,) * 5, source="correction", covers=5)
    store.import_ratings([gone, correction], "multihead_ratings.csv", "0" * 64, 5)
    found = look(store)
    assert (found.images, found.rated, found.ratings) == (6, 2, 3)
    assert found.ratings_an_image == 0.5
    assert found.seconds == 5.0
    assert [(p.name, p.rated, p.seconds) for p in found.people] == [("Ada", 2, 5.0), ("Bob", 1, None)]
    assert [(p.rated, p.ratings) for p in found.prompts] == [(2, 3), (0, 0)]


def test_images_that_are_gone_are_not_counted(store: Store) -> None:
    rate(store, 1, "Ada", 4.0, "key-00000001")
    (store.project.images / "p01" / "1.png").unlink()
    store.rescan()
    found = look(store)
    assert (found.images, found.rated, found.ratings, found.people) == (5, 0, 0, ())
