"""What a training tells while it runs: the CLI draws progress from these, the studio reads them as JSON lines."""

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """Base of all events."""

    @property
    def name(self) -> str:
        """`encoding`, `epoch` …: the class's name in lower case."""
        return type(self).__name__.lower()

    def to_json(self, time: float) -> str:
        """One line of JSON; NaN becomes null."""
        return json.dumps({"event": self.name, "time": round(time, 3), **plain(dataclasses.asdict(self))})


@dataclass(frozen=True)
class Reading(Event):
    """The inputs were read and are sound."""

    images: int
    prompts: int
    pairs: dict[str, int]
    ties: dict[str, int]


@dataclass(frozen=True)
class Encoding(Event):
    """Images encoded so far; `cached` of `total` needed no encoding."""

    done: int
    total: int
    cached: int
    images_per_s: float
    remaining_s: float
    backbone: str
    device: str


@dataclass(frozen=True)
class Split(Event):
    """Which part of the prompts trains and which validates; with `folds`, all of them do both, in turn."""

    train_prompts: int
    val_prompts: int
    train_images: int
    val_images: int
    folds: int = 0


@dataclass(frozen=True)
class Epoch(Event):
    """An epoch is over; `metrics` is its line in metrics.jsonl."""

    epoch: int
    epochs: int
    metrics: dict[str, Any]
    best: bool


@dataclass(frozen=True)
class Warning(Event):
    """Something a person should know, though training goes on."""

    message: str


@dataclass(frozen=True)
class Finished(Event):
    """The run is complete."""

    output: str
    best_epoch: int


@dataclass(frozen=True)
class Failed(Event):
    """The run ended with an error."""

    message: str


@dataclass(frozen=True)
class Interrupted(Event):
    """A person stopped the run; `last/` is complete where training had begun."""

    message: str


def plain(value: Any) -> Any:
    """The value as strict JSON knows it: NaN and infinities as None, numpy scalars as Python's, keys as text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
