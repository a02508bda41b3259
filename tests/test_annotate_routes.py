"""The JSON routes: what they answer, what they refuse and in which words, and that refusing stores nothing."""

import json
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from desk_parts import Served, draw_picture
from fastapi.testclient import TestClient

from annotate.api import build_api
from annotate.exports import Exporter
from annotate.project import SAMPLE_MARKER, Project
from annotate.store import Store
from reward.aspects import HEADS

MakeProject = Callable[..., Project]
OpenStore = Callable[[Project], Store]
FULL = dict.fromkeys(HEADS, 5.0)


def rating(**changes: Any) -> dict[str, Any]:
    return {
        "key": "key-0001", "annotator": "Ada", "image_id": 1, "ratings": FULL, "cannot_judge": [], "seconds": 4.2,
        **changes,
    }  # fmt: skip


@pytest.fixture
def store(make_project: MakeProject, open_store: OpenStore) -> Store:
    return open_store(make_project(prompts=2, images=2))


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    app = build_api(store.project, store, Exporter(store))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def test_rating_goes_from_image_to_image(client: TestClient, store: Store) -> None:
    queue = client.get("/api/next", params={"annotator": "Ada"}).json()
    assert queue["image"]["prompt"] == "Picture number 1, with a disc"
    assert queue["progress"] == {"rated": 0, "total": 4, "notices": []}
    seen = []
    for number in range(4):
        seen.append(queue["image"]["image_id"])
        if number < 3:
            assert queue["upcoming"][0]["image_id"] not in seen
        answer = client.post("/api/ratings", json=rating(key=f"key-{number:04d}", image_id=seen[-1]))
        assert answer.status_code == 200
        queue = answer.json()
        assert queue["saved"]["image_id"] == seen[-1]
        assert queue["progress"]["rated"] == number + 1
    assert queue["image"] is None
    assert seen == [1, 2, 3, 4]
    assert [row.seconds for row in store.ratings_since(0)] == [4.2] * 4


def test_a_repeat_is_answered_with_the_stored_rating(client: TestClient, store: Store) -> None:
    first = client.post("/api/ratings", json=rating()).json()
    again = client.post("/api/ratings", json=rating(seconds=9)).json()
    assert again["saved"] == {**first["saved"], "repeated": True}
    assert again["image"] == first["image"]
    assert len(store.ratings_since(0)) == 1
    conflict = client.post("/api/ratings", json=rating(image_id=2))
    assert (conflict.status_code, "used for another rating" in conflict.json()["detail"]) == (409, True)


def test_looking_ahead_lends_nothing_and_what_was_said_last_comes_by_key(client: TestClient, store: Store) -> None:
    ahead = client.get("/api/next", params={"annotator": "Ada", "tab": "b/1", "after": 1, "look": True}).json()
    assert ahead["image"]["image_id"] == 2
    assert store._db.execute("SELECT count(*) FROM leases").fetchone() == (0,)
    for number in (1, 2):
        client.post("/api/ratings", json=rating(key=f"key-{number:04d}", image_id=number))
    last = client.get("/api/ratings/last", params={"annotator": "Ada"}).json()["ratings"]
    assert [own["current"]["key"] for own in last] == ["key-0002"]
    asked = {"annotator": "Ada", "before": "key-0002"}
    assert client.get("/api/ratings/last", params=asked).json()["ratings"][0]["image"]["image_id"] == 1
    asked["before"] = "key-0001"
    assert client.get("/api/ratings/last", params=asked).json() == {"ratings": [], "more": False}


BAD = [
    ({"ratings": {**FULL, "style": "7"}}, "Style must be a number, not '7'."),
    ({"ratings": {**FULL, "style": True}}, "Style must be a number, not 'True'."),
    ({"ratings": {**FULL, "style": math.nan}}, "Style must lie between 0 and 10, not at nan."),
    ({"ratings": {**FULL, "style": math.inf}}, "Style must lie between 0 and 10, not at inf."),
    ({"ratings": {**FULL, "style": -1}}, "Style must lie between 0 and 10, not at -1."),
    ({"ratings": {**FULL, "style": 10.05}}, "Style must lie between 0 and 10, not at 10.05."),
    ({"ratings": {**FULL, "style": 3.14}}, "Style must be on a step of 0.1, not at 3.14."),
    ({"ratings": {**FULL, "style": {"a": 1}}}, "Style must be a number, not "),
    ({"ratings": {**FULL, "style": None}}, "Not rated yet: Style."),
    ({"ratings": {}}, "Not rated yet: Spatial, Iconographic, Style, Fidelity, Material."),
    ({"ratings": {**FULL, "beauty": 5}}, "There is no head 'beauty'"),
    ({"ratings": [5, 5, 5, 5, 5]}, "ratings: Input should be a valid dictionary."),
    ({"cannot_judge": ["style"]}, "Style is both rated and marked as can't judge; choose one."),
    ({"cannot_judge": ["beauty"]}, "There is no head 'beauty'"),
    ({"cannot_judge": "style"}, "cannot_judge: Input should be a valid list."),
    ({"annotator": ""}, "Enter a name of 1 to 64 characters."),
    ({"annotator": "x" * 65}, "Enter a name of 1 to 64 characters."),
    ({"annotator": "a\u0007b"}, "A name can't hold control characters or line breaks."),
    ({"annotator": "=1+1"}, "A name can't begin with = + - or @"),
    ({"annotator": "edited-csv"}, "is kept for corrections"),
    ({"annotator": "Simulated-Edited-CSV"}, "is kept for corrections"),
    ({"annotator": 7}, "annotator: Input should be a valid string."),
    ({"image_id": 99}, "There is no image 99"),
    ({"image_id": 0}, "image_id: Input should be greater than or equal to 1."),
    ({"image_id": 2**70}, "image_id: "),
    ({"image_id": "../../etc/passwd"}, "image_id: Input should be a valid integer"),
    ({"key": "x"}, "key must be 8 to 64 letters"),
    ({"seconds": -1}, "seconds must be a number"),
    ({"seconds": "long"}, "seconds must be a number"),
    ({"extra": 1}, "extra: Extra inputs are not permitted."),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_bad_input_gets_a_clear_message_and_is_not_stored(
    client: TestClient, store: Store, changes: dict[str, Any], message: str
) -> None:
    body = json.dumps(rating(**changes))  # json.dumps writes NaN, as a careless client would
    answer = client.post("/api/ratings", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {404, 422}
    assert list(answer.json()) == ["detail"]
    assert message in answer.json()["detail"]
    assert store.ratings_since(0) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"key": "\xff"}', b"\x00"])
def test_what_is_no_json_is_refused(client: TestClient, store: Store, body: bytes) -> None:
    answer = client.post("/api/ratings", content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert isinstance(answer.json()["detail"], str)
    assert store.ratings_since(0) == []


def test_missing_fields_are_named(client: TestClient) -> None:
    assert client.get("/api/next").json()["detail"] == "annotator: Field required."
    detail = client.post("/api/ratings", json={"annotator": "Ada"}).json()["detail"]
    assert "key: Field required" in detail
    assert "image_id: Field required" in detail


def test_nobody_rates_as_a_simulated_person_in_the_sample(client: TestClient, store: Store) -> None:
    sent = rating(annotator=" simulated-1")
    assert client.post("/api/ratings", json=sent).status_code == 200
    (store.project.root / SAMPLE_MARKER).write_text("simulated")
    for answer in (
        client.post("/api/ratings", json={**sent, "key": "another-key"}),
        client.post("/api/skip", json={"annotator": "simulated-1", "image_id": 1}),
        client.get("/api/next", params={"annotator": "simulated-1"}),
        client.get("/api/progress", params={"annotator": "simulated-1"}),
    ):
        assert answer.status_code == 422
        assert "kept for the sample's simulated people" in answer.json()["detail"]
    assert len(store.ratings_since(0)) == 1


def test_skipping_moves_on_and_comes_back(client: TestClient) -> None:
    after = client.post("/api/skip", json={"annotator": "Ada", "image_id": 1}).json()
    assert after["image"]["image_id"] == 2
    for image_id in (2, 3, 4):
        after = client.post("/api/ratings", json=rating(key=f"key-000{image_id}", image_id=image_id)).json()
    assert after["image"]["image_id"] == 1
    assert client.post("/api/skip", json={"annotator": "Ada", "image_id": 77}).status_code == 404


def test_a_skip_keeps_its_reason(client: TestClient, store: Store) -> None:
    for reason in (" too dark ", ""):
        sent = {"annotator": "Ada", "image_id": 1, "reason": reason}
        assert client.post("/api/skip", json=sent).status_code == 200
    assert store._db.execute("SELECT reason FROM skips").fetchall() == [("too dark",), ("",)]
    for reason in ("x" * 201, "two\nlines", 7):
        refused = client.post("/api/skip", json={"annotator": "Ada", "image_id": 1, "reason": reason})
        assert refused.status_code == 422


def test_problems_with_files_are_told(make_project: MakeProject, open_store: OpenStore) -> None:
    project = make_project()
    (project.images / "p01" / "broken.png").write_text("no image")
    store = open_store(project)
    with TestClient(build_api(project, store, Exporter(store)), base_url="http://localhost") as client:
        notices = client.get("/api/progress", params={"annotator": "Ada"}).json()["notices"]
    assert notices == ["images/p01/broken.png: is no readable image; replace or remove it"]


# Image bytes


def test_an_image_is_the_files_own_bytes(client: TestClient, store: Store) -> None:
    url = client.get("/api/next", params={"annotator": "Ada"}).json()["image"]["url"]
    answer = client.get(url)
    assert answer.content == (store.project.images / "p01" / "1.png").read_bytes()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "private" in answer.headers["cache-control"]
    tag = answer.headers["etag"]
    assert tag.startswith('"')
    cached = client.get(url, headers={"if-none-match": f'"other", {tag}'})
    assert (cached.status_code, cached.content, cached.headers["etag"]) == (304, b"", tag)
    draw_picture(store.project.images / "p01" / "1.png", 999)
    assert client.get(url, headers={"if-none-match": tag}).status_code == 200


def test_no_other_file_can_be_had(client: TestClient, store: Store, tmp_path: Path) -> None:
    draw_picture(tmp_path / "secret.png", 1)
    file = store.project.images / "p01" / "1.png"
    file.unlink()
    file.symlink_to(tmp_path / "secret.png")  # changed after the studio looked at its images
    answer = client.get("/api/images/1")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "images/p01/1.png is no longer there. Reload the page.",
    )
    for place in ("99", "0", "-1", "..%2f..%2fstudio.db", "%2fetc%2fhostname", "1/../../../../etc/hostname", "1.0"):
        answer = client.get(f"/api/images/{place}")
        assert answer.status_code in {404, 422}, place
    file.unlink()
    file.mkdir()
    assert client.get("/api/images/1").status_code == 404


# Another project's page


def _requests(client: TestClient) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """One good request to each route that knows images by number."""
    ada = {"annotator": "Ada"}
    pair = {"key": "key-0002", "annotator": "Ada", "left": 1, "right": 2}
    decision = {"image_id": 1, "head": "style", "value": 5, "reviewer": "Ada"}
    bodies: dict[tuple[str, str], dict[str, Any]] = {
        ("post", "/api/ratings"): rating(),
        ("put", "/api/drafts"): {**ada, "image_id": 1, "ratings": {"style": 7}},
        ("post", "/api/skip"): {**ada, "image_id": 1},
        ("post", "/api/leave"): {**ada, "tab": "b/1"},
        ("post", "/api/pairs"): {**pair, "choice": "left"},
        ("post", "/api/pairs/skip"): {**pair, "key": "key-0003"},
        ("post", "/api/adjudications"): decision,
    }
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method in methods:
            body = bodies.pop((method, path), None)
            assert (body is None) == (method == "get"), (method, path)
            if not path.startswith("/api/export/"):
                asked = {"params": ada} if body is None else {"json": body}
                yield method, path.replace("{image_id}", "1"), asked
    assert not bodies


def test_every_route_refuses_what_is_meant_for_another_project(client: TestClient, store: Store) -> None:
    store.project.guidelines.write_text("# Look first\n", encoding="utf-8")
    tables = ("ratings", "preferences", "adjudications", "drafts", "skips", "leases")

    def stored() -> list[int]:
        return [store._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]

    before = stored()
    requests = list(_requests(client))
    for method, path, asked in requests:
        for wrong in ("another", ""):
            refused = client.request(method, path, headers={"X-Studio": wrong}, **asked)
            assert (refused.status_code, refused.json()) == (
                412,
                {"detail": "Another project is served here now; load the page again."},
            ), path
    assert client.get("/api/images/1", params={"studio": "another"}).status_code == 412
    assert stored() == before
    for headers in ({"X-Studio": store.identity}, {}):
        for method, path, asked in requests:
            answer = client.request(method, path, headers=headers, **asked)
            # A picture this small has no smaller version.
            assert answer.status_code in {200, 204} or path.endswith("/screen"), (path, answer.text)
            assert answer.status_code != 412
    assert client.get("/api/images/1", params={"studio": store.identity}).status_code == 200
    assert stored() != before


def test_openapi_tells_how_a_request_names_its_project(client: TestClient) -> None:
    for path in ("/api/ratings", "/api/pairs"):
        described = client.get("/openapi.json").json()["paths"][path]["post"]
        assert {("header", "X-Studio"), ("query", "studio")} <= {
            (part["in"], part["name"].title() if part["in"] == "header" else part["name"])
            for part in described["parameters"]
        }
        assert described["responses"]["412"]["content"]["application/json"]["schema"]["$ref"].endswith("ErrorOut")


# Other web pages


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example:7860", "[::1", "10.0.0.5"]
)
def test_other_hosts_are_refused(client: TestClient, host: str) -> None:
    answer = client.get("/api/next", params={"annotator": "Ada"}, headers={"host": host})
    assert answer.status_code == 400
    assert "This studio answers only at" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:7860", "127.0.0.1:1", "[::1]:7860", "[::1]"])
def test_this_computer_is_answered(client: TestClient, host: str) -> None:
    answer = client.get("/api/next", params={"annotator": "Ada"}, headers={"host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
        {"origin": "http://localhost.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_requests_from_other_pages_are_refused(client: TestClient, store: Store, headers: dict[str, str]) -> None:
    answer = client.post("/api/ratings", json=rating(), headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (403, "Requests from other web pages are refused.")
    assert client.post("/api/skip", json={"annotator": "Ada", "image_id": 1}, headers=headers).status_code == 403
    assert store.ratings_since(0) == []
    for method in ("GET", "HEAD"):  # as a page elsewhere shows a picture
        asked = client.request(method, "/api/next", params={"annotator": "Ada"}, headers=headers)
        assert asked.status_code == 403
    assert store._db.execute("SELECT count(*) FROM leases").fetchone() == (0,)


def test_writes_from_the_studios_own_page_are_taken(client: TestClient) -> None:
    own = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}
    assert client.post("/api/ratings", json=rating(), headers=own).status_code == 200


def test_a_huge_request_is_refused(client: TestClient, store: Store) -> None:
    answer = client.post("/api/ratings", json=rating(annotator="x" * 100_000))
    assert (answer.status_code, "64 KiB" in answer.json()["detail"]) == (413, True)
    assert store.ratings_since(0) == []


# The whole of it


def test_openapi_tells_what_the_routes_do(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/desk",
        "/api/drafts",
        "/api/guidelines",
        "/api/next",
        "/api/progress",
        "/api/ratings",
        "/api/ratings/last",
        "/api/skip",
        "/api/leave",
        "/api/pairs",
        "/api/pairs/next",
        "/api/pairs/skip",
        "/api/agreement",
        "/api/disputed",
        "/api/adjudications",
        "/api/export/{form}",
        "/api/export/label-studio-template",
        "/api/images/{image_id}",
        "/api/images/{image_id}/screen",
    }
    schemas = described["components"]["schemas"]
    assert list(schemas["RatingIn"]["properties"]["ratings"]["properties"]) == list(HEADS)
    assert set(schemas["RatingIn"]["required"]) == {"key", "annotator", "image_id", "ratings"}
    answer = described["paths"]["/api/ratings"]["post"]["responses"]
    assert answer["200"]["content"]["application/json"]["schema"]["$ref"].endswith("SaveOut")
    for status, schema in (("404", "ErrorOut"), ("409", "RevisedOut"), ("422", "ErrorOut"), ("503", "ErrorOut")):
        assert answer[status]["content"]["application/json"]["schema"]["$ref"].endswith(schema)


def test_fifty_people_at_once_over_http(store: Store, serve: Callable[[object], Served]) -> None:
    served = serve(build_api(store.project, store, Exporter(store)))

    def work(person: int) -> int:
        with httpx.Client(base_url=served.url, timeout=30) as http:
            queue = http.get("/api/next", params={"annotator": f"Person {person}"}).json()
            done = 0
            while queue["image"]:
                body = rating(
                    key=f"key-{person:04d}-{done}", annotator=f"Person {person}", image_id=queue["image"]["image_id"]
                )
                first = http.post("/api/ratings", json=body).json()
                queue = http.post("/api/ratings", json=body).json()  # a proxy's repeat
                assert queue["saved"]["id"] == first["saved"]["id"]
                done += 1
            return done

    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(work, range(50))) == [4] * 50
    stored = [(row.image_id, row.annotator) for row in store.ratings_since(0)]
    assert len(stored) == len(set(stored)) == 200
