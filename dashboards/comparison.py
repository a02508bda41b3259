"""Runs side by side: their curves, their figures, whether they differ, and which of their arguments do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dashboards import cards
from dashboards.chartstyle import TEXT, label_of, say, style
from dashboards.context import Context
from dashboards.epochs import read_epochs
from dashboards.markup import behind, table, term
from dashboards.runs import COMBINED, OVERALL, Run, interval, number, read_checkpoint, trained
from reward.aspects import ASPECTS, HEADS
from reward.errors import RewardError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from reward.paired import PairedDifference

MOST_RUNS: Final = 8
HEAD_CHOICES: Final = (("Combined", COMBINED), *((aspect.label, aspect.name) for aspect in ASPECTS))
# Apart from the heads' colours, to be read on light and dark, and told by their dashes too.
COLOURS: Final = ("#6f74f2", "#d9566b", "#2f9bbd", "#b97a35", "#b866c9", "#6b9e3f", "#8a8f99", "#3f8f86")
_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid", "dash")
_OF_NO_MATTER: Final = frozenset({"output", "events", "resume", "overwrite", "log_to", "cache_dir"})
# What there is none of where it isn't given; the trainer finds the others out by itself.
_NONE_GIVEN: Final = frozenset({"ratings", "pairs", "image_root"})
_FIGURES: Final = ("f1", "loss", "spearman", "mae", "calibration_error")
_COLUMNS: Final = (
    *("Run", "Accuracy", "95 % interval", "F1", "Loss", "Spearman", "MAE"),
    *("Calibration error", "Pairs", "Prompts", "Evaluation", "Epoch"),
)
_CURVE_COLUMNS: Final = ("Run", "Epoch", "Accuracy", "95 % interval", "Loss", "Pairs")
_TEST_COLUMNS: Final = (
    *("Against the first", "Figure", "Verdict", "First there", "This one there", "Difference"),
    *("95 % interval", "Pairs", "Prompts"),
)
_TESTED: Final = (("accuracy", "Accuracy", ".1%"), ("f1", "F1", ".3f"), ("loss", "Loss", ".3f"))


@dataclass(frozen=True)
class Compared:
    """A run as it is compared: metrics of its best checkpoint, and a line an epoch."""

    run: Run
    metrics: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]
    problem: str = ""

    def result(self, head: str, line: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """The figures of a head, or of all together, of `best/` or of an epoch's line."""
        content = self.metrics if line is None else line
        heads = content.get("heads")
        if head == COMBINED:
            found = content.get(OVERALL, content.get(COMBINED))
        else:
            found = heads.get(head) if isinstance(heads, dict) else None
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Comparison:
    """The runs chosen, the first of them what the others are held against; `message` says why there are none."""

    runs: Sequence[Compared] = ()
    message: str = ""
    names: tuple[str, ...] = field(default=())

    def figures_table(self, head: str) -> str:
        """A row a run: accuracy with its interval, and the other figures of its `best/`."""
        return table(_COLUMNS, [_figures_row(one, head) for one in self.runs], wide=True)

    def heads_table(self) -> str:
        """A row a head, a column a run: accuracy with its interval."""
        rows = [[escape(label), *(_accuracy(one.result(key)) for one in self.runs)] for label, key in HEAD_CHOICES]
        return table(("Accuracy of", *(one.run.name for one in self.runs)), rows, wide=True)

    def arguments_table(self) -> str:
        """What differs among arguments, inputs, versions and code; a line of words where nothing does."""
        told = [_told(one.run.config) for one in self.runs]
        names = sorted({name for one in told for name in one})
        rows = [[name, *(one.get(name, "–") for one in told)] for name in names]
        differing = [[escape(cell) for cell in row] for row in rows if len(set(row[1:])) > 1]
        if not differing:
            return cards.detail("Their arguments, inputs and versions are the same.")
        return table(("What differs", *(one.run.name for one in self.runs)), differing, wide=True)

    def curves(self, head: str) -> "tuple[go.Figure, go.Figure]":
        """Accuracy and loss of a head over epochs, a line a run."""
        name = "Combined" if head == COMBINED else label_of(head)
        accuracy = self._curve(head, "accuracy", f"{name}: accuracy over epochs", "share of pairs")
        accuracy.update_yaxes(tickformat=".0%").add_hline(y=0.5, line={"color": TEXT, "width": 1, "dash": "dash"})
        return accuracy, self._curve(head, "loss", f"{name}: loss over epochs", "loss (nats a pair)")

    def curves_table(self, head: str) -> str:
        """The table behind the curves, folded: a row an epoch of each run."""
        rows = []
        for one in self.runs:
            for line in one.lines:
                result = one.result(head, line)
                bounds = interval(result)
                figures = [number(result.get(key)) for key in ("accuracy", "loss")]
                accuracy, loss = ("–" if value is None else f"{value:.3f}" for value in figures)
                span = f"{bounds[0]:.3f} – {bounds[1]:.3f}" if bounds else "–"
                rows.append(
                    [one.run.name, str(line.get("epoch", "?")), accuracy, span, loss, str(result.get("pairs", "–"))]
                )
        return behind(_CURVE_COLUMNS, rows)

    def _curve(self, head: str, value: str, title: str, unit: str) -> "go.Figure":
        import plotly.graph_objects as go

        figure = go.Figure()
        for place, one in enumerate(self.runs):
            values = [number(one.result(head, line).get(value)) for line in one.lines]
            if any(known is not None for known in values):
                figure.add_scatter(
                    x=[line.get("epoch") for line in one.lines],
                    y=values,
                    name=one.run.name,
                    mode="lines+markers" if len(values) < 3 else "lines",
                    line={"color": COLOURS[place], "dash": _DASHES[place], "width": 2.5},
                    hovertemplate=f"{escape(one.run.name)}, epoch %{{x}}: %{{y:.3f}}<extra></extra>",
                )
        counts = sorted(
            {int(known) for one in self.runs if (known := number(one.result(head).get("pairs"))) is not None}
        )
        span = " to ".join(f"{count:,}" for count in dict.fromkeys((*counts[:1], *counts[-1:])))
        style(figure, title, unit, f"n = {span} validation pairs a run" if span else "validation pairs of each run")
        if not figure.data:
            say(figure, "No epoch was measured on it")
        return figure.update_xaxes(nticks=8, tickformat="d", tickangle=0).update_layout(showlegend=True)


def compare(context: Context, names: Sequence[str]) -> Comparison:
    """The runs of these names, read; whatever is wrong is said in `message` and nothing is raised."""
    chosen = list(dict.fromkeys(names))
    if len(chosen) < 2:
        return Comparison(
            message=cards.empty("Choose two runs or more", "The first one is what the others are held against.")
        )
    if len(chosen) > MOST_RUNS:
        return Comparison(message=cards.problem("That is too many", f"At most {MOST_RUNS} runs are compared at once."))
    try:
        runs = [_read(context.run(name)) for name in chosen]
    except RewardError as error:
        return Comparison(message=cards.problem("These runs can't be compared", str(error)))
    troubles = "\n".join(f"{one.run.name}: {one.problem}" for one in runs if one.problem)
    message = cards.problem("Something is wrong with a run", troubles) if troubles else ""
    return Comparison(runs, message, tuple(chosen))


def differences(context: Context, names: Sequence[str], head: str) -> str:
    """Whether each of the runs differs from the first one on a head, by the pairs that both were validated on."""
    if head != COMBINED and head not in HEADS:
        return cards.problem("The runs can't be compared", f"There is no head called {head[:40]!r}.")
    chosen = list(dict.fromkeys(names))
    if not 2 <= len(chosen) <= MOST_RUNS:
        return ""
    rows = [[escape(name), *row] for name in chosen[1:] for row in _tested(context, chosen[0], name, head)]
    told = (
        "A paired bootstrap over prompts: both runs on the same pairs, each by models that had not seen them. "
        "That two intervals overlap tells nothing."
    )
    return table(_TEST_COLUMNS, rows, wide=True) + cards.detail(told)


def _tested(context: Context, first: str, second: str, head: str) -> list[list[str]]:
    """A row a figure, or one that says why there is none."""
    try:
        runs = [context.run(name) for name in (first, second)]
        if any(run.weighed_by_hand for run in runs):
            raise RewardError("weights set by hand were learned from no data, so there is no validation")
        validated = [context.desk.validated(run) for run in runs]
        if head != COMBINED and any(one.data.pairs is None for one in validated):
            raise RewardError("a run of overall pairs knows no heads")
    except RewardError as error:
        said = str(error).splitlines()[0]
        return [["–", f"can't be told: {escape(said)}", *["–"] * 6]]
    from reward.paired import paired_differences

    found = paired_differences(validated[0], validated[1], head)
    return [[term(name), *_difference(found[figure], form)] for figure, name, form in _TESTED]


def _difference(found: "PairedDifference", form: str) -> list[str]:
    bounds, values = "–", ["–"] * 3
    if found.prompts:
        values = [f"{found.first:{form}}", f"{found.second:{form}}", f"{found.difference:+{form}}"]
    if found.interval is not None:
        bounds = f"{found.interval[0]:+{form}} – {found.interval[1]:+{form}}"
    return [escape(found.words), *values, bounds, f"{found.pairs:,}", str(found.prompts)]


def _read(run: Run) -> Compared:
    checkpoint = read_checkpoint(run, "best")
    epochs = read_epochs(run.folder)
    return Compared(run, checkpoint.metrics, epochs.lines, run.problem or checkpoint.problem or epochs.problem)


def _figures_row(one: Compared, head: str) -> list[str]:
    result = one.result(head)
    name = escape(one.run.name)
    if not trained(result):
        return [name, escape(str(result.get("reason") or "not measured")), *["–"] * (len(_COLUMNS) - 2)]
    bounds = interval(result)
    figures = [number(result.get(key)) for key in _FIGURES]
    return [
        name,
        _share(result.get("accuracy")),
        f"{bounds[0]:.1%} – {bounds[1]:.1%}" if bounds else "–",
        *("–" if value is None else f"{value:.3f}" for value in figures),
        *(escape(str(result.get(key, "–"))) for key in ("pairs", "prompts", "evaluation")),
        escape(str(one.metrics.get("epoch", "–"))),
    ]


def _accuracy(result: Mapping[str, Any]) -> str:
    if not trained(result):
        return escape(str(result.get("reason") or "–"))
    bounds = interval(result)
    told = f" ({bounds[0]:.0%}–{bounds[1]:.0%})" if bounds else ""
    return _share(result.get("accuracy")) + told


def _share(value: Any) -> str:
    known = number(value)
    return "–" if known is None else f"{known:.1%}"


def _told(config: Mapping[str, Any]) -> dict[str, str]:
    """What may differ between two runs, by name."""
    told: dict[str, str] = {}
    for part, prefix in (("arguments", "--"), ("versions", ""), ("inputs", "sha256 of ")):
        content = config.get(part)
        for name, value in content.items() if isinstance(content, dict) else ():
            if part != "arguments" or name not in _OF_NO_MATTER:
                if value is None:
                    shown = "none" if name in _NONE_GIVEN else "automatic"
                else:
                    shown = str(value)[:12] if part == "inputs" else str(value)
                name = Path(str(name)).name if part == "inputs" else name
                told[prefix + (str(name).replace("_", "-") if prefix == "--" else str(name))] = shown
    for name, key in (("sha256 of the images", "images"), ("code's revision", "git_revision")):
        if isinstance(config.get(key), str):
            told[name] = str(config[key])[:12]
    return told
