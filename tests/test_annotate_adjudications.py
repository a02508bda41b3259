"""Adjudications: what the CSVs hold afterwards, what stays as people said it, revoking, edits beside, the routes."""

import csv
import sqlite3
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from desk_parts import Served

from annotate.adjudications import Adjudication, check_adjudication
from annotate.api import build_api
from annotate.errors import BadRequestError, ConflictError, NotFoundError
from annotate.exports import Exporter
from annotate.judgement import Rating
from annotate.project import Project
from annotate.store import Store
from reward.aspects import HEADS

MakeProject = Callable[..., Project]
OpenStore = Callable[[Project], Store]


def rate(store: Store, image_id: int, annotator: str, *values: float | None) -> None:
    key = f"{annotator}-{image_id}-{len(store.ratings_since(0))}-key"
    store.save_rating(Rating(image_id, annotator, (*values, *[None] * (len(HEADS) - len(values))), key=key))


def cells(store: Store, image_id: int = 1) -> list[str]:
    """The image's row of the ratings CSV, once all is written."""
    exporter = Exporter(store)
    assert exporter.flush()
    assert exporter.problems == ()
    path = store.project.exported_path(store.project.images / store.image(image_id).path)
    with store.project.ratings_csv.open(encoding="utf-8", newline="") as file:
        return next(row[2:] for row in csv.reader(file) if row[1] == path)


@pytest.fixture
def store(make_project: MakeProject, open_store: OpenStore) -> Store:
    store = open_store(make_project())
    rate(store, 1, "Ada", 2, 3)
    rate(store, 1, "Bo", 9, 4)
    return store


def test_the_csv_holds_the_adjudicated_value_and_people_keep_their_ratings(store: Store) -> None:
    assert cells(store)[:2] == ["5.5", "3.5"]
    people = store.project.per_annotator_csv.read_bytes()
    stored, repeated = store.adjudicate(Adjudication(1, "spatial", 8.1, "Rita", "the tower leans"), None)
    assert not repeated
    assert stored.stands
    assert cells(store)[:2] == ["8.1", "3.5"]
    assert store.project.per_annotator_csv.read_bytes() == people
    rate(store, 1, "Cy", 0, 0)
    assert cells(store)[:2] == ["8.1", "2.333"]
    assert {row.annotator: row.values[0] for row in store.ratings_since(0) if row.source == "pad"} == {
        "Ada": 2,
        "Bo": 9,
        "Cy": 0,
    }
    assert store.adjudications(2) == []
    assert store.adjudications(1) == store.adjudications() == [stored]


def test_revoking_brings_back_what_held_before(store: Store) -> None:
    cells(store)
    edited = store.project.ratings_csv.read_text(encoding="utf-8").replace("5.5,3.5", "6.5,3.5")
    store.project.ratings_csv.write_text(edited, encoding="utf-8")
    assert cells(store)[:2] == ["6.5", "3.5"]
    for head, value in (("spatial", 8.0), ("icono", 9.0)):
        store.adjudicate(Adjudication(1, head, value, "Rita"), None)
    assert cells(store)[:2] == ["8", "9"]
    for head in ("spatial", "icono"):
        revoked, _ = store.adjudicate(Adjudication(1, head, None, "Sam", "undone"), None)
        assert revoked.value is None
    assert cells(store)[:2] == ["6.5", "3.5"]
    with pytest.raises(BadRequestError, match="No adjudicated value of Spatial stands"):
        store.adjudicate(Adjudication(1, "spatial", None, "Sam"), None)
    said = [(one.head, one.value, one.reviewer, one.stands) for one in store.adjudications(1)]
    assert said == [
        ("icono", None, "Sam", True),
        ("spatial", None, "Sam", True),
        ("icono", 9, "Rita", False),
        ("spatial", 8, "Rita", False),
    ]


def test_an_edited_csv_has_the_last_word_until_it_is_adjudicated_again(store: Store) -> None:
    store.adjudicate(Adjudication(1, "spatial", 8.0, "Rita"), None)
    assert cells(store)[0] == "8"
    path = store.project.ratings_csv
    path.write_text(path.read_text(encoding="utf-8").replace("8,3.5", "7,3.5"), encoding="utf-8")
    assert cells(store)[0] == "7"
    assert [one.stands for one in store.adjudications()] == [False]
    with pytest.raises(BadRequestError, match="stands for this image"):
        store.adjudicate(Adjudication(1, "spatial", None, "Rita"), None)
    store.adjudicate(Adjudication(1, "spatial", 8.0, "Rita"), None)
    assert cells(store)[0] == "8"
    store.adjudicate(Adjudication(1, "spatial", None, "Rita"), None)
    assert cells(store)[0] == "7"


def test_an_image_that_nobody_rated_can_be_adjudicated(store: Store) -> None:
    store.adjudicate(Adjudication(2, "style", 4.0, "Rita"), None)
    assert cells(store, 2) == ["", "", "4", "", ""]
    with pytest.raises(NotFoundError):
        store.adjudicate(Adjudication(99, "style", 4.0, "Rita"), None)


def test_two_reviewers_do_not_overrun_each_other(store: Store) -> None:
    decision = Adjudication(1, "spatial", 8.0, "Rita", "leans")
    first, _ = store.adjudicate(decision, None, only_if_newest=True)
    assert store.adjudicate(decision, None, only_if_newest=True) == (first, True)
    other = Adjudication(1, "spatial", 3.0, "Sam")
    with pytest.raises(ConflictError, match="Rita adjudicated 8 meanwhile"):
        store.adjudicate(other, None, only_if_newest=True)
    second, _ = store.adjudicate(other, first.id, only_if_newest=True)
    assert [one.stands for one in store.adjudications()] == [True, False]
    store.adjudicate(Adjudication(1, "spatial", None, "Sam"), second.id, only_if_newest=True)
    with pytest.raises(ConflictError, match="Sam revoked the adjudicated value meanwhile"):
        store.adjudicate(decision, second.id, only_if_newest=True)


def test_adjudications_are_append_only_and_survive_a_restart(store: Store, open_store: OpenStore) -> None:
    stored, _ = store.adjudicate(Adjudication(1, "spatial", 8.0, "Rita"), None)
    project = store.project
    store.close()
    db = sqlite3.connect(project.database)
    for statement in ("UPDATE adjudications SET value = 1", "DELETE FROM adjudications"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)
    db.close()
    again = Store.open(project)
    try:
        assert again.adjudications() == [stored]
    finally:
        again.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"head": "beauty"}, "no head 'beauty'"),
        ({"value": 10.1}, "between 0 and 10"),
        ({"value": 5.55}, "step of 0.1"),
        ({"value": "7"}, "must be a number"),
        ({"value": True}, "must be a number"),
        ({"reviewer": " "}, "1 to 64 characters"),
        ({"reviewer": "edited-csv"}, "kept for corrections"),
        ({"note": "x" * 501}, "A note holds up to 500 characters"),
        ({"note": "two\nlines"}, "without line breaks"),
    ],
)
def test_bad_decisions_are_refused(change: dict[str, Any], words: str) -> None:
    good: dict[str, Any] = {"image_id": 1, "head": "spatial", "value": 5.5, "reviewer": "Rita", "note": ""}
    assert check_adjudication(**good).value == 5.5
    with pytest.raises(BadRequestError) as refused:
        check_adjudication(**good | change)
    assert words in str(refused.value)


def test_the_routes(store: Store, serve: Callable[[object], Served]) -> None:
    with httpx.Client(base_url=serve(build_api(store.project, store, Exporter(store))).url, timeout=60) as client:
        heads = client.get("/api/agreement").json()["heads"]
        assert [head["images"] for head in heads] == [1, 1, 0, 0, 0]
        disputed = client.get("/api/disputed").json()
        assert [(one["image_id"], one["head"]) for one in disputed] == [(1, "spatial"), (1, "icono")]
        assert disputed[0]["ratings"] == [["Bo", 9.0], ["Ada", 2.0]]
        assert client.get("/api/disputed", params={"head": "beauty"}).status_code == 422
        sent = {"image_id": 1, "head": "spatial", "value": 7, "reviewer": "Rita", "note": "n", "replaces": None}
        answer = client.post("/api/adjudications", json=sent).json()
        assert not answer["repeated"]
        assert client.post("/api/adjudications", json=sent).json() == answer | {"repeated": True}
        assert client.get("/api/adjudications", params={"image_id": 1}).json() == [answer["adjudication"]]
        assert client.get("/api/disputed").json() == disputed[1:]
        refused = client.post("/api/adjudications", json=sent | {"value": 3})
        assert refused.status_code == 409
        assert "Rita adjudicated 7 meanwhile" in refused.json()["detail"]
        for status, change in ((422, {"value": 11}), (404, {"image_id": 99}), (422, {"value": 1, "extra": 1})):
            assert client.post("/api/adjudications", json=sent | change).status_code == status
