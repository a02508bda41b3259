"""The routes of "A or B?": what they answer, what they refuse and in which words, and that refusing stores nothing."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from annotate.api import build_api
from annotate.exports import Exporter
from annotate.project import SAMPLE_MARKER, Project
from annotate.store import Store

MakeProject = Callable[..., Project]


def choice(**changes: Any) -> dict[str, Any]:
    return {
        "key": "key-0001", "annotator": "Ada", "left": 2, "right": 1, "choice": "left", "seconds": 4.2, **changes
    }  # fmt: skip


@pytest.fixture
def store(make_project: MakeProject, open_store: Callable[[Project], Store]) -> Store:
    return open_store(make_project(prompts=2, images=2))


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    with TestClient(build_api(store.project, store, Exporter(store)), base_url="http://localhost") as client:
        yield client


def test_choosing_goes_from_pair_to_pair_and_back(client: TestClient) -> None:
    queue = client.get("/api/pairs/next", params={"annotator": "Ada"}).json()
    assert queue["progress"] == {"judged": 0, "total": 2, "notices": []}
    assert len(queue["upcoming"]) == 1
    said = []
    for number, way in enumerate(("right", "tie")):
        pair = queue["pair"]
        assert (pair["current"], pair["why"]) == (None, "Nobody has compared these two yet.")
        assert client.get(f"/{pair['left']['url']}").status_code == 200
        shown = {side: pair[side]["image_id"] for side in ("left", "right")}
        sent = choice(key=f"key-{number:04d}", choice=way, revises=None, **shown)
        queue = client.post("/api/pairs", json=sent).json()
        assert queue["progress"]["judged"] == number + 1
        said.append(queue["saved"])
        assert {**said[-1], "repeated": False} | {"choice": way, "left": sent["left"]} == said[-1]
    assert queue["pair"] is None
    newest = client.get("/api/pairs", params={"annotator": "Ada", "limit": 1}).json()
    assert newest["more"] is True
    assert newest["pairs"][0]["current"]["id"] == said[1]["id"]
    older = client.get("/api/pairs", params={"annotator": "Ada", "before": said[1]["id"]}).json()
    assert (older["more"], [pair["current"]["choice"] for pair in older["pairs"]]) == (False, ["right"])
    assert client.get("/api/pairs", params={"annotator": "Bob"}).json() == {"pairs": [], "more": False}


def test_a_repeat_is_answered_with_the_stored_choice(client: TestClient, store: Store) -> None:
    first = client.post("/api/pairs", json=choice()).json()
    again = client.post("/api/pairs", json=choice(seconds=9)).json()
    assert again["saved"] == {**first["saved"], "repeated": True}
    for changes in ({"choice": "tie"}, {"left": 1, "right": 2}, {"annotator": "Bob"}):
        conflict = client.post("/api/pairs", json=choice(**changes))
        assert (conflict.status_code, "used for another" in conflict.json()["detail"]) == (409, True)
    assert len(store.preferences.since(0)) == 1


def test_a_choice_made_meanwhile_is_told(client: TestClient, store: Store) -> None:
    first = client.post("/api/pairs", json=choice(revises=None)).json()["saved"]
    late = client.post("/api/pairs", json=choice(key="key-0002", choice="tie", revises=None))
    assert late.status_code == 409
    assert late.json()["current"] == {name: first[name] for name in first if name != "repeated"}
    skip = {name: value for name, value in choice(key="key-0003", revises=first["key"]).items() if name != "choice"}
    assert client.post("/api/pairs/skip", json=skip).json()["saved"]["choice"] == "skip"
    assert client.post("/api/pairs/skip", json=skip).json()["saved"]["repeated"] is True
    assert [row.choice for row in store.preferences.since(0)] == ["second", "skip"]


BAD = [
    ({"choice": "first"}, "choice must be left, right or tie, not 'first'."),
    ({"choice": "skip"}, "a skip goes to /api/pairs/skip"),
    ({"choice": None}, "choice: Input should be a valid string."),
    ({"left": 1}, "left and right are the same image"),
    ({"left": 3}, "Images 1 and 3 belong to different prompts."),
    ({"left": 99}, "There is no image 99"),
    ({"left": 0}, "left: Input should be greater than or equal to 1."),
    ({"right": 2**70}, "right: "),
    ({"right": "1; DROP TABLE preferences"}, "right: Input should be a valid integer"),
    ({"annotator": ""}, "Enter a name of 1 to 64 characters."),
    ({"annotator": "=1+1"}, "A name can't begin with"),
    ({"annotator": "edited-csv"}, "is kept for corrections"),
    ({"key": "x"}, "key must be 8 to 64 letters"),
    ({"revises": "x y"}, "revises must be 8 to 64 letters"),
    ({"seconds": -1}, "seconds must be a number"),
    ({"seconds": float("nan")}, "seconds must be a number"),
    ({"extra": 1}, "extra: Extra inputs are not permitted."),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_bad_input_gets_a_clear_message_and_is_not_stored(
    client: TestClient, store: Store, changes: dict[str, Any], message: str
) -> None:
    body = json.dumps(choice(**changes))  # writes NaN, as a careless client would
    answer = client.post("/api/pairs", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {404, 422}
    assert list(answer.json()) == ["detail"]
    assert message in answer.json()["detail"]
    assert store.preferences.since(0) == []


def test_other_pages_and_simulated_names_are_refused(make_project: MakeProject, store: Store) -> None:
    (store.project.root / SAMPLE_MARKER).write_text("simulated")
    app = build_api(store.project, store, Exporter(store))
    with TestClient(app, base_url="http://localhost") as client:
        foreign = client.post("/api/pairs", json=choice(), headers={"origin": "http://evil.example"})
        assert foreign.status_code == 403
        for answer in (
            client.post("/api/pairs", json=choice(annotator="simulated-1")),
            client.get("/api/pairs/next", params={"annotator": "simulated-1"}),
            client.get("/api/pairs", params={"annotator": "simulated-1"}),
        ):
            assert answer.status_code == 422
            assert "kept for the sample's simulated people" in answer.json()["detail"]
    assert store.preferences.since(0) == []


def test_openapi_describes_the_routes(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    for path in ("/api/pairs", "/api/pairs/skip"):
        answers = described["paths"][path]["post"]["responses"]
        assert answers["200"]["content"]["application/json"]["schema"]["$ref"].endswith("PairSaveOut")
        assert answers["409"]["content"]["application/json"]["schema"]["$ref"].endswith("PairRevisedOut")
    schema = described["components"]["schemas"]["PairIn"]
    assert set(schema["required"]) == {"key", "annotator", "left", "right", "choice"}
    assert schema["properties"]["choice"]["enum"] == ["left", "right", "tie"]
