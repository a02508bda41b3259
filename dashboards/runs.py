"""Reads the run folders below the outputs root: config, metrics and checkpoints in, plain rows and problems out."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from reward.aspects import ASPECTS
from reward.intact import newer_format

CHECKPOINTS: Final = ("best", "last")
COMBINED: Final = "combined"
OVERALL: Final = "overall"
_OBJECTS: Final = (
    *("heads", COMBINED, OVERALL),
    *("importance", "importance_spread", "importance_interval", "accuracy_lost_without"),
)


@dataclass(frozen=True)
class Run:
    """A run folder as it was found. `problem` says in words what is wrong with it, empty where nothing is."""

    name: str
    folder: Path
    config: dict[str, Any] = field(default_factory=dict)
    checkpoints: tuple[str, ...] = ()
    problem: str = ""

    @property
    def backbone(self) -> str:
        """The backbone's spec; of a weights file the name alone."""
        spec = text_of(self.config, "backbone", "spec") or "unknown backbone"
        architecture, at, weights = spec.partition("@")
        return f"{architecture}@{Path(weights).name}" if at else spec

    @property
    def weighed_by_hand(self) -> bool:
        """Whether it is another run's model with weights of one's own."""
        return bool(self.config.get("lineage"))

    @property
    def simulated(self) -> bool:
        """Whether it was trained on ratings that no person gave."""
        return self.config.get("simulated") is True


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint's metrics; `problem` says in words why there are none."""

    run: Run
    name: str
    folder: Path
    metrics: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def usable(self) -> bool:
        """Whether there is such a checkpoint to load, whatever its metrics."""
        return self.name in CHECKPOINTS and self.folder.is_dir()

    @property
    def pairs_mode(self) -> bool:
        """Whether it was trained on overall preferences alone."""
        return self.metrics.get("mode") == "pairs"


def list_runs(outputs: Path) -> list[Run]:
    """Every run below `outputs`, the newest first. Damaged ones are listed too, with their problem."""
    try:
        folders = [path for path in outputs.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    runs = [read_run(folder) for folder in folders]
    return sorted((run for run in runs if run is not None), key=_changed, reverse=True)


def read_run(folder: Path) -> Run | None:
    """The run in `folder`; None where nothing in it looks like one."""
    if not any((folder / name).exists() for name in ("config.json", "metrics.jsonl", *CHECKPOINTS)):
        return None
    checkpoints = tuple(name for name in CHECKPOINTS if (folder / name).is_dir())
    own = folder / "config.json"
    if not own.exists() and (folder / "best" / "config.json").exists() and not (folder / "metrics.jsonl").exists():
        own = folder / "best" / "config.json"  # a checkpoint with weights of one's own is no training
    config, problem = _read_object(own)
    if not problem and not checkpoints:
        problem = "it holds no checkpoint yet"
    return Run(folder.name, folder, config, checkpoints, problem)


def read_checkpoint(run: Run, name: str) -> Checkpoint:
    """The metrics of a checkpoint of the run (`best` or `last`); none of a newer version's, which may mean others."""
    folder = run.folder / name
    if name not in CHECKPOINTS or not folder.is_dir():
        return Checkpoint(run, name, folder, problem=f"{run.name} has no checkpoint called {name[:40]!r}")
    config, _ = _read_object(folder / "config.json")
    if newer := newer_format(config):
        return Checkpoint(run, name, folder, problem=newer)
    metrics, problem = _read_object(folder / "metrics.json")
    if not problem and not is_metrics(metrics):
        problem = f"{folder / 'metrics.json'} has neither heads nor an overall result"
    return Checkpoint(run, name, folder, {} if problem else clean_metrics(metrics), problem)


def is_metrics(line: Mapping[str, Any]) -> bool:
    """Whether a line of metrics has what the page shows."""
    return isinstance(line.get("heads", line.get(OVERALL)), dict)


def clean_metrics(line: Mapping[str, Any]) -> dict[str, Any]:
    """The line without whatever has not the shape that the page relies on: a damaged file must not break it."""
    clean = dict(line)
    for key in _OBJECTS:
        if not isinstance(clean.get(key), dict):
            clean.pop(key, None)
    if "heads" in clean:
        clean["heads"] = {name: result for name, result in clean["heads"].items() if isinstance(result, dict)}
    return clean


def result_rows(metrics: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """(key, label, result) of each head, then of the combined score; in pairs mode of the overall score alone."""
    if isinstance(metrics.get(OVERALL), dict):
        return [(OVERALL, "Overall", metrics[OVERALL])]
    heads = metrics.get("heads") or {}
    rows = [(aspect.name, aspect.label, heads.get(aspect.name) or {}) for aspect in ASPECTS]
    if isinstance(metrics.get(COMBINED), dict):
        rows.append((COMBINED, "Combined", metrics[COMBINED]))
    return rows


def trained(result: Mapping[str, Any]) -> bool:
    """Whether a head learned anything."""
    return bool(result) and result.get("trained", True) is not False


def number(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def text_of(content: Mapping[str, Any], *keys: str) -> str:
    """The text at a path of keys; empty where there is none."""
    value: Any = content
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def interval(result: Mapping[str, Any]) -> tuple[float, float] | None:
    """The 95 % interval of the accuracy, where there is one."""
    bounds = result.get("accuracy_interval")
    if not isinstance(bounds, Sequence) or len(bounds) != 2:
        return None
    low, high = number(bounds[0]), number(bounds[1])
    return None if low is None or high is None else (low, high)


def _read_object(path: Path) -> tuple[dict[str, Any], str]:
    try:
        about = path.stat()
        return _parsed(path, about.st_ino, about.st_mtime_ns, about.st_size)
    except FileNotFoundError:
        return {}, f"{path.name} is missing"
    except OSError as error:
        return {}, f"{path.name} can't be read: {error.strerror}"


@lru_cache(maxsize=2000)
def _parsed(path: Path, _inode: int, _changed: int, _size: int) -> tuple[dict[str, Any], str]:
    """A file's content, read once as long as it stays as it is: a page lists hundreds of runs each time it is shown."""
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        return {}, f"{path.name} is damaged: it is not JSON"
    return (content, "") if isinstance(content, dict) else ({}, f"{path.name} is damaged: it holds no JSON object")


def _changed(run: Run) -> float:
    times = [path.stat().st_mtime for path in (run.folder / "metrics.jsonl", run.folder) if path.exists()]
    return times[0] if times else 0.0
