"""Charts of a run: metrics lines and scores come in, plotly figures that can be read on light and dark go out."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from dashboards.chartstyle import HEIGHT, TEXT, WHISKER, WHOLE, colour_of, label_of, say, style
from dashboards.runs import COMBINED, OVERALL, interval, number, result_rows, trained
from dashboards.scorer import Score
from reward.aspects import ASPECTS, MAX_RATING, MIN_RATING

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_BARS: Final = 12
LONGEST_NAME: Final = 25  # characters
CURVE_COLUMNS: Final = ("Epoch", "Head", "Loss", "Training loss", "Accuracy", "95 % interval", "Weight", "Pairs")

Line = Mapping[str, Any]


def loss_curves(lines: Sequence[Line]) -> "go.Figure":
    """Mean negative log-likelihood of pairs over epochs, a line a head; dotted: on the training pairs."""
    more = f"{_count_words(lines)}<br>solid: validation pairs, dotted: training pairs"
    figure = _curves(lines, "loss", "Loss over epochs", "loss (nats a pair)", more)
    for key, _, colour in _series(lines):
        values = [number(_result(line, key).get("train_loss")) for line in lines]
        if any(value is not None for value in values):
            trace = _line(lines, values, f"{label_of(key)}, training", colour, dash="dot", width=1.2)
            figure.add_scatter(**trace | {"legendgroup": key, "showlegend": False})
    return figure


def accuracy_curves(lines: Sequence[Line]) -> "go.Figure":
    """Share of validation pairs in the right order over epochs, a line a head, with chance at ½."""
    figure = _curves(lines, "accuracy", "Accuracy over epochs", "share of pairs", _count_words(lines))
    figure.add_hline(y=0.5, line={"color": TEXT, "width": 1, "dash": "dash"})
    return figure.update_yaxes(range=[0, 1.02], tickformat=".0%")


def importance_curves(lines: Sequence[Line]) -> "go.Figure":
    """Weight of each head in the combined score over epochs; the weights of an epoch sum to 1."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for aspect in ASPECTS:
        values = [number((line.get("importance") or {}).get(aspect.name)) for line in lines]
        if any(value is not None for value in values) and trained(_result(lines[-1], aspect.name)):
            figure.add_scatter(**_line(lines, values, aspect.label, aspect.colour))
    measured = counted(_result(lines[-1], COMBINED)) if lines and figure.data else ""
    more = "<br>".join(filter(None, (measured, "weight in the combined score; they sum to 100 %")))
    style(figure, "Importance over epochs", "weight", more)
    if not figure.data:
        say(figure, "Pairs alone don't tell the heads apart" if _overall(lines) else "No epoch yet")
    return _epoch_axis(figure, lines).update_yaxes(rangemode="tozero", tickformat=".0%")


def curve(lines: Sequence[Line], key: str, value: str) -> list[tuple[int, float]]:
    """(epoch, figure) of one head or of the combined score, where both are known."""
    known = [(number(line.get("epoch")), number(_result(line, key).get(value))) for line in lines]
    return [(int(epoch), figure) for epoch, figure in known if epoch is not None and figure is not None]


def curve_rows(lines: Sequence[Line]) -> list[list[str]]:
    """The table behind the three curves: the rows of `CURVE_COLUMNS`."""
    rows = []
    for line in lines:
        for key, label, _ in _series([line]):
            result, weight = _result(line, key), (line.get("importance") or {}).get(key)
            if trained(result):
                known = (number(result.get(name)) for name in ("loss", "train_loss", "accuracy"))
                *figures, weighs = ["–" if value is None else f"{value:.3f}" for value in (*known, number(weight))]
                bounds = interval(result)
                span = f"{bounds[0]:.3f} – {bounds[1]:.3f}" if bounds else "–"
                pairs = str(result.get("pairs", "–"))
                rows.append([str(line.get("epoch", "?")), label, *figures, span, weighs, pairs])
    return rows


def counted(result: Mapping[str, Any]) -> str:
    """On how much a result stands: `n = 65 validation pairs of 8 prompts`; empty where that isn't known."""
    pairs, prompts = number(result.get("pairs")), number(result.get("prompts"))
    if pairs is None:
        return ""
    return f"n = {pairs:,.0f} validation pairs" + ("" if prompts is None else f" of {prompts:,.0f} prompts")


def accuracy_bars(metrics: Line) -> "go.Figure":
    """Accuracy a head with its 95 % interval and number of pairs, with chance at ½."""
    import plotly.graph_objects as go

    figure = go.Figure()
    any_interval = False
    for key, label, result in reversed(result_rows(metrics)):
        accuracy = number(result.get("accuracy"))
        if accuracy is None or not trained(result):
            continue
        error = None
        if bounds := interval(result):
            any_interval = True
            error = {"array": [bounds[1] - accuracy], "arrayminus": [accuracy - bounds[0]], "color": WHISKER}
        count = result.get("pairs", "?")
        figure.add_bar(
            y=[f"{label} (n = {count})"],
            x=[accuracy],
            orientation="h",
            name=label,
            marker={"color": colour_of(key)},
            error_x=error,
            hovertemplate=f"{label}: %{{x:.3f}}<br>{count} pairs, {result.get('ties', '?')} ties<extra></extra>",
        )
    whiskers = ", with 95 % interval" if any_interval else ""
    prompts = next((number(result.get("prompts")) for _, _, result in reversed(result_rows(metrics))), None)
    of = "" if prompts is None else f" of {prompts:,.0f} prompts"
    words = f"share in the right order{whiskers}<br>n = pairs{of}, beside each name"
    style(figure, f"Accuracy on {_evaluation(metrics)} pairs", "", words)
    if not figure.data:
        say(figure, "No validation pairs")
    figure.add_vline(x=0.5, line={"color": TEXT, "width": 1, "dash": "dash"})
    figure.update_layout(showlegend=False, bargap=0.35).update_yaxes(showgrid=False)
    return figure.update_xaxes(range=[0, 1.02], tickformat=".0%")


def score_bars(scores: Sequence[Score], *, overall_only: bool = False, order: str = "") -> "go.Figure":
    """Scores of each image, a bar a head and one combined; the first 12 images.

    0–10, but with `overall_only` (a model of pairs mode) a single centred logit.

    Args:
        order: in which order the images come, for the subtitle.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    usable = [score for score in scores if not score.problem]
    drawn = usable[:MOST_BARS]
    heads = [] if overall_only else [(aspect.name, aspect.colour) for aspect in ASPECTS]
    every = [
        (label_of(key), colour, [score.scores.get(key) for score in drawn])
        for key, colour in [*heads, (COMBINED, WHOLE)]
    ]
    # An untrained head has no bar; the table says why.
    series = [one for one in every if any(value is not None for value in one[2])]
    of = f"first {len(drawn)} of {len(usable)}" if len(usable) > len(drawn) else f"n = {len(drawn)}"
    unit = "preference (centred logit)" if overall_only else "score, rating points"
    # A model may go a little beyond the scale that people were given.
    known = [value for _, _, values in series for value in values if value is not None]
    span = None if overall_only else [min([MIN_RATING, *known]), max([MAX_RATING, *known])]
    ordered = f"; {order}" if order and len(drawn) > 1 else ""
    style(figure, f"Scores ({of} image{'' if len(usable) == 1 else 's'})", "", unit + ordered)
    if len(drawn) == 1:
        return _bars_of_one(figure, series, span)
    names = [_short(score.name, place) for place, score in enumerate(drawn, start=1)]
    for label, colour, values in series:
        hover = f"%{{x}}<br>{label}: %{{y:.2f}}<extra></extra>"
        figure.add_bar(x=names, y=values, name=label, marker={"color": colour}, hovertemplate=hover)
    # Above the bars, for the names below them may be long; there is room for the three rows of a narrow screen.
    legend = {"y": 1.02, "yanchor": "bottom"}
    figure.update_layout(bargap=0.25, margin={"t": 128}, legend=legend, height=HEIGHT + 80)
    # A name below each image: without it, narrow screens get every second one, slanted out of the chart.
    return figure.update_xaxes(showgrid=False, dtick=1).update_yaxes(range=span)


def _bars_of_one(
    figure: "go.Figure", series: Sequence[tuple[str, str, list[float | None]]], span: list[float] | None
) -> "go.Figure":
    """The scores of a single image: a bar a head, its name before it and its score behind it."""
    for label, colour, (value,) in reversed(series):
        figure.add_bar(
            y=[label],
            x=[value],
            orientation="h",
            name=label,
            marker={"color": colour},
            text=[f"{value:.2f}"],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{label}: %{{x:.2f}}<extra></extra>",
        )
    figure.update_layout(showlegend=False, bargap=0.35).update_yaxes(showgrid=False)
    return figure.update_xaxes(range=span and [span[0], span[1] * 1.08])


def _curves(lines: Sequence[Line], value: str, title: str, unit: str, more: str) -> "go.Figure":
    import plotly.graph_objects as go

    figure = go.Figure()
    for key, label, colour in _series(lines):
        values = [number(_result(line, key).get(value)) for line in lines]
        if any(known is not None for known in values):
            width = 3.0 if key in (COMBINED, OVERALL) else 2.0
            figure.add_scatter(**_line(lines, values, label, colour, width=width) | {"legendgroup": key})
    style(figure, title, unit, more)
    if not figure.data:
        say(figure, "No epoch yet" if not lines else "No validation pairs")
    return _epoch_axis(figure, lines)


def _series(lines: Sequence[Line]) -> list[tuple[str, str, str]]:
    return [(key, label, colour_of(key)) for key, label, _ in result_rows(lines[-1])] if lines else []


def _result(line: Line, key: str) -> Mapping[str, Any]:
    found = line.get(key) if key in (COMBINED, OVERALL) else (line.get("heads") or {}).get(key)
    return found if isinstance(found, dict) else {}


def _line(
    lines: Sequence[Line],
    values: Sequence[float | None],
    name: str,
    colour: str,
    dash: str = "solid",
    width: float = 2.0,
) -> dict[str, Any]:
    return {
        "x": [line.get("epoch") for line in lines],
        "y": list(values),
        "name": name,
        "mode": "lines+markers" if len(lines) < 3 else "lines",
        "line": {"color": colour, "width": width, "dash": dash},
        "hovertemplate": f"epoch %{{x}}<br>{name}: %{{y:.3f}}<extra></extra>",
    }


def _count_words(lines: Sequence[Line]) -> str:
    """How many pairs the accuracies stand on: `n = 30–36 validation pairs a line`."""
    results = [_result(lines[-1], key) for key, _, _ in _series(lines)] if lines else []
    counts = sorted(int(result["pairs"]) for result in results if number(result.get("pairs")))
    span = "" if not counts else f"{counts[0]}" if counts[0] == counts[-1] else f"{counts[0]}–{counts[-1]}"
    return f"n = {span} validation pairs a line" if span else "validation pairs"


def _overall(lines: Sequence[Line]) -> bool:
    return bool(lines) and lines[-1].get("mode") == "pairs"


def _evaluation(metrics: Line) -> str:
    return str(metrics.get("evaluation") or "validation")


def _short(name: str, place: int) -> str:
    """A bar's name: short, and different for each image even where file names repeat.

    Folders go first, which images often share; then the middle of the file's name.
    """
    folders = name.split("/")
    ways = [name, *(f"…/{'/'.join(folders[k:])}" for k in range(1, len(folders))), folders[-1]]
    cut = f"{folders[-1][:10]}…{folders[-1][11 - LONGEST_NAME :]}"
    return f"{place}. {next((way for way in ways if len(way) <= LONGEST_NAME), cut)}"


def _epoch_axis(figure: "go.Figure", lines: Sequence[Line]) -> "go.Figure":
    return figure.update_xaxes(dtick=1 if len(lines) <= 8 else None, nticks=8, tickformat="d", tickangle=0)
