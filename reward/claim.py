"""A run that is being trained is held by its trainer: a lock on the folder's config.json, gone with the process."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from reward.checkpoints import CONFIG
from reward.errors import InputError

_TRIES: Final = 10  # somebody may just be looking, which takes no time
_PAUSE_SECONDS: Final = 0.02


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold a run's folder for a training, until the block or the process ends, however it ends.

    Where the file system knows no locks, nothing is held.

    Raises:
        InputError: another training holds it.
    """
    with (folder / CONFIG).open("r+", encoding="utf-8") as file:
        for attempt in range(_TRIES):
            if _taken(file, fcntl.LOCK_EX):
                break
            if attempt == _TRIES - 1:
                raise InputError.one("--output", f"another training is at work on {folder}", "wait for its end")
            time.sleep(_PAUSE_SECONDS)
        yield


def check_unclaimed(folder: Path) -> None:
    """Refuse a folder on which a training is at work, before anything is read for the next one.

    Raises:
        InputError: a training holds it.
    """
    if is_claimed(folder):
        raise InputError.one("--output", f"another training is at work on {folder}", "wait for its end")


def is_claimed(folder: Path) -> bool:
    """Whether a training holds a run's folder, in whatever process of this machine."""
    with suppress(OSError), (folder / CONFIG).open("rb") as file:
        return not _taken(file, fcntl.LOCK_SH)
    return False


def _taken(file: IO[str] | IO[bytes], kind: int) -> bool:
    """Whether nobody else holds the file's lock, or no one can."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
