"""From a path written in a table or task to an image of the project, one that comes with it, or a file to copy in."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from annotate.catalogue import ImageRow
from annotate.importing.pictures import AMBIGUOUS, Pictures
from annotate.importing.plan import Options
from annotate.project import Project
from reward.images import resolve_image, search_bases

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_UPLOAD_MARK = re.compile(r"^[0-9a-f]{8}-")
_UNKNOWN = "is no image of this project"
_URL_WORDS = "is an address, and the studio fetches nothing"


class Finder:
    """Finds the images that the tables of one import speak of."""

    def __init__(self, project: Project, images: Iterable[ImageRow], pictures: Pictures, options: Options) -> None:
        self._pictures = pictures
        self._options = options
        self._paths = {image.path: image.prompt_id for image in images}
        self._exported = {project.exported_path(project.images / path): path for path in self._paths}
        self._by_name: dict[str, list[str]] = {}
        for path in self._paths:
            self._by_name.setdefault(PurePosixPath(path).name, []).append(path)
        self._folder = project.images.resolve()
        self._found: dict[tuple[str, str], str] = {}

    def find(self, prompt_id: str, written: str, table: Path) -> tuple[str | None, str]:
        """The image that `written` means in the file `table`.

        Returns:
            (path relative to `images/`, ""), or (None, why it isn't known).
        """
        key = (prompt_id, written)
        if key not in self._found:
            path, why = self._look(prompt_id, written, table)
            if path is None:
                return None, why
            self._found[key] = path
        return self._found[key], ""

    def find_reference(self, prompt_id: str, written: str) -> tuple[str | None, str]:
        """The image that a Label Studio task means: a local file, an upload, or a path; nothing is fetched."""
        referred = _referred(written)
        if referred is None:
            return None, _URL_WORDS
        plain = PurePosixPath(referred.replace("\\", "/"))
        names = [plain, plain.with_name(_UPLOAD_MARK.sub("", plain.name) or "_")] if plain.name else []
        for name in names:
            path, why = self._came_along(prompt_id or name.parent.name, name.name)
            if path is not None or why:
                return path, why
            tail = self._by_tail(prompt_id, name)
            if tail is not None:
                return tail, ""
        for name in names:
            same = [path for path in self._by_name.get(name.name, []) if prompt_id in ("", self._paths[path])]
            if len(same) > 1:
                return None, f"could be each of {', '.join(same[:3])}"
            if same:
                return same[0], ""
        return None, _UNKNOWN

    def _look(self, prompt_id: str, written: str, table: Path) -> tuple[str | None, str]:
        if _ADDRESS.match(written):
            return None, _URL_WORDS
        name = PurePosixPath(written.replace("\\", "/"))
        elsewhere = self._other_prompt(prompt_id, name)
        path, why = (None, "") if elsewhere else self._came_along(prompt_id, name.name)
        if path is not None or why:
            return path, why
        if written in self._exported:
            return self._of_prompt(self._exported[written], prompt_id)
        file = self._on_disk(written, table)
        if file is not None:
            return self._take(file, prompt_id, written)
        plain = f"{prompt_id}/{name}"
        found = self._by_tail(prompt_id, name) or (plain if plain in self._paths else None)
        return (found, "") if found is not None else (None, elsewhere or _UNKNOWN)

    def _other_prompt(self, prompt_id: str, name: PurePosixPath) -> str:
        """Words where the folder that is written names another prompt, which has such an image; else empty."""
        folder = name.parent.name
        there = f"{folder}/{name.name}" in self._pictures.by_name or f"{folder}/{name.name}" in self._paths
        return f"belongs to prompt {folder!r}, not {prompt_id!r}" if there and folder != prompt_id else ""

    def _of_prompt(self, path: str, prompt_id: str) -> tuple[str | None, str]:
        right = self._paths[path]
        return (path, "") if right == prompt_id else (None, f"belongs to prompt {right!r}, not {prompt_id!r}")

    def _came_along(self, prompt_id: str, name: str) -> tuple[str | None, str]:
        """The image of this prompt and name that is imported together with the table."""
        path = self._pictures.by_name.get(f"{prompt_id}/{name}")
        if path == AMBIGUOUS:
            return None, "could be each of several images that come in under this name"
        return path, ""

    def _by_tail(self, prompt_id: str, written: PurePosixPath) -> str | None:
        """The image of the prompt whose whole path below `images/` ends what is written."""
        tails = ("/".join(written.parts[start:]) for start in range(len(written.parts)))
        return next((tail for tail in tails if tail in self._paths and prompt_id in ("", self._paths[tail])), None)

    def _on_disk(self, written: str, table: Path) -> Path | None:
        """The file that is written, where it is there and may be read."""
        file = resolve_image(written, search_bases(table, self._options.image_root))
        try:
            return file if file.is_file() and self._options.may_read(file.resolve()) else None
        except (OSError, ValueError):  # a name that no file can have
            return None

    def _take(self, file: Path, prompt_id: str, written: str) -> tuple[str | None, str]:
        """The image of the project that a file on disk is, or becomes."""
        real = file.resolve()
        if real.is_relative_to(self._folder):
            path = real.relative_to(self._folder).as_posix()
            return self._of_prompt(path, prompt_id) if path in self._paths else (None, _UNKNOWN)
        path_now = self._pictures.add(file, prompt_id, file.name, written)
        return path_now, "" if path_now is not None else "can't be used"


def _referred(written: str) -> str | None:
    """The path within a Label Studio reference; None for an address elsewhere."""
    if not _ADDRESS.match(written) and not written.startswith("/data/"):
        return written
    split = urlsplit(written)
    if split.path.endswith("/data/local-files/"):
        query = dict(part.partition("=")[::2] for part in split.query.split("&"))
        return unquote(query.get("d", ""))
    if "/data/upload/" in split.path:
        return unquote(split.path.rsplit("/data/upload/", 1)[1])
    return None
