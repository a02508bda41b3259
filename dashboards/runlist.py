"""All runs as rows of a table: each folder is read once and again only where one of its files has changed."""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dashboards.epochs import epochs_done, read_epochs
from dashboards.jobstate import JobStatus
from dashboards.runnotes import NOTES_FILE, RunNotes, read_notes
from dashboards.runs import COMBINED, OVERALL, Run, interval, number, read_checkpoint, read_run, text_of
from reward.claim import is_claimed
from reward.intact import checkpoint_problem

_WATCHED: Final = (
    *("config.json", "metrics.jsonl", NOTES_FILE, "best", "last"),
    *("best/metrics.json", "best/config.json", "best/model.safetensors", "last/metrics.json"),
)
NEWEST, BEST, NAME, UNSURE = "newest first", "most accurate first", "by name", "least sure first"
F1, LOSS, BACKBONE, STATE = "highest F1 first", "lowest loss first", "by backbone", "by state"
SORTS: Final = (NEWEST, BEST, F1, LOSS, UNSURE, NAME, BACKBONE, STATE)
# What goes on first, then what needs somebody, then what is done.
STATES: Final = (
    *("running", "starting", "stopping", "waiting", "failed", "lost", "damaged", "unfinished", "stopped"),
    *("cancelled", "finished", "weighed by hand"),
)

Stamp = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True)
class RunRow:
    """A run in the table. Its figures are of the combined score (pairs mode: the overall one), None = not known.

    `epochs` it can be gone on from, of those `wanted`; `problem` says in words what is wrong with its files.
    """

    run: Run
    begun: float
    accuracy: float | None = None
    bounds: tuple[float, float] | None = None
    f1: float | None = None
    loss: float | None = None
    curve: tuple[float | None, ...] = ()
    epochs: int = 0
    wanted: int | None = None
    evaluation: str = ""
    notes: RunNotes = field(default_factory=RunNotes)
    problem: str = ""

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.name

    def state(self, job: JobStatus | None) -> str:
        """The run's state as a word; `job` is its newest training, None where it was begun from a shell."""
        if job is not None and (job.state.open or self.wanted is None or self.epochs < self.wanted):
            return str(job.state)
        if self.run.weighed_by_hand:
            return "weighed by hand"
        if self.problem and not self.run.checkpoints:
            return "damaged"
        if self.wanted is None or self.epochs >= self.wanted:
            return "finished"
        return "running" if is_claimed(self.run.folder) else "unfinished"


class RunShelf:
    """The rows of the runs below `outputs`. Safe to call from several threads."""

    def __init__(self, outputs: Path) -> None:
        self._outputs = outputs
        self._known: dict[str, tuple[Stamp, RunRow | None]] = {}
        self._lock = threading.Lock()

    def rows(self) -> list[RunRow]:
        """Every run, the newest first; damaged ones too, with their problem."""
        try:
            names = [path.name for path in self._outputs.iterdir() if not path.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return []
        with self._lock:
            self._known = {name: self._row(name) for name in names}
            found = [row for _, row in self._known.values() if row is not None]
        return sorted(found, key=lambda row: (row.begun, row.name), reverse=True)

    def _row(self, name: str) -> tuple[Stamp, RunRow | None]:
        folder = self._outputs / name
        stamp = tuple(_stamp(folder / file) for file in _WATCHED)
        known = self._known.get(name)
        return known if known is not None and known[0] == stamp else (stamp, read_row(folder))


def read_row(folder: Path) -> RunRow | None:
    """The row of the run in `folder`; None where it holds none."""
    run = read_run(folder) if folder.is_dir() else None
    if run is None:
        return None
    told = read_epochs(folder)
    arguments = run.config.get("arguments")
    wanted = number(arguments.get("epochs")) if isinstance(arguments, dict) else None
    best = read_checkpoint(run, "best") if "best" in run.checkpoints else None
    result = _whole(best.metrics) if best else {}
    problem = run.problem
    if best and not problem and not run.weighed_by_hand:
        problem = best.problem
    if best and not problem:
        problem = checkpoint_problem(folder / "best", measured=not run.weighed_by_hand)
    problem = problem or told.problem
    return RunRow(
        run=run,
        begun=_begun(run),
        accuracy=number(result.get("accuracy")),
        bounds=interval(result),
        f1=number(result.get("f1")),
        loss=number(result.get("loss")),
        curve=tuple(number(_whole(line).get("accuracy")) for line in told.lines),
        epochs=epochs_done(run),
        wanted=None if wanted is None else int(wanted),
        evaluation=text_of(best.metrics, "evaluation") if best else "",
        notes=read_notes(folder),
        problem=problem,
    )


def chosen_rows(
    rows: Sequence[RunRow],
    wanted: str = "",
    sort: str = NEWEST,
    *,
    archived: bool = False,
    jobs: Mapping[Path, JobStatus] | None = None,
) -> list[RunRow]:
    """The rows whose name, note or backbone has each word of `wanted`; archived ones only where asked for.

    Runs that lack the figure they are sorted by come last; `jobs`: the newest training of each run's folder.
    """
    words = wanted.casefold().split()
    found = [row for row in rows if (archived or not row.notes.archived) and all(word in _text(row) for word in words)]
    if sort == STATE:
        found.sort(key=lambda row: _place(row.state((jobs or {}).get(row.run.folder.absolute()))))
    elif sort in _ORDERS:
        found.sort(key=_ORDERS[sort])
    return found


def _falling(value: float | None) -> float:
    return math.inf if value is None else -value


def _rising(value: float | None) -> float:
    return math.inf if value is None else value


def _place(state: str) -> int:
    return STATES.index(state) if state in STATES else len(STATES)


def _width(row: RunRow) -> float:
    return row.bounds[1] - row.bounds[0] if row.bounds else 2.0


_ORDERS: Final[Mapping[str, Callable[[RunRow], Any]]] = {
    BEST: lambda row: _falling(row.accuracy),
    F1: lambda row: _falling(row.f1),
    LOSS: lambda row: _rising(row.loss),
    UNSURE: lambda row: -_width(row),
    NAME: lambda row: row.name.casefold(),
    BACKBONE: lambda row: row.run.backbone.casefold(),
}


def _text(row: RunRow) -> str:
    return f"{row.name} {row.notes.note} {row.run.backbone}".casefold()


def _whole(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of all heads together."""
    found = line.get(OVERALL, line.get(COMBINED))
    return found if isinstance(found, dict) else {}


def _begun(run: Run) -> float:
    """When it was begun, in unix seconds; of a damaged run, when its folder changed."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(text_of(run.config, "created")).timestamp()
    except ValueError:
        return run.folder.stat().st_mtime


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        about = file.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_ino ^ about.st_size
