"""What the analysis tab does, without its components: a run's name in; cards and figures out."""

import math
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dashboards import cards, figures, headtable, markup, trustfigures
from dashboards.chartstyle import label_of
from dashboards.context import Context
from dashboards.desk import image_name
from dashboards.epochs import read_epochs
from dashboards.runnotes import read_notes
from dashboards.runpeople import agreement_of
from dashboards.runs import Checkpoint, Run, list_runs, read_checkpoint
from dashboards.runstate import half_way
from reward.aspects import BY_NAME, HEADS
from reward.errors import RewardError, shown
from reward.intact import newer_format
from reward.lineage import trained_run

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_ERRORS: Final = 20


@dataclass(frozen=True)
class RunReport:
    """A checkpoint as the page shows it: cards, and its metrics for the figures; empty metrics = nothing to draw."""

    badges: str
    table: str
    metrics: dict[str, Any] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def figures(self) -> "tuple[go.Figure, ...]":
        """Accuracy a head, importance, calibration; then loss, accuracy and importance over epochs."""
        return (
            figures.accuracy_bars(self.metrics),
            trustfigures.importance_bars(self.metrics),
            trustfigures.calibration_chart(self.metrics),
            figures.loss_curves(self.lines),
            figures.accuracy_curves(self.lines),
            figures.importance_curves(self.lines),
        )

    def tables(self) -> tuple[str, str, str]:
        """The tables behind importance, calibration and the curves."""
        source = markup.notes([words] if (words := trustfigures.importance_source(self.metrics)) else [])
        weights = trustfigures.importance_rows(self.metrics)
        return (
            source + markup.behind(trustfigures.IMPORTANCE_COLUMNS, weights),
            markup.behind(trustfigures.CALIBRATION_COLUMNS, trustfigures.calibration_rows(self.metrics)),
            markup.behind(figures.CURVE_COLUMNS, figures.curve_rows(self.lines)),
        )


def run_choices(context: Context) -> list[tuple[str, str]]:
    """(label, name) of every run below outputs: trained ones, the newest first, those weighed by hand, archived ones.

    Damaged ones say so. The first one is shown where nobody has chosen.
    """
    found = [(run, read_notes(run.folder).archived) for run in list_runs(context.roots.outputs)]
    found.sort(key=lambda one: (one[1], one[0].weighed_by_hand))
    return [(_choice(run) + (" · archived" if archived else ""), run.name) for run, archived in found]


def report(context: Context, name: str | None, checkpoint: str) -> RunReport:
    """A checkpoint's numbers. Whatever is wrong with the run is said in the card; nothing is raised."""
    if not name:
        nothing = cards.empty("No run yet", "Train a model in the Train tab; what it learned shows here.")
        return RunReport("", nothing)
    try:
        run = context.run(name)
    except RewardError as error:
        return RunReport("", cards.problem("This run can't be shown", str(error)))
    found = read_checkpoint(run, checkpoint)
    epochs = read_epochs(run.folder)
    trouble = run.problem or found.problem or epochs.problem
    if run.weighed_by_hand and not found.metrics and not newer_format(run.config):
        return RunReport("", cards.warning("Weights set by hand", _own_weights(run)))
    if not found.metrics:
        return RunReport("", cards.problem(f"Something is wrong with {run.name}", trouble))
    warning = cards.problem(f"Something is wrong with {run.name}", trouble) if trouble else ""
    if run.weighed_by_hand:
        warning += cards.warning("Weights set by hand", _own_weights(run))
    far = half_way(run, context.board)
    warning += cards.warning(f"{run.name} is not whole", far) if far else ""
    heads = headtable.head_table(found.metrics, agreement_of(run, context.roots))
    table = heads + markup.notes(headtable.weak_heads(found.metrics)) + markup.glossary()
    return RunReport(cards.badge_card(found), warning + table, found.metrics, epochs.lines)


def write_report(context: Context, name: str | None, checkpoint: str, folder: Path, *, pictures: bool) -> Path:
    """Write the run's report (see `dashboards.report`) into a folder of its own below `folder`.

    Raises:
        RewardError: there is no such run or checkpoint, or it has no metrics.
    """
    from dashboards import report as reports

    found = read_checkpoint(context.run(name or ""), checkpoint)
    shown_too = reports.Pictures(note="Left out.")
    if pictures and found.metrics:
        shown_too = reports.take_pictures(context.desk, context.shelf, found)
    people = agreement_of(found.run, context.roots)
    text = reports.build_report(found, shown_too, half_way(found.run, context.board), people)
    file = Path(tempfile.mkdtemp(prefix="report-", dir=folder)) / f"{found.run.name}-{found.name}.html"
    file.write_text(text, encoding="utf-8")
    return file


def errors(context: Context, name: str | None, head: str) -> "tuple[str, go.Figure | None]":
    """Scores against ratings, image by image: the table behind, or what is wrong, and the chart where there is one."""
    try:
        points, evaluation = _error_points(context, name or "", head)
    except RewardError as error:
        return cards.problem("The errors can't be shown", str(error)), None
    aspect = BY_NAME[head]
    worst = sorted(points, key=lambda point: abs(point[2] - point[1]), reverse=True)[:MOST_ERRORS]
    rows = [[image, f"{rating:.2f}", f"{score:.2f}", f"{score - rating:+.2f}"] for image, rating, score in worst]
    told = markup.behind(("Image", "Mean rating", "Score", "Error"), rows, f"The {len(rows)} largest errors as a table")
    return told, trustfigures.error_chart(aspect.label, aspect.colour, points, evaluation)


def _error_points(context: Context, name: str, head: str) -> tuple[list[tuple[str, float, float]], str]:
    if head not in BY_NAME:
        raise RewardError(f"There is no head called {shown(head)}.")
    run = context.run(name)
    found = context.desk.validated(run)
    if found.data.pairs is None:
        raise RewardError("A model of overall pairs gives no scores in rating points: there is no error to show.")
    number = HEADS.index(head)
    columns = zip(found.data.files, found.data.ratings[:, number], found.scores[:, number], strict=True)
    known = [(image_name(file), float(rating), float(score)) for file, rating, score in columns]
    evaluation = str(read_checkpoint(run, "best").metrics.get("evaluation") or "validation")
    return [point for point in known if not (math.isnan(point[1]) or math.isnan(point[2]))], evaluation


def _own_weights(run: Run) -> str:
    lineage = run.config.get("lineage")
    weights = lineage.get("weights") if isinstance(lineage, dict) else None
    known = weights.items() if isinstance(weights, dict) else ()
    told = ", ".join(f"{label_of(str(head))} {value:.0%}" for head, value in known if isinstance(value, float))
    try:
        whose = f"The heads and their figures are those of {trained_run(run.folder).name}"
    except RewardError as error:
        whose = f"The heads and their figures are another run's. {str(error).rstrip('.')}"
    return f"{told}. {whose}. The weights were learned from no data."


def usable_checkpoint(context: Context, name: str, checkpoint: str) -> Checkpoint:
    """The checkpoint of this name.

    Raises:
        RewardError: there is no such run or checkpoint.
    """
    found = read_checkpoint(context.run(name), checkpoint)
    if not found.usable:
        raise RewardError(found.problem)
    return found


def _choice(run: Run) -> str:
    if run.weighed_by_hand:
        return f"{run.name} · {run.backbone} · weights set by hand"
    best = read_checkpoint(run, "best") if "best" in run.checkpoints else None
    return f"{run.name} · {run.problem or (best and best.problem) or run.backbone}"
