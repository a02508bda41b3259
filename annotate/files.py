"""Files that a reader never meets half-written, and the lock that keeps a folder to one studio."""

import fcntl
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from annotate.errors import StorageError


class ChangedMeanwhileError(Exception):
    """Somebody wrote the file that was about to be replaced."""


@dataclass(frozen=True)
class Signature:
    """Tells cheaply whether a file is still the one that was seen."""

    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> "Signature | None":
        """The file's signature, None if it isn't there."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


def replace_atomically(path: Path, parts: Iterable[bytes], expected: Signature | None) -> Signature:
    """Put `parts`, one after another, in place of `path`.

    They are written and synced beside it under a hidden name, which is then renamed over it.

    Only one writer at a time: the hidden name is always the same, so that a killed writer leaves nothing behind
    that the next one doesn't replace.

    Args:
        expected: the signature of the file that is to be replaced, None where there is none yet.

    Raises:
        ChangedMeanwhileError: `path` isn't the expected one any more; it is as it was.
        OSError: the folder can't be written or the disk is full; `path` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        with temporary.open("wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        written = Signature.of(temporary)
        if written is None or Signature.of(path) != expected:
            raise ChangedMeanwhileError(path.name)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return written


def temporary_beside(path: Path) -> Path:
    """The hidden name that `path` is written under first."""
    return path.with_name(f".{path.name}.tmp")


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock_file(path: Path) -> TextIO:
    """Hold `path` as a lock until the returned file is closed or the process ends, however it ends.

    Raises:
        StorageError: another process holds it, or the folder can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path.parent} can't be written ({error.strerror}); check its permissions.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise StorageError(f"Another studio has {path.parent} open; close it, or choose another --data.") from error
    return file
