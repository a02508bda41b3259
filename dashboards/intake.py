"""Images to be scored: uploads, zips and folders of the server in; checked files with the names to show out."""

import shutil
import stat
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from dashboards.roots import Roots, shown
from reward.errors import RewardError
from reward.images import IMAGE_SUFFIXES, content_sha256, list_images

MOST_IMAGES: Final = 2000
LARGEST_FILE: Final = 64 * 2**20
LARGEST_ZIP: Final = 2**30  # bytes, unpacked
LARGEST_RATIO: Final = 200  # unpacked to packed; pictures hardly shrink at all
_CHUNK: Final = 2**20


class IntakeError(RewardError):
    """Images that can't be taken in as given; the message says why."""


@dataclass(frozen=True)
class Taken:
    """One file to score and the name it is shown by."""

    file: Path
    name: str


def take_in(roots: Roots, uploads: Sequence[str], folder: str, place: Path) -> list[Taken]:
    """All images of the uploads (zips unpacked below `place`) and of a folder on the server.

    Raises:
        IntakeError: too many images, or a zip that isn't to be unpacked.
        RefusedPathError: the folder lies outside those that may be read.
    """
    taken: list[Taken] = []
    for upload in map(Path, uploads):
        taken += unpack(upload, place) if upload.suffix.lower() == ".zip" else [Taken(upload, upload.name)]
    if folder.strip():
        taken += _of_folder(roots, roots.existing_folder(folder, "Folder"))
    if len(taken) > MOST_IMAGES:
        raise IntakeError(
            f"{len(taken):,} images are more than the {MOST_IMAGES:,} that a page scores at once; "
            "python -m reward.score takes any number."
        )
    return taken


def unpack(archive: Path, place: Path) -> list[Taken]:
    """The images of a zip, unpacked into a folder of their own below `place` under names of ours; the rest is left.

    Raises:
        IntakeError: no zip, links or paths that lead out, encrypted, or too much in it.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry for entry in opened.infolist() if _is_image(entry, archive)]
            _check_size(entries, archive)
            folder = place / f"zip-{content_sha256(archive)[:16]}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            left = LARGEST_ZIP
            taken = []
            for number, entry in enumerate(entries):
                file = folder / f"{number:05d}{PurePosixPath(entry.filename).suffix.lower()}"
                left -= _copy(opened, entry, file, min(left, LARGEST_FILE), archive)
                taken.append(Taken(file, entry.filename))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise IntakeError(f"{archive.name} can't be unpacked: {error}") from error
    if not taken:
        raise IntakeError(f"{archive.name} holds no image.")
    return taken


def _is_image(entry: zipfile.ZipInfo, archive: Path) -> bool:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0:1]:
        raise IntakeError(f"{archive.name} holds a path that leads out of it: {shown(entry.filename)}.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise IntakeError(f"{archive.name} holds a link: {shown(entry.filename)}. Pack the images themselves.")
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not entry.is_dir() and not hidden and path.suffix.lower() in IMAGE_SUFFIXES


def _check_size(entries: Sequence[zipfile.ZipInfo], archive: Path) -> None:
    if len(entries) > MOST_IMAGES:
        raise IntakeError(f"{archive.name} holds {len(entries):,} images; a page scores {MOST_IMAGES:,} at once.")
    total = sum(entry.file_size for entry in entries)
    if total > LARGEST_ZIP:
        raise IntakeError(
            f"{archive.name} unpacks to {total / 2**30:.1f} GiB; {LARGEST_ZIP / 2**30:.0f} GiB is the most."
        )
    if total > LARGEST_RATIO * max(archive.stat().st_size, 1):
        raise IntakeError(
            f"{archive.name} unpacks to more than {LARGEST_RATIO} times its size; that is no set of pictures."
        )


def _copy(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, file: Path, most: int, archive: Path) -> int:
    """Unpack one entry, counting what really comes out: a header may say less."""
    done = 0
    with opened.open(entry) as source, file.open("wb") as target:
        while chunk := source.read(_CHUNK):
            done += len(chunk)
            if done > most:
                raise IntakeError(f"{archive.name}: {shown(entry.filename)} is too large when unpacked.")
            target.write(chunk)
    return done


def _of_folder(roots: Roots, folder: Path) -> list[Taken]:
    """The images below a folder; links that lead out of what may be read are passed over."""
    files = [file for file in list_images([folder]) if roots.may_read(file.resolve())]
    if not files:
        raise IntakeError(f"There is no image in {folder}.")
    return [Taken(file, str(file.relative_to(folder))) for file in files]
