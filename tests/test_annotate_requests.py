"""Images that are sent back: they go first to people who haven't rated them, until one more rating has come."""

import sqlite3
from collections.abc import Callable

import pytest

from annotate.errors import BadRequestError, NotFoundError
from annotate.judgement import check_rating
from annotate.project import Project
from annotate.requests import Request, check_request
from annotate.store import Store
from reward.aspects import HEADS

WHY = "Rex asks for one more rating: “too dark?”."


@pytest.fixture
def store(make_project: Callable[..., Project], open_store: Callable[[Project], Store]) -> Store:
    project = make_project(prompts=2, images=3, size=(16, 16))
    project.settings.write_text("ratings_per_image = 1", encoding="utf-8")
    return open_store(project)


def rate(store: Store, image_id: int, name: str, value: float = 5.0) -> None:
    key = f"key-number-{image_id}-{name}-{int(value)}"
    store.save_rating(check_rating(image_id, name, dict.fromkeys(HEADS, value), [], 1.0, key))


def queue(store: Store, name: str, after: int | None = None) -> list[tuple[int, str]]:
    return [(task.image.id, task.why) for task in store.next_tasks(name, after, limit=9)]


def test_it_goes_first_to_others_however_many_have_rated_it(store: Store) -> None:
    rate(store, 5, "Ada")
    assert 5 not in dict(queue(store, "Bob"))
    assert store.save_request(check_request(5, None, " too dark? ", "Rex"))
    assert queue(store, "Bob", after=2)[0] == (5, WHY)
    assert 5 not in dict(queue(store, "Ada"))
    assert 5 not in dict(queue(store, "Cy")), "Bob has it before him, and one rating is asked for"
    store.save_skip(5, "Bob")
    assert 5 not in dict(queue(store, "Bob"))
    assert queue(store, "Cy")[0] == (5, WHY)


@pytest.mark.parametrize("who", ["Bob", "Ada"])
def test_one_more_rating_answers_it_a_revision_too(store: Store, who: str) -> None:
    rate(store, 5, "Ada")
    store.save_request(check_request(5, None, "too dark?", "Rex"))
    rate(store, 5, who, value=6.0)
    assert 5 not in dict(queue(store, "Cy"))
    assert store.save_request(check_request(5, "style", "still?", "Rex"))
    assert queue(store, "Cy")[0] == (5, "Rex asks for one more rating: “still?”. Look at Style above all.")


def test_the_same_request_is_kept_once_while_it_is_open(store: Store) -> None:
    request = check_request(4, "icono", "", "Rex")
    assert store.save_request(request)
    assert not store.save_request(request)
    assert store.save_request(check_request(4, "style", "", "Rex"))
    assert [task[0] for task in queue(store, "Bob")] == [4, 1, 2, 3, 5, 6]
    rate(store, 4, "Bob")
    assert store.save_request(request)


def test_requests_are_never_changed(store: Store) -> None:
    store.save_request(check_request(4, None, "", "Rex"))
    for statement in ("UPDATE requests SET note = 'x'", "DELETE FROM requests"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"), store._writing() as db:
            db.execute(statement)


def test_a_request_is_checked(store: Store) -> None:
    with pytest.raises(BadRequestError, match="no head 'beauty'"):
        check_request(1, "beauty", "", "Rex")
    with pytest.raises(BadRequestError, match="up to 200 characters"):
        check_request(1, None, "two\nlines", "Rex")
    with pytest.raises(BadRequestError, match="Enter a name"):
        check_request(1, None, "", " ")
    with pytest.raises(NotFoundError):
        store.save_request(Request(99, None, "", "Rex"))
