"""A training as HTML: its state in words, its progress, the figures of its last epoch, its log, and who waits."""

import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from dashboards.cards import problem
from dashboards.jobstate import JobState, JobStatus
from dashboards.markup import notes, progress_bar, table
from dashboards.progress import Progress, duration, elapsed, headline, waited, what_to_do
from dashboards.runs import number, result_rows, trained

COLUMNS: Final = ("Head", "Accuracy", "F1", "Loss", "Weight")


def run_card(status: JobStatus, so_far: Progress, machine: str = "") -> str:
    """A training's state in words, its progress bar, what it said if it failed, and what to do then.

    Args:
        machine: what it computes on and how much memory it takes, in words.
    """
    took = f"{elapsed(status)} so far" if status.state.live else f"took {elapsed(status)}"
    line = f"waited {before} for its turn" if (before := waited(status)) else ""
    known = status.state.live and so_far.seconds_left is not None
    left = f"{duration(so_far.seconds_left or 0)} left" if known else ""
    # What a lost one was last heard to be at may lie before what it saved, of which its headline tells.
    at = "" if status.state is JobState.LOST else so_far.detail
    facts = [at, left, line, took if elapsed(status) else "", machine]
    detail = " · ".join(escape(fact) for fact in facts if fact)
    parts = [
        f'<div class="studio-run" data-state="{status.state}" role="status">',
        f'<div class="studio-run-head">{state_mark(status.state)}'
        f"<strong>{escape(headline(status, so_far))}</strong></div>",
        progress_bar(so_far.fraction) if status.state.live else "",
        f'<div class="studio-detail">{detail}</div>',
        problem("What went wrong", status.message) if status.state is JobState.FAILED else "",
        f'<div class="studio-detail">{escape(what_to_do(status))}</div>',
        notes(so_far.warnings),
        "</div>",
    ]
    return "".join(parts)


def state_mark(state: str) -> str:
    """A state as a coloured word."""
    return f'<span class="studio-state studio-{escape(state)}">{escape(state)}</span>'


def epoch_table(line: Mapping[str, Any]) -> str:
    """The figures of an epoch, a row a head and one combined."""
    importance = line.get("importance")
    weights: Mapping[str, Any] = importance if isinstance(importance, dict) else {}
    rows = []
    for key, label, result in result_rows(line):
        if not trained(result):
            rows.append([escape(label), escape(str(result.get("reason") or "no ratings")), "–", "–", "–"])
            continue
        cells = [_share(result.get("accuracy")), *(_decimal(result.get(name)) for name in ("f1", "loss"))]
        rows.append([escape(label), *cells, _share(weights.get(key))])
    return table(COLUMNS, rows) if rows else ""


def log_card(lines: Sequence[str]) -> str:
    """The end of a log."""
    text = "\n".join(lines) or "Nothing has been said yet."
    return f'<pre class="studio-log" tabindex="0">{escape(text)}</pre>'


def line_card(waiting: Sequence[JobStatus], at_work: JobStatus | None) -> str:
    """Who waits for the device, in order; empty where nobody does."""
    if not waiting:
        return ""
    rows = [
        [str(place), escape(status.job.name), time.strftime("%H:%M", time.localtime(status.job.created))]
        for place, status in enumerate(waiting, start=1)
    ]
    ahead = f" after {escape(at_work.job.name)}" if at_work else ""
    told = (
        f'<div class="studio-detail">Each begins by itself{ahead}, in this order, also when the studio is closed.</div>'
    )
    return told + table(("Place", "Run", "Since"), rows)


def _share(value: Any) -> str:
    known = number(value)
    return "–" if known is None else f"{known:.1%}"


def _decimal(value: Any) -> str:
    known = number(value)
    return "–" if known is None else f"{known:.3f}"
