"""Which folders the studio may read and write: paths typed into the page come in, checked paths go out."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reward.errors import RewardError, shown

RUN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class RefusedPathError(RewardError):
    """A path that the page may not use: outside the studio's folders, missing, or badly named."""


@dataclass(frozen=True)
class Roots:
    """The studio's folders, all absolute with links resolved.

    `data` is the project, `outputs` holds a folder a run, `allowed` are further folders whose files may be read.
    """

    data: Path
    outputs: Path
    allowed: tuple[Path, ...] = ()

    @classmethod
    def of(cls, data: Path, outputs: Path, allowed: Iterable[Path] = ()) -> "Roots":
        """The same folders with links and relative parts resolved."""
        return cls(data.resolve(), outputs.resolve(), tuple(path.resolve() for path in allowed))

    def existing_file(self, text: str, what: str) -> Path:
        """The file that `text` names (absolute, or relative to the working directory or the data folder).

        Raises:
            RefusedPathError: no such file within the data folder and the folders given by `--allow`.
        """
        return self._existing(text, what, want_file=True)

    def existing_folder(self, text: str, what: str) -> Path:
        """The folder that `text` names; the rules are those of `existing_file`."""
        return self._existing(text, what, want_file=False)

    def run_folder(self, name: str) -> Path:
        """The folder of a run of this name under outputs; it need not exist.

        Raises:
            RefusedPathError: the name is not a plain folder name, or leads out of the outputs folder.
        """
        name = name.strip()
        if not RUN_NAME.fullmatch(name):
            raise RefusedPathError(
                "A run's name has letters, digits, dots, dashes and underscores, begins with a letter or digit "
                f"and is at most 80 long; {shown(name)} is not such a name."
            )
        folder = self.outputs / name
        if folder.resolve().parent != self.outputs:
            raise RefusedPathError(f"{shown(name)} leads out of the outputs folder; choose another name.")
        return folder

    def may_read(self, path: Path) -> bool:
        """Whether a path, its links resolved, lies within the data folder or those given by `--allow`."""
        return any(path.is_relative_to(root) for root in (self.data, *self.allowed))

    def _existing(self, text: str, what: str, *, want_file: bool) -> Path:
        text = text.strip()
        if not text:
            raise RefusedPathError(f"{what}: no path given.")
        if "\0" in text:
            raise RefusedPathError(f"{what}: {shown(text)} is not a path.")
        candidates = [(base / os.path.expanduser(text)).resolve() for base in (Path.cwd(), self.data)]  # noqa: PTH111 (a ~ that names nobody stays as it is)
        inside = [path for path in candidates if self.may_read(path)]
        if not inside:
            raise RefusedPathError(
                f"{what}: {shown(text)} is outside the studio's data folder {self.data}. "
                f"To read files there, start the studio with --allow {shown_folder(text)}."
            )
        for path in inside:
            try:
                if path.is_file() if want_file else path.is_dir():
                    return path
            except OSError as error:  # a name longer than the file system knows
                raise RefusedPathError(f"{what}: {shown(text)} is not a path ({error.strerror}).") from error
        raise RefusedPathError(f"{what}: there is no {'file' if want_file else 'folder'} {inside[0]}.")


def shown_folder(text: str) -> str:
    """The folder to suggest for `--allow` so that the file `text` can be read."""
    return os.path.abspath(os.path.expanduser(Path(text).parent))[:200]  # noqa: PTH100, PTH111 (~ may name nobody)
