"""The training form's values → a checked `TrainConfig`, the trainer's arguments and the command to copy."""

import math
import os
import shlex
import sys
from collections.abc import Collection, Container, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from dashboards.roots import RefusedPathError, Roots
from reward.config import DEFAULT_BACKBONE, FLAGS, TRACKERS, Flag, TrainConfig
from reward.errors import Fault, InputError, shown

PIXELSTATS: Final = "pixelstats"
OTHER_BACKBONE: Final = "other"
ANY_NAME: Final = "any-name"  # where a run's name is asked for and of no matter
BACKBONES: Final = (
    ("Pixel statistics: nothing to download, seconds", PIXELSTATS),
    (f"OpenCLIP: {DEFAULT_BACKBONE.removeprefix('openclip:')}", DEFAULT_BACKBONE),
    ("Another one, or a weights file …", OTHER_BACKBONE),
)
# What the studio sets itself: where it reads events, and, by a button on the run, whether to go on with it.
NOT_IN_FORM: Final = ("events", "resume")
FORM_FLAGS: Final = tuple(flag for flag in FLAGS if flag.field not in NOT_IN_FORM)
_BY_FIELD: Final = {flag.field: flag for flag in FLAGS}
_MULTIHEAD_ONLY: Final = ("ratings", "min_rating_diff", "targets")
_ALWAYS_TOLD: Final = ("mode", "ratings", "pairs", "output", "backbone")


def config_of(values: Mapping[str, Any], roots: Roots, kept: Container[Path] = ()) -> TrainConfig:
    """Check what the form (or any client) sent. Keys are `TrainConfig`'s fields; `output` is the run's name.

    Args:
        kept: input files that may be gone, for the run has copies of them.

    Raises:
        InputError: faulty values, each with its flag.
        RefusedPathError: a path outside the folders that may be read, or a run's name that is none.
    """
    known, faults = _known(values)
    if faults:
        raise InputError(list(faults.values()))
    return TrainConfig(**known | _paths(known, roots, kept))


def faults_of(values: Mapping[str, Any], roots: Roots) -> dict[str, str]:
    """All that is wrong with what the form sent, by field; empty where it can be started."""
    known, faults = _known(values)
    told = {field: f"{fault.problem}; {fault.remedy}" for field, fault in faults.items()}
    paths: dict[str, Any] = {}
    for field in ("ratings", "pairs", "prompts", "image_root", "cache_dir", "output", "backbone"):
        try:
            paths |= _paths({"output": ANY_NAME} | {name: known[name] for name in (field,) if name in known}, roots)
        except RefusedPathError as error:
            told.setdefault(field, str(error).removeprefix(f"{_BY_FIELD[field].option}: "))
    if "output" not in known:
        told.setdefault("output", "give the run a name")
    try:
        TrainConfig(**{**known, **paths, "output": Path(ANY_NAME)})
    except InputError as error:
        for fault in error.faults:
            told.setdefault(fault.file.removeprefix("--").replace("-", "_"), f"{fault.problem}; {fault.remedy}")
    if "output" not in told and known.get("overwrite") is not True and os.path.lexists(roots.outputs / known["output"]):
        told["output"] = "there is a run of this name already; choose another one, or replace it (More settings)"
    for name in missing_trackers(str(known.get("log_to", ""))):
        told.setdefault("log_to", f"{name} is not installed here; pip install {name}")
    return told


def missing_trackers(log_to: str) -> list[str]:
    """Those of the trackers named whose client is not installed."""
    named = [name.strip() for name in log_to.split(",") if name.strip()]
    return [name for name in named if name in TRACKERS and find_spec(name) is None]


def arguments(config: TrainConfig, fields: Collection[str] | None = None) -> list[str]:
    """The arguments of `train_reward.py` that say the same: what differs from the defaults, and the essentials.

    With `fields`, only theirs.
    """
    usual = mode_defaults(config.mode)
    told: list[str] = []
    for flag in FLAGS:
        if fields is not None and flag.field not in fields:
            continue
        value = getattr(config, flag.field)
        default = usual.get(flag.field, flag.default)
        if value is None or (value == default and flag.field not in _ALWAYS_TOLD):
            continue
        told += [flag.option] if flag.kind is bool else [flag.option, _written(value)]
    return told


def shell_command(config: TrainConfig, program: Path) -> str:
    """The command to copy into a shell that stands in the studio's working directory.

    It names the studio's own Python, since the shell's may lack the packages.
    """
    return shlex.join([_python(), short_path(program), *arguments(config)])


def _python() -> str:
    """This interpreter: below the working directory as it is reached from there (`.venv/bin/python`), else in full."""
    here = Path(sys.executable)  # not resolved: in a virtual environment it is a link out of it
    return str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else str(here)


def mode_defaults(mode: str) -> dict[str, int]:
    """The defaults that depend on the mode. The form shows them: an emptied number box would come as 0."""
    config = TrainConfig(mode="pairs" if mode == "pairs" else "multihead", ratings=Path(), pairs=Path())
    return {"epochs": config.total_epochs, "batch_size": config.pairs_per_step}


def free_name(outputs: Path, taken: str = "") -> str:
    """A name that no run has yet: that of the published command, with a number behind it where need be.

    `taken` is a run's name that may not have its folder yet; the new name follows it.
    """
    stem, _, number_behind = taken.rpartition("_")
    wanted = (stem if stem and number_behind.isdigit() else taken) or "multihead_reward_model"
    names = [wanted, *(f"{wanted}_{number}" for number in range(2, 10_000))]
    return next((name for name in names if name != taken and not (outputs / name).exists()), wanted)


def _known(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Fault]]:
    """What was given, as the flags' kinds, and what can't be, both by field."""
    known: dict[str, Any] = {}
    faults: dict[str, Fault] = {}
    for field in _fields(values):
        flag = _BY_FIELD[field]
        try:
            value = _value(flag, values.get(field))
        except ValueError as error:
            faults[field] = Fault(flag.option, None, f"{shown(str(values.get(field)))} is not {error}", "correct it")
            continue
        if value is not None:
            known[field] = value
    if "backbone" not in known and "backbone" not in faults:
        # Left out, the trainer would take its default: nobody asked for a download of 1.7 GB.
        faults["backbone"] = Fault(
            "--backbone", None, "none is named", "openclip:ARCH/TAG, openclip:ARCH@FILE or pixelstats"
        )
    return known, faults


def _fields(values: Mapping[str, Any]) -> list[str]:
    """The fields that matter in this mode, in the CLI's order."""
    skipped = _MULTIHEAD_ONLY if values.get("mode") == "pairs" else ()
    return [flag.field for flag in FORM_FLAGS if flag.field not in skipped]


def _value(flag: Flag, given: Any) -> Any:
    """`given` as the flag's kind; None for nothing given.

    Raises:
        ValueError: it is of another kind; the message names the right one.
    """
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    if flag.kind is bool:
        if not isinstance(given, bool):
            raise ValueError("yes or no")
        return given
    if flag.kind in (int, float):
        if isinstance(given, str):
            given = _number(given)
        if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
            raise ValueError("a number")
        if flag.kind is int and given != int(given):
            raise ValueError("a whole number")
        return flag.kind(given)
    if not isinstance(given, str):
        raise ValueError("a text")
    if flag.choices and given.strip() not in flag.choices:
        raise ValueError(f"one of {', '.join(flag.choices)}")
    return given.strip()


def _number(text: str) -> float | None:
    """A number that was typed; None where the text is none."""
    try:
        return float(text)
    except ValueError:
        return None


def _paths(known: Mapping[str, Any], roots: Roots, kept: Container[Path] = ()) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for field in ("ratings", "pairs", "prompts"):
        if field in known and (path := Path(known[field])) in kept and not path.exists():
            checked[field] = path
        elif field in known:
            checked[field] = Path(short_path(roots.existing_file(known[field], _BY_FIELD[field].option)))
    for field in ("image_root", "cache_dir"):
        if field in known:
            checked[field] = Path(short_path(roots.existing_folder(known[field], _BY_FIELD[field].option)))
    if "output" not in known:
        raise RefusedPathError("Give the run a name.")
    checked["output"] = Path(short_path(roots.run_folder(known["output"])))
    if "backbone" in known:
        checked["backbone"] = checked_backbone(known["backbone"], roots)
    return checked


def checked_backbone(spec: str, roots: Roots) -> str:
    """The specification with the path of its weights file, where it names one, as the trainer is told it.

    Raises:
        RefusedPathError: the file is not within the folders that may be read.
    """
    architecture, at, weights = spec.partition("@")
    return f"{architecture}@{short_path(roots.existing_file(weights, '--backbone'))}" if at else spec


def short_path(path: Path) -> str:
    """The path relative to the working directory where it lies below it, as in the published commands."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _written(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)
