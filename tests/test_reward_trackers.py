"""`--log-to`: a missing client's message, and each client where it is installed, doing its real work."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
from dashboards_helpers import write_run

from reward.config import TRACKERS, TrainConfig
from reward.errors import InputError
from reward.trackers import Tracking, main, scalars
from reward.training import train
from tests.reward_inputs import PROJECT, simple_ratings


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    return simple_ratings(tmp_path / "data", prompts=4, images=3)


def trainer(ratings: Path, where: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, run in `where` with a run folder `run` there."""
    command = [sys.executable, PROJECT / "train_reward.py", "--ratings", ratings, "--backbone", "pixelstats"]
    where.mkdir(exist_ok=True)
    return subprocess.run(
        [*command, "--output", "run", *more],
        cwd=where,
        env=os.environ | {"HOME": str(where)} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def needs(name: str) -> None:
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")


def test_every_client_that_is_missing_is_named_and_nothing_is_written(ratings: Path, tmp_path: Path) -> None:
    missing = [name for name in TRACKERS if find_spec(name) is None]
    if not missing:
        pytest.skip("all clients are installed")
    done = trainer(ratings, tmp_path / "here", "--log-to", ",".join(missing))
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"--log-to: {name} can't be used (No module named '{name}'); pip install {name}" for name in missing
    ]
    assert done.stdout == ""
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("given", ["mlflow", "", "wandb,mlflow", "wandb;trackio", "TensorBoard"])
def test_what_is_no_tracker_is_refused(given: str) -> None:
    with pytest.raises(InputError) as caught:
        TrainConfig(ratings=Path("r.csv"), log_to=given)
    assert f"--log-to: {given!r} is no tracker; tensorboard, trackio, wandb" in str(caught.value)


def test_several_trackers_each_once() -> None:
    assert TrainConfig(ratings=Path("r.csv"), log_to="wandb, trackio,wandb").trackers == ("wandb", "trackio")


def test_a_run_may_be_resumed_with_another_tracker(ratings: Path, tmp_path: Path) -> None:
    def config(epochs: int, **more: object) -> TrainConfig:
        return TrainConfig(ratings=ratings, output=tmp_path / "run", backbone="pixelstats", epochs=epochs, **more)  # type: ignore[arg-type]  # fields by name

    list(train(config(1)))
    list(train(config(2, log_to="wandb", resume=True)))
    assert len((tmp_path / "run/metrics.jsonl").read_text().splitlines()) == 2


def test_numbers_by_their_path() -> None:
    metrics = {
        "epoch": 3,
        "evaluation": "held-out",
        "heads": {"style": {"trained": True, "accuracy": 0.5, "interval": [0.4, 0.6]}, "icono": {"accuracy": None}},
        "combined": {"accuracy": float("nan"), "loss": 0.25},
    }
    assert scalars(metrics) == {"epoch": 3, "heads/style/accuracy": 0.5, "combined/loss": 0.25}


def accuracies(run: Path) -> list[float]:
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["combined"]["accuracy"] for line in lines]


def test_tensorboard_shows_every_epoch_of_a_resumed_run_once(ratings: Path, tmp_path: Path) -> None:
    needs("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    done = trainer(ratings, tmp_path, "--log-to", "tensorboard", "--epochs", "2")
    assert done.returncode == 0, done.stderr
    told = {"ratings": ratings, "output": tmp_path / "run", "backbone": "pixelstats", "log_to": "tensorboard"}
    config = TrainConfig(epochs=3, resume=True, **told)  # type: ignore[arg-type]  # fields by name
    with closing(Tracking(config)) as tracking:
        for event in train(config):
            tracking.show(event)
    written = EventAccumulator(str(tmp_path / "run/tensorboard"))
    written.Reload()
    shown = written.Scalars("combined/accuracy")
    assert [event.step for event in shown] == [1, 2, 3]
    assert [event.value for event in shown] == pytest.approx(accuracies(tmp_path / "run"))


def test_tensorboard_files_of_a_run_that_is_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run")
    if find_spec("tensorboard") is None:
        assert main([str(run)]) == 2
        said = "TensorBoard files: tensorboard can't be used (No module named 'tensorboard'); pip install tensorboard\n"
        assert capsys.readouterr().err == said
        assert not (run / "tensorboard").exists()
        pytest.skip("tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):  # asked again, nothing is there twice
        assert main([str(run)]) == 0
    assert capsys.readouterr().out.startswith(f"4 epochs in {run}/tensorboard; look at them with: ")
    assert len(list((run / "tensorboard").iterdir())) == 1
    written = EventAccumulator(str(run / "tensorboard"))
    written.Reload()
    shown = written.Scalars("combined/accuracy")
    assert [event.step for event in shown] == [1, 2, 3, 4]
    assert [event.value for event in shown] == pytest.approx(accuracies(run))
    (run / "metrics.jsonl").write_text('{"epoch": 1}\n{"epo')
    assert main([str(run)]) == 2
    assert "metrics.jsonl:2: no epoch's metrics" in capsys.readouterr().err
    assert len(list((run / "tensorboard").iterdir())) == 1  # those that were there


def test_trackio_keeps_a_resumed_run_as_one(ratings: Path, tmp_path: Path) -> None:
    needs("trackio")
    kept = tmp_path / "kept"
    for epochs, resume in (("2", []), ("3", ["--resume"])):
        more = ("--log-to", "trackio", "--epochs", epochs, *resume)
        done = trainer(ratings, tmp_path / "here", *more, TRACKIO_DIR=str(kept))
        assert done.returncode == 0, done.stderr
    with sqlite3.connect(kept / "reward-studio.db") as db:
        rows = db.execute("SELECT run_name, step, metrics FROM metrics ORDER BY step").fetchall()
    assert [row[:2] for row in rows] == [("run", 1), ("run", 2), ("run", 3)]
    assert [json.loads(row[2])["combined/accuracy"] for row in rows] == accuracies(tmp_path / "here/run")


def test_wandb_offline_and_without_an_account(ratings: Path, tmp_path: Path) -> None:
    needs("wandb")
    done = trainer(ratings, tmp_path / "here", "--log-to", "wandb", "--epochs", "1", WANDB_MODE="online")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("--log-to wandb: ")
    assert not (tmp_path / "here/run").exists()
    done = trainer(ratings, tmp_path / "here", "--log-to", "wandb", "--epochs", "1", WANDB_MODE="offline")
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "here").glob("wandb/offline-run-*/run-*.wandb")
    assert b"heads/style/accuracy" in file.read_bytes()
