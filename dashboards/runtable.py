"""The table of runs as HTML, with each run's accuracy over its epochs drawn small."""

import time
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

from dashboards import cards
from dashboards.jobstate import JobStatus
from dashboards.markup import notes, table
from dashboards.runcards import state_mark
from dashboards.runlist import RunRow

COLUMNS: Final = (
    *("Run", "State", "Over epochs", "Accuracy", "95 % interval", "F1", "Loss"),
    *("Epochs", "Backbone", "Begun"),
)
# 200 rows take 5 ms and 140 kB, which nobody waits for; thousands would.
MOST_ROWS: Final = 500
_WIDTH, _HEIGHT = 96.0, 24.0


def run_table(rows: Sequence[RunRow], jobs: Mapping[Path, JobStatus], total: int) -> str:
    """The table; what to do where there is nothing to show. `total` counts the runs that there are at all."""
    if not total:
        return cards.empty("No runs yet", "Train a model under New run; it is listed here from its first second on.")
    if not rows:
        return cards.empty("No run matches", f"None of the {total} runs; change the words, or show archived ones too.")
    shown = [_row(row, jobs.get(row.run.folder.absolute())) for row in rows[:MOST_ROWS]]
    count = f"{len(rows):,} of {total:,} runs" if len(rows) != total else f"{total:,} run{'s' if total > 1 else ''}"
    more = f"; the first {MOST_ROWS} are shown: narrow it down by words" if len(rows) > MOST_ROWS else ""
    troubles = [f"{row.name}: {row.problem}." for row in rows[:MOST_ROWS] if row.problem]
    return cards.detail(f"{count}{more}.") + table(COLUMNS, shown, wide=True, tall=True) + notes(troubles)


def sparkline(curve: Sequence[float | None]) -> str:
    """Accuracy over epochs as a line 0.4–1 high, with ½ dashed; empty with fewer than two epochs known."""
    known = [(number, value) for number, value in enumerate(curve) if value is not None]
    if len(known) < 2:
        return ""
    last = max(len(curve) - 1, 1)
    points = " ".join(f"{_WIDTH * number / last:.1f},{_y(value):.1f}" for number, value in known)
    words = f"accuracy {known[0][1]:.0%} after the first epoch, {known[-1][1]:.0%} after the last"
    half = _y(0.5)
    return (
        f'<svg class="studio-spark" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" aria-label="{words}">'
        f"<title>{words}</title>"
        f'<line x1="0" x2="{_WIDTH:.0f}" y1="{half:.1f}" y2="{half:.1f}"/><polyline points="{points}"/></svg>'
    )


def _row(row: RunRow, job: JobStatus | None) -> list[str]:
    note = f"<small>{escape(row.notes.note)}</small>" if row.notes.note else ""
    kept = " · archived" if row.notes.archived else ""
    bounds = f"{row.bounds[0]:.1%} – {row.bounds[1]:.1%}" if row.bounds else "–"
    wanted = f" of {row.wanted}" if row.wanted is not None else ""
    return [
        f'<span class="studio-run-name">{escape(row.name)}{kept}{note}</span>',
        state_mark(row.state(job)),
        sparkline(row.curve),
        "–" if row.accuracy is None else f"{row.accuracy:.1%}",
        bounds,
        *("–" if value is None else f"{value:.3f}" for value in (row.f1, row.loss)),
        f"{row.epochs}{wanted}",
        escape(row.run.backbone),
        time.strftime("%Y-%m-%d %H:%M", time.localtime(row.begun)),
    ]


def _y(share: float) -> float:
    """A share's height in the drawing, .4 at the bottom."""
    return _HEIGHT * (1 - (min(max(share, 0.4), 1.0) - 0.4) / 0.6)
