"""Two models on the same images, as the page shows it: two runs in; words, a chart, and the largest differences out."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from dashboards import cards, markup
from dashboards.analysis import usable_checkpoint
from dashboards.chartstyle import TEXT, colour_of, label_of, say, style
from dashboards.context import Context
from dashboards.desk import image_name
from dashboards.headtable import span
from dashboards.roots import shown
from dashboards.runs import Checkpoint, Run, read_run
from dashboards.scorer import SCORE_COLUMNS
from reward.aspects import ASPECTS
from reward.errors import RewardError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from reward.twomodels import HeadDifference

HEAD_CHOICES: Final = (("Combined", "combined"), *((aspect.label, aspect.name) for aspect in ASPECTS))
# What matters comes first: a narrow screen shows the first columns only.
COLUMNS: Final = ("Score", "Mean |difference|", "95 % interval", "Correlation", "Mean difference", "Images", "Unit")
MOST_SHOWN: Final = 12
MOST_LISTED: Final = 200
_PIXELS: Final = 96


@dataclass(frozen=True)
class Difference:
    """What the room shows; without `heads`, `card` says what is wrong or what to do."""

    card: str
    names: tuple[str, str] = ("", "")
    heads: "tuple[HeadDifference, ...]" = ()
    files: tuple[Path, ...] = ()

    def of(self, head: str) -> "HeadDifference | None":
        """One head's difference; None where the two models don't share it."""
        return next((one for one in self.heads if one.head == head), None)

    def figure(self, head: str) -> "go.Figure | None":
        """The second model's scores against the first's; None where there is nothing at all."""
        return scatter(self.of(head), head, self.names, self.files) if self.heads else None

    def told(self, head: str) -> str:
        """The table of heads, then the images on which this one differs most, then all of them behind."""
        if not self.heads:
            return self.card
        table = markup.table(COLUMNS, [[escape(cell) for cell in row] for row in rows(self.heads)], wide=True)
        return self.card + table + _largest(self, head)


def compare(
    context: Context,
    first: tuple[str | None, str],
    second: tuple[str | None, str],
    uploads: Sequence[str],
) -> Difference:
    """Compare two checkpoints, each (run, checkpoint): on the uploads, else on the images that both runs validated."""
    if not second[0]:
        return Difference(cards.empty("No second model yet", "Choose another run to compare this one with."))
    try:
        if first == second:
            raise RewardError("These are the same checkpoint; choose another one.")
        pair = (usable_checkpoint(context, first[0] or "", first[1]), usable_checkpoint(context, second[0], second[1]))
        return _on_uploads(context, pair, uploads) if uploads else _on_validation(context, pair)
    except (RewardError, ValueError) as error:
        return Difference(cards.problem("These models can't be compared", str(error)))


def likely_other(context: Context, run: str | None, others: Sequence[str]) -> str | None:
    """The first of `others` that was trained on the images or the ratings of `run`; None where none was."""
    try:
        about = _data_of(context.run(run or ""))
        return next((one for one in others if about & _data_of(context.run(one))), None)
    except RewardError:
        return None


def _data_of(run: Run) -> set[str]:
    """Marks of the images and the files that a run learned from; none where they can't be told."""
    from reward.lineage import trained_run

    try:
        trained = read_run(trained_run(run.folder))
    except RewardError:
        return set()
    config = trained.config if trained is not None else {}
    inputs = config.get("inputs")
    # By their paths, not their content: a ratings file that has grown since has most of its images still.
    files = list(inputs) if isinstance(inputs, dict) else []
    return {*files, *([images] if isinstance(images := config.get("images"), str) else [])}


def _on_validation(context: Context, pair: tuple[Checkpoint, Checkpoint]) -> Difference:
    from reward.twomodels import validated_differences

    if pair[0].run.name == pair[1].run.name:
        raise RewardError("Two checkpoints of one run share their validation; drop images to compare them on.")
    known = [context.desk.validated(context.run(one.run.name)) for one in pair]
    heads, images = validated_differences(*known)
    if not heads:
        return Difference(cards.empty("No image was validated by both runs", "Drop images to compare them on."))
    words = [
        f"On {len(images)} images that both runs validated, each scored by models that haven't seen it (of best/).",
        "The combined score is told in log-odds against its prompt's mean: their units may differ otherwise.",
    ]
    files = tuple(known[0].data.files[number] for number in images)
    return Difference(markup.notes(words), (pair[0].run.name, pair[1].run.name), tuple(heads), files)


def _on_uploads(context: Context, pair: tuple[Checkpoint, Checkpoint], uploads: Sequence[str]) -> Difference:
    from reward.twomodels import COMBINED, PLACE, POINTS, difference, places

    files = [Path(upload) for upload in uploads]
    sides = [context.shelf.score(one.folder, files) for one in pair]
    columns = {
        head: [np.array([_number(score.scores.get(head)) for score in side]) for side in sides]
        for head in SCORE_COLUMNS
    }
    overall = [one.pairs_mode for one in pair]
    words = [f"On {len(files)} images of your own, each scored by both checkpoints."]
    unit = POINTS
    if any(overall):
        # A logit has its own origin and size in each model, and points are something else again.
        columns = {COMBINED: [places(side) for side in columns[COMBINED]]}
        unit = PLACE
        why = (
            "scores preferences, not rating points" if not all(overall) else "score preferences, each on its own scale"
        )
        which = "Both models" if all(overall) else pair[overall.index(True)].run.name
        words.append(f"{which} {why}: only the images' places are compared.")
    heads = [one for head, (a, b) in columns.items() if (one := difference(head, unit, a, b)) is not None]
    if bad := sum(bool(score.problem) for score in sides[0]):
        words.append(f"{bad} could not be read and are left out.")
    if not heads:
        raise RewardError("None of these files is an image that both models can score.")
    names = tuple(f"{one.run.name}/{one.name}" for one in pair)
    return Difference(markup.notes(words), (names[0], names[1]), tuple(heads), tuple(files))


def rows(heads: "Sequence[HeadDifference]") -> list[list[str]]:
    """The rows of `COLUMNS`."""
    return [
        [
            label_of(one.head),
            f"{one.mean_size:.3f}",
            span(one.interval) or "–",
            "–" if one.correlation is None else f"{one.correlation:.3f}",
            f"{one.shift:+.3f}",
            f"{len(one.image)}",
            one.unit,
        ]
        for one in heads
    ]


def scatter(one: "HeadDifference | None", head: str, names: tuple[str, str], files: Sequence[Path]) -> "go.Figure":
    """A dot an image; on the dashed line both models say the same."""
    import plotly.graph_objects as go

    figure = go.Figure()
    label = label_of(head)
    if one is None:
        style(figure, f"{label}: {names[1]} against {names[0]}", "")
        say(figure, f"The two models don't share {label}")
        return figure
    low = float(min(one.first.min(), one.second.min()))
    high = float(max(one.first.max(), one.second.max()))
    line = {"color": TEXT, "width": 1, "dash": "dash"}
    figure.add_scatter(x=[low, high], y=[low, high], mode="lines", line=line, hoverinfo="skip", name="the same")
    figure.add_scatter(
        x=one.first.tolist(),
        y=one.second.tolist(),
        text=[image_name(files[number]) for number in one.image],
        mode="markers",
        name=label,
        marker={"color": colour_of(head), "size": 8, "symbol": "circle-open", "line": {"width": 2}},
        hovertemplate=f"%{{text}}<br>{escape(names[0])} %{{x:.2f}}<br>{escape(names[1])} %{{y:.2f}}<extra></extra>",
    )
    sure = span(one.interval)
    size = f"mean |difference| {one.mean_size:.2f}" + (f" ({sure})" if sure else "")
    style(figure, f"{label}: where the two differ", f"{names[1]} ({_short(one.unit)})", f"n = {len(one.image)}; {size}")
    return figure.update_layout(showlegend=False).update_xaxes(title=f"{names[0]} ({_short(one.unit)})")


def _short(unit: str) -> str:
    return unit.partition(",")[0].partition(" against")[0]


def _largest(found: Difference, head: str) -> str:
    one = found.of(head)
    if one is None:
        return cards.empty(
            "Not both models have this", f"{label_of(head)} is a score of one of them alone, or of none."
        )
    order = np.argsort(-np.abs(one.first - one.second), kind="stable")
    columns = ("Image", *found.names, "Difference")
    cells = [
        [image_name(found.files[one.image[k]]), f"{one.first[k]:.2f}", f"{one.second[k]:.2f}", _less(one, int(k))]
        for k in order[:MOST_LISTED]
    ]
    pictured = [
        [f'<span class="studio-image">{_picture(found.files[one.image[k]])}<span>{escape(row[0])}</span></span>']
        + [escape(cell) for cell in row[1:]]
        for k, row in zip(order[:MOST_SHOWN], cells, strict=False)
    ]
    heading = f'<h3 class="studio-sub">{escape(label_of(head))}: the largest differences ({escape(one.unit)})</h3>'
    table = markup.table(tuple(columns), pictured)
    return heading + table + markup.behind(columns, cells, "All of them as a table")


def _less(one: "HeadDifference", k: int) -> str:
    return f"{one.first[k] - one.second[k]:+.2f}"


def _picture(file: Path) -> str:
    try:
        return cards.picture(file, _PIXELS, image_name(file))
    except (OSError, ValueError):
        return ""


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def check_head(head: str) -> str:
    """The head, if it is one.

    Raises:
        RewardError: it is none.
    """
    if head not in [name for _, name in HEAD_CHOICES]:
        raise RewardError(f"There is no head called {shown(head)}.")
    return head
