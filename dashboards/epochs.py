"""How far a run is: its metrics.jsonl, with what is wrong with it, and the last epoch that it can be gone on from."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dashboards.journal import Journal
from dashboards.runs import Run, clean_metrics, is_metrics, number, read_checkpoint, read_run

METRICS: Final = "metrics.jsonl"


@dataclass(frozen=True)
class Epochs:
    """A line of metrics an epoch, as far as they can be read; `problem` says what is wrong with the others."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""


def read_epochs(folder: Path) -> Epochs:
    """The metrics of the run in `folder`. A last line that is not complete is no damage: a kill leaves one."""
    journal = Journal(folder / METRICS)
    found = journal.lines()
    lines = [clean_metrics(line) for line in found if is_metrics(line)]
    bad = journal.damaged + len(found) - len(lines)
    if not bad:
        return Epochs(lines)
    words = "a line of it is no epoch's figures" if bad == 1 else f"{bad} lines of it are no epoch's figures"
    return Epochs(lines, f"{METRICS} is damaged: {words}, so curves have gaps")


def epochs_done(run: Run) -> int:
    """The epoch that the run can be gone on from, which is that of `last/`; 0 where there is none.

    The lines of metrics.jsonl don't tell: an epoch's line is written before its checkpoint, which a kill can prevent.
    They count only for a run that has no readable `last/`, but another checkpoint.
    """
    done = number(read_checkpoint(run, "last").metrics.get("epoch"))
    if done is not None:
        return int(done)
    return len(read_epochs(run.folder).lines) if run.checkpoints else 0


def epochs_done_in(folder: Path) -> int:
    """`epochs_done` of the run in a folder that may hold none yet."""
    run = read_run(folder)
    return epochs_done(run) if run is not None else 0
