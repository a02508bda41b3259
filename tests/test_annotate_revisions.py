"""Revisions, drafts and one's own ratings: in the store, over HTTP, and in a database from before there were any."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlite_utils import Database

from annotate.api import build_api
from annotate.errors import RevisedError
from annotate.exports import Exporter
from annotate.judgement import Rating, check_draft, check_rating
from annotate.migrations import studio_migrations
from annotate.project import Project
from annotate.store import Store
from reward.aspects import HEADS

MakeProject = Callable[..., Project]
OpenStore = Callable[[Project], Store]


def rating(value: float, key: str, revises: str | None = None, image_id: int = 1, name: str = "Ada") -> Rating:
    return check_rating(image_id, name, dict.fromkeys(HEADS, value), [], 1.0, key, revises)


def sent(value: float, key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "annotator": "Ada", "image_id": 1, "ratings": dict.fromkeys(HEADS, value), **more}


@pytest.fixture
def store(make_project: MakeProject, open_store: OpenStore) -> Store:
    return open_store(make_project(prompts=2, images=2))


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    with TestClient(build_api(store.project, store, Exporter(store)), base_url="http://localhost") as client:
        yield client


# Revisions


def test_a_revision_is_a_new_row_that_names_what_it_revises(store: Store) -> None:
    first, _ = store.save_rating(rating(3, "key-first"), only_if_newest=True)
    second, _ = store.save_rating(rating(8, "key-second", "key-first"), only_if_newest=True)
    assert store.ratings_since(0) == [first, second]
    assert (first.revises, second.revises) == (None, "key-first")
    assert Exporter(store).flush()
    assert "data/images/p01/1.png,8,8,8,8,8\n" in store.project.ratings_csv.read_text(encoding="utf-8")
    assert store.progress("Ada").rated == 1


@pytest.mark.parametrize("revises", [None, "key-other"])
def test_a_revision_of_what_is_no_longer_current_is_refused(store: Store, revises: str | None) -> None:
    current, _ = store.save_rating(rating(3, "key-first"), only_if_newest=True)
    with pytest.raises(RevisedError) as caught:
        store.save_rating(rating(8, "key-second", revises), only_if_newest=True)
    assert caught.value.current == current.id
    assert store.ratings_since(0) == [current]
    assert store.save_rating(rating(3, "key-first"), only_if_newest=True) == (current, True)  # a retry is no revision


def test_of_many_tabs_at_once_one_gets_through(store: Store) -> None:
    def save(number: int) -> bool:
        try:
            store.save_rating(rating(number % 10, f"key-tab-{number:03d}"), only_if_newest=True)
        except RevisedError:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(save, range(24))) == 1
    assert len(store.ratings_since(0)) == 1


def test_the_refusal_shows_what_is_current(client: TestClient, store: Store) -> None:
    assert client.post("/api/ratings", json=sent(3, "key-first", revises=None)).status_code == 200
    refused = client.post("/api/ratings", json=sent(8, "key-second", revises=None))
    assert refused.status_code == 409
    assert "You rated this image meanwhile" in refused.json()["detail"]
    current = refused.json()["current"]
    assert (current["key"], current["ratings"]) == ("key-first", dict.fromkeys(HEADS, 3.0))
    assert client.post("/api/ratings", json=sent(8, "key-second", revises=current["key"])).status_code == 200
    # A client that says nothing of revisions replaces what is current, and nothing is lost either.
    assert client.post("/api/ratings", json=sent(9, "key-third")).status_code == 200
    assert [row.revises for row in store.ratings_since(0)] == [None, "key-first", "key-second"]


def test_a_double_click_gets_the_same_answer(client: TestClient, store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: client.post("/api/ratings", json=sent(3, "key-same", revises=None)), range(8))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["saved"]["id"] for answer in answers}) == 1
    assert sum(not answer.json()["saved"]["repeated"] for answer in answers) == 1
    assert len(store.ratings_since(0)) == 1


def test_own_ratings_are_listed_newest_first_and_page_by_page(client: TestClient, store: Store) -> None:
    for image_id in (1, 2, 3, 4):
        store.save_rating(rating(image_id, f"key-of-{image_id}", image_id=image_id))
    store.save_rating(rating(9, "key-again", image_id=2))
    store.save_rating(rating(1, "key-of-bob", name="Bob"))
    first = client.get("/api/ratings", params={"annotator": "Ada", "limit": 3}).json()
    assert [(own["image"]["image_id"], own["times"]) for own in first["ratings"]] == [(2, 2), (4, 1), (3, 1)]
    assert first["more"]
    assert first["ratings"][0]["current"]["ratings"]["style"] == 9
    last = first["ratings"][-1]["current"]["id"]
    rest = client.get("/api/ratings", params={"annotator": "Ada", "limit": 3, "before": last}).json()
    assert [own["image"]["image_id"] for own in rest["ratings"]] == [1]
    assert not rest["more"]
    beside = client.get("/api/ratings", params={"annotator": "Ada", "beside": 2}).json()
    prompts = {image.id: image.prompt_id for image in store.images()}
    expected = [number for number in (4, 3, 1) if prompts[number] == prompts[2]]
    assert [own["image"]["image_id"] for own in beside["ratings"]] == expected
    for wrong in ({"limit": 0}, {"limit": 201}, {"before": 0}, {"beside": 0}, {"beside": "x"}):
        assert client.get("/api/ratings", params={"annotator": "Ada", **wrong}).status_code == 422


# Drafts


def draft(client: TestClient, **changes: Any) -> Any:
    body = {"annotator": "Ada", "image_id": 2, "ratings": {"spatial": 7.0}, "cannot_judge": ["style"], "seconds": 3}
    return client.put("/api/drafts", json=body | changes)


def test_a_draft_comes_back_first_and_goes_with_the_rating(client: TestClient, store: Store) -> None:
    assert draft(client).json() == {"kept": True}
    assert draft(client, ratings={"spatial": 7.0, "icono": 2.0}).json() == {"kept": True}
    image = client.get("/api/next", params={"annotator": "Ada"}).json()["image"]
    assert image["image_id"] == 2
    none = dict.fromkeys(HEADS, None)
    assert image["draft"] == {"ratings": none | {"spatial": 7, "icono": 2}, "cannot_judge": ["style"], "seconds": 3}
    assert client.get("/api/next", params={"annotator": "Bob"}).json()["image"]["draft"] is None
    client.post("/api/ratings", json=sent(3, "key-first", image_id=2))
    queue = client.get("/api/next", params={"annotator": "Ada"}).json()
    assert (queue["image"]["image_id"], queue["image"]["draft"]) == (1, None)


def test_a_draft_from_before_a_rating_is_not_kept(client: TestClient) -> None:
    client.post("/api/ratings", json=sent(3, "key-first", image_id=2))
    assert draft(client).json() == {"kept": False}
    assert draft(client, revises="key-first").json() == {"kept": True}
    image = client.get("/api/next", params={"annotator": "Ada"}).json()["image"]  # a revision in the midst of it
    assert (image["image_id"], image["draft"]["ratings"]["spatial"], image["current"]["key"]) == (2, 7, "key-first")


def test_a_draft_without_anything_touched_removes_it(client: TestClient) -> None:
    draft(client)
    assert draft(client, ratings={}, cannot_judge=[]).json() == {"kept": True}
    assert client.get("/api/next", params={"annotator": "Ada"}).json()["image"]["image_id"] == 1


def test_a_skipped_draft_waits_with_its_image(client: TestClient) -> None:
    draft(client)
    client.post("/api/skip", json={"annotator": "Ada", "image_id": 2})
    assert client.get("/api/next", params={"annotator": "Ada"}).json()["image"]["image_id"] == 1
    for image_id in (1, 3, 4):
        client.post("/api/ratings", json=sent(3, f"key-of-{image_id}", image_id=image_id))
    again = client.get("/api/next", params={"annotator": "Ada"}).json()["image"]
    assert (again["image_id"], again["draft"]["ratings"]["spatial"]) == (2, 7)


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"ratings": {"spatial": 11}}, 422, "Spatial must lie between 0 and 10"),
        ({"ratings": {"beauty": 1}}, 422, "There is no head 'beauty'"),
        ({"ratings": {"style": 1}}, 422, "both rated and marked"),
        ({"annotator": "=x"}, 422, "A name can't begin with"),
        ({"revises": "x"}, 422, "revises must be 8 to 64"),
        ({"image_id": 99}, 404, "There is no image 99"),
        ({"seconds": -1}, 422, "seconds must be"),
    ],
)
def test_a_wrong_draft_is_refused(client: TestClient, changes: dict[str, Any], status: int, words: str) -> None:
    answer = draft(client, **changes)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


def test_a_draft_survives_a_restart(make_project: MakeProject) -> None:
    project = make_project()
    store = Store.open(project)
    store.save_draft(check_draft(3, "Ada", {"style": 4.5}, ["icono"], 2.0, None))
    store.close()
    store = Store.open(project)
    task = store.next_tasks("Ada")[0]
    assert (task.image.id, task.draft) == (3, check_draft(3, "Ada", {"style": 4.5}, ["icono"], 2.0, None))
    store.close()


# What was there before


def test_an_older_database_opens_and_keeps_every_rating(make_project: MakeProject, open_store: OpenStore) -> None:
    project = make_project(prompts=1, images=2)
    Store.open(project).close()  # for the images
    with sqlite3.connect(project.database) as images:
        rows = images.execute("SELECT * FROM images").fetchall()
        prompts = images.execute("SELECT * FROM prompts").fetchall()
    images.close()
    for name in ("studio.db", "studio.db-wal", "studio.db-shm"):
        (project.root / name).unlink(missing_ok=True)

    db = Database(sqlite3.connect(project.database))
    studio_migrations().apply(db, stop_before="ratings_name_what_they_revise")
    db.conn.executemany("INSERT INTO prompts VALUES (?, ?, ?)", prompts)
    db.conn.executemany(f"INSERT INTO images VALUES ({', '.join('?' * len(rows[0]))})", rows)
    insert = (
        "INSERT INTO ratings (image_id, annotator, spatial, unjudged, key, source, withdrawn, created) "
        "VALUES (?, 'Ada', ?, '', ?, 'pad', 0, '2026-01-01T00:00:00.000+00:00')"
    )
    db.conn.executemany(insert, [(1, 3.0, "key-old-1"), (1, 4.0, "key-old-2"), (2, 5.0, "key-old-3")])
    db.conn.commit()
    db.close()

    store = open_store(project)
    assert [(row.image_id, row.values[0], row.key) for row in store.ratings_since(0)] == [
        (1, 3.0, "key-old-1"), (1, 4.0, "key-old-2"), (2, 5.0, "key-old-3")]  # fmt: skip
    assert [(own.rating.values[0], own.times) for own in store.own_ratings("Ada")] == [(5.0, 1), (4.0, 2)]
    assert store.save_rating(rating(9, "key-newer", "key-old-2"), only_if_newest=True)[0].revises == "key-old-2"
    assert len(store.identity) == 16
