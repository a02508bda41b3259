"""During a training: what the page shows of it, and what can be done with it: stop, cancel, go on, start again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dashboards import cards, figures, markup, runcards
from dashboards.context import Context
from dashboards.form import arguments, config_of
from dashboards.jobfiles import Job
from dashboards.jobstate import JobError, JobState, JobStatus, tail
from dashboards.progress import progress
from dashboards.runs import Run, clean_metrics, is_metrics, number, read_checkpoint, read_run
from reward.claim import is_claimed
from reward.config import TrainConfig
from reward.errors import RewardError
from reward.inputs import kept_inputs

if TYPE_CHECKING:
    import plotly.graph_objects as go

LOG_LINES: Final = 40


@dataclass(frozen=True)
class Seen:
    """What a page shows already, so that a tick sends only what is new."""

    run: str = ""
    curves: tuple[str, int] = ("", -1)
    log: str = ""
    line: str = ""

    @property
    def job(self) -> str:
        """The id of the job that is shown."""
        return self.curves[0]


@dataclass(frozen=True)
class RunView:
    """A training as the page shows it; `new_curves`: there is an epoch the page has not drawn."""

    seen: Seen
    status: JobStatus | None = None
    metrics: list[dict[str, Any]] = field(default_factory=list)
    new_curves: bool = False
    waiting: tuple[JobStatus, ...] = ()
    further: str = ""

    @property
    def live(self) -> bool:
        """Whether a process is at work."""
        return self.status is not None and self.status.state.live

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self.status is not None and self.status.state is JobState.STOPPING

    def figures(self) -> "tuple[go.Figure, go.Figure, go.Figure]":
        """Loss, accuracy and importance over epochs."""
        return (
            figures.loss_curves(self.metrics),
            figures.accuracy_curves(self.metrics),
            figures.importance_curves(self.metrics),
        )

    def epochs(self) -> str:
        """The table behind the figures: a row an epoch and head, as text."""
        rows = [[escape(cell) for cell in row] for row in figures.curve_rows(self.metrics)]
        return markup.table(figures.CURVE_COLUMNS, rows, wide=True) if rows else ""

    def heads(self) -> str:
        """The last epoch's figures, a row a head."""
        return runcards.epoch_table(self.metrics[-1]) if self.metrics else ""


def look(context: Context, seen: Seen) -> RunView | None:
    """The training at work, else the newest one; None where the page shows all of it already."""
    board = context.board
    unfinished = board.open()
    waiting = tuple(one for one in unfinished if one.state is JobState.WAITING)
    at_work = next((one for one in unfinished if one.state.live), None)
    status = at_work or board.newest()
    if status is None:
        card = cards.empty(
            "No training yet", "Look at what the data holds, choose a backbone and press Start training."
        )
        now = Seen(card, ("", 0))
        return None if now == seen else RunView(now, new_curves=True)
    so_far = progress(board.events(status.job))
    lines = _epochs(context, status.job, so_far.metrics)
    machine = context.machine.memory_words(status.job.folder) if status.state.live else ""
    card = runcards.run_card(status, so_far, " · ".join(filter(None, (_on(so_far.device), machine))))
    curves = (status.job.id, len(lines))
    log = runcards.log_card(tail(status.job.folder / "log.txt")[-LOG_LINES:])
    line = runcards.line_card(waiting, at_work)
    now = Seen(card, curves, log, line)
    if now == seen:
        return None
    return RunView(now, status, lines, curves != seen.curves, waiting, further(status))


def started(context: Context, name: str) -> str:
    """What became of a training that was just started, for beside the button."""
    ahead = [status.job.name for status in context.board.open() if status.job.name != name]
    if ahead:
        return cards.done(f"{name} waits in line behind {', '.join(ahead)}; it begins by itself.")
    return cards.done(f"{name} has begun: see The latest run.")


def further(status: JobStatus) -> str:
    """What a button may do with a training that is over: `Go on`, `Start again`, or nothing."""
    if status.state in (JobState.FINISHED, JobState.WAITING) or status.state.live:
        return ""
    return "Go on" if (status.job.output / "last").is_dir() else "Start again"


def resumable(run: Run) -> bool:
    """Whether a run that nothing is at work on, perhaps one from a shell, can be gone on with."""
    known = isinstance(run.config.get("arguments"), dict)
    return known and "last" in run.checkpoints and not finished(run) and not is_claimed(run.folder)


def stop(context: Context, job_id: str) -> str:
    """Ask the training to end; returns what was wrong, as a card. Without an id, the one at work."""
    at_work = context.board.at_work()
    wanted = job_id or (at_work.job.id if at_work else "")
    if not wanted:
        return cards.problem("Nothing to stop", "No training is at work.")
    try:
        context.board.stop(wanted)
    except RewardError as error:
        return cards.problem("The training was not stopped", str(error))
    return ""


def cancel(context: Context, job_id: str | None) -> str:
    """Take a waiting training out of the line; returns what was wrong, as a card."""
    try:
        status = context.board.status(context.board.find(job_id or ""))
        if status.state is not JobState.WAITING:
            raise JobError(f"{status.job.name} doesn't wait any more: it is {status.state}.")
        context.board.stop(status.job.id)
    except RewardError as error:
        return cards.problem("Nothing was taken out of the line", str(error))
    return ""


def go_on(context: Context, name: str) -> str:
    """Go on with a run from its last complete epoch, or begin it anew where there is none; as `stop`."""
    try:
        output = context.roots.run_folder(name)
        if is_claimed(output):
            raise JobError(f"{output.name} is at work already.")
        before = context.board.of_run(output)
        told = _resumed(context, output, before) if (output / "last").is_dir() else _again(before, output)
        context.board.start(told, output)
    except RewardError as error:
        return cards.problem(f"{name[:80]} was not started", str(error))
    except OSError as error:
        return cards.problem(f"{name[:80]} was not started", f"{error.filename}: {error.strerror}")
    return ""


def go_on_with_job(context: Context, job_id: str) -> str:
    """`go_on` with the run of a job."""
    try:
        return go_on(context, context.board.find(job_id).name)
    except RewardError as error:
        return cards.problem("Nothing was started", str(error))


def _resumed(context: Context, output: Path, before: JobStatus | None) -> list[str]:
    """The arguments that the run was begun with, and --resume; its paths are checked like typed ones."""
    run = read_run(output)
    recorded = run.config.get("arguments") if run is not None else None
    if run is None or not isinstance(recorded, dict):
        raise JobError(f"{output.name} can't be gone on with: config.json, which has its arguments, is damaged.")
    # One that was killed between its last checkpoint and its end is gone on with all the same, and ends at once.
    if finished(run) and (before is None or before.state is JobState.FINISHED):
        raise JobError(f"{output.name} has gone through all its epochs: there is nothing to go on with.")
    inputs = run.config.get("inputs")
    kept = kept_inputs(output, inputs) if isinstance(inputs, dict) else set()
    config = config_of({**recorded, "output": output.name, "overwrite": False}, context.roots, kept)
    return arguments(replace(config, resume=True, **_as_recorded(output.name, recorded, config)))


def _as_recorded(name: str, recorded: Mapping[str, Any], config: TrainConfig) -> dict[str, Any]:
    """The checked paths in the words in which they were given: the trainer goes on with the very same ones only.

    Raises:
        JobError: they were relative to another working directory.
    """
    told: dict[str, Any] = {}
    for flag in ("ratings", "pairs", "prompts", "image_root", "backbone"):
        given, checked = recorded.get(flag), getattr(config, flag)
        if isinstance(given, str) and checked is not None:
            then, now = (text.partition("@")[2] if flag == "backbone" else text for text in (given, str(checked)))
            if Path(then).resolve() != Path(now).resolve():
                raise JobError(
                    f"{name} was begun in another folder, with {then} below it. Go on with it there: the same command "
                    "with --resume."
                )
            told[flag] = type(checked)(given)
    return told


def _again(before: JobStatus | None, output: Path) -> list[str]:
    if before is None:
        raise JobError(f"There is no training called {output.name} that could be started again.")
    told = [argument for argument in before.job.arguments if argument not in ("--resume", "--overwrite")]
    # A folder without last/ holds nothing that was learned: it was killed while it was made.
    return [*told, "--overwrite"] if output.exists() else told


def finished(run: Run) -> bool:
    """Whether the run's `last/` is of the last epoch that it was to go through.

    Its metrics don't tell: a training that is killed may have written an epoch's line and not its checkpoint.
    """
    recorded = run.config.get("arguments")
    wanted = recorded.get("epochs") if isinstance(recorded, dict) else None
    done = number(read_checkpoint(run, "last").metrics.get("epoch"))
    return isinstance(wanted, int) and done is not None and done >= wanted


def _epochs(context: Context, job: Job, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A line an epoch; of a run that was resumed also those from before."""
    lines = context.board.epochs(job) if job.resumes else told
    return [clean_metrics(line) for line in lines if is_metrics(line)]


def _on(device: str) -> str:
    return f"on {device}" if device else ""
