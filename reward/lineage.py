"""Which trained run a checkpoint with weights of one's own is from: recorded when it is saved, found again later."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reward.checkpoints import CONFIG
from reward.errors import CheckpointError

_WEIGHTS = "model.safetensors"


def origin(checkpoint: Path) -> dict[str, str]:
    """The `name` and the time of `created` of the run in which a checkpoint's heads were trained.

    Empty where its folder doesn't tell, say for one from a hub.
    """
    run = Path(os.path.abspath(checkpoint)).parent  # noqa: PTH100 (best/ is a link: its own place counts, not its end)
    created = _object(run / CONFIG).get("created")
    if isinstance(created, str):
        return {"name": run.name, "created": created}
    return _recorded(_object(checkpoint / CONFIG).get("lineage"))


def trained_run(run: Path) -> Path:
    """The run whose data stands behind a run's checkpoints: itself, or the one beside it that its heads are from.

    Raises:
        CheckpointError: its weights were set by hand, and the run they were saved from isn't there.
    """
    lineage = _object(run / "best" / CONFIG).get("lineage")
    if (run / CONFIG).exists() or not isinstance(lineage, Mapping) or not lineage:
        return run
    recorded = _recorded(lineage)
    found = _created_then(run.parent, recorded) if recorded else _with_these_heads(run.parent, _first(lineage))
    if found is not None:
        return found
    if recorded:
        raise CheckpointError(
            f"These weights were saved from run {recorded['name']}, which is no longer there: its images and ratings "
            "can't be found without it."
        )
    raise CheckpointError("These weights don't tell which run they were saved from, and no run here has these heads.")


def _recorded(lineage: Any) -> dict[str, str]:
    told = lineage.get("run") if isinstance(lineage, Mapping) else None
    if isinstance(told, Mapping) and all(isinstance(told.get(key), str) for key in ("name", "created")):
        return {"name": told["name"], "created": told["created"]}
    return {}


def _created_then(folder: Path, recorded: Mapping[str, str]) -> Path | None:
    """The run that was begun at that second, under whatever name; of several the one of the recorded name."""
    found = [run for run in _runs(folder) if _object(run / CONFIG).get("created") == recorded["created"]]
    return next((run for run in found if run.name == recorded["name"]), next(iter(found), None))


def _first(lineage: Mapping[str, Any]) -> str:
    """The fingerprint of the trained model, behind however many sets of weights."""
    parent = lineage.get("parent")
    return _first(parent) if isinstance(parent, Mapping) and parent else str(lineage.get("from_sha256"))


def _with_these_heads(folder: Path, fingerprint: str) -> Path | None:
    """The run one of whose checkpoints is that model; for lineages that don't name a run."""
    for run in _runs(folder):
        if any(_fingerprint(run / name / _WEIGHTS) == fingerprint for name in ("best", "last")):
            return run
    return None


def _fingerprint(file: Path) -> str:
    """As `MultiHeadReward.fingerprint`, from the file; empty where it can't be read."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(file)
    except (OSError, SafetensorError):
        return ""
    digest = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        digest.update(name.encode() + value.tobytes())
    return digest.hexdigest()


def _runs(folder: Path) -> Iterator[Path]:
    """The trained runs in a folder."""
    try:
        places = sorted(folder.iterdir())
    except OSError:
        return
    yield from (place for place in places if not place.name.startswith(".") and (place / CONFIG).is_file())


def _object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
