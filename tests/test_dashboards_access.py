"""Everything that the studio serves, called as each role and as nobody: its routes, Gradio's, and the page's events."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from threading import get_ident
from typing import Any

import gradio as gr
import httpx
import pytest
from accounts_parts import add_people, sign_in
from dashboards_helpers import make_project, write_run
from desk_parts import Served
from fastapi.routing import iter_route_contexts
from starlette.responses import JSONResponse

from annotate.declared import declared_needs
from annotate.errors import ForbiddenError
from annotate.permissions import PERMISSIONS, ROLES, Permission
from dashboards.addresses import LARGEST_CALL
from dashboards.events import EventNeeds
from dashboards.fence import ROUTES, Fence, beginning
from dashboards.scoring import ScoreReport
from dashboards.studio import Settings, open_studio

SAFE = "no-such-event"
SIDE_BY_SIDE = 8  # a queued call waits for the queue's own pace most of its time
# Of Gradio's own queue and of the many connections that are cut off here; they would fail whichever test comes next.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:.*no_silent_downcasting.*",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A served studio with an account a role; `clients` by role, and one of nobody's."""

    url: str
    app: Any
    clients: dict[str, httpx.Client]
    folder: Path

    @property
    def gradio(self) -> Any:
        return self.app.routes[-1]._base_app


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, serve_long: Any) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("access")
    make_project(folder / "data")
    write_run(folder / "outputs" / "first")
    add_people(folder / "data" / "studio.db")
    with open_studio(Settings(folder / "data", folder / "outputs")) as (app, _):
        served: Served = serve_long(app)
        clients = {role: httpx.Client(base_url=served.url, timeout=60) for role in (*ROLES, "nobody")}
        for role in ROLES:
            assert sign_in(clients[role], f"the {role}").status_code == 303
        yield Place(served.url, app, clients, folder)
        for client in clients.values():
            client.close()


def filled(path: str) -> str:
    """A path with something for each of its parameters."""
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + SAFE + rest.partition("}")[2]
    return path


def refused(role: str, answer: httpx.Response) -> bool:
    """Whether the studio shut the door. Gradio, too, answers 403, for files that are none of its own.

    The length tells one from the other where there is no body to read (HEAD).
    """
    words = ForbiddenError(f"Your role, {role}, may not do this; ask an admin of the studio.")
    length = len(JSONResponse(words.answer()).body)
    return answer.status_code == 403 and answer.headers.get("content-length") == str(length)


def head_of(client: httpx.Client, method: str, path: str) -> httpx.Response:
    """Status and headers of an answer: Gradio breaks the body off where a call that it streams is unknown to it."""
    with client.stream(method, path) as answer:
        return answer


def test_every_route_of_gradio_is_open_to_whom_the_table_says(place: Place) -> None:
    called = 0
    own = {path for _, path in declared_needs(place.app)}
    for context in iter_route_contexts(place.gradio.routes):
        path = filled(str(context.path))
        if path in own:
            continue  # the studio answers there itself
        need = ROUTES[beginning(str(context.path))]
        for method in context.methods or ():
            if path.startswith("/gradio_api/heartbeat") or path == "/gradio_api/startup-events":
                continue  # these answer for as long as a page is open; see below
            called += 1
            answers = {role: head_of(client, method, path) for role, client in place.clients.items()}
            assert answers.pop("nobody").status_code == 401, (method, path)
            for role, got in answers.items():
                if need is None:
                    assert got.status_code in {403, 404}, (method, path, role)
                else:
                    assert refused(role, got) != (role in PERMISSIONS[need]), (method, path, role, got.status_code)
    assert called > 60


@pytest.mark.parametrize("path", ["/gradio_api/heartbeat/x", "/gradio_api/startup-events", "/gradio_api/queue/data"])
def test_what_streams_is_shut_to_nobody_too(place: Place, path: str) -> None:
    assert place.clients["nobody"].get(path).status_code == 401


def test_the_studios_own_routes_say_what_they_need(place: Place) -> None:
    assert set(declared_needs(place.app).values()) <= {"nothing", "session", *PERMISSIONS}


def test_what_gradio_adds_is_shut_until_the_table_tells_of_it(place: Place) -> None:
    place.gradio.add_api_route("/gradio_api/brand-new", lambda: {}, methods=["GET"])
    try:
        with pytest.raises(RuntimeError, match=r"brand-new: say in dashboards/fence\.py"):
            Fence(place.gradio)
        status = {role: client.get("/gradio_api/brand-new").status_code for role, client in place.clients.items()}
        assert status == {"nobody": 401} | dict.fromkeys(ROLES, 404)
    finally:
        place.gradio.router.routes.pop()


# The page's events


def events(place: Place) -> list[tuple[int, str, Permission]]:
    """Number, name and need of every event that has a handler."""
    fns = place.gradio.get_blocks().fns
    return [(number, str(fn.api_name), fn.fn.needs) for number, fn in fns.items() if fn.fn is not None]


def call(client: httpx.Client, number: int, data: list[Any]) -> tuple[int, str]:
    """Status and answer of a call of an event by its number, through the queue where it goes no other way.

    A thread calls as one page of each person: Gradio copies all components for every page.
    """
    session = f"s{id(client)}-{get_ident()}"
    body = {"data": data, "fn_index": number, "session_hash": session}
    joined = client.post("/gradio_api/queue/join", json=body)
    if joined.status_code != 200:
        return joined.status_code, joined.text
    return joined.status_code, client.get("/gradio_api/queue/data", params={"session_hash": session}).text


def test_every_event_checks_who_calls_it(place: Place) -> None:
    config = place.clients["admin"].get("/config").json()
    # What the page itself would send: Gradio refuses other kinds of values before it calls the handler.
    shown = {part["id"]: part["props"].get("value") for part in config["components"]}
    inputs = {
        each["id"]: [shown[part] for part in each["inputs"]] for each in config["dependencies"] if each["backend_fn"]
    }
    known = events(place)
    assert {number for number, *_ in known} == set(inputs)
    called = [
        (number, name, need, role)
        for number, name, need in known
        for role in place.clients
        # These would begin to work; their own tests call them.
        if name not in {"start_training", "where_in_the_picture"} or role not in PERMISSIONS[need]
    ]

    def check(number: int, name: str, need: Permission, role: str) -> None:
        client = place.clients[role]
        status, answer = call(client, number, inputs[number])
        if role != "nobody":
            assert (f"Your role, {role}, may not do this" in answer) != (role in PERMISSIONS[need]), (name, role)
            return
        assert status == 401, name
        direct: dict[str, Any] = {"data": [], "fn_index": number, "session_hash": "x"}
        for path in ("run/predict", f"run/{name}", f"api/{name}", f"call/{name}", f"call/v2/{name}"):
            assert client.post(f"/gradio_api/{path}", json=direct).status_code == 401

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        assert len(list(pool.map(lambda one: check(*one), called))) > 300


def test_the_tabs_ask_for_what_they_are_about(place: Place) -> None:
    needs = {name: need for _, name, need in events(place)}
    assert {needs[name] for name in ("start_training", "stop_training", "training_state", "describe_data")} == {"train"}
    assert {needs[name] for name in ("run_report", "score_images", "save_weights", "compare_images")} == {"analyse"}


def test_a_direct_call_is_checked_like_a_queued_one(place: Place) -> None:
    number = next(number for number, name, _ in events(place) if name == "stop_training")
    body = {"data": [None], "fn_index": number, "session_hash": "x"}
    for path in ("run/stop_training", "run/predict", "api/stop_training"):
        answer = place.clients["annotator"].post(f"/gradio_api/{path}", json=body)
        assert answer.status_code == 500
        assert "Your role, annotator, may not do this" in answer.json()["error"]


def test_an_event_that_says_nothing_stops_the_start() -> None:
    with gr.Blocks(analytics_enabled=False) as demo:
        needs = EventNeeds(demo)
        with needs.declare("rate"):
            gr.Button("a").click(lambda: None, api_name="told")
        gr.Button("b").click(lambda: None, api_name="untold")
    with pytest.raises(RuntimeError, match="untold: say who may call it"):
        needs.enforce()


# Paths that are typed


def test_no_text_field_leads_out_of_the_studios_folders(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    make_project(outside)
    before = sorted(outside.rglob("*"))
    secret = "a picture number 3"
    admin = place.clients["admin"]
    config = admin.get("/config").json()
    kinds = {part["id"]: part["type"] for part in config["components"]}
    climbing = "../" * 12 + str(outside)[1:]
    paths = cycle([f"{outside}/annotations/multihead_ratings.csv", climbing])  # a field of several events meets both
    tried = []
    for dependency in config["dependencies"]:
        takes = [kinds[number] for number in dependency["inputs"]]
        texts = [at for at, kind in enumerate(takes) if kind in {"textbox", "dropdown", "radio"}]
        for field in texts:
            data = ["first" if kind == "dropdown" else None for kind in takes]
            data[field] = next(paths)
            tried.append((dependency["id"], data))
    assert len(tried) > 100
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for (number, _), (_, answer) in zip(tried, pool.map(lambda one: call(admin, *one), tried), strict=True):
            assert secret not in answer, number
            assert "<b>24</b>" not in answer
    assert sorted(outside.rglob("*")) == before
    assert [run.name for run in (place.folder / "outputs").iterdir()] == ["first"]


# Files that are named by an address elsewhere


@pytest.fixture
def downloaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Gradio began to download, in place of downloading it."""
    begun: list[str] = []

    async def download(url: str, cache_dir: str) -> str:
        begun.append(url)
        raise ValueError(f"{url} into {cache_dir}")

    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_download", download)
    return begun


def score_inputs(place: Place, files: list[dict[str, Any]]) -> tuple[int, list[Any]]:
    """Number and inputs of the event that scores images, with these files."""
    config = place.clients["admin"].get("/config").json()
    event = next(each for each in config["dependencies"] if each["api_name"] == "score_images")
    shown = {part["id"]: part for part in config["components"]}
    inputs = [shown[number] for number in event["inputs"]]
    return event["id"], [files if part["type"] == "file" else part["props"].get("value") for part in inputs]


def file_object(path: str, url: str | None = None) -> dict[str, Any]:
    return {"path": path, "url": url, "orig_name": "a.png", "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize("role", ["annotator", "admin"])
@pytest.mark.parametrize("address", ["http://example.org/a.png", "HTTPS://example.org/a.png"])
def test_no_call_makes_gradio_download_anything(place: Place, downloaded: list[str], role: str, address: str) -> None:
    number, data = score_inputs(place, [file_object(address)])
    body = {"data": data, "fn_index": number, "session_hash": f"{role}{time.monotonic_ns()}"}
    named = {"files": [file_object(address)], "name": "first", "which": "best"}
    bodies = {
        **dict.fromkeys(("run/predict", "run/predict/", "run/score_images", "api/score_images", "queue/join"), body),
        "call/score_images": {"data": data},
        "call/score_images/": {"data": data},
        "call/v2/score_images": named,
    }
    for path, sent in bodies.items():
        answer = place.clients[role].post(f"/gradio_api/{path}", json=sent)
        assert (answer.status_code, path) == (403, path)
        assert answer.json() == {"detail": "The studio fetches nothing from elsewhere; upload the file."}
        strange = {"content": str(answer.request.content, "utf-8").encode("utf-16")}  # JSON may come so, too
        assert place.clients[role].post(f"/gradio_api/{path}", **strange).status_code == 403
    assert downloaded == []


def test_what_a_page_uploaded_is_scored_whatever_its_url_says(
    place: Place, downloaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[bytes] = []

    def score(context: Any, name: str, which: str, files: list[str], *_: Any) -> ScoreReport:
        scored.extend(Path(file).read_bytes() for file in files)
        return ScoreReport()

    monkeypatch.setattr("dashboards.scoring.score", score)
    admin = place.clients["admin"]
    picture = next((place.folder / "data" / "images").rglob("*.png")).read_bytes()
    [path] = admin.post("/gradio_api/upload", files={"files": ("a.png", picture, "image/png")}).json()
    number, data = score_inputs(place, [file_object(path, f"{place.url}/gradio_api/file={path}")])
    call(admin, number, data)
    assert scored == [picture]
    assert downloaded == []


def test_a_call_has_a_bound_and_is_json(place: Place) -> None:
    admin = place.clients["admin"]
    assert admin.post("/gradio_api/queue/join", content=b" " * (LARGEST_CALL + 1)).status_code == 413
    assert admin.post("/gradio_api/queue/join", content=b"{").status_code == 422
    assert admin.post("/gradio_api/queue/join", content=b"[" * 100_000).status_code == 422
