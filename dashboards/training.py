"""What the training tab does, without its components: form values in; cards, figures and started trainings out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate.pairs_file import holds_votes
from annotate.project import Project
from dashboards import cards, figures
from dashboards.context import Context
from dashboards.datasummary import DataSummary, summarise_preferences, summarise_ratings
from dashboards.form import FORM_FLAGS, OTHER_BACKBONE, arguments, config_of, shell_command, short_path
from dashboards.jobs import PROGRAM
from dashboards.jobstate import JobState
from dashboards.progress import progress
from reward.errors import RewardError

if TYPE_CHECKING:
    import plotly.graph_objects as go

# The order in which the page sends its values; `spec` is the text beside the choice of backbone.
FORM_FIELDS = (*(flag.field for flag in FORM_FLAGS), "spec")


@dataclass(frozen=True)
class Seen:
    """What a page shows already, so that a tick sends only what is new."""

    run: str = ""
    curves: tuple[str, int] = ("", -1)


@dataclass(frozen=True)
class RunView:
    """The newest training as the page shows it; `new_curves`: there is an epoch the page has not drawn."""

    seen: Seen
    card: str
    state: JobState | None
    metrics: list[dict[str, Any]] = field(default_factory=list)
    new_curves: bool = False

    @property
    def live(self) -> bool:
        """Whether a process is at work."""
        return self.state is not None and self.state.live

    def figures(self) -> "tuple[go.Figure, go.Figure, go.Figure]":
        """Loss, accuracy and importance over epochs."""
        return (
            figures.loss_curves(self.metrics),
            figures.accuracy_curves(self.metrics),
            figures.importance_curves(self.metrics),
        )


def form_values(*values: Any) -> dict[str, Any]:
    """The page's values by field, in the order of `FORM_FIELDS`; a backbone typed as text stands for the choice."""
    named = dict(zip(FORM_FIELDS, values, strict=True))
    spec = named.pop("spec")
    if named["backbone"] == OTHER_BACKBONE:
        named["backbone"] = spec
    return named


def describe_data(context: Context, values: Mapping[str, Any]) -> str:
    """What the chosen file holds for training, as a card; what is wrong with it where it can't be read."""
    try:
        summary = _summary(context, values)
    except RewardError as error:
        return _no_data(context, values, error)
    return cards.data_card(summary)


def describe_command(context: Context, values: Mapping[str, Any]) -> tuple[str, str]:
    """The command to copy, and what is wrong with the values; one of the two is empty."""
    try:
        return shell_command(config_of(values, context.roots), PROGRAM), ""
    except RewardError as error:
        if _own_file_missing(context, values):
            return "", ""  # the data's own panel says what to do
        return "", cards.problem("This can't be started as it stands", str(error))


def start(context: Context, values: Mapping[str, Any]) -> str:
    """Start the training; returns what was wrong, as a card, and an empty text where it was started."""
    try:
        config = config_of(values, context.roots)
        context.board.start(arguments(config), Path(config.output).absolute())
    except RewardError as error:
        return cards.problem("The training was not started", str(error))
    except OSError as error:
        return cards.problem("The training was not started", f"{error.filename}: {error.strerror}")
    return ""


def stop(context: Context) -> str:
    """Ask the training at work to end; returns what was wrong, as a card."""
    at_work = context.board.at_work()
    if at_work is None:
        return cards.problem("Nothing to stop", "No training is at work.")
    try:
        context.board.stop(at_work.job.id)
    except RewardError as error:
        return cards.problem("The training was not stopped", str(error))
    return ""


def look(context: Context, seen: Seen) -> RunView | None:
    """The newest training; None where the page shows all of it already."""
    status = context.board.newest()
    if status is None:
        return _nothing_yet(seen)
    so_far = progress(context.board.events(status.job))
    card = cards.run_card(status, so_far)
    curves = (status.job.id, len(so_far.metrics))
    now = Seen(card, curves)
    if now == seen:
        return None
    return RunView(now, card, status.state, so_far.metrics, curves != seen.curves)


def _nothing_yet(seen: Seen) -> RunView | None:
    card = cards.empty("No training yet", "Look at what the data holds, choose a backbone and press Start training.")
    now = Seen(card, ("", 0))
    return None if now == seen else RunView(now, card, None, [], new_curves=True)


def _summary(context: Context, values: Mapping[str, Any]) -> DataSummary:
    roots = context.roots
    root_text = values.get("image_root")
    image_root = roots.existing_folder(root_text, "--image-root") if isinstance(root_text, str) and root_text else None
    if values.get("mode") == "pairs":
        return summarise_preferences(roots.existing_file(_text(values, "pairs"), "--pairs"), image_root)
    difference = values.get("min_rating_diff")
    smallest = float(difference) if isinstance(difference, int | float) else 0.5
    return summarise_ratings(roots.existing_file(_text(values, "ratings"), "--ratings"), smallest, image_root)


def _no_data(context: Context, values: Mapping[str, Any], error: RewardError) -> str:
    """An empty state where the project has no ratings yet, else the reader's message."""
    if _own_file_missing(context, values):
        return cards.empty("No ratings yet", "Rate a few images of one prompt in the Rate tab; they show here at once.")
    return cards.problem("This data can't be trained on", str(error))


def _own_file_missing(context: Context, values: Mapping[str, Any]) -> bool:
    """Whether the file chosen is the one that the studio itself will write, and has not written yet."""
    pairs_mode = values.get("mode") == "pairs"
    own = context.project.pairs_jsonl if pairs_mode else context.project.ratings_csv
    given = _text(values, "pairs" if pairs_mode else "ratings")
    return bool(given) and Path(given).absolute() == own.absolute() and not own.exists()


def judged_pairs(project: Project) -> tuple[str, int]:
    """The file of the pairs that people judged in "A or B?", and their number; ("", 0) where nobody did."""
    for path in (project.pairs_jsonl, project.own_annotations / project.pairs_jsonl.name):
        if holds_votes(path):
            return short_path(path), path.read_bytes().count(b"\n")
    return "", 0


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
