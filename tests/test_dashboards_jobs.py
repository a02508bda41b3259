"""Starting, stopping, losing and finding trainings again, with the real trainer in real processes."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from dashboards_helpers import make_project

from dashboards.jobfiles import Job, began, processes
from dashboards.jobs import JobBoard
from dashboards.jobstate import JobError, JobState, JobStatus

PATIENCE_SECONDS = 180.0


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "JobBoard":
    monkeypatch.setenv("REWARD_CACHE_DIR", str(tmp_path / "cache"))
    make_project(tmp_path / "data")
    return JobBoard(tmp_path / "data" / "jobs")


@pytest.fixture(autouse=True)
def no_training_left_behind(tmp_path: Path) -> Iterator[None]:
    yield
    for file in (tmp_path / "data" / "jobs").glob("*/process.json"):
        for entry in processes(file.parent):
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(entry["pid"])
                if process.create_time() == entry["created"]:
                    process.kill()


def begin(board: JobBoard, tmp_path: Path, name: str = "first", epochs: int = 100_000) -> Job:
    ratings = tmp_path / "data" / "annotations" / "multihead_ratings.csv"
    output = tmp_path / "outputs" / name
    told = ["--ratings", str(ratings), "--backbone", "pixelstats", "--output", str(output), "--epochs", str(epochs)]
    return board.start(told, output)


def wait(board: JobBoard, job: Job, until: Callable[[JobStatus], bool]) -> JobStatus:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not until(status := board.status(job)):
        assert time.monotonic() < deadline, f"still {status}"
        time.sleep(0.05)
    return status


def both_processes(job: Job) -> tuple[int, int]:
    """The pids of the runner and the trainer, once both are written down."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(found := processes(job.folder)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found[0]["pid"], found[1]["pid"]


def test_a_training_is_stopped_and_keeps_what_it_learned(board: JobBoard, tmp_path: Path) -> None:
    job = begin(board, tmp_path)
    assert board.status(job).state.live
    with pytest.raises(JobError, match=r"A run called first is being trained already"):
        begin(board, tmp_path)

    wait(board, job, lambda _: any(event["event"] == "epoch" for event in board.events(job)))
    after_restart = JobBoard(board.folder)
    assert after_restart.status(after_restart.find(job.id)).state is JobState.RUNNING

    after_restart.stop(job.id)
    with pytest.raises(JobError, match=r"is stopping already|is not at work"):
        after_restart.stop(job.id)
    status = wait(after_restart, job, lambda status: not status.state.open)
    assert (status.state, status.exit_code) == (JobState.STOPPED, 130)
    assert json.loads((job.output / "last" / "metrics.json").read_text())["epoch"] >= 1
    assert board.status(job) == status
    with pytest.raises(JobError, match="There is a run called first already"):
        begin(board, tmp_path)

    epochs = len((job.output / "metrics.jsonl").read_text().splitlines())
    resumed = board.start([*job.arguments, "--epochs", str(epochs + 1), "--resume"], job.output)
    assert wait(board, resumed, lambda status: not status.state.open).state is JobState.FINISHED
    assert len(board.epochs(resumed)) == epochs + 1
    assert board.of_run(job.output) == board.status(resumed)


def test_a_training_outlives_its_runner_and_can_still_be_stopped(board: JobBoard, tmp_path: Path) -> None:
    job = begin(board, tmp_path)
    runner, trainer = both_processes(job)
    os.kill(runner, signal.SIGKILL)
    wait(board, job, lambda _: any(event["event"] == "epoch" for event in board.events(job)))
    assert board.status(job).state is JobState.RUNNING
    assert psutil.pid_exists(trainer)
    board.stop(job.id)
    status = wait(board, job, lambda status: not status.state.open)
    assert (status.state, status.exit_code) == (JobState.STOPPED, None)


def test_a_killed_trainer_has_failed_and_the_signal_is_named(board: JobBoard, tmp_path: Path) -> None:
    job = begin(board, tmp_path)
    os.kill(both_processes(job)[1], signal.SIGKILL)
    status = wait(board, job, lambda status: not status.state.open)
    assert (status.state, status.exit_code) == (JobState.FAILED, -9)
    assert status.message == "The training process was ended by SIGKILL. Memory may have run out."


def test_a_training_whose_processes_were_all_killed_is_lost(board: JobBoard, tmp_path: Path) -> None:
    job = begin(board, tmp_path)
    runner, trainer = both_processes(job)
    os.kill(runner, signal.SIGKILL)
    os.kill(trainer, signal.SIGKILL)
    status = wait(board, job, lambda status: not status.state.open)
    assert status.state is JobState.LOST
    assert "left no exit code" in status.message
    assert "had not completed an epoch" in status.message
    second = begin(board, tmp_path, "second")
    assert board.at_work() == board.status(second)
    both_processes(second)  # from here on they can be ended


def test_stopped_while_it_loads_is_stopped(board: JobBoard, tmp_path: Path) -> None:
    job = begin(board, tmp_path)
    both_processes(job)
    board.stop(job.id)
    status = wait(board, job, lambda status: not status.state.open)
    assert status.state is JobState.STOPPED


def test_bad_input_has_failed_with_the_trainers_own_words(board: JobBoard, tmp_path: Path) -> None:
    ratings = tmp_path / "data" / "annotations" / "multihead_ratings.csv"
    ratings.write_text(ratings.read_text().replace(".0,", ".0,99", 1).replace("p00,", "p00,x", 1))
    job = begin(board, tmp_path)
    status = wait(board, job, lambda status: not status.state.open)
    assert (status.state, status.exit_code) == (JobState.FAILED, 2)
    assert f"{ratings}:2: image x" in status.message
    assert "Traceback" not in status.message
    assert not job.output.exists()


def test_a_trainer_that_breaks_has_its_last_line_shown_and_no_traceback(tmp_path: Path) -> None:
    program = tmp_path / "breaks.py"
    program.write_text("raise RuntimeError('the disk is made of cheese')\n")
    board = JobBoard(tmp_path / "jobs", program=program)
    job = board.start([], tmp_path / "outputs" / "first")
    status = wait(board, job, lambda status: not status.state.open)
    assert status.state is JobState.FAILED
    assert status.message.startswith("The trainer met an unexpected error: RuntimeError: the disk is made of cheese (")
    assert "Traceback" not in status.message


def press_together(boards: list[JobBoard], tmp_path: Path, *names: str) -> list[str]:
    """Each starts a run of its name at the same moment; the outcomes."""
    outcomes: list[str] = []
    together = threading.Barrier(len(boards))

    def press(board: JobBoard, name: str) -> None:
        together.wait()
        try:
            outcomes.append(begin(board, tmp_path, name).name)
        except JobError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=press, args=both) for both in zip(boards, names, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_two_who_start_the_same_run_at_once_one_is_refused(board: JobBoard, tmp_path: Path) -> None:
    outcomes = press_together([board, JobBoard(board.folder)], tmp_path, "same", "same")
    assert sorted(outcomes)[1] == "same"
    assert "A run called same is being trained already" in sorted(outcomes)[0]
    assert len(board.all()) == 1
    both_processes(board.all()[0])  # from here on they can be ended


# What waits in line, and what it waits for, are processes; this one is at work until it is told to end.
PATIENT = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
time.sleep(0 if "--epochs 1 " in " ".join(sys.argv) + " " else 600)
"""


@pytest.fixture
def light_board(tmp_path: Path) -> JobBoard:
    """A board whose trainings take no time to load."""
    program = tmp_path / "patient.py"
    program.write_text(PATIENT)
    return JobBoard(tmp_path / "data" / "jobs", program=program)


def at_work(board: JobBoard, job: Job) -> tuple[int, int]:
    """The job's pids, once its trainer runs and can be told to end."""
    pids = both_processes(job)
    time.sleep(0.3)
    assert board.status(job).state is JobState.RUNNING
    return pids


def test_runs_wait_in_line_and_begin_one_after_the_other(light_board: JobBoard, tmp_path: Path) -> None:
    board = light_board
    boards = [board, JobBoard(board.folder, program=tmp_path / "patient.py")]
    assert sorted(press_together(boards, tmp_path, "left", "right")) == ["left", "right"]
    third = begin(board, tmp_path, "third", epochs=1)
    fourth = begin(board, tmp_path, "fourth", epochs=1)
    first, second = reversed(board.all()[2:])
    wait(board, second, lambda status: status.state is JobState.WAITING)
    wait(board, fourth, lambda status: status.state is JobState.WAITING)
    pids = at_work(board, first)
    assert [status.job.name for status in board.in_line()] == [second.name, "third", "fourth"]
    assert board.at_work() == board.status(first)
    with pytest.raises(JobError, match="A run called third waits in line already"):
        begin(board, tmp_path, "third")

    board.stop(third.id)
    assert wait(board, third, lambda status: not status.state.open).state is JobState.CANCELLED
    # The line is not kept by the first one's runner: killed, its trainer is still what the others wait for.
    os.kill(pids[0], signal.SIGKILL)
    time.sleep(1.2)
    assert board.status(first).state is JobState.RUNNING
    assert board.status(second).state is JobState.WAITING
    board.stop(first.id)
    wait(board, second, lambda status: status.state is JobState.RUNNING)
    assert not board.status(first).state.open
    at_work(board, second)
    board.stop(second.id)
    assert wait(board, fourth, lambda status: not status.state.open).state is JobState.FINISHED
    # The third never had its turn; the fourth's is told apart from its asking.
    assert began(third.folder) is None
    turn = began(fourth.folder)
    assert turn is not None
    assert turn > fourth.created + 1.2


def test_the_line_outlives_the_machine(light_board: JobBoard, tmp_path: Path) -> None:
    board = light_board
    first, waiting = begin(board, tmp_path), begin(board, tmp_path, "second", epochs=1)
    wait(board, waiting, lambda status: status.state is JobState.WAITING)
    for pid in (*at_work(board, first), processes(waiting.folder)[0]["pid"]):
        os.kill(pid, signal.SIGKILL)
    lost = wait(board, waiting, lambda status: not status.state.open)
    assert lost.state is JobState.LOST
    assert lost.message == "It was waiting for its turn, and its process is gone: it never began."
    assert [job.id for job in JobBoard(board.folder, program=tmp_path / "patient.py").recover()] == [waiting.id]
    assert wait(board, waiting, lambda status: status.state is JobState.FINISHED).exit_code == 0
    assert wait(board, first, lambda status: not status.state.open).state is JobState.LOST


def make_job(board: JobBoard, age_seconds: float = 0.0) -> Job:
    folder = board.folder / "20260101-120000-abcdef"
    folder.mkdir(parents=True)
    created = time.time() - age_seconds
    (folder / "job.json").write_text(json.dumps({"arguments": [], "output": "outputs/x", "created": created}))
    return board.find(folder.name)


def test_a_job_without_processes_is_starting_for_a_while_then_lost(tmp_path: Path) -> None:
    assert JobBoard(tmp_path / "a").status(make_job(JobBoard(tmp_path / "a"))).state is JobState.STARTING
    assert JobBoard(tmp_path / "b").status(make_job(JobBoard(tmp_path / "b"), 3600)).state is JobState.LOST


def test_another_process_with_the_same_pid_is_not_taken_for_the_training(tmp_path: Path) -> None:
    board = JobBoard(tmp_path)
    job = make_job(board, 3600)
    stranger = {"pid": os.getpid(), "created": psutil.Process().create_time() - 500}
    (job.folder / "process.json").write_text(json.dumps({"runner": stranger, "trainer": stranger}))
    assert board.status(job).state is JobState.LOST
    with pytest.raises(JobError, match="is not at work: it is lost"):
        board.stop(job.id)


@pytest.mark.parametrize(
    ("last", "state"),
    [("finished", JobState.FINISHED), ("failed", JobState.FAILED), ("interrupted", JobState.STOPPED)],
)
def test_without_an_exit_code_the_trainers_last_words_tell(tmp_path: Path, last: str, state: JobState) -> None:
    board = JobBoard(tmp_path)
    job = make_job(board, 3600)
    gone = {"pid": 2**22 + 1, "created": 1.0}
    (job.folder / "process.json").write_text(json.dumps({"runner": gone, "trainer": gone}))
    (job.folder / "events.jsonl").write_text(json.dumps({"event": last, "time": 5.0, "message": "No pairs."}) + "\n")
    status = board.status(job)
    assert (status.state, status.ended) == (state, 5.0)
    assert status.message == ("No pairs." if last == "failed" else "")


@pytest.mark.parametrize("code", [None, -9])
@pytest.mark.parametrize("epoch", [1, 2])
def test_killed_after_its_last_epoch_it_has_finished(tmp_path: Path, code: int | None, epoch: int) -> None:
    board = JobBoard(tmp_path)
    job = make_job(board, 3600)
    (job.folder / "events.jsonl").write_text(
        json.dumps({"event": "epoch", "epoch": epoch, "epochs": 2, "time": 5.0}) + "\n"
    )
    if code is not None:
        (job.folder / "exit.json").write_text(json.dumps({"code": code, "time": 6.0}))
    status = board.status(job)
    if epoch == 2:
        assert (status.state, status.ended) == (JobState.FINISHED, 5.0 if code is None else 6.0)
    else:
        assert status.state is (JobState.LOST if code is None else JobState.FAILED)


def test_damaged_job_folders_are_passed_over(tmp_path: Path) -> None:
    board = JobBoard(tmp_path)
    for name, content in (("20260101-120000-aaaaaa", "{"), ("20260101-120000-bbbbbb", "[]"), ("notes", "{}")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "job.json").write_text(content)
    assert board.all() == []
    assert board.newest() is None
    for name in ("20260101-120000-aaaaaa", "../../etc", "", "nothing"):
        with pytest.raises(JobError, match="There is no such training"):
            board.find(name)
