"""Requests that wait for the store together: one transaction for all, each still by itself, and no answer too early."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

import httpx
import pytest

from annotate import in_turn
from annotate.api import build_api
from annotate.exports import Exporter
from annotate.project import Project
from annotate.store import Store
from reward.aspects import HEADS

MakeProject = Callable[..., Project]
OpenStore = Callable[[Project], Store]


@pytest.fixture
def store(make_project: MakeProject, open_store: OpenStore) -> Store:
    return open_store(make_project(prompts=2, images=4))


def rating(number: int, **changes: Any) -> dict[str, Any]:
    whole = {"key": f"key-{number:05d}", "annotator": f"Person {number}", "image_id": 1, "revises": None}
    return {**whole, "ratings": dict.fromkeys(HEADS, 5.0), "seconds": 1.0, **changes}


def send_together(store: Store, *ratings: dict[str, Any]) -> list[httpx.Response]:
    """Send them while the store is at something else, so that all wait; the answers in the same order."""
    app = build_api(store.project, store, Exporter(store))

    asked, made = 0, in_turn._Request

    def request(*given: Any) -> in_turn._Request:
        nonlocal asked
        asked += 1
        return made(*given)

    async def send_all() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            store._writing_lock.acquire()  # by this thread: the desk's has to wait
            try:
                answers = [asyncio.create_task(client.post("/api/ratings", json=one)) for one in ratings]
                while asked < len(ratings):
                    await asyncio.sleep(0.01)
                assert not any(answer.done() for answer in answers)
            finally:
                store._writing_lock.release()
            return await asyncio.gather(*answers)

    with mock.patch.object(in_turn, "_Request", request):
        return asyncio.run(send_all())


def statements(store: Store) -> list[str]:
    """What the writing connection is told from now on."""
    told: list[str] = []
    store._db.conn.set_trace_callback(told.append)
    return told


def test_those_who_wait_share_a_transaction(store: Store) -> None:
    told = statements(store)
    answers = send_together(store, *map(rating, range(10)))
    assert [answer.status_code for answer in answers] == [200] * 10
    assert [answer.json()["progress"]["rated"] for answer in answers] == [1] * 10
    assert len(store.ratings_since(0)) == 10
    # The first to come is taken up by itself, where the desk's thread is quick; the others wait for it.
    assert told.count("COMMIT") in (1, 2)


def test_one_that_is_refused_takes_nothing_from_the_others(store: Store) -> None:
    sent = [rating(1), rating(2, image_id=99), rating(3), rating(1), rating(1, annotator="Eve"), rating(4)]
    answers = send_together(store, *sent)
    assert [answer.status_code for answer in answers] == [200, 404, 200, 200, 409, 200]
    assert answers[3].json()["saved"]["repeated"]
    assert sorted(one.annotator for one in store.ratings_since(0)) == ["Person 1", "Person 3", "Person 4"]
    assert store.progress("Person 2").rated == 0
    assert store.progress("Eve").rated == 0


def test_what_is_not_committed_is_not_acknowledged_to_anybody(store: Store) -> None:
    before = store.progress("Person 1").rated
    other = sqlite3.connect(store.project.database)
    other.execute("BEGIN IMMEDIATE")  # as `app.py users add` does for a moment
    store._db.execute("PRAGMA busy_timeout = 50")
    try:
        answers = send_together(store, *map(rating, range(1, 6)))
    finally:
        other.rollback()
        other.close()
    assert [answer.status_code for answer in answers] == [503] * 5
    assert all("nothing was stored" in answer.json()["detail"] for answer in answers)
    assert store.ratings_since(0) == []
    assert store.progress("Person 1").rated == before
    assert [answer.status_code for answer in send_together(store, *map(rating, range(1, 6)))] == [200] * 5


def test_a_commit_that_fails_undoes_all_and_says_so_to_all(store: Store) -> None:
    for person in range(1, 6):
        assert store.progress(f"Person {person}").rated == 0
    told = threading.Event()
    store.subscribe(told.set)
    # A deferred constraint is one that SQLite looks at when it commits.
    with store.writing() as db:
        db.execute("CREATE TABLE broken (at INTEGER REFERENCES images(id) DEFERRABLE INITIALLY DEFERRED)")
        db.execute("CREATE TRIGGER breaks AFTER INSERT ON ratings BEGIN INSERT INTO broken VALUES (-1); END")
    answers = send_together(store, *map(rating, range(1, 6)))
    assert [answer.status_code for answer in answers] == [500] * 5
    assert store.ratings_since(0) == []
    assert not told.is_set()
    assert [store.progress(f"Person {person}").rated for person in range(1, 6)] == [0] * 5


def test_the_exporter_is_told_once_and_after_the_commit(store: Store) -> None:
    seen: list[int] = []
    store.subscribe(lambda: seen.append(len(store.ratings_since(0))))
    send_together(store, *map(rating, range(7)))
    assert seen == [1, 7]
