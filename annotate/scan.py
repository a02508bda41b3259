"""Finds the images of a data folder: regular files below `images/<prompt_id>/` whose header a browser can show.

Reads file names and headers, changes nothing; what can't be used is named in `Scan.problems`.
"""

import os
import re
import stat
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from annotate.project import Project

MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
}
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif"})
_END_MARKS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND"}
_TAIL = 65_536
_DIGITS = re.compile(r"([0-9]+)")
FOREIGN_SUFFIXES = frozenset({".svg", ".tif", ".tiff", ".heic", ".heif", ".jxl", ".ico", ".psd"})
_KNOWN_SUFFIXES = SUFFIXES | FOREIGN_SUFFIXES


class ImageFile(NamedTuple):
    """One usable image. `path` is relative to `images/`, with forward slashes; width and height in pixels."""

    path: str
    prompt_id: str
    size: int
    mtime_ns: int
    width: int
    height: int
    format: str


@dataclass(frozen=True)
class Scan:
    """What a data folder holds: its images in order of prompt and name, and what can't be used and why."""

    images: tuple[ImageFile, ...]
    problems: tuple[str, ...]


class _UnusableError(Exception):
    """This file can't be shown; the message says why and what would help."""


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Sorts `p2` before `p10`."""
    parts = _DIGITS.split(text)
    return [(0, int(part), part) if part.isascii() and part.isdigit() else (1, 0, part.casefold()) for part in parts]


def scan_images(project: Project, known: Mapping[str, ImageFile] | None = None) -> Scan:
    """All images of a project; headers are read only of files that `known` (by path) doesn't describe as they are."""
    images: list[ImageFile] = []
    problems: list[str] = []
    if not project.images.is_dir():
        return Scan((), ())
    top = project.images.resolve()
    for relative, entry in _entries(os.fspath(project.images)):
        try:
            image = (known or {}).get(relative)
            if image is None or not _is_as_known(entry, image):
                _check_place(Path(entry.path), relative, top)
                image = _describe(Path(entry.path), relative)
        except (_UnusableError, OSError) as error:
            problems.append(f"images/{_printable(relative)}: {error}")
        else:
            images.append(image)
    images.sort(key=lambda image: natural_key(image.path))
    return Scan(tuple(images), tuple(sorted(problems)))


def file_problem(file: Path) -> str | None:
    """Why one file can't be shown as an image, with what would help, or None; its header is read, not its pixels."""
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES | FOREIGN_SUFFIXES:
        return "is no image by its name; the endings are " + " ".join(sorted(SUFFIXES))
    try:
        _check_format(suffix)
        _describe(file, file.name)
    except _UnusableError as error:
        return str(error)
    except OSError as error:
        return f"can't be read ({error.strerror or error})"
    return None


def _entries(folder: str, above: str = "") -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """Every entry below `folder` that may be an image, with its relative path: suffix known, or a link to a folder;
    hidden ones left out. Made for many: no Path a file, no look at the disk but for the folders'."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry.path, f"{above}{entry.name}/")
            elif os.path.splitext(entry.name)[1].lower() in _KNOWN_SUFFIXES or entry.is_dir():  # noqa: PTH122 (quicker)
                yield above + entry.name, entry


def _is_as_known(entry: "os.DirEntry[str]", known: ImageFile) -> bool:
    """Whether it is the same regular file, unchanged, so that what was found right then is right still."""
    status = entry.stat(follow_symlinks=False)
    same = (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns)
    return same and stat.S_ISREG(status.st_mode)


def _check_place(file: Path, relative: str, top: Path) -> None:
    if file.is_symlink() and not file.resolve().is_relative_to(top):
        raise _UnusableError("a link out of the images folder is not followed; copy the file here instead")
    if file.is_dir():
        raise _UnusableError("a link to a folder is not followed; move its files here instead")
    if "/" not in relative:
        raise _UnusableError("lies outside a prompt's folder; move it to images/<prompt_id>/")
    if not relative.isprintable() or any(part != part.strip() for part in relative.split("/")):
        raise _UnusableError("has a name that a CSV can't hold; rename it with plain characters, no space at its ends")
    _check_format(file.suffix.lower())


def _check_format(suffix: str) -> None:
    if suffix in FOREIGN_SUFFIXES:
        raise _UnusableError("browsers can't show this format safely; convert it to PNG")


def _describe(file: Path, relative: str) -> ImageFile:
    status = file.stat()
    if not file.is_file():
        raise _UnusableError("is not a regular file")
    width, height, kind = _read_header(file)
    if kind not in MEDIA_TYPES:
        raise _UnusableError(f"is really a {kind} file, which browsers can't show; convert it to PNG")
    if _ends_early(file, kind, status.st_size):
        raise _UnusableError("is cut off: its end is missing; replace it")
    return ImageFile(relative, relative.split("/", 1)[0], status.st_size, status.st_mtime_ns, width, height, kind)


def _read_header(file: Path) -> tuple[int, int, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(file) as image:
                return image.width, image.height, image.format or "nameless"
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            limit = (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
            raise _UnusableError(f"has more than {limit} million pixels; scale it down") from error
        except UnidentifiedImageError as error:
            raise _UnusableError("is no readable image; replace or remove it") from error
        except (SyntaxError, ValueError, EOFError) as error:  # what Pillow's plugins raise on damaged headers
            raise _UnusableError(f"has a damaged header ({error}); replace or remove it") from error


def _ends_early(file: Path, kind: str, size: int) -> bool:
    """Whether a JPEG or PNG lacks the mark that ends it; programs may write more behind it, so the tail is searched."""
    mark = _END_MARKS.get(kind)
    if mark is None:
        return False
    with file.open("rb") as opened:
        opened.seek(max(0, size - _TAIL))
        return mark not in opened.read()


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]
