"""Images to be scored: uploads, zips and folders of the server in; checked files with the names to show out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from annotate.archives import Limits, Unpacked, unpack_images
from dashboards.roots import Roots
from reward.errors import RewardError
from reward.images import list_images

MOST_IMAGES: Final = 2000


class IntakeError(RewardError):
    """Images that can't be taken in as given; the message says why."""


def take_in(roots: Roots, uploads: Sequence[str], folder: str, place: Path) -> list[Unpacked]:
    """All images of the uploads (zips unpacked below `place`) and of a folder on the server, with the names to show.

    Raises:
        IntakeError: too many images.
        ArchiveError: a zip that isn't to be unpacked.
        RefusedPathError: the folder lies outside those that may be read.
    """
    taken: list[Unpacked] = []
    for upload in map(Path, uploads):
        zipped = upload.suffix.lower() == ".zip"
        taken += unpack_images(upload, place, Limits(MOST_IMAGES)) if zipped else [Unpacked(upload, upload.name)]
    if folder.strip():
        taken += _of_folder(roots, roots.existing_folder(folder, "Folder"))
    if len(taken) > MOST_IMAGES:
        raise IntakeError(
            f"{len(taken):,} images are more than the {MOST_IMAGES:,} that a page scores at once; "
            "python -m reward.score takes any number."
        )
    return taken


def _of_folder(roots: Roots, folder: Path) -> list[Unpacked]:
    """The images below a folder; links that lead out of what may be read are passed over."""
    files = [file for file in list_images([folder]) if roots.may_read(file.resolve())]
    if not files:
        raise IntakeError(f"There is no image in {folder}.")
    return [Unpacked(file, str(file.relative_to(folder))) for file in files]
