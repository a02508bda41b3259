"""Image files: where a written path leads, what a file holds, and its pixels as RGB."""

import hashlib
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, overload

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from PIL import Image

IMAGE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"})
_CHECK_THREADS: Final = 4


@dataclass(frozen=True)
class ImageFiles(Sequence[Path]):
    """Files as paths that are made when asked for: a million of them kept would take 200 MB beside their names."""

    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, at: int) -> Path: ...
    @overload
    def __getitem__(self, at: slice) -> "ImageFiles": ...
    def __getitem__(self, at: int | slice) -> "Path | ImageFiles":
        return ImageFiles(self.names[at]) if isinstance(at, slice) else Path(self.names[at])

    def __iter__(self) -> Iterator[Path]:
        return map(Path, self.names)


def resolve_image(written: str, bases: Sequence[Path]) -> Path:
    """The file that `written` means: absolute as it is, else below the first base where it exists.

    Where it exists nowhere, the path below the first base, for the message.
    """
    path = Path(written)
    if path.is_absolute():
        return path
    candidates = [base / path for base in bases]
    return next((candidate for candidate in candidates if candidate.is_file()), candidates[0])


def locate_images(written: "pd.Series[str]", bases: Sequence[Path]) -> "pd.Series[str]":
    """What `resolve_image` finds for each of `written`, as normal paths: two spellings of one path become equal.

    Made for millions: a file is looked for on the disk only where another base than the first may hold it, and plain
    paths never become Python strings.
    """
    import pandas as pd

    column = written.array.__arrow_array__()
    # os.path throughout: a Path takes longer than the look at the disk.
    elsewhere = {
        top
        for top in _top_folders(column)
        if top and any(os.path.exists(f"{base}/{top}") for base in bases[1:])  # noqa: PTH110 (quicker)
    }
    if not elsewhere and _all_plain(column):
        return written if bases[0] == Path() else f"{os.path.normpath(bases[0])}/" + written
    found = [_locate(path, bases, look=path.partition("/")[0] in elsewhere) for path in written.tolist()]
    return pd.Series(found, written.index, dtype="str")


def _top_folders(column: "pa.ChunkedArray") -> list[str]:
    """What stands before the first slash, each once."""
    import pyarrow.compute as pc

    first = column[0].as_py().partition("/")[0] if len(column) else ""
    if pc.all(pc.starts_with(column, f"{first}/")).as_py():  # mostly so, and told in an eighth of the time
        return [first]
    found: list[str] = pc.list_element(pc.split_pattern(column, "/", max_splits=1), 0).unique().to_pylist()
    return found


def _all_plain(column: "pa.ChunkedArray") -> bool:
    """Whether no path is absolute or has a detour in it, such as `a/./b`, `a//b` or `..`. May say no for nothing."""
    import numpy as np
    import pyarrow.compute as pc

    # All strings of a chunk lie in its last buffer, one after another: looked through as a whole they take no time.
    for chunk in column.chunks:
        text = np.frombuffer(chunk.buffers()[-1] or b"", np.uint8)
        slash, dot = text == ord("/"), text == ord(".")
        if (slash[1:] & (slash[:-1] | dot[:-1])).any():
            return False
    return not any(pc.any(found).as_py() for found in (
        pc.starts_with(column, "/"), pc.ends_with(column, "/"), pc.ends_with(column, ".")
    ))  # fmt: skip


def _locate(written: str, bases: Sequence[Path], look: bool) -> str:
    """One file's normal path; unless told to look it is below the first base."""
    files = [written] if written.startswith("/") else [f"{base}/{written}" for base in bases]
    there = (file for file in files if os.path.isfile(file)) if look else iter(())  # noqa: PTH113 (quicker)
    return os.path.normpath(next(there, files[0])) if written else ""


def search_bases(source: Path, image_root: Path | None) -> list[Path]:
    """Where the relative image paths of the file `source` are looked for, in this order."""
    return [*([image_root] if image_root else []), Path(), source.parent]


def content_sha256(path: Path) -> str:
    """The sha256 of the file's bytes, in hex: an image's identity, whatever its name."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_rgb(path: Path) -> "Image.Image":
    """The picture as a person sees it: first frame, turned as EXIF says, over white where transparent, 8-bit RGB.

    Raises:
        ValueError: the file is no image, is cut off, or is too large to be decoded safely.
    """
    from PIL import Image

    try:
        with Image.open(path) as opened:
            return as_rgb(opened)
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise ValueError(_plain(error)) from error
    except Image.DecompressionBombWarning as warning:  # where warnings are errors
        raise ValueError(_plain(warning)) from warning


def as_rgb(image: "Image.Image") -> "Image.Image":
    """An opened picture as `load_rgb` gives it.

    Raises:
        OSError, ValueError: Pillow can't decode it.
    """
    from PIL import ExifTags, Image, ImageOps

    image.load()
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        # 16-bit greyscale: Pillow's own conversion clips at 255 instead of scaling.
        image = image.point(lambda value: value / 257).convert("L")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image if image.mode == "RGB" else image.convert("RGB")


def image_problem(path: Path) -> str | None:
    """Why the file can't be used as an image, or None. Reads the whole file, so a cut-off one is found."""
    from PIL import Image

    if not path.exists():
        return "the file does not exist"
    if not path.is_file():
        return "not a file"
    try:
        with Image.open(path) as image:
            # A JPEG is decoded at an eighth of its size here: enough to find every broken byte, far cheaper.
            image.draft("RGB", (max(1, image.width // 8), max(1, image.height // 8)))
            image.load()
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        return _plain(error)
    except Image.DecompressionBombWarning as warning:
        return _plain(warning)
    return None


def find_problems(paths: Iterable[Path]) -> dict[Path, str]:
    """The unusable among `paths`, each with its reason."""
    unique = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(_CHECK_THREADS) as pool:
        return {path: problem for path, problem in zip(unique, pool.map(image_problem, unique), strict=True) if problem}


def list_images(paths: Iterable[Path]) -> list[Path]:
    """Files as they are, folders as the image files anywhere below them, sorted."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found.extend(sorted(p for p in path.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()))
        else:
            found.append(path)
    return found


def _plain(error: BaseException) -> str:
    """A reason in words: Pillow's messages name the object's address or nothing at all."""
    text = str(error)
    if "cannot identify" in text:
        return "not an image that Pillow can read"
    if "bomb" in text:
        return "too many pixels to be decoded safely"
    if "truncated" in text.lower():
        return "is cut off: its end is missing"
    return text[:1].lower() + text[1:] if text else type(error).__name__


def silence_bomb_warnings() -> None:
    """Between Pillow's warning and its error limit a picture is merely large; call once from a program's entry."""
    from PIL import Image

    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
