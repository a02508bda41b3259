"""`--log-to`: a training's epochs sent to TensorBoard, trackio or wandb, each through its own client.

None of the clients comes with the studio; where each keeps its runs, and under which account, is its own affair.

    python -m reward.trackers outputs/run

writes TensorBoard's files of a run that is over already, from its metrics.jsonl.
"""

import argparse
import json
import math
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from reward.checkpoints import METRICS
from reward.config import TrainConfig
from reward.errors import Fault, InputError, RewardError
from reward.events import Epoch, Event, Split

PROJECT: Final = "reward-studio"
TENSORBOARD: Final = "tensorboard"  # the tracker, and the folder of its files in a run's
# What to import, and the package that brings it.
_CLIENTS: Final = {
    TENSORBOARD: ("torch.utils.tensorboard", "tensorboard"),
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
        self._clients = _import_clients(config.trackers, "--log-to")
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


def tensorboard_client() -> Any:
    """TensorBoard's client.

    Raises:
        InputError: it isn't installed.
    """
    return _import_clients((TENSORBOARD,), "TensorBoard files")[TENSORBOARD]


def write_tensorboard(run: Path) -> int:
    """Write every epoch of a run's metrics.jsonl into `tensorboard/` in its folder, in place of what is there.

    Returns:
        The number of epochs.

    Raises:
        InputError: TensorBoard isn't installed, there is no metrics.jsonl, or a line of it is damaged.
    """
    client, lines = tensorboard_client(), list(_epochs(run / METRICS))
    place, fresh = run / TENSORBOARD, run / f".{TENSORBOARD}.new"
    shutil.rmtree(fresh, ignore_errors=True)  # of one that was killed
    try:
        tracker = _TensorBoard(client, fresh)
        for step, metrics in lines:
            tracker.log(scalars(metrics), step)
        tracker.finish()
        shutil.rmtree(place, ignore_errors=True)
        fresh.rename(place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return len(lines)


def _epochs(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and metrics of each epoch."""
    if not file.is_file():
        raise InputError.one(file, "the file does not exist", "name the folder of a run that has finished an epoch")
    number = 0
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        try:
            metrics = json.loads(line)
            yield int(metrics["epoch"]), metrics
        except (ValueError, KeyError, TypeError) as error:
            raise InputError.one(file, "no epoch's metrics", "the file is damaged; remove the line", number) from error
    if not number:
        raise InputError.one(file, "no epoch yet", "let the run finish one")


def _import_clients(names: tuple[str, ...], asked_by: str) -> dict[str, Any]:
    clients, faults = {}, []
    for name in names:
        module, package = _CLIENTS[name]
        try:
            clients[name] = import_module(module)
        except ImportError as error:
            faults.append(Fault(asked_by, None, f"{name} can't be used ({error})", f"pip install {package}"))
    if faults:
        raise InputError(faults)
    return clients


def _begin(name: str, client: Any, config: TrainConfig) -> Tracker:
    if name == TENSORBOARD:
        return _TensorBoard(client, config.output / TENSORBOARD)
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


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m reward.trackers",
        description="Write TensorBoard's files of a run that is over, from its metrics.jsonl, into its folder.",
    )
    parser.add_argument("run", type=Path, help="the run's folder")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    from reward.cli import EXIT_OK, report

    run: Path = build_parser().parse_args(argv).run

    def write() -> int:
        epochs = write_tensorboard(run)
        print(f"{epochs} epochs in {run / TENSORBOARD}; look at them with: tensorboard --logdir {run.parent}")
        return EXIT_OK

    return report(write)


if __name__ == "__main__":
    sys.exit(main())
