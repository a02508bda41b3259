"""What config.json of a run tells of its making: arguments, versions, sha256 of every input, the code's revision."""

import hashlib
import subprocess
from collections.abc import Iterable
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reward.config import TrainConfig
from reward.inputs import sha256_of

if TYPE_CHECKING:
    from reward.dataset import Dataset

_LIBRARIES: Final = ("torch", "open_clip_torch", "numpy", "pandas", "scikit-learn", "scikit-image", "pillow")


def run_record(
    config: TrainConfig, backbone: dict[str, Any], data: "Dataset", images: Iterable[str], created: str
) -> dict[str, Any]:
    """What config.json of a run holds: arguments, versions, sha256 of every input, the code's revision.

    Args:
        images: content sha256 of the images; recorded as one digest of them all.
    """
    return {
        "arguments": recorded_arguments(config),
        "backbone": backbone,
        "inputs": recorded_inputs(data),
        "images": hashlib.sha256("\n".join(sorted(images)).encode()).hexdigest(),
        "simulated": data.simulated,
        "versions": {name: found for name in _LIBRARIES if (found := _version(name))},
        "git_revision": _git_revision(),
        "created": created,
    }


def recorded_arguments(config: TrainConfig) -> dict[str, Any]:
    """The arguments as JSON holds them, the mode's defaults filled in."""
    arguments = {item.name: getattr(config, item.name) for item in fields(config)}
    arguments |= {"epochs": config.total_epochs, "batch_size": config.pairs_per_step}
    return {name: recorded(value) for name, value in arguments.items()}


def recorded_inputs(data: "Dataset") -> dict[str, str]:
    """sha256 of each input file's content as it was read, by its path."""
    return {str(path): sha256_of(content) for path, content in data.sources.items()}


def recorded(value: Any) -> Any:
    """An argument's value as JSON holds it."""
    return str(value) if isinstance(value, Path) else value


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git_revision() -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
