"""What a training is doing: read from the files of its job folder and from the processes of this machine."""

import json
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import psutil

from dashboards.runner import PROCESS_FILE
from reward.errors import RewardError

BAD_INPUT: Final = 2
INTERRUPTED: Final = 130
CLOCK_SECONDS: Final = 2.0
LAST_WORDS: Final = ("finished", "failed", "interrupted")


class JobError(RewardError):
    """A training can't be started or stopped as things are; the message says why."""


class JobState(StrEnum):
    """What a training is doing, derived anew at each look."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"

    @property
    def live(self) -> bool:
        """Whether a process is at work."""
        return self in (JobState.STARTING, JobState.RUNNING, JobState.STOPPING)


@dataclass(frozen=True)
class Job:
    """One training as it was asked for. `arguments` are those of `train_reward.py`; `created` is in unix seconds."""

    id: str
    folder: Path
    arguments: tuple[str, ...]
    output: Path
    created: float

    @property
    def name(self) -> str:
        """The run's name: that of its output folder."""
        return self.output.name


@dataclass(frozen=True)
class JobStatus:
    """A job's state now; `message` is what the trainer said on failing, `ended` is in unix seconds."""

    job: Job
    state: JobState
    exit_code: int | None = None
    ended: float | None = None
    message: str = ""


def after_the_end(job: Job, ended: dict[str, Any] | None, events: Sequence[dict[str, Any]]) -> JobStatus:
    """What became of a job whose processes are gone; `ended` is the runner's exit file, None where it wrote none."""
    last: dict[str, Any] = next((event for event in reversed(events) if event.get("event") in LAST_WORDS), {})
    code = ended.get("code") if ended else None
    when = ended.get("time") if ended else last.get("time")
    asked = (job.folder / "stop.json").exists()
    if code == 0 or (code is None and last.get("event") == "finished"):
        return JobStatus(job, JobState.FINISHED, code, when)
    if code == INTERRUPTED or (code is None and last.get("event") == "interrupted"):
        return JobStatus(job, JobState.STOPPED, code, when)
    if asked and code not in (None, BAD_INPUT) and not last:
        return JobStatus(job, JobState.STOPPED, code, when)
    if code is None and not last:
        return JobStatus(job, JobState.LOST, None, None, _lost_words(events))
    return JobStatus(job, JobState.FAILED, code, when, _failure(job, code, last))


def _lost_words(events: Sequence[dict[str, Any]]) -> str:
    epochs = [event["epoch"] for event in events if event.get("event") == "epoch" and "epoch" in event]
    kept = f"Epoch {epochs[-1]} was its last complete one." if epochs else "It had not completed an epoch."
    return f"The training process is gone and left no exit code: it was killed, or the machine went down. {kept}"


def _failure(job: Job, code: int | None, last: dict[str, Any]) -> str:
    """The trainer's own words on failing; never a traceback."""
    if isinstance(said := last.get("message"), str):
        return said
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in signal.valid_signals() else str(-code)
        cause = " Memory may have run out." if -code == signal.SIGKILL else ""
        return f"The training process was ended by {name}.{cause}"
    lines = [line.strip() for line in _tail(job.folder / "log.txt") if line.strip()]
    if not lines:
        return f"The trainer ended with exit code {code} and said nothing."
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        return f"The trainer met an unexpected error: {lines[-1]} (the whole of it is in {job.folder / 'log.txt'})"
    return "\n".join(lines[-20:])


def _tail(path: Path, size: int = 20_000) -> list[str]:
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - size))
            return stream.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []


def read_job(folder: Path) -> Job | None:
    """The job that a folder holds; None where it holds none that can be read."""
    content = read_json(folder / "job.json")
    try:
        return (
            None
            if content is None
            else Job(
                folder.name,
                folder,
                tuple(str(argument) for argument in content["arguments"]),
                Path(content["output"]),
                float(content["created"]),
            )
        )
    except (KeyError, TypeError, ValueError):
        return None


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file; None where there is no such file or something else stands in it."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def processes(folder: Path) -> list[dict[str, Any]]:
    """The processes that the runner wrote down: itself and the trainer, each with pid and time of creation."""
    content = read_json(folder / PROCESS_FILE) or {}
    return [entry for entry in (content.get("runner"), content.get("trainer")) if isinstance(entry, dict)]


def lives(entry: dict[str, Any], folder: Path) -> bool:
    """Whether this very process is still there, and not another one that was given its pid.

    Its time of creation tells; where the machine's clock was set meanwhile, its command line, which names the folder.
    """
    try:
        process = psutil.Process(int(entry["pid"]))
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        same_time = abs(process.create_time() - float(entry["created"])) < CLOCK_SECONDS
        return same_time or any(str(folder) in part for part in process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied, KeyError, TypeError, ValueError):
        return False
