"""The files of a training's job folder, and whether the processes written down there are still at work."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

JOB_FILE: Final = "job.json"
PROCESS_FILE: Final = "process.json"
EXIT_FILE: Final = "exit.json"
STOP_FILE: Final = "stop.json"
CLOCK_SECONDS: Final = 2.0


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

    @property
    def resumes(self) -> bool:
        """Whether it goes on with a run that had begun before."""
        return "--resume" in self.arguments


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` to `path` so that a reader finds the whole of it or nothing, also after a power cut."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("w", encoding="utf-8") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file; None where there is no such file or something else stands in it."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def read_job(folder: Path) -> Job | None:
    """The job that a folder holds; None where it holds none that can be read."""
    content = read_json(folder / JOB_FILE)
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


def write_job(job: Job) -> None:
    """Write what was asked for into the job's folder."""
    content = {"arguments": list(job.arguments), "output": str(job.output), "created": job.created}
    write_json(job.folder / JOB_FILE, content)


def identity(pid: int) -> dict[str, Any]:
    """A process as pid and time of creation: together they tell it from a later one with the same pid."""
    return {"pid": pid, "created": psutil.Process(pid).create_time()}


def processes(folder: Path) -> list[dict[str, Any]]:
    """The processes that the runner wrote down: itself and the trainer, each with pid and time of creation."""
    content = read_json(folder / PROCESS_FILE) or {}
    return [entry for entry in (content.get("runner"), content.get("trainer")) if isinstance(entry, dict)]


def waits(folder: Path) -> bool:
    """Whether the runner wrote down that it waits for its turn."""
    return (read_json(folder / PROCESS_FILE) or {}).get("waiting") is True


def began(folder: Path) -> float | None:
    """When its turn came, in unix seconds; None where it never did, or nobody wrote it down."""
    content = read_json(folder / PROCESS_FILE) or {}
    trainer = content.get("trainer")
    when = content.get("began", trainer.get("created") if isinstance(trainer, dict) else None)
    return float(when) if isinstance(when, int | float) else None


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
