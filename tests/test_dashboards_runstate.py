"""Runs that did not go through all their epochs say so."""

import json
import time
from pathlib import Path

import pytest
from dashboards_helpers import metrics_line, write_run

from dashboards.epochs import read_epochs
from dashboards.jobfiles import write_json
from dashboards.jobs import JobBoard
from dashboards.progress import progress
from dashboards.runcards import run_card
from dashboards.runlist import read_row
from dashboards.runs import Run, read_run
from dashboards.runstate import half_way
from reward.claim import claimed


def run_of(folder: Path, wanted: int) -> Run:
    write_run(folder)
    (folder / "config.json").write_text(json.dumps({"arguments": {"epochs": wanted}}))
    run = read_run(folder)
    assert run is not None
    return run


def test_a_whole_run_has_nothing_to_say(tmp_path: Path) -> None:
    assert half_way(run_of(tmp_path / "run", 4), JobBoard(tmp_path / "jobs")) == ""
    unknown = Run("x", write_run(tmp_path / "x"))
    assert half_way(unknown, JobBoard(tmp_path / "jobs")) == ""


def test_a_run_from_the_shell_says_whether_it_is_at_work_and_how_far_it_came(tmp_path: Path) -> None:
    run, board = run_of(tmp_path / "run", 15), JobBoard(tmp_path / "jobs")
    assert half_way(run, board).startswith(
        "It was stopped or killed after 4 of 15 epochs. To go on with it, press Go on"
    )
    with claimed(run.folder):
        assert half_way(run, board).startswith("It is at work and has done 4 of 15 epochs")


def test_what_a_run_can_be_gone_on_from_counts_whatever_its_metrics_hold(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", 15)
    metrics = run.folder / "metrics.jsonl"
    # Killed after an epoch's line and before its checkpoint: there are 5 lines, and last/ is at 4.
    metrics.write_text(metrics.read_text() + json.dumps(metrics_line(5)) + "\n")
    assert half_way(run).startswith("It was stopped or killed after 4 of 15 epochs")
    row = read_row(run.folder)
    assert row is not None
    assert row.epochs == 4
    assert read_epochs(run.folder).problem == ""
    lines = metrics.read_bytes()
    metrics.write_bytes(lines[: len(lines) // 2] + b"\xff\x00garbage{{" + lines[-500:])
    assert "metrics.jsonl is damaged: a line of it is no epoch's figures" in read_epochs(run.folder).problem
    assert "4 of 15" in half_way(run)


@pytest.mark.parametrize(
    ("code", "words"),
    [(130, "It was stopped after 4 of 15 epochs."), (None, "It was killed after"), (1, "It failed after 4 of 15")],
)
def test_a_run_of_the_studio_says_what_became_of_it(tmp_path: Path, code: int | None, words: str) -> None:
    run = run_of(tmp_path / "run", 15)
    job = tmp_path / "jobs" / "20260101-000000-abcdef"
    job.mkdir(parents=True)
    write_json(job / "job.json", {"arguments": [], "output": str(run.folder), "created": time.time() - 3600})
    if code is not None:
        write_json(job / "exit.json", {"code": code, "time": time.time()})
    assert half_way(run, JobBoard(tmp_path / "jobs")).startswith(words)


def test_the_card_of_a_killed_run_counts_as_the_others_do(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", 15)
    job = tmp_path / "jobs" / "20260101-000000-abcdef"
    job.mkdir(parents=True)
    write_json(job / "job.json", {"arguments": [], "output": str(run.folder), "created": time.time() - 3600})
    # Killed between epoch 4's checkpoint and its event.
    (job / "events.jsonl").write_text('{"event": "epoch", "epoch": 3, "epochs": 15}\n')
    board = JobBoard(tmp_path / "jobs")
    status = board.newest()
    assert status is not None
    card = run_card(status, progress(board.events(status.job)))
    assert "It can be gone on from epoch 4 of 15." in card
    assert "epoch 3" not in card
