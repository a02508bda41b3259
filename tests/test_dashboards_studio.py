"""The assembled studio over HTTP: what it serves, what it refuses, and that trainings outlive it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from dashboards_helpers import make_images, make_project, write_run
from dashboards_server import StudioProcess
from gradio_client import Client, handle_file

from dashboards.form import FORM_FLAGS
from dashboards.jobfiles import processes
from dashboards.training import FORM_FIELDS

PATIENCE_SECONDS = 180.0
SECRET = Path("/etc/hostname")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("studio")
    make_project(place / "data")
    write_run(place / "outputs" / "damaged")
    (place / "outputs/damaged/best/metrics.json").write_text("rubbish")
    return place


@pytest.fixture(scope="module")
def studio(folder: Path) -> Iterator[StudioProcess]:
    server = StudioProcess(folder / "data", folder / "outputs", cwd=folder)
    yield server
    assert server.close() == 0


@pytest.fixture(scope="module")
def client(studio: StudioProcess, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(studio.url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))


def form(folder: Path, **changes: Any) -> list[Any]:
    values = {
        "mode": "multihead",
        "ratings": "data/annotations/multihead_ratings.csv",
        "pairs": "",
        "prompts": "",
        "output": "first",
        "epochs": 2,
        "batch_size": 4,
        "learning_rate": 1e-4,
        "min_rating_diff": 0.5,
        "targets": "corrected",
        "folds": "0",
        "backbone": "pixelstats",
        "val_fraction": "",
        "seed": 0,
        "device": "auto",
        "image_root": "",
        "cache_dir": "",
        "overwrite": False,
        "log_to": [],
        "spec": "",
    }
    return [(values | changes)[name] for name in FORM_FIELDS]


def wait_for(client: Client, *states: str) -> str:
    """The run's card once it shows one of the states. Each look is that of a page just opened."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        card = str(Client(client.src, verbose=False).predict(api_name="/training_state")[0])
        if any(f'data-state="{state}"' in card for state in states):
            return card
        assert time.monotonic() < deadline, card
        time.sleep(0.3)


def test_the_page_has_its_tabs_and_calls_nobody(studio: StudioProcess) -> None:
    page = httpx.get(studio.url, timeout=60)
    assert page.status_code == 200
    config = httpx.get(f"{studio.url}/config", timeout=60).json()
    labels = [part["props"].get("label") for part in config["components"] if part["type"] == "tabitem"]
    tabs = ["Rate", "A or B?", "Train", "Analyse", "Project"]
    assert [label for label in labels if label in tabs] == tabs
    assert config["analytics_enabled"] is False
    assert "fonts.googleapis.com" not in page.text


def test_every_field_of_the_form_shows_its_flags_help(studio: StudioProcess) -> None:
    config = httpx.get(f"{studio.url}/config", timeout=60).json()
    shown = [str(part["props"].get("info")) for part in config["components"]]
    assert [flag.option for flag in FORM_FLAGS if not any(flag.help in info for info in shown)] == []


def test_the_rating_routes_are_served_beside_the_page(studio: StudioProcess) -> None:
    answer = httpx.get(f"{studio.url}/openapi.json", timeout=60).json()
    assert any(path.startswith("/api/") for path in answer["paths"])


def test_a_stranger_s_page_is_refused(studio: StudioProcess) -> None:
    body = {"data": [], "fn_index": 0, "session_hash": "x"}
    answer = httpx.post(
        f"{studio.url}/gradio_api/queue/join", json=body, headers={"Origin": "https://evil.example"}, timeout=60
    )
    assert answer.status_code == 403
    assert httpx.get(studio.url, headers={"Host": "evil.example"}, timeout=60).status_code == 400


@pytest.mark.parametrize("path", ["/etc/hostname", "{data}/studio.db", "{data}/annotations/multihead_ratings.csv"])
def test_the_file_route_hands_out_no_file_of_the_machine(studio: StudioProcess, folder: Path, path: str) -> None:
    path = path.format(data=folder / "data")
    assert Path(path).is_file()
    for route in ("gradio_api/file=", "gradio_api/file/", "file="):
        answer = httpx.get(f"{studio.url}/{route}{path}", timeout=60)
        assert answer.status_code in (403, 404), route
        assert SECRET.read_text().strip() not in answer.text


@pytest.mark.parametrize("route", ["gradio_api/file=", "gradio_api/file/", "gradio_api/proxy=", "GRADIO_API/FILE="])
def test_nothing_is_fetched_from_another_host(studio: StudioProcess, route: str) -> None:
    answer = httpx.get(f"{studio.url}/{route}https://example.org/page.html", timeout=60)
    assert answer.status_code == 403
    assert answer.json() == {"detail": "The studio fetches nothing from elsewhere."}


def dependencies(studio: StudioProcess) -> tuple[list[dict[str, Any]], dict[int, str]]:
    config = httpx.get(f"{studio.url}/config", timeout=60).json()
    return config["dependencies"], {part["id"]: part["type"] for part in config["components"]}


def call(studio: StudioProcess, dependency: dict[str, Any], data: list[Any]) -> str:
    """Everything the server answers to a call of an event by its number, as a hostile client makes it."""
    session = f"s{dependency['id']}{time.monotonic_ns()}"
    body = {"data": data, "fn_index": dependency["id"], "session_hash": session}
    direct = httpx.post(f"{studio.url}/gradio_api/run/predict", json=body, timeout=60)
    joined = httpx.post(f"{studio.url}/gradio_api/queue/join", json=body, timeout=60)
    answers = [direct.text, joined.text]
    if joined.status_code == 200:
        with httpx.stream(
            "GET", f"{studio.url}/gradio_api/queue/data", params={"session_hash": session}, timeout=60
        ) as stream:
            for line in stream.iter_lines():
                answers.append(line)
                if "process_completed" in line or "close_stream" in line:
                    break
    return "\n".join(answers)


def test_no_event_takes_a_file_of_the_machine(studio: StudioProcess) -> None:
    every, types = dependencies(studio)
    evil = {"path": str(SECRET), "meta": {"_type": "gradio.FileData"}, "orig_name": "a.png"}
    attacked = 0
    for dependency in every:
        takes = [types[number] for number in dependency["inputs"]]
        if "file" not in takes:
            continue
        attacked += 1
        for payload in ([evil], evil, [evil | {"url": f"file://{SECRET}"}]):
            data = [payload if kind == "file" else "damaged" if kind == "dropdown" else "best" for kind in takes]
            answer = call(studio, dependency, data)
            assert SECRET.read_text().strip() not in answer
            assert "studio-table" not in answer, "the file was read"
            assert "was not uploaded by a user" in answer or "error" in answer.lower()
    assert attacked


def test_no_event_reads_a_path_that_is_typed(client: Client, folder: Path) -> None:
    texts = ["ratings", "pairs", "prompts", "image_root", "cache_dir"]
    for name in texts:
        for path in ("/etc/hostname", "/etc", "../../../../../../etc/hostname"):
            for endpoint in ("/training_command", "/start_training"):
                answer = json.dumps(client.predict(*form(folder, **{name: path}), api_name=endpoint))
                assert "--allow" in answer, (name, endpoint)
                assert SECRET.read_text().strip() not in answer.replace(str(SECRET), "")
    for ratings, pairs, mode in (("/etc/hostname", "", "multihead"), ("", "/etc/hostname", "pairs")):
        answer = client.predict(mode, ratings, pairs, 0.5, "", api_name="/describe_data")
        assert "--allow" in answer
    spec = "openclip:ViT-B-32@/etc/hostname"
    answer = json.dumps(client.predict(*form(folder, backbone="other", spec=spec), api_name="/training_command"))
    assert "--allow" in answer
    for name in ("../data", "/etc", "../../../../etc"):
        assert "studio-problem" in client.predict(name, "best", api_name="/run_report")[1]
        output = json.dumps(client.predict(*form(folder, output=name), api_name="/start_training"))
        assert "A run's name" in output or "A run&#x27;s name" in output


def test_the_data_panel_counts(client: Client, folder: Path) -> None:
    card = client.predict("multihead", "data/annotations/multihead_ratings.csv", "", 0.5, "", api_name="/describe_data")
    assert "<b>24</b><span>images</span>" in card
    assert "Spatial has no ratings: its head will stay untrained." in card


def test_a_damaged_run_is_named(client: Client) -> None:
    assert "metrics.json is damaged" in client.predict("damaged", "best", api_name="/run_report")[1]


def test_train_report_and_score_through_the_api(client: Client, folder: Path, tmp_path: Path) -> None:
    command, problem, *_ = client.predict(*form(folder), api_name="/training_command")
    assert problem == ""
    assert command.endswith(
        "train_reward.py --mode multihead --ratings data/annotations/multihead_ratings.csv "
        "--output outputs/first --epochs 2 --backbone pixelstats --folds 0"
    )
    message, *_ = client.predict(*form(folder), api_name="/start_training")
    assert message == ""
    refused = client.predict(*form(folder), api_name="/start_training")[0]
    assert "run called first" in refused  # in line, being trained, or there already: it depends on how far it is
    assert "has finished after 2 epochs" in wait_for(client, "finished", "failed")
    again = client.predict(*form(folder), api_name="/start_training")[0]
    assert "There is a run called first already" in again

    badges, table, *_ = client.predict("first", "best", api_name="/run_report")
    assert "pixelstats" in badges
    assert "Iconographic" in table
    files = [handle_file(file) for file in make_images(tmp_path, 1, 2)]
    card, plot, download, *_ = client.predict("first", "best", files, "", "as given", api_name="/score_images")
    assert card.count("studio-image") == 2
    assert json.loads(plot["value"]["plot"])["layout"]["title"]["text"] == "Scores (n = 2 images)"
    rows = list(csv.reader(Path(download["value"]).read_text(encoding="utf-8").splitlines()))
    assert [row[0] for row in rows] == ["image", "0.png", "1.png"]


def test_a_training_outlives_a_killed_studio_and_is_stopped_from_the_next(folder: Path) -> None:
    server = StudioProcess(folder / "data2", folder / "outputs2", "--allow", folder / "data", cwd=folder)
    try:
        client = Client(server.url, verbose=False)
        assert client.predict(*form(folder, epochs=100_000), api_name="/start_training")[0] == ""
        wait_for(client, "running")
    finally:
        server.kill()
    server = StudioProcess(folder / "data2", folder / "outputs2", "--allow", folder / "data", cwd=folder)
    try:
        client = Client(server.url, verbose=False)
        assert 'data-state="running"' in client.predict(api_name="/training_state")[0]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (folder / "outputs2/first/last").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert client.predict(api_name="/stop_training")[0] == ""
        assert "What it had learned is in last/." in wait_for(client, "stopped")
        assert "first goes on" in client.predict("", "newest first", False, "first", api_name="/go_on_with_run")[0]
        wait_for(client, "running")
        newest = max((folder / "data2/sample/jobs").glob("2*"))
        while len(pids := [entry["pid"] for entry in processes(newest)]) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        for pid in pids:  # the runner first: it can't write down what became of the trainer
            os.kill(pid, signal.SIGKILL)
    finally:
        server.kill()
    server = StudioProcess(folder / "data2", folder / "outputs2", cwd=folder)
    try:
        card = wait_for(Client(server.url, verbose=False), "lost")
        assert "left no exit code" in card
        assert "Go on continues" in card
        rows = Client(server.url, verbose=False).predict("", "by name", False, None, api_name="/list_runs")[0]
        assert "studio-lost" in rows
    finally:
        server.close()


def test_handlers_of_the_runs_room_take_no_path(client: Client, folder: Path) -> None:
    listing = ("", "newest first", False)
    for name in ("../data", "/etc", "..", "damaged/../../data"):
        for route, values in (
            ("/note_run", ("x", *listing, name)),
            ("/rename_run", ("new", *listing, name)),
            ("/rename_run", (name, *listing, "damaged")),
            ("/archive_run", (*listing, name)),
            ("/go_on_with_run", (*listing, name)),
            ("/delete_run", (name, *listing, name)),
            ("/zip_run", (name,)),
            ("/write_tensorboard", (name,)),
            ("/push_run", (name, "a/b", True)),
            ("/compare_runs", (["damaged", name], "combined")),
        ):
            answer = client.predict(*values, api_name=route)
            assert "studio-problem" in str(answer[0] if isinstance(answer, tuple) else answer), (route, name)
    assert (folder / "data/annotations").is_dir()
    assert (folder / "outputs/damaged").is_dir()
    assert "damaged: it holds" not in client.predict(*listing, None, api_name="/list_runs")[0]
    assert "metrics.json is damaged" in client.predict(*listing, None, api_name="/list_runs")[0]


def test_serving_the_page_loads_no_torch(folder: Path) -> None:
    program = """
import sys, threading, time, urllib.request
from pathlib import Path
import uvicorn
from dashboards.listening import Listening
from dashboards.studio import Settings, open_studio
with Listening(port=0).bind() as listener, open_studio(Settings(Path("data3"), Path("outputs3"))) as (app, _):
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    url = "http://127.0.0.1:%d" % listener.getsockname()[1]
    assert b"Reward Studio" in urllib.request.urlopen(url).read()
    from gradio_client import Client
    client = Client(url, verbose=False)
    ratings = str(Path("data3/sample/annotations/multihead_ratings.csv"))
    while "<b>40</b>" not in client.predict("multihead", ratings, "", 0.5, "", api_name="/describe_data"):
        time.sleep(0.1)
    client.predict(api_name="/training_state")
    client.predict(None, api_name="/runs")
    assert "torch" not in sys.modules, "torch was loaded"
    server.should_exit = True
    thread.join()
print("served without torch")
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "served without torch" in answer.stdout, answer.stderr
