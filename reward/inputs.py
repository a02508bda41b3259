"""A run's input files as they were when it read them: kept in its folder, since people go on rating."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from reward.errors import CheckpointError, InputError

FOLDER: Final = "inputs"


def sha256_of(content: bytes) -> str:
    """As `content_sha256` of a file that holds it."""
    return hashlib.sha256(content).hexdigest()


def write_inputs(run: Path, contents: Mapping[Path, bytes]) -> None:
    """Keep the files in the run's folder, on disk when this returns.

    Raises:
        CheckpointError: the disk is full, say.
    """
    folder = run / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        for path, content in contents.items():
            with (folder / _name(path, sha256_of(content))).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)  # their names
        finally:
            os.close(descriptor)
    except OSError as error:
        raise CheckpointError(
            f"{folder}: the run's input files can't be kept ({error}); make room and start again with --overwrite"
        ) from error


def kept_inputs(run: Path, recorded: Mapping[str, str]) -> set[Path]:
    """Those of a run's input files of which it has a whole copy."""
    return {Path(name) for name, sha256 in recorded.items() if _copy(run, Path(name), sha256) is not None}


def read_inputs(
    run: Path,
    recorded: Mapping[str, str],
    may_read: Callable[[Path], bool] = lambda _: True,
    remedy: str = "train anew to see these figures",
) -> dict[Path, bytes]:
    """The content of a run's input files, by the paths that they were given by.

    Args:
        run: the run's folder. What isn't kept there, as older runs kept nothing, is read from where it was.
        recorded: path → sha256, as the run's config.json has it.
        may_read: asked for what lies outside the run's folder; False refuses.
        remedy: what to do where a file has changed.

    Raises:
        InputError: a file is not kept, and is gone, has changed since, or may not be read.
        CheckpointError: a sha256 is none.
    """
    return {Path(name): _content(run, Path(name), sha256, may_read, remedy) for name, sha256 in recorded.items()}


def changed_since(contents: Mapping[Path, bytes]) -> list[Path]:
    """Those of the files that hold something else now; what is gone can't have changed."""
    return [path for path, content in contents.items() if path.is_file() and path.read_bytes() != content]


def _content(run: Path, path: Path, sha256: str, may_read: Callable[[Path], bool], remedy: str) -> bytes:
    if not isinstance(sha256, str):
        raise CheckpointError(f"{run}: config.json is damaged, the sha256 of {path} is none")
    if (copy := _copy(run, path, sha256)) is not None:
        return copy
    if not may_read(path.resolve()):
        raise InputError.one(path, "outside the folders that may be read here", "allow its folder")
    if not path.is_file():
        raise InputError.one(path, "the file does not exist", "start from the folder where the run was started")
    content = path.read_bytes()
    if sha256_of(content) != sha256:
        damaged = (run / FOLDER / _name(path, sha256)).is_file()
        without = "and the run's copy is damaged" if damaged else "of which it keeps no copy"
        raise InputError.one(path, f"changed since the run was trained, {without}", remedy)
    return content


def _copy(run: Path, path: Path, sha256: str) -> bytes | None:
    """The content of a run's copy; None where there is none, or a damaged one."""
    file = run / FOLDER / _name(path, str(sha256))
    content = file.read_bytes() if file.is_file() else None
    return content if content is not None and sha256_of(content) == sha256 else None


def _name(path: Path, sha256: str) -> str:
    """So that two files of one name don't meet; no longer than a name may be."""
    return f"{sha256[:12]}-{os.fsencode(path.name)[-200:].decode(errors='ignore')}"
