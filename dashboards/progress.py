"""A training's events, told in numbers and words: what it is at, how far, how long still, what it warned of."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboards.jobfiles import began
from dashboards.jobstate import BAD_INPUT, JobState, JobStatus

_WAITED_SECONDS = 5.0  # a runner needs a moment to start, which is no waiting
_PACE = 11  # epochs whose pace tells how long the rest takes


@dataclass(frozen=True)
class Progress:
    """How far a training is. `fraction` is 0–1, None where it can't be known yet; `metrics` has a line an epoch."""

    phase: str
    detail: str = ""
    fraction: float | None = None
    epoch: int = 0
    epochs: int = 0
    metrics: list[dict[str, Any]] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    device: str = ""
    seconds_left: float | None = None


def progress(events: Sequence[dict[str, Any]]) -> Progress:
    """The state of things after these events, oldest first."""
    metrics = [event["metrics"] for event in events if event.get("event") == "epoch" and "metrics" in event]
    warnings = tuple(str(event.get("message", "")) for event in events if event.get("event") == "warning")
    last: dict[str, Any] = next((event for event in reversed(events) if event.get("event") in _TELLERS), {})
    phase, detail, fraction = _TELLERS.get(str(last.get("event")), _nothing)(last)
    epochs = [event for event in events if event.get("event") == "epoch"]
    at = epochs[-1] if epochs else {}
    left = _time_left(epochs) if last is at else None
    device = next((str(event["device"]) for event in events if event.get("device")), "")
    return Progress(phase, detail, fraction, _whole(at, "epoch"), _whole(at, "epochs"), metrics, warnings, device, left)


def _time_left(epochs: Sequence[dict[str, Any]]) -> float | None:
    """Seconds until the last epoch is over, by the pace of the last few; None where there is none to go by."""
    recent = epochs[-_PACE:]
    times = [event.get("time") for event in recent]
    if len(recent) < 2 or not all(isinstance(time, int | float) for time in times):
        return None
    to_go = _whole(recent[-1], "epochs") - _whole(recent[-1], "epoch")
    pace = (times[-1] - times[0]) / (len(times) - 1)
    return to_go * pace if to_go > 0 and pace >= 0 else None


def headline(status: JobStatus, so_far: Progress) -> str:
    """The state in a sentence, for the head of the panel."""
    name = status.job.name
    match status.state:
        case JobState.WAITING:
            return f"{name} waits for its turn: the device is busy."
        case JobState.STARTING:
            return f"{name} is starting: the trainer is being loaded."
        case JobState.RUNNING:
            return f"{name} is running: {so_far.phase}."
        case JobState.STOPPING:
            return f"{name} is stopping: it saves what it has, then ends."
        case JobState.FINISHED:
            return f"{name} has finished after {_epochs(so_far.epoch)}. Its results are in the Analyse tab."
        case JobState.STOPPED:
            when = f"after {_epochs(so_far.epoch)}" if so_far.epoch else "before its first epoch was over"
            return f"{name} was stopped {when}. {_kept(status)}"
        case JobState.FAILED:
            return f"{name} has failed."
        case JobState.CANCELLED:
            return f"{name} was taken out of the line before it began."
        case JobState.LOST:
            return f"{name} is lost. {status.message}"


def what_to_do(status: JobStatus) -> str:
    """What a person can do about a training that did not finish, in a sentence; empty where there is nothing to do."""
    again = (status.job.output / "last").is_dir()
    match status.state:
        case JobState.STOPPED | JobState.LOST if again:
            return "Go on continues from its last complete epoch; the result is the same as without the pause."
        case JobState.STOPPED | JobState.LOST | JobState.CANCELLED:
            return "Start again begins it anew with the same settings."
        case JobState.FAILED:
            return _remedy(status, again)
    return ""


def _remedy(status: JobStatus, again: bool) -> str:
    message = status.message.lower()
    if status.exit_code == BAD_INPUT:
        return "Correct what is named, then start again. Nothing was written."
    if "out of memory" in message or "memory may have run out" in message:
        return "Close other programs, or take a smaller batch or backbone; " + (
            "then Go on: what was learned is in last/." if again else "then start again."
        )
    if "no space left" in message or "can't be saved" in message:
        return "Make room on the disk, then go on: what was saved before is whole."
    if "weights" in message or "can't load" in message:
        return "Take a weights file that is on this machine, or pixel statistics."
    return "Go on continues from its last complete epoch." if again else "The log below has the whole of it."


def duration(seconds: float) -> str:
    """A length of time as people say it: `8 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def elapsed(status: JobStatus) -> str:
    """How long the training took, or has been at work, without the time in which it waited for its turn."""
    if status.state in (JobState.WAITING, JobState.CANCELLED) or (status.ended is None and not status.state.live):
        return ""
    return duration((status.ended or time.time()) - (began(status.job.folder) or status.job.created))


def waited(status: JobStatus) -> str:
    """How long it waited for its turn; empty where it hardly did, or still does."""
    when = began(status.job.folder)
    before = 0.0 if when is None else when - status.job.created
    return duration(before) if before >= _WAITED_SECONDS else ""


def _reading(_event: dict[str, Any]) -> tuple[str, str, float | None]:
    return "reading and checking the files", "", None


def _encoding(event: dict[str, Any]) -> tuple[str, str, float | None]:
    done, total = _whole(event, "done"), _whole(event, "total")
    parts = [f"{done} of {total} images"]
    if cached := _whole(event, "cached"):
        parts.append(f"{cached} known from before")
    if (speed := event.get("images_per_s")) and done < total:
        parts.append(f"{speed:.3g} images/s")
    if (remaining := event.get("remaining_s")) is not None and done < total:
        parts.append(f"{duration(remaining)} left")
    return "encoding the images", " · ".join(parts), done / total if total else None


def _split(event: dict[str, Any]) -> tuple[str, str, float | None]:
    train, held_out, folds = (_whole(event, key) for key in ("train_prompts", "val_prompts", "folds"))
    if folds:
        return "preparing the heads", f"{folds} folds: every prompt is validated on once", None
    return "preparing the heads", f"{train} prompts to train on, {held_out} to validate on" if train else "", None


def _epoch(event: dict[str, Any]) -> tuple[str, str, float | None]:
    epoch, epochs = _whole(event, "epoch"), _whole(event, "epochs")
    return "training the heads", f"epoch {epoch} of {epochs}", epoch / epochs if epochs else None


def _finished(event: dict[str, Any]) -> tuple[str, str, float | None]:
    best = event.get("best_epoch")
    return "closing the run", "" if best is None else f"best at epoch {best}", 1.0


def _nothing(_event: dict[str, Any]) -> tuple[str, str, float | None]:
    return "loading the trainer", "", None


_TELLERS = {"reading": _reading, "encoding": _encoding, "split": _split, "epoch": _epoch, "finished": _finished}


def _whole(event: dict[str, Any], key: str) -> int:
    value = event.get(key)
    return int(value) if isinstance(value, int | float) else 0


def _epochs(count: int) -> str:
    return f"{count} epoch{'' if count == 1 else 's'}"


def _kept(status: JobStatus) -> str:
    kept = (status.job.output / "last").is_dir()
    return "What it had learned is in last/." if kept else "There was nothing yet to keep."
