"""Which images a trained model would learn most from: `priorities.csv`, as `python -m reward.informative` writes it."""

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlite_utils import Database

_HEADER: Final = ("image", "teaches", "people", "reason")
_LONGEST_REASON: Final = 200
_PEOPLE: Final = (
    "SELECT image_id, count(DISTINCT annotator) FROM ratings WHERE source <> 'correction' GROUP BY image_id"
)


@dataclass(frozen=True)
class Ranking:
    """Images by number, the one to be rated first on top; why each comes; and which ones were rated since."""

    order: Sequence[int]
    reasons: Mapping[int, str]
    covered: set[int]


class RankingFile:
    """The file as it is now: looked at each time, read when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state: tuple[int, int, int] | None = None
        self._ranking: Ranking | None = None
        self.problems: tuple[str, ...] = ()

    def forget(self) -> None:
        """Read it again next time: the project's images have changed."""
        self._state = None

    def note_rated(self, image: int) -> None:
        """Somebody has rated an image for the first time."""
        if self._ranking is not None:
            self._ranking.covered.add(image)

    def current(self, db: Database) -> Ranking | None:
        """The images that are ranked and there; None where the file is missing or can't be used (see `problems`)."""
        try:
            stat = self._path.stat()
        except OSError:
            self._state, self._ranking, self.problems = None, None, ()
            return None
        state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if state != self._state:
            self._state, self._ranking, self.problems = state, None, ()
            try:
                self._ranking = _read(self._path, db)
            except (OSError, ValueError, csv.Error) as error:
                self.problems = (f"{_problem(self._path, error)}. Images come in random order until it is made anew.",)
        return self._ranking


def _problem(path: Path, error: Exception) -> str:
    words = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return f"{path.name} can't be used ({words})"


def _read(path: Path, db: Database) -> Ranking | None:
    """Raises ValueError with the line and what is wrong with it."""
    numbers = {str(row[0]): int(row[1]) for row in db.execute("SELECT path, id FROM images WHERE active")}
    reasons: dict[int, str] = {}
    people: dict[int, int] = {}
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        if tuple(next(lines, ())) != _HEADER:
            raise ValueError(f"its first line should be {','.join(_HEADER)}")
        for line in lines:
            if len(line) != len(_HEADER) or not line[2].isdecimal():
                raise ValueError(f"line {lines.line_num} should read image,number,number of people,reason")
            image = numbers.get(line[0])
            if image is not None and image not in reasons:
                reasons[image], people[image] = line[3][:_LONGEST_REASON], int(line[2])
    if not reasons:
        return None
    heard = {int(row[0]): int(row[1]) for row in db.execute(_PEOPLE)}
    return Ranking(list(reasons), reasons, {image for image in reasons if heard.get(image, 0) > people[image]})
