"""What a training is doing: read from the files of its job folder and from the processes of this machine."""

import json
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from dashboards.epochs import epochs_done_in
from dashboards.jobfiles import STOP_FILE, Job, waits
from reward.errors import RewardError

BAD_INPUT: Final = 2
_LAST_BYTES: Final = 60_000
INTERRUPTED: Final = 130
LAST_WORDS: Final = ("finished", "failed", "interrupted")


class JobError(RewardError):
    """A training can't be started or stopped as things are; the message says why."""


class JobState(StrEnum):
    """What a training is doing, derived anew at each look."""

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def live(self) -> bool:
        """Whether a process is at work."""
        return self in (JobState.STARTING, JobState.RUNNING, JobState.STOPPING)

    @property
    def open(self) -> bool:
        """Whether it is not over: at work, or waiting for its turn."""
        return self.live or self is JobState.WAITING


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
    asked = (job.folder / STOP_FILE).exists()
    if asked and waits(job.folder):
        return JobStatus(job, JobState.CANCELLED, code, when)
    if code == 0 or (code is None and last.get("event") == "finished"):
        return JobStatus(job, JobState.FINISHED, code, when)
    if code == INTERRUPTED or (code is None and last.get("event") == "interrupted"):
        return JobStatus(job, JobState.STOPPED, code, when)
    if asked and code not in (None, BAD_INPUT) and not last:
        return JobStatus(job, JobState.STOPPED, code, when)
    if (code is None or code < 0) and not last and _through(events):
        return JobStatus(job, JobState.FINISHED, code, when if when is not None else events[-1].get("time"))
    if code is None and not last:
        return JobStatus(job, JobState.LOST, None, None, _lost_words(job, events))
    return JobStatus(job, JobState.FAILED, code, when, _failure(job, code, last))


def _through(events: Sequence[dict[str, Any]]) -> bool:
    """Whether all epochs are done, with their checkpoints, which are written before an epoch is told of."""
    told = next((event for event in reversed(events) if event.get("event") == "epoch"), {})
    return "epoch" in told and told["epoch"] == told.get("epochs")


def _lost_words(job: Job, events: Sequence[dict[str, Any]]) -> str:
    if waits(job.folder):
        return "It was waiting for its turn, and its process is gone: it never began."
    told = next((event for event in reversed(events) if event.get("event") == "epoch"), {})
    # The checkpoint counts, as everywhere: it is written before its epoch is told of, and a kill may come in between.
    done, wanted = epochs_done_in(job.output), told.get("epochs")
    of = f" of {wanted}" if isinstance(wanted, int) else ""
    kept = f"It can be gone on from epoch {done}{of}." if done else "It had not completed an epoch."
    return f"The training process is gone and left no exit code: it was killed, or the machine went down. {kept}"


def _failure(job: Job, code: int | None, last: dict[str, Any]) -> str:
    """The trainer's own words on failing; never a traceback."""
    if isinstance(said := last.get("message"), str):
        return said
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in signal.valid_signals() else str(-code)
        cause = " Memory may have run out." if -code == signal.SIGKILL else ""
        return f"The training process was ended by {name}.{cause}"
    lines = [line.strip() for line in tail(job.folder / "log.txt") if line.strip()]
    if not lines:
        return f"The trainer ended with exit code {code} and said nothing."
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        return f"The trainer met an unexpected error: {lines[-1]} (the whole of it is in {job.folder / 'log.txt'})"
    return "\n".join(lines[-20:])


def last_events(path: Path) -> list[dict[str, Any]]:
    """The last events of a trainer, which may have written very many; oldest first."""
    found = []
    for line in tail(path, _LAST_BYTES):
        with suppress(ValueError):  # the first line may be half of one, the last one too
            event = json.loads(line)
            if isinstance(event, dict):
                found.append(event)
    return found


def tail(path: Path, size: int = 20_000) -> list[str]:
    """The last lines of a text file; empty where there is none."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - size))
            return stream.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
