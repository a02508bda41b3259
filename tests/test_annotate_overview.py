"""A project's numbers, as they follow from what people did."""

from collections.abc import Callable

import pytest

from annotate.image_list import PAGE, ImagePage, list_page
from annotate.judgement import Rating, check_rating
from annotate.overview import Coverage, Overview, project_overview
from annotate.pace import FEWEST_GAPS, PAUSE_S, pace
from annotate.project import Project
from annotate.store import Store
from reward.aspects import HEADS


def look(store: Store, wanted: int = 0) -> Overview:
    with store.reading() as db:
        return project_overview(db, wanted)


def page_of(store: Store, wanted: int = 0, words: str = "", state: str = "any", page: int = 1) -> ImagePage:
    with store.reading() as db:
        return list_page(db, wanted, words, state, page)


def rate(store: Store, image_id: int, name: str, seconds: float | None, key: str) -> None:
    store.save_rating(check_rating(image_id, name, dict.fromkeys(HEADS, 5.0), [], seconds, key))


@pytest.fixture
def store(make_project: Callable[..., Project], open_store: Callable[[Project], Store]) -> Store:
    return open_store(make_project(prompts=2, images=3))


def test_an_unrated_project_has_images_only(store: Store) -> None:
    found = look(store)
    assert (found.images, found.rated, found.ratings, found.seconds, found.people) == (6, 0, 0, None, ())
    assert [(p.id, p.coverage) for p in found.prompts] == [("p01", Coverage(0, 0, 3)), ("p02", Coverage(0, 0, 3))]
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
    assert [(p.coverage, p.ratings) for p in found.prompts] == [(Coverage(1, 1, 1), 3), (Coverage(0, 0, 3), 0)]


def test_images_that_are_gone_are_not_counted(store: Store) -> None:
    rate(store, 1, "Ada", 4.0, "key-00000001")
    (store.project.images / "p01" / "1.png").unlink()
    store.rescan()
    found = look(store)
    assert (found.images, found.rated, found.ratings, found.people) == (5, 0, 0, ())


def test_an_image_is_done_with_the_ratings_that_are_wanted(store: Store) -> None:
    rate(store, 1, "Ada", 4.0, "key-00000001")
    rate(store, 1, "Bob", 4.0, "key-00000002")
    rate(store, 2, "Ada", 4.0, "key-00000003")
    rate(store, 4, "Cid", 4.0, "key-00000004")
    assert [look(store, wanted).coverage for wanted in (1, 2, 3)] == [
        Coverage(3, 0, 3),
        Coverage(1, 2, 3),
        Coverage(0, 3, 3),
    ]
    everybody = look(store)
    assert (everybody.target, everybody.coverage) == (3, Coverage(0, 3, 3))
    assert [p.coverage for p in look(store, 2).prompts] == [Coverage(1, 1, 1), Coverage(0, 1, 2)]


def test_pace_leaves_pauses_out() -> None:
    assert pace([0, 10, 20, 30, 30 + PAUSE_S, 40 + PAUSE_S, 50 + PAUSE_S]) == 360
    assert pace([number * (PAUSE_S - 1) for number in range(9)]) == pytest.approx(3600 / (PAUSE_S - 1))
    assert pace([number * PAUSE_S for number in range(9)]) is None
    assert pace([5]) is None
    assert pace([5] * 9) is None


def test_no_pace_is_told_of_a_few_ratings() -> None:
    assert pace([10 * number for number in range(FEWEST_GAPS)]) is None
    assert pace([10 * number for number in range(FEWEST_GAPS + 1)]) == 360
    assert pace([0, 10, 20, 30, 30 + PAUSE_S, 40 + PAUSE_S]) is None


def test_pace_is_of_saves_on_the_pad_revisions_and_all(store: Store) -> None:
    for number, image_id in enumerate((1, 1, 2, 3, 3, 1)):
        rate(store, image_id, "Ada", 4.0, f"key-0000000{number}")
    taken_in = [Rating(image_id, "Bob", (5.0,) * 5, source="import") for image_id in (1, 2, 3)]
    store.import_ratings(taken_in, "multihead_ratings.csv", "0" * 64, 3)
    with store.writing() as db:  # saves lie 12 s apart
        db.execute("DROP TRIGGER ratings_no_update")
        db.execute("UPDATE ratings SET created = printf('2026-01-01T00:%02d:%02d+00:00', id / 5, id % 5 * 12)")
    assert {person.name: person.pace for person in look(store).people} == {"Ada": 300, "Bob": None}


def test_images_are_listed_a_page_at_a_time(
    make_project: Callable[..., Project], open_store: Callable[..., Store]
) -> None:
    many = open_store(make_project(prompts=1, images=PAGE + 2, size=(8, 8)))
    first, second = page_of(many), page_of(many, page=2)
    assert (len(first.images), len(second.images), second.total, second.pages, second.first) == (PAGE, 2, 102, 2, 101)
    assert len({image.id for image in (*first.images, *second.images)}) == PAGE + 2
    assert page_of(many, page=99) == second
    assert page_of(many, page=-3) == first


def test_images_are_found_by_words_and_by_how_far_they_are(store: Store) -> None:
    rate(store, 1, "Ada", 4.0, "key-00000001")
    rate(store, 1, "Bob", 4.0, "key-00000002")
    rate(store, 5, "Bob", 4.0, "key-00000003")
    assert [(image.path, image.ratings, image.state) for image in page_of(store, wanted=2).images[:2]] == [
        ("p01/1.png", 2, "done"),
        ("p01/2.png", 0, "untouched"),
    ]
    assert [image.id for image in page_of(store, 2, state="begun").images] == [5]
    assert [image.id for image in page_of(store, 2, state="untouched").images] == [2, 3, 4, 6]
    assert [image.id for image in page_of(store, 2, words=" P02/2").images] == [5]
    assert [image.id for image in page_of(store, 2, words="number 1", state="done").images] == [1]
    for nothing in (page_of(store, words="%"), page_of(store, state="else")):
        assert (nothing.images, nothing.total, nothing.pages) == ((), 0, 1)
    (store.project.images / "p01" / "1.png").unlink()
    store.rescan()
    assert page_of(store).total == 5
