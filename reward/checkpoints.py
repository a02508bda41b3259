"""Run folders on disk: checkpoints that are there whole or not at all, and links to the best and the last one."""

import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil
from safetensors import SafetensorError

from reward.aspects import HEADS
from reward.config import TrainConfig
from reward.errors import CheckpointError, InputError
from reward.events import plain
from reward.inputs import read_inputs, write_inputs
from reward.runrecord import recorded

if TYPE_CHECKING:
    from torch import Tensor

    from reward.model import MultiHeadReward
    from reward.raters import RaterModel

CONFIG: Final = "config.json"
METRICS: Final = "metrics.jsonl"
RATERS: Final = "raters.json"
STATE: Final = "training_state.safetensors"
_KEEP: Final = 3  # the newest few stay, so that a reader that has just followed a link finds its files
# What may differ between a run and its continuation.
_NOT_PART_OF_THE_RUN: Final = frozenset(
    {"epochs", "resume", "overwrite", "events", "log_to", "cache_dir", "device", "output"}
)


class RunFolder:
    """One run's folder. Its parts appear by renaming; a killed writer leaves only what a later one cleans up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begun = False

    @property
    def holds_a_run(self) -> bool:
        """Whether a run was begun here."""
        return (self.path / CONFIG).is_file() or (self.path / METRICS).is_file() or (self.path / "checkpoints").is_dir()

    def tidy(self) -> None:
        """Clear up after a writer that was killed while it replaced a run.

        What it had set aside comes back where nothing has taken its place, and goes for good where something has.
        """
        if not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir())):
            self._bring_back()
        elif (self.path / "best").exists():
            self._drop_set_aside()

    def check_free(self, config: TrainConfig) -> None:
        """Refuse a folder that is in use, unless the arguments say what to do with it.

        Raises:
            InputError: a run is there, or foreign files; or --resume without a run.
        """
        if config.resume:
            if not (self.path / "last").is_dir():
                begun = "--overwrite begins it anew" if self.holds_a_run else "leave --resume out to start a new run"
                raise InputError.one("--resume", f"{self.path} holds no last/", begun)
            _check_writable(self.path)
            return
        if self.path.exists() and not self.path.is_dir():
            raise InputError.one("--output", f"{self.path} is a file", "name a new folder")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            _check_writable(self.path)
            return
        if not self.holds_a_run:
            raise InputError.one("--output", f"{self.path} holds other files", "name a new folder")
        if not config.overwrite:
            resumable = (self.path / "last").is_dir()  # a run that was killed at once has none
            raise InputError.one(
                "--output",
                f"{self.path} already holds a run" + ("" if resumable else ", stopped before its first checkpoint"),
                "--resume goes on with it, --overwrite replaces it" if resumable else "--overwrite begins it anew",
            )
        _check_writable(self.path)
        _check_writable(self.path.absolute().parent)  # where the earlier run is set aside

    def create(self, record: dict[str, Any], inputs: Mapping[Path, bytes], *, overwrite: bool) -> None:
        """Make the folder with its config.json and a copy of the input files.

        With `overwrite` an earlier run is set aside, and removed once this one has a `best/`.

        Raises:
            InputError: another run began here since `check_free`; it is left alone.
            CheckpointError: the copies can't be written.
        """
        if overwrite and self.path.is_dir() and self.holds_a_run:
            beside = (self.path.with_name(f"{self._aside_prefix}{os.getpid()}.{number}") for number in range(1000))
            self.path.rename(next(path for path in beside if not path.exists()))
        self.path.mkdir(parents=True, exist_ok=True)
        try:  # of two trainings that start at once, one makes this file
            with (self.path / CONFIG).open("x", encoding="utf-8") as file:
                file.write(_json(record))
        except FileExistsError as error:
            raise InputError.one("--output", f"another run has begun in {self.path}", "name a new folder") from error
        self._begun = True
        write_inputs(self.path, inputs)
        _sync(self.path / CONFIG, self.path)
        with suppress(OSError):  # a parent folder that may not be read
            _sync(self.path.parent)

    def failed(self) -> None:
        """The run that this writer began has failed: if it has no `best/` yet, the one it was to replace comes back."""
        if self._gives_way():
            shutil.rmtree(self.path, ignore_errors=True)
            self._bring_back()

    def _gives_way(self) -> bool:
        return self._begun and not (self.path / "best").exists() and bool(self._whole_aside())

    @property
    def _aside_prefix(self) -> str:
        return f".{self.path.name}.old-"

    def _aside(self) -> list[Path]:
        """Runs that this process, or one that is gone, has set aside; those with a `best/` come last."""
        found: list[Path] = []
        with suppress(OSError):  # a parent folder that isn't there, or that may not be listed
            for path in self.path.parent.iterdir():
                pid = path.name.removeprefix(self._aside_prefix).partition(".")[0]
                if path.name.startswith(self._aside_prefix) and pid.isdecimal() and not _runs_elsewhere(int(pid)):
                    found.append(path)
        return sorted(found, key=lambda path: ((path / "best").exists(), path.stat().st_mtime_ns))

    def _whole_aside(self) -> list[Path]:
        return [path for path in self._aside() if (path / CONFIG).is_file()]

    def _bring_back(self) -> None:
        for path in self._whole_aside()[-1:]:
            with suppress(OSError):  # the folder isn't empty after all: both stay where they are
                path.rename(self.path)

    def _drop_set_aside(self) -> None:
        for path in self._aside():
            (path / CONFIG).unlink(missing_ok=True)  # what is removed in part only must not come back
            shutil.rmtree(path, ignore_errors=True)

    def write_raters(self, raters: "RaterModel") -> None:
        """Write raters.json. It names people, so it stays with the run and never goes into a checkpoint."""
        heads = {head: raters.as_json(number) for number, head in enumerate(HEADS)}
        (self.path / RATERS).write_text(_json({"heads": heads}), encoding="utf-8")

    def add_metrics(self, metrics: dict[str, Any]) -> None:
        """Append a line to metrics.jsonl, on disk when this returns."""
        with (self.path / METRICS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(plain(metrics), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def truncate_metrics(self, epochs: int) -> None:
        """Drop lines after that many: those of an epoch whose checkpoint was never completed, and one cut off."""
        path = self.path / METRICS
        lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []  # bytes: it may be damaged
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(b"".join([line for line in lines if line.endswith(b"\n")][:epochs]))
        temporary.replace(path)

    def save(
        self, epoch: int, model: "MultiHeadReward", links: Collection[str], state: "dict[str, Tensor] | None" = None
    ) -> None:
        """Write a checkpoint and point `links` ("best", "last") at it; `state` is what --resume reads.

        Raises:
            CheckpointError: the disk is full, say; the links still lead where they did.
        """
        checkpoints = self.path / "checkpoints"
        temporary = checkpoints / f".{epoch}.tmp-{os.getpid()}"
        try:
            _write(temporary, model, state)
        except (OSError, SafetensorError) as error:
            shutil.rmtree(temporary, ignore_errors=True)  # on a full disk every byte counts
            raise CheckpointError(
                f"{self.path}: epoch {epoch} can't be saved ({error}); {self._what_is_left()}"
            ) from error
        # A folder that is there already may be what a link stands on: leave it, take the next free name.
        free = (str(epoch), *(f"{epoch}.{number}" for number in range(1, 1000)))
        folder = next(checkpoints / name for name in free if not (checkpoints / name).exists())
        temporary.rename(folder)
        _sync(checkpoints)  # before a link can lead there
        for name in links:
            link = self.path / f".{name}.tmp-{os.getpid()}"
            link.unlink(missing_ok=True)
            link.symlink_to(Path("checkpoints") / folder.name)
            link.replace(self.path / name)
        _sync(self.path)  # before what the links led to is removed
        self._prune()
        if "best" in links:
            self._drop_set_aside()

    def _what_is_left(self) -> str:
        if self._gives_way():
            return "the run that this one was to replace is left as it was, make room and start again"
        if not (self.path / "last").exists():
            return "make room and start again with --overwrite"
        return "what was saved before is whole, make room and go on with --resume"

    def _prune(self) -> None:
        """Remove old checkpoints, and the training state of all but the last one."""
        folder = self.path / "checkpoints"
        linked = {name: (self.path / name).resolve().name for name in ("best", "last") if (self.path / name).exists()}
        finished = [path for path in folder.iterdir() if not path.name.startswith(".")]
        finished.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for age, checkpoint in enumerate(finished):
            if checkpoint.name not in linked.values() and age >= _KEEP:
                shutil.rmtree(checkpoint)
            elif checkpoint.name != linked.get("last"):
                (checkpoint / STATE).unlink(missing_ok=True)
        for stale in folder.glob(".*.tmp-*"):
            shutil.rmtree(stale, ignore_errors=True)
        for stale in self.path.glob(".*.tmp-*"):
            stale.unlink(missing_ok=True)

    def read_state(self) -> "dict[str, Tensor]":
        """The training state in last/.

        Raises:
            CheckpointError: missing or damaged.
        """
        from safetensors.torch import load_file

        file = self.path / "last" / STATE
        try:
            return load_file(file)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{file}: can't be resumed from ({error})") from error

    def inputs(self, config: TrainConfig) -> dict[Path, bytes] | None:
        """The input files as the run that is here read them; None where `config` names others, see `check_same_run`.

        Raises:
            InputError: one of them isn't kept, and is gone or has changed.
            CheckpointError: config.json is damaged or missing.
        """
        record = self._record()
        given = {name: record["arguments"].get(name) for name in ("mode", "ratings", "pairs", "prompts")}
        same = all(value == recorded(getattr(config, name)) for name, value in given.items())
        remedy = "go on with the file as it was, or --overwrite"
        return read_inputs(self.path, record["inputs"], remedy=remedy) if same else None

    def check_same_run(self, arguments: Mapping[str, Any], inputs: Mapping[str, str]) -> None:
        """Refuse to resume with other arguments or changed input files; see `reward.runrecord`.

        Raises:
            InputError: names what differs.
            CheckpointError: config.json is damaged.
        """
        before = self._record()
        old_arguments, old_inputs = before["arguments"], before["inputs"]
        differing = [
            "--" + name.replace("_", "-")
            for name in sorted({*arguments, *old_arguments} - _NOT_PART_OF_THE_RUN)
            if arguments.get(name) != old_arguments.get(name)
        ]
        _refuse_to_resume(
            differing + [file for file in sorted({*inputs, *old_inputs}) if inputs.get(file) != old_inputs.get(file)]
        )

    def check_same_images(self, record: dict[str, Any]) -> None:
        """Refuse to resume with images or a backbone of other content.

        Raises:
            InputError: names what differs.
            CheckpointError: config.json is damaged.
        """
        before = self._record()
        same_backbone = before["backbone"]["identity"] == plain(record["backbone"]["identity"])
        _refuse_to_resume(
            ([] if before["images"] == record["images"] else ["the images"])
            + ([] if same_backbone else ["the backbone"])
        )

    def _record(self) -> dict[str, Any]:
        """config.json; the parts that a run is compared by are there."""
        try:
            record = json.loads((self.path / CONFIG).read_text(encoding="utf-8"))
            whole = all(isinstance(record[part], dict) for part in ("arguments", "inputs", "backbone"))
            whole = whole and {"images"} <= record.keys() and {"identity"} <= record["backbone"].keys()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{self.path / CONFIG}: damaged, can't be resumed from") from error
        if not whole:
            raise CheckpointError(f"{self.path / CONFIG}: parts are missing, can't be resumed from")
        return dict(record)


def _check_writable(folder: Path) -> None:
    """Refuse a folder that couldn't be made or filled when there is something to write."""
    nearest = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not nearest.is_dir():
        raise InputError.one("--output", f"{nearest} is a file", "name a folder in a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError.one("--output", f"{nearest} can't be written to", "name a folder that you may write to")


def _refuse_to_resume(differing: Sequence[str]) -> None:
    if differing:
        raise InputError.one(
            "--resume", f"{', '.join(differing)} changed since the run began", "resume it as it was, or --overwrite"
        )


def _json(value: Any) -> str:
    return json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n"


def _write(folder: Path, model: "MultiHeadReward", state: "dict[str, Tensor] | None") -> None:
    """A checkpoint's files, flushed to disk."""
    from safetensors.torch import save_file

    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    if state is not None:
        save_file(state, folder / STATE)
    for file in folder.glob("*.safetensors"):
        shutil.copymode(folder / CONFIG, file)  # safetensors lets its owner alone read what it writes
    _sync(*folder.iterdir(), folder)  # so that the rename that follows never names missing content


def _runs_elsewhere(pid: int) -> bool:
    """Whether this is the number of a process that runs and isn't this one."""
    try:
        return pid != os.getpid() and psutil.pid_exists(pid)
    except OverflowError:  # larger than any process's number
        return False


def _sync(*paths: Path) -> None:
    """Flush files, and folders' lists of names, to disk."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
