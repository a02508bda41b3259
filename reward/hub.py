"""Where a checkpoint's four files are: a folder on this machine, or a repository on a hub."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from huggingface_hub import constants

from reward.errors import CheckpointError

METRICS: Final = "metrics.json"
CARD: Final = "README.md"
FILES: Final = (constants.CONFIG_NAME, constants.SAFETENSORS_SINGLE_FILE, METRICS, CARD)


def check_name(name: str | Path) -> None:
    """Refuse what is neither a folder with a checkpoint nor of the form `user/model`.

    Raises:
        CheckpointError: says which of the two is missing.
    """
    folder = Path(name)
    if folder.is_dir():
        _require_files(folder)
    elif isinstance(name, Path) or folder.parent.is_dir() or str(name).count("/") != 1:
        raise CheckpointError(f"{name}: no such folder, and not a hub id like 'user/model'")


def checkpoint_folder(model_id: str, **options: Any) -> Path:
    """The folder that holds the checkpoint: `model_id` itself, or where the hub's client keeps its copy.

    Args:
        **options: huggingface_hub's (`revision`, `cache_dir`, `force_download`, `token`, `local_files_only`).

    Raises:
        CheckpointError: a file is missing. The hub client's own errors pass: see `hub_errors`.
    """
    folder = Path(model_id)
    if not folder.is_dir():
        from huggingface_hub import snapshot_download

        folder = Path(snapshot_download(model_id, allow_patterns=list(FILES), **options))
        _require_files(folder)
    return folder


@contextmanager
def hub_errors(name: str, action: str) -> Iterator[None]:
    """What the hub's client raises, as a CheckpointError of one line: it can't be `action`.

    Raises:
        CheckpointError: for each of them.
    """
    from httpx2 import HTTPError  # the hub client's own HTTP library, whose connection errors it lets pass

    try:
        yield
    except (OSError, ValueError, HTTPError) as error:  # its own errors are of the first two
        raise CheckpointError(f"{name}: can't be {action} ({' '.join(str(error).split())})") from error


def _require_files(folder: Path) -> None:
    for name in (constants.CONFIG_NAME, constants.SAFETENSORS_SINGLE_FILE):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder}: {name} is missing; a checkpoint is a folder such as outputs/RUN/best")
