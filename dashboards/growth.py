"""Would more ratings help? Starts `reward.learning_curve` on a run's own data beside the studio, and shows its result.

The command is a process of its own, watched by `dashboards.runner` in `<data>/jobs/learning-curves/<run>/`; the result
is `learning_curve.json` in the run's folder. What is shown is derived from these files at each look.
"""

import fcntl
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dashboards import cards, markup
from dashboards.background import module_environment
from dashboards.chartstyle import TEXT, colour_of, label_of, say, style
from dashboards.context import Context
from dashboards.headtable import share, span
from dashboards.jobfiles import EXIT_FILE, Job, read_job, read_json, waits, write_job
from dashboards.jobstate import JobError
from dashboards.journal import Journal
from dashboards.line import is_open
from dashboards.runs import Run, number, text_of
from dashboards.trustfigures import bounds_of
from reward.errors import RewardError

if TYPE_CHECKING:
    import plotly.graph_objects as go

RESULT: Final = "learning_curve.json"
COLUMNS: Final = ("Head", "Prompts learned from", "Accuracy", "95 % interval")
_AT_ONCE: Final = "1"


@dataclass(frozen=True)
class Growth:
    """What there is to show of a run's learning curve: words, and the curve where it is known."""

    card: str
    at_work: bool = False
    known: dict[str, Any] = field(default_factory=dict)

    def figure(self) -> "go.Figure | None":
        """Accuracy by number of rated prompts; None where it isn't known."""
        return chart(self.known) if self.known else None

    def table(self) -> str:
        """The table behind the chart."""
        return markup.behind(COLUMNS, rows(self.known))


def look(context: Context, name: str | None) -> Growth:
    """The state of a run's learning curve now."""
    try:
        run = context.run(name or "")
    except RewardError as error:
        return Growth(cards.problem("There is no learning curve of this", str(error)))
    place = _place(context, run)
    known = _result(run)
    if _of_an_earlier_run(place, run):
        place = place / "none"  # nobody has asked about this one
    if _at_work(place):
        return Growth(_progress(place), True, known)
    ended = read_json(place / EXIT_FILE)
    if ended is not None and ended.get("code") != 0:
        return Growth(cards.problem("The learning curve was not found", _last_words(place, ended)), False, known)
    if ended is None and place.is_dir() and not known:
        return Growth(cards.warning("The learning curve was not finished", "It was stopped or killed."), False)
    if not known:
        told = "Nobody has asked yet", "Press “Find out”; the answer is kept with the run."
        return Growth(cards.empty(*told))
    return Growth(markup.notes(in_words(known)), False, known)


def start(context: Context, name: str | None) -> str:
    """Start it for a run; returns what is wrong as a card, or nothing."""
    try:
        run = context.run(name or "")
        if run.weighed_by_hand:
            raise RewardError("Weights set by hand learn from no ratings; ask of the run that they were saved from.")
        context.desk.validated(run)  # its images must be there, and may be read
        with _one_starter(context):
            run = context.run(run.name)  # it may have been renamed or deleted meanwhile
            place = _place(context, run)
            if _at_work(place):
                raise RewardError("It is being found already.")
            _launch(run, place)
    except RewardError as error:
        return cards.problem("It can't be found", str(error))
    return ""


@contextmanager
def undisturbed(context: Context, run: Run) -> Iterator[None]:
    """Held while a run is renamed or removed: no learning curve of it is begun meanwhile.

    Raises:
        JobError: one is being found, or waits to be.
    """
    with _one_starter(context):
        if _at_work(_place(context, run)):
            raise JobError(f"The learning curve of {run.name} is being found; wait for its end.")
        yield


def renamed(context: Context, before: Run, after: Path) -> None:
    """Have what is known of a run's learning curve follow the run; call it within `undisturbed`."""
    place, there = _place(context, before), context.board.folder / "learning-curves" / after.name
    shutil.rmtree(there, ignore_errors=True)  # of a run that was removed by hand
    job = read_job(place)
    if job is not None:
        place.rename(there)
        write_job(replace(job, folder=there, output=after / RESULT))


def forget(context: Context, run: Run) -> None:
    """Remove what is known of a run's learning curve; call it within `undisturbed`."""
    shutil.rmtree(_place(context, run), ignore_errors=True)


def in_words(known: Mapping[str, Any]) -> list[str]:
    """The answers, a sentence a head, and on what they stand."""
    told = []
    for head, curve in _curves(known):
        last = curve.get("doubling")
        gain = number(last.get("gain")) if isinstance(last, dict) else None
        change = ""
        if isinstance(last, dict) and gain is not None:
            sure = span(last.get("interval"), signed=True)
            change = f"from {last.get('before')} to {last.get('after')} prompts {gain:+.3f}"
            change += f" ({sure}); " if sure else "; "
        told.append(f"{label_of(head)}: {change}{curve.get('words')}.")
    return [
        *told,
        f"Measured on {known.get('prompts')} prompts in {known.get('folds')} folds, prompts drawn "
        f"{known.get('repeats')} times; combined: {known.get('target')}.",
    ]


def rows(known: Mapping[str, Any]) -> list[list[str]]:
    """The rows of `COLUMNS`."""
    return [
        [label_of(head), f"{point['prompts']}", share(point.get("accuracy")), span(point.get("interval")) or "–"]
        for head, curve in _curves(known)
        for point in curve["points"]
    ]


def chart(known: Mapping[str, Any]) -> "go.Figure":
    """A line a head, with its 95 % interval at each size."""
    import plotly.graph_objects as go

    figure = go.Figure()
    curves = list(_curves(known))
    for place, (head, curve) in enumerate(curves):
        nudge = 1 + 0.012 * (place - (len(curves) - 1) / 2)  # so that intervals of one size stand side by side
        points = curve["points"]
        bounds = [bounds_of(point.get("interval")) or (point["accuracy"],) * 2 for point in points]
        figure.add_scatter(
            x=[point["prompts"] * nudge for point in points],
            y=[point["accuracy"] for point in points],
            customdata=[point["prompts"] for point in points],
            error_y={
                "array": [high - point["accuracy"] for point, (_, high) in zip(points, bounds, strict=True)],
                "arrayminus": [point["accuracy"] - low for point, (low, _) in zip(points, bounds, strict=True)],
                "thickness": 1,
                "width": 2,
            },
            mode="lines+markers",
            name=label_of(head),
            line={"color": colour_of(head), "width": 3 if head == "combined" else 1.8},
            hovertemplate=f"{label_of(head)}: %{{y:.3f}} of %{{customdata}} prompts<extra></extra>",
        )
    unit = f"across: rated prompts learned from; n = {known.get('prompts')} measured prompts, with 95 % interval"
    style(figure, "Accuracy by number of rated prompts", "pairs in the right order", unit)
    if not figure.data:
        say(figure, "No head has pairs")
    figure.add_hline(y=0.5, line={"color": TEXT, "width": 1, "dash": "dash"})
    return figure.update_yaxes(range=[0, 1.02], tickformat=".0%").update_xaxes(type="log", dtick=0.30103)


def _curves(known: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for head, curve in (known.get("curves") or {}).items():
        points = [
            point
            for point in curve["points"]
            if number(point.get("prompts")) and number(point.get("accuracy")) is not None
        ]
        if points:
            yield str(head), {**curve, "points": points}


def _result(run: Run) -> dict[str, Any]:
    """The kept result; empty where there is none that can be shown."""
    known = read_json(run.folder / RESULT) or {}
    curves = known.get("curves")
    whole = isinstance(curves, dict) and all(
        isinstance(curve, dict)
        and isinstance(curve.get("points"), list)
        and all(isinstance(point, dict) for point in curve["points"])
        for curve in curves.values()
    )
    return known if whole and known.get("format") == 1 else {}


def _place(context: Context, run: Run) -> Path:
    return context.board.folder / "learning-curves" / run.name


def _of_an_earlier_run(place: Path, run: Run) -> bool:
    """Whether it was asked for before this run was begun: of another one of its name, which was removed by hand."""
    job = read_job(place)
    try:
        begun = datetime.fromisoformat(text_of(run.config, "created")).timestamp()
    except ValueError:
        return False
    return job is not None and job.created < begun


def _at_work(place: Path) -> bool:
    job = read_job(place)
    return job is not None and not (place / EXIT_FILE).exists() and is_open(job)


def _progress(place: Path) -> str:
    if waits(place):
        return cards.detail("It waits for its turn: another run's learning curve is being found.")
    steps = Journal(place / "progress.jsonl").lines()
    done, total = (number(steps[-1].get(key)) for key in ("done", "total")) if steps else (None, None)
    if not done or not total:
        return cards.detail("Reading the ratings and their embeddings …")
    return cards.working(f"{done:.0f} of {total:.0f} epochs of training", done / total)


def _last_words(place: Path, ended: Mapping[str, Any]) -> str:
    try:
        lines = (place / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    told = [line for line in lines if line.strip()]
    return told[-1] if told else f"The command ended with exit code {ended.get('code')}."


def _launch(run: Run, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    outputs = ["--json", str(run.folder.resolve() / RESULT), "--progress", str(place / "progress.jsonl")]
    command = [sys.executable, "-m", "reward.learning_curve", *flags(run), "--run", str(run.folder), *outputs]
    write_job(Job(run.name, place, tuple(command[3:]), run.folder / RESULT, time.time()))
    with (place / "log.txt").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "dashboards.runner", str(place), _AT_ONCE, "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=module_environment(),
            start_new_session=True,
        )
    # Takes its exit code as soon as it ends, so that no zombie is left.
    threading.Thread(target=child.wait, name=f"reaper of {run.name}'s learning curve", daemon=True).start()


def flags(run: Run) -> list[str]:
    """The run's own arguments as flags of `python -m reward.learning_curve`."""
    from reward.config import FLAGS
    from reward.experiments import EXPERIMENT_FLAGS

    arguments = run.config.get("arguments")
    if not isinstance(arguments, dict):
        raise RewardError(f"{run.name}: config.json doesn't tell the arguments.")
    told: list[str] = []
    for flag in FLAGS:
        value = arguments.get(flag.field)
        if flag.field in EXPERIMENT_FLAGS and value is not None and value != "":
            told += [flag.option, str(value)]
    return told


@contextmanager
def _one_starter(context: Context) -> Iterator[None]:
    folder = context.board.folder / "learning-curves"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
