"""Image files on their way in: copied aside, checked, told from those that are there, given a free name.

They wait in a hidden folder on the project's own disk, so that putting them in their place is one step each.
"""

import hashlib
import os
import re
import stat
import warnings
from collections.abc import Iterable
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Final

from annotate.catalogue import ImageRow
from annotate.importing.plan import NewImage, Plan
from annotate.project import Project
from annotate.scan import file_problem
from reward.errors import Fault, shown
from reward.images import content_sha256, image_problem

LARGEST_FILE: Final = 64 * 2**20
MOST_IMAGES: Final = 20_000
AMBIGUOUS: Final = ""
_CHUNK: Final = 2**20
_LONGEST_NAME: Final = 120  # characters; with four bytes each and a number behind it still a file name
_FORMULA: Final = "=+-@"


class Pictures:
    """The images of one import: `add` puts new ones into `plan.images`, and what can't be used into its faults."""

    def __init__(self, project: Project, images: Iterable[ImageRow], staging: Path, plan: Plan) -> None:
        self._project = project
        self._staging = staging
        self._numbers = count()
        self._plan = plan
        self._by_size: dict[tuple[str, int], list[str]] = {}
        for image in images:
            self._by_size.setdefault((image.prompt_id, image.size), []).append(image.path)
        self._known: dict[tuple[str, str], str] = {}  # path by prompt and content
        self._taken: set[str] = set()
        self.by_name: dict[str, str] = {}  # the place of `prompt_id/name` as it came; AMBIGUOUS if several did

    def add(self, file: Path, prompt_id: str, name: str, told: str) -> str | None:
        """Take an image in for a prompt.

        Args:
            name: the file's own name; told: how it is named in messages.

        Returns:
            Its path relative to `images/`, also where it is there already; None if it can't be used.
        """
        wrong = prompt_problem(prompt_id)
        if wrong is not None:
            self._plan.faults.append(Fault(told, None, wrong, "name its prompt, or leave it out"))
            return None
        staged, digest = self._staged(file, PurePosixPath(name).suffix.lower(), told)
        if staged is None:
            return None
        path = self._there(prompt_id, staged, digest)
        if path is not None:
            staged.unlink()
            self._plan.duplicates += 1
        else:
            path = self._free_place(prompt_id, name, digest)
            self._taken.add(path)
            self._known[prompt_id, digest] = path
            self._plan.images.append(NewImage(path, staged))
        if self.by_name.setdefault(f"{prompt_id}/{name}", path) != path:
            self.by_name[f"{prompt_id}/{name}"] = AMBIGUOUS
        return path

    def _staged(self, file: Path, suffix: str, told: str) -> tuple[Path | None, str]:
        """A checked copy of a file and its sha256; what can't be used becomes a fault."""
        staged = self._staging / f"{next(self._numbers):06d}{suffix}"
        wrong, digest = self._problem_of(file), ""
        try:
            digest = "" if wrong else _copy(file, staged)
        except OSError as error:
            wrong = f"can't be read ({error.strerror or error})"
        wrong = wrong or file_problem(staged) or _decoding_problem(staged)
        if wrong is None:
            return staged, digest
        staged.unlink(missing_ok=True)
        self._plan.faults.append(Fault(told, None, *_halves(wrong)))
        return None, ""

    def _problem_of(self, file: Path) -> str | None:
        if len(self._plan.images) >= MOST_IMAGES:
            return f"more than {MOST_IMAGES:,} images at once are not taken in"
        try:
            status = file.lstat()
        except OSError as error:
            return f"can't be read ({error.strerror})"
        if stat.S_ISLNK(status.st_mode):
            return "is a link, which is not followed"
        if not stat.S_ISREG(status.st_mode):
            return "is no file"
        if status.st_size > LARGEST_FILE:
            return f"is larger than {LARGEST_FILE // 2**20} MiB"
        return None

    def _there(self, prompt_id: str, staged: Path, digest: str) -> str | None:
        """The path of the same picture in the same prompt; only files of the same size are read for that."""
        for path in self._by_size.pop((prompt_id, staged.stat().st_size), []):
            file = self._project.images / path
            if file.is_file():
                self._known.setdefault((prompt_id, content_sha256(file)), path)
        return self._known.get((prompt_id, digest))

    def _free_place(self, prompt_id: str, name: str, digest: str) -> str:
        """`prompt_id/name`, changed where a CSV or a browser couldn't bear the name, numbered where it is taken."""
        plain = PurePosixPath(name)
        suffix = plain.suffix.lower()
        fits = plain.stem.isprintable() and plain.stem == plain.stem.strip() and not plain.stem.startswith(".")
        stem = plain.stem[:_LONGEST_NAME].rstrip() if fits and re.search(r"\w", plain.stem) else digest[:16]
        number = 1
        while True:
            path = f"{prompt_id}/{stem}{'' if number == 1 else f'-{number}'}{suffix}"
            if path not in self._taken and not os.path.lexists(self._project.images / path):
                return path
            number += 1


def prompt_problem(prompt_id: str) -> str | None:
    """Why a prompt id can't name a folder of images, or None."""
    if not prompt_id:
        return "belongs to no prompt: it lies in no folder that is named as its prompt, and no prompt is given"
    if not prompt_id.isprintable() or prompt_id != prompt_id.strip() or len(prompt_id.encode()) > 200:
        return f"prompt id {shown(prompt_id)} is not plain text of up to 200 bytes without spaces at its ends"
    if "/" in prompt_id or "\\" in prompt_id or prompt_id.startswith("."):
        return f"prompt id {shown(prompt_id)} can't name a folder: it holds / or \\, or begins with a dot"
    if prompt_id[0] in _FORMULA:
        return f"prompt id {shown(prompt_id)} begins with one of {' '.join(_FORMULA)}, which spreadsheets run"
    return None


def _copy(file: Path, target: Path) -> str:
    """Copy a regular file, never through a link; returns the sha256 of what was copied."""
    digest = hashlib.sha256()
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as source, target.open("xb") as copy:
        if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
            raise OSError("no regular file")
        left = LARGEST_FILE
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise OSError(f"larger than {LARGEST_FILE // 2**20} MiB")
            copy.write(chunk)
            digest.update(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    return digest.hexdigest()


def _decoding_problem(file: Path) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problem = image_problem(file)
    return None if problem is None else f"can't be decoded: {problem}; replace it"


def _halves(sentence: str) -> tuple[str, str]:
    """What is wrong and what would help, of a sentence with a semicolon between them."""
    wrong, _, right = sentence.partition("; ")
    return wrong, right or "replace or remove it"
