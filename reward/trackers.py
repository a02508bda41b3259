"""`--log-to`: a training's epochs sent to TensorBoard, trackio or wandb, each through its own client.

None of the clients comes with the studio; where each keeps its runs, and under which account, is its own affair.
"""

import math
from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from reward.config import TrainConfig
from reward.errors import Fault, InputError, RewardError
from reward.events import Epoch, Event, Split

PROJECT: Final = "reward-studio"
# What to import, and the package that brings it.
_CLIENTS: Final = {
    "tensorboard": ("torch.utils.tensorboard", "tensorboard"),
    "trackio": ("trackio", "trackio"),
    "wandb": ("wandb", "wandb"),
}


class Tracker(Protocol):
    """What takes the numbers of one run."""

    def log(self, values: dict[str, float], step: int) -> None:
        """Keep the values of an epoch."""

    def finish(self) -> None:
        """The run is over: write what is still in memory."""


class Tracking:
    """Watches a training's events and tells the trackers that `--log-to` names."""

    def __init__(self, config: TrainConfig) -> None:
        """Import the clients; nothing is written or sent before the data is read and the images are encoded.

        Raises:
            InputError: clients that aren't installed, all of them named.
        """
        self._config = config
        self._clients = _import_clients(config.trackers)
        self._trackers: list[Tracker] = []

    def show(self, event: Event) -> None:
        """Take notice of an event.

        Raises:
            RewardError: a tracker can't begin the run (no account, say).
        """
        match event:
            case Split():
                for name, client in self._clients.items():
                    self._trackers.append(_begin(name, client, self._config))
            case Epoch():
                for tracker in self._trackers:
                    tracker.log(scalars(event.metrics), step=event.epoch)

    def close(self) -> None:
        """Finish the run in every tracker."""
        for tracker in self._trackers:
            tracker.finish()
        self._trackers = []


def scalars(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """A metrics.jsonl line's numbers by path, such as `heads/style/accuracy`; without tables and texts."""
    found: dict[str, float] = {}
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            found |= scalars(value, f"{prefix}{name}/")
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found[prefix + name] = float(value)
    return found


def _import_clients(names: tuple[str, ...]) -> dict[str, Any]:
    clients, faults = {}, []
    for name in names:
        module, package = _CLIENTS[name]
        try:
            clients[name] = import_module(module)
        except ImportError as error:
            faults.append(Fault("--log-to", None, f"{name} can't be used ({error})", f"pip install {package}"))
    if faults:
        raise InputError(faults)
    return clients


def _begin(name: str, client: Any, config: TrainConfig) -> Tracker:
    if name == "tensorboard":
        return _TensorBoard(client, config.output / "tensorboard")
    arguments = {item.name: getattr(config, item.name) for item in fields(config)}
    told = {key: str(value) if isinstance(value, Path) else value for key, value in arguments.items()}
    resume = "allow" if config.resume else "never"
    try:  # trackio's init is made to be called as wandb's
        client.init(project=PROJECT, name=config.output.name, config=told, resume=resume)
    except Exception as error:  # each client raises its own
        raise RewardError(f"--log-to {name}: {' '.join(str(error).split())}") from error
    tracker: Tracker = client  # the module's own functions act on the run just begun
    return tracker


class _TensorBoard:
    """TensorBoard's files in the run folder, begun with the first epoch: before it, the folder may not exist."""

    def __init__(self, client: Any, folder: Path) -> None:
        self._client, self._folder = client, folder
        self._writer: Any = None

    def log(self, values: dict[str, float], step: int) -> None:
        """Keep the values of an epoch, on disk when this returns."""
        if self._writer is None:
            # purge_step: what a resumed run had written after its last checkpoint is not shown twice.
            self._writer = self._client.SummaryWriter(str(self._folder), purge_step=step)
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def finish(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
