"""Whether a checkpoint's files are whole and of a format that is known, told from their heads, without torch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from reward.hub import METRICS

FORMAT_VERSION: Final = 1
_CONFIG: Final = "config.json"
_WEIGHTS: Final = "model.safetensors"


def checkpoint_problem(folder: Path, *, measured: bool = True) -> str:
    """What is wrong with the checkpoint in `folder`, in words; empty where nothing is.

    Args:
        measured: whether it has to have metrics; one whose weights were set by hand has none.

    Tensors are not read: a file that is cut off or overwritten is found, a flipped bit among the numbers is not.
    """
    found = _config_problem(folder / _CONFIG) or _weights_problem(folder / _WEIGHTS)
    return found or (_json_problem(folder / METRICS) if measured else "")


def newer_format(config: Mapping[str, Any]) -> str:
    """What to say of a checkpoint whose config.json holds this, where a newer version wrote it; else nothing."""
    version = config.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        return f"it has format {version}, this version reads up to {FORMAT_VERSION}: update the studio"
    return ""


def _config_problem(file: Path) -> str:
    if problem := _json_problem(file):
        return problem
    config = json.loads(file.read_bytes())
    if not isinstance(config.get("format_version"), int):
        return f"{file.name} is not a reward model's: format_version is missing"
    return newer_format(config)


def _weights_problem(file: Path) -> str:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as tensors:
            return "" if list(tensors.keys()) else f"{file.name} holds nothing"
    except FileNotFoundError:
        return f"{file.name} is missing"
    except (OSError, SafetensorError) as error:
        return f"{file.name} is damaged ({error})"


def _json_problem(file: Path) -> str:
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return f"{file.name} is missing"
    except OSError as error:
        return f"{file.name} can't be read: {error.strerror}"
    except ValueError:
        return f"{file.name} is damaged: it is not JSON"
    return "" if isinstance(content, dict) else f"{file.name} is damaged: it holds no JSON object"
