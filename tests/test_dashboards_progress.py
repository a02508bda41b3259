"""A training's events in words."""

from pathlib import Path
from typing import Any

import pytest
from dashboards_helpers import metrics_line

from dashboards.jobfiles import Job, write_json
from dashboards.jobstate import JobState, JobStatus
from dashboards.progress import duration, headline, progress, what_to_do
from dashboards.runcards import run_card

ENCODING = {"event": "encoding", "done": 40, "total": 100, "cached": 10, "images_per_s": 12.34, "remaining_s": 200.0}


def status(state: JobState, message: str = "") -> JobStatus:
    return JobStatus(Job("id", Path("jobs/id"), (), Path("outputs/first"), 0.0), state, message=message)


def epoch(number: int) -> dict[str, Any]:
    return {"event": "epoch", "epoch": number, "epochs": 15, "metrics": metrics_line(number), "best": True}


def test_nothing_reported_yet() -> None:
    so_far = progress([])
    assert so_far.phase == "loading the trainer"
    assert so_far.fraction is None
    assert so_far.metrics == []


def test_encoding_tells_speed_and_remaining_time() -> None:
    so_far = progress([{"event": "reading"}, ENCODING])
    assert so_far.fraction == pytest.approx(0.4)
    assert so_far.detail == "40 of 100 images · 10 known from before · 12.3 images/s · 3 min 20 s left"


def test_encoding_that_is_done_tells_no_remaining_time() -> None:
    so_far = progress([ENCODING | {"done": 100, "remaining_s": 0.0}])
    assert so_far.detail == "100 of 100 images · 10 known from before"


def test_epochs_are_counted_and_their_metrics_kept() -> None:
    events = [ENCODING, {"event": "split"}, epoch(1), {"event": "warning", "message": "few prompts"}, epoch(2)]
    so_far = progress(events)
    assert (so_far.epoch, so_far.epochs, so_far.fraction) == (2, 15, pytest.approx(2 / 15))
    assert [line["epoch"] for line in so_far.metrics] == [1, 2]
    assert so_far.warnings == ("few prompts",)
    assert headline(status(JobState.RUNNING), so_far) == "first is running: training the heads."


def test_epochs_tell_the_time_that_is_left_by_their_own_pace() -> None:
    events = [epoch(number) | {"time": 100.0 + 2 * number} for number in (1, 2, 3)]
    assert progress(events).seconds_left == pytest.approx(24)
    assert "24 s left" in run_card(status(JobState.RUNNING), progress(events))
    assert "left" not in run_card(status(JobState.STOPPED), progress(events)).replace("There was nothing", "")
    assert progress(events[:1]).seconds_left is None
    assert progress([*events, epoch(15) | {"time": 130.0}]).seconds_left is None
    assert progress([ENCODING | {"device": "cpu"}, *events]).device == "cpu"


def test_who_did_not_finish_is_told_what_to_do(tmp_path: Path) -> None:
    job = Job("id", tmp_path, (), tmp_path / "run", 0.0)
    assert "Start again" in what_to_do(JobStatus(job, JobState.LOST))
    (tmp_path / "run" / "last").mkdir(parents=True)
    assert "Go on" in what_to_do(JobStatus(job, JobState.STOPPED))
    assert "Make room" in what_to_do(JobStatus(job, JobState.FAILED, 1, message="x: No space left on device"))
    assert "smaller batch" in what_to_do(JobStatus(job, JobState.FAILED, -9, message="Memory may have run out."))
    assert "Correct what is named" in what_to_do(JobStatus(job, JobState.FAILED, 2, message="r.csv:2: bad"))
    assert what_to_do(JobStatus(job, JobState.FINISHED, 0)) == ""


def test_the_split_is_told_with_folds_and_without() -> None:
    split = {"event": "split", "train_prompts": 16, "val_prompts": 4}
    assert progress([ENCODING, split]).detail == "16 prompts to train on, 4 to validate on"
    assert progress([ENCODING, split | {"folds": 5}]).detail == "5 folds: every prompt is validated on once"


def test_each_state_has_its_sentence() -> None:
    so_far = progress([epoch(1), {"event": "finished", "best_epoch": 1, "output": "outputs/first"}])
    assert "has finished after 1 epoch." in headline(status(JobState.FINISHED), so_far)
    assert "first was stopped after 1 epoch. There was nothing yet to keep." in headline(
        status(JobState.STOPPED), so_far
    )
    assert headline(status(JobState.LOST, "Gone."), so_far) == "first is lost. Gone."
    for state in JobState:
        assert headline(status(state), so_far).startswith("first ")


def test_events_of_a_newer_version_do_no_harm() -> None:
    so_far = progress([epoch(1), {"event": "distilling", "done": 1}, {"no": "event"}, {"event": "epoch"}])
    assert so_far.epoch == 0 or so_far.metrics[-1]["epoch"] == 1


def test_durations() -> None:
    assert [duration(s) for s in (-1, 0.4, 59, 60, 200, 7500)] == [
        "0 s",
        "0 s",
        "59 s",
        "1 min 0 s",
        "3 min 20 s",
        "2 h 5 min",
    ]


@pytest.mark.parametrize(
    ("process", "words"),
    [
        ({"began": 7300.0}, "waited 2 h 0 min for its turn · took 3 min 20 s"),
        ({"trainer": {"pid": 1, "created": 7300.0}}, "waited 2 h 0 min for its turn · took 3 min 20 s"),
        ({"began": 101.0, "trainer": {"pid": 1, "created": 102.0}}, "took 2 h 3 min"),
        ({}, "took 2 h 3 min"),
    ],
)
def test_waiting_is_no_part_of_what_a_training_took(tmp_path: Path, process: dict[str, Any], words: str) -> None:
    write_json(tmp_path / "process.json", process)
    done = JobStatus(Job("id", tmp_path, (), tmp_path / "run", 100.0), JobState.FINISHED, 0, ended=7500.0)
    assert f'<div class="studio-detail">{words}</div>' in run_card(done, progress([]))


def test_what_never_began_took_no_time(tmp_path: Path) -> None:
    job = Job("id", tmp_path, (), tmp_path / "run", 100.0)
    card = run_card(JobStatus(job, JobState.CANCELLED, 130, ended=7500.0), progress([]))
    assert "took" not in card.replace("taken", "")
