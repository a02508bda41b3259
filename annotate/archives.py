"""Images out of zips: everything a zip may not do is found before its first byte is written."""

import re
import shutil
import stat
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from reward.errors import RewardError, shown
from reward.images import IMAGE_SUFFIXES, content_sha256

_CHUNK: Final = 2**20
_DRIVE: Final = re.compile("[A-Za-z]:")


class ArchiveError(RewardError):
    """A zip that isn't to be unpacked; the message says why."""


@dataclass(frozen=True)
class Limits:
    """How much a zip may hold: images, bytes of one and of all when unpacked, unpacked to packed.

    Pictures hardly shrink at all, so a high ratio means that it holds something else.
    """

    images: int = 2000
    file_bytes: int = 64 * 2**20
    total_bytes: int = 2**30
    ratio: int = 200


@dataclass(frozen=True)
class Unpacked:
    """One file that came out, and its name in the zip."""

    file: Path
    name: str


def unpack_images(
    archive: Path, place: Path, limits: Limits, suffixes: frozenset[str] = IMAGE_SUFFIXES
) -> list[Unpacked]:
    """The images of a zip, unpacked into a folder of their own below `place` under names of ours; the rest is left.

    Raises:
        ArchiveError: no zip, links or paths that lead out, encrypted, or too much in it.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry for entry in opened.infolist() if _is_image(entry, archive, suffixes)]
            _check_size(entries, archive, limits)
            folder = place / f"zip-{content_sha256(archive)[:16]}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            left = limits.total_bytes
            taken = []
            for number, entry in enumerate(entries):
                file = folder / f"{number:05d}{PurePosixPath(entry.filename).suffix.lower()}"
                left -= _copy(opened, entry, file, min(left, limits.file_bytes), archive)
                taken.append(Unpacked(file, entry.filename))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ArchiveError(f"{archive.name} can't be unpacked: {error}") from error
    if not taken:
        raise ArchiveError(f"{archive.name} holds no image.")
    return taken


def _is_image(entry: zipfile.ZipInfo, archive: Path, suffixes: frozenset[str]) -> bool:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or _DRIVE.match(entry.filename):
        raise ArchiveError(f"{archive.name} holds a path that leads out of it: {shown(entry.filename)}.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ArchiveError(f"{archive.name} holds a link: {shown(entry.filename)}. Pack the images themselves.")
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not entry.is_dir() and not hidden and path.suffix.lower() in suffixes


def _check_size(entries: Sequence[zipfile.ZipInfo], archive: Path, limits: Limits) -> None:
    if len(entries) > limits.images:
        raise ArchiveError(f"{archive.name} holds {len(entries):,} images; {limits.images:,} at once are the most.")
    total = sum(entry.file_size for entry in entries)
    if total > limits.total_bytes:
        most = limits.total_bytes / 2**30
        raise ArchiveError(f"{archive.name} unpacks to {total / 2**30:.1f} GiB; {most:.0f} GiB is the most.")
    if total > limits.ratio * max(archive.stat().st_size, 1):
        raise ArchiveError(
            f"{archive.name} unpacks to more than {limits.ratio} times its size; that is no set of pictures."
        )


def _copy(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, file: Path, most: int, archive: Path) -> int:
    """Unpack one entry, counting what really comes out: a header may say less."""
    done = 0
    with opened.open(entry) as source, file.open("wb") as target:
        while chunk := source.read(_CHUNK):
            done += len(chunk)
            if done > most:
                raise ArchiveError(f"{archive.name}: {shown(entry.filename)} is too large when unpacked.")
            target.write(chunk)
    return done
