"""Screen-sized versions of large images, for the first paint only: made when first asked for, kept beside the data.

What a person judges fidelity by is the file itself, which the page shows as soon as it has it.
"""

import threading
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps
from starlette.responses import FileResponse, Response

from annotate.catalogue import ImageRow
from annotate.errors import NotFoundError, StorageError
from annotate.image_bytes import IMAGE_HEADERS, real_file, version
from annotate.project import Project

LONGEST: Final = 1600  # pixels
_LARGE_BYTES: Final = 2_000_000
_LARGE_PIXELS: Final = 4_000_000
_ONE_AT_A_TIME = threading.Lock()  # a decoded image may take half a gigabyte


def needs_screen_version(image: ImageRow) -> bool:
    """Whether the file is so large that something smaller should be painted first."""
    if max(image.width, image.height) <= LONGEST:
        return False
    return image.size > _LARGE_BYTES or image.width * image.height > _LARGE_PIXELS


def screen_response(project: Project, image: ImageRow) -> Response:
    """The screen-sized version.

    Raises:
        NotFoundError: the image is small enough as it is, gone, or can't be decoded.
        StorageError: the version can't be written.
    """
    if not needs_screen_version(image):
        raise NotFoundError(f"Image {image.id} has no screen-sized version; use its own bytes.")
    made = project.screens / f"{image.id}-{version(image.mtime_ns, image.size)}.webp"
    if not made.is_file():
        with _ONE_AT_A_TIME:
            if not made.is_file():
                _make(project, image, made)
    return FileResponse(made, media_type="image/webp", headers=IMAGE_HEADERS)


def _make(project: Project, image: ImageRow, made: Path) -> None:
    file = real_file(project, image)
    try:
        with Image.open(file) as opened:
            opened.draft("RGB", (LONGEST, LONGEST))  # JPEG decoders scale down for free
            profile = opened.info.get("icc_profile") if opened.mode in {"RGB", "RGBA"} else None
            upright = ImageOps.exif_transpose(opened)
            if upright.mode.startswith("I;16"):  # Pillow would clip instead of scaling
                upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
            upright.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
            picture = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise NotFoundError(f"images/{image.path} can't be made smaller ({error}).") from error
    temporary = made.with_suffix(".tmp")
    try:
        made.parent.mkdir(parents=True, exist_ok=True)
        for outdated in made.parent.glob(f"{image.id}-*"):
            outdated.unlink()
        picture.save(temporary, "WEBP", quality=90, method=2, icc_profile=profile)
        temporary.replace(made)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(f"{made.parent} can't be written ({error.strerror or error}).") from error
