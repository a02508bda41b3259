"""An image file's own bytes over HTTP: unchanged, cacheable, and only from inside the project's images folder."""

import os
from pathlib import Path

from starlette.responses import FileResponse, Response

from annotate.catalogue import ImageRow
from annotate.errors import NotFoundError
from annotate.project import Project
from annotate.scan import MEDIA_TYPES

IMAGE_HEADERS = {
    "Cache-Control": "private, max-age=86400",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def version(mtime_ns: int, size: int) -> str:
    """Tells one state of a file from another; part of the image's address, so that a cache never shows an old one."""
    return f"{mtime_ns:x}-{size:x}"


def image_response(project: Project, image: ImageRow, if_none_match: str | None) -> Response:
    """The file as it is, or 304 where the browser has it.

    Raises:
        NotFoundError: the file is gone, unreadable, or leads out of the images folder.
    """
    file = real_file(project, image)
    try:
        status = file.stat()
        readable = os.access(file, os.R_OK)
    except OSError as error:
        raise NotFoundError(f"images/{image.path} can't be read ({error.strerror}).") from error
    if not readable:
        raise NotFoundError(f"images/{image.path} can't be read; check its permissions.")
    tag = f'"{version(status.st_mtime_ns, status.st_size)}"'
    headers = {**IMAGE_HEADERS, "ETag": tag}
    if if_none_match is not None and tag in [part.strip().removeprefix("W/") for part in if_none_match.split(",")]:
        return Response(status_code=304, headers=headers)
    return FileResponse(file, media_type=MEDIA_TYPES[image.format], headers=headers, stat_result=status)


def real_file(project: Project, image: ImageRow) -> Path:
    """The file, links resolved; checked again at each request, since a link can change after the scan."""
    file = (project.images / image.path).resolve()
    if not file.is_relative_to(project.images.resolve()) or not file.is_file():
        raise NotFoundError(f"images/{image.path} is no longer there. Reload the page.")
    return file
