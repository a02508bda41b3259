"""The learning curve from the page: a process of its own, whose state and result outlive the studio."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from dashboards_helpers import make_context, write_run

from dashboards import growth
from dashboards.context import Context
from dashboards.jobfiles import processes
from reward.config import TrainConfig
from reward.training import train
from tests.planted import plant

PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("growth")
    planted = plant(place / "data", prompts=10, images=3)
    told = {"ratings": planted.ratings, "backbone": "pixelstats", "epochs": 1, "folds": 3, "min_rating_diff": 0.0}
    list(train(TrainConfig(output=place / "outputs/first", **told)))
    return place


@pytest.fixture
def context(place: Path) -> Context:
    return make_context(place / "data", place / "outputs")


def wait(context: Context, place: Path) -> growth.Growth:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := growth.look(context, "first")).at_work:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_it_is_found_beside_the_studio_kept_and_shown(context: Context, place: Path) -> None:
    nothing = growth.look(context, "first")
    assert "Nobody has asked yet" in nothing.card
    assert (nothing.table(), nothing.figure()) == ("", None)
    assert growth.start(context, "first") == ""
    assert growth.look(context, "first").at_work
    assert "found already" in growth.start(make_context(place / "data", place / "outputs"), "first")
    found = wait(make_context(place / "data", place / "outputs"), place)
    kept = json.loads((place / "outputs/first" / growth.RESULT).read_text())
    assert found.known == kept
    assert (kept["folds"], kept["prompts"], kept["epochs"]) == (3, 10, 1)
    assert "Combined: from" in found.card
    assert "Measured on 10 prompts in 3 folds" in found.card
    figure = found.figure()
    assert figure is not None
    assert [one.name for one in figure.data] == ["Spatial", "Iconographic", "Style", "Fidelity", "Material", "Combined"]
    last = kept["curves"]["style"]["points"][-1]
    assert f"<td>{last['prompts']}</td><td>{last['accuracy']:.3f}</td>" in found.table()


def test_a_killed_one_is_told_and_can_be_begun_again(context: Context, place: Path) -> None:
    (place / "outputs/first" / growth.RESULT).unlink(missing_ok=True)
    growth.start(context, "first")
    folder = context.board.folder / "learning-curves/first"
    deadline = time.monotonic() + 30
    while len(entries := processes(folder)) < 2 and not (folder / "exit.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(os.getpgid(entries[0]["pid"]), signal.SIGKILL)
    assert "It was stopped or killed" in wait(context, place).card
    assert growth.start(context, "first") == ""
    assert wait(context, place).known


def test_the_runs_own_arguments_are_taken(context: Context) -> None:
    told = growth.flags(context.run("first"))
    assert told[told.index("--min-rating-diff") + 1] == "0.0"
    assert told[told.index("--folds") + 1] == "3"
    assert "--output" not in told
    assert "--overwrite" not in told


def test_it_is_of_the_ratings_that_the_run_learned_from(context: Context, place: Path) -> None:
    growth.start(context, "first")
    before = wait(context, place).known
    ratings = place / "data/multihead_ratings.csv"
    kept = ratings.read_text()
    ratings.write_text("\n".join(kept.splitlines()[:10]) + "\n")  # fewer prompts than folds
    try:
        assert growth.start(context, "first") == ""
        assert wait(context, place).known == before
    finally:
        ratings.write_text(kept)


def test_what_can_t_be_found_is_said(tmp_path: Path, place: Path) -> None:
    context = make_context(tmp_path, tmp_path / "outputs")
    folder = write_run(tmp_path / "outputs/odd")
    assert "It can&#x27;t be found" in growth.start(context, "odd")
    assert "There is no run called" in growth.look(context, "gone").card
    for damaged in ("rubbish", "[]", '{"format": 1, "curves": {"style": 3}}', '{"format": 2, "curves": {}}'):
        (folder / growth.RESULT).write_text(damaged)
        assert growth.look(context, "odd").known == {}
    (folder / growth.RESULT).write_text('{"format": 1, "curves": {"style": {"points": [{"prompts": "many"}]}}}')
    assert growth.look(context, "odd").figure() is not None
