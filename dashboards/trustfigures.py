"""Charts about trust: what drives the combined score and how sure that is, calibration, errors image by image."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from dashboards.chartstyle import HEIGHT, TEXT, WHISKER, colour_of, label_of, say, style
from dashboards.figures import counted
from dashboards.headtable import share, span
from dashboards.runs import number, result_rows, text_of, trained
from reward.aspects import ASPECTS

if TYPE_CHECKING:
    import plotly.graph_objects as go

IMPORTANCE_COLUMNS: Final = ("Head", "Weight", "95 % interval of the weight", "Weight × spread", "Lost without")
CALIBRATION_COLUMNS: Final = ("Head", "Model's sureness", "Pairs", "Mean sureness", "In the right order")

Line = Mapping[str, Any]


def importance_bars(metrics: Line) -> "go.Figure":
    """Weight of each head in the combined score with its interval; untrained heads stand at 0 and say so."""
    import plotly.graph_objects as go

    figure = go.Figure()
    longest, any_interval = 0.0, False
    for head, label, value in reversed(_weights(metrics)):
        bounds = bounds_of(_part(metrics, "importance_interval").get(head))
        error = None
        if bounds and bounds[0] <= value <= bounds[1]:
            any_interval = True
            error = {"array": [bounds[1] - value], "arrayminus": [value - bounds[0]], "color": WHISKER}
        longest = max(longest, value, bounds[1] if bounds else 0)
        figure.add_bar(
            y=[f"{label} {value:.0%}" if trained(_head(metrics, head)) else label],
            x=[value],
            orientation="h",
            name=label,
            marker={"color": colour_of(head)},
            error_x=error,
            hovertemplate=f"{label}: %{{x:.3f}}{_more(metrics, head)}<extra></extra>",
        )
    whiskers = ", with 95 % interval" if any_interval else "; they sum to 100 %"
    measured = counted(_part(metrics, "combined")) if figure.data else ""
    words = "<br>".join(filter(None, (f"weight of a rating point{whiskers}", measured)))
    style(figure, "What drives the combined score", "", words)
    if not figure.data:
        say(figure, "Pairs alone don't tell the heads apart")
    figure.update_layout(showlegend=False, bargap=0.35)
    return figure.update_xaxes(tickformat=".0%", range=[0, 1.05 * longest or 1.0]).update_yaxes(showgrid=False)


def importance_rows(metrics: Line) -> list[list[str]]:
    """The table behind: the rows of `IMPORTANCE_COLUMNS`."""
    interval, spread = _part(metrics, "importance_interval"), _part(metrics, "importance_spread")
    lost = _part(metrics, "accuracy_lost_without")
    return [
        [label, share(value), span(interval.get(head)) or "–", share(spread.get(head)), _signed(lost.get(head))]
        for head, label, value in _weights(metrics)
    ]


def importance_source(metrics: Line) -> str:
    """In words, which data the weights come from."""
    combined = _part(metrics, "combined")
    target = text_of(combined, "target")
    if not target or not _weights(metrics):
        return ""
    pairs, prompts = number(combined.get("pairs")), number(combined.get("prompts"))
    count = "" if pairs is None or prompts is None else f" ({pairs:,.0f} measured pairs of {prompts:.0f} prompts)"
    if target == "overall preferences":
        return f"The weights were learned from people's overall preferences{count}: they tell what people prefer."
    if target == "weights of one's own":
        return "These weights were set by hand; nothing was learned from data."
    return f"The only target was the {target}{count}: the weights describe that mean, not what people prefer."


def calibration_chart(metrics: Line) -> "go.Figure":
    """How often pairs were in the right order, by how sure the model was; on the diagonal it means what it says."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=[0.5, 1],
        y=[0.5, 1],
        mode="lines",
        name="means what it says",
        line={"color": TEXT, "width": 1, "dash": "dash"},
        hoverinfo="skip",
    )
    counts = []
    for key, label, bins in reliability(metrics):
        counts.append(sum(row["pairs"] for row in bins))
        figure.add_scatter(
            x=[row["confidence"] for row in bins],
            y=[row["accuracy"] for row in bins],
            customdata=[row["pairs"] for row in bins],
            mode="lines+markers",
            name=label,
            line={"color": colour_of(key), "width": 3 if key == "combined" else 1.5},
            marker={"size": [5 + min(row["pairs"], 100) ** 0.5 for row in bins]},
            hovertemplate=f"{label}<br>sure: %{{x:.2f}}, right: %{{y:.2f}}<br>%{{customdata}} pairs<extra></extra>",
        )
    span_of = "–".join(f"{count:.0f}" for count in sorted({min(counts), max(counts)})) if counts else ""
    style(
        figure,
        "Is it as sure as it should be?",
        "pairs in the right order",
        f"across: how sure it was; n = {span_of} pairs a line" if counts else "",
    )
    if not counts:
        say(figure, "No validation pairs")
    figure.update_layout(height=HEIGHT + 120).update_yaxes(range=[0, 1.05], tickformat=".0%")
    return figure.update_xaxes(range=[0.48, 1.02], tickformat=".0%")


def calibration_rows(metrics: Line) -> list[list[str]]:
    """The table behind: the rows of `CALIBRATION_COLUMNS`."""
    return [
        [
            label,
            f"{row['low']:.0%} – {row['high']:.0%}",
            f"{row['pairs']:,.0f}",
            share(row["confidence"]),
            share(row["accuracy"]),
        ]
        for _, label, bins in reliability(metrics)
        for row in bins
    ]


def error_chart(label: str, colour: str, points: Sequence[tuple[str, float, float]], evaluation: str) -> "go.Figure":
    """Scores against ratings, a dot an image; `points` are (name, rating, score by a model that hasn't seen it)."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=[0, 10],
        y=[0, 10],
        mode="lines",
        line={"color": TEXT, "width": 1, "dash": "dash"},
        hoverinfo="skip",
        name="no error",
    )
    figure.add_scatter(
        x=[rating for _, rating, _ in points],
        y=[score for _, _, score in points],
        text=[name for name, _, _ in points],
        mode="markers",
        name=label,
        marker={"color": colour, "size": 8, "symbol": "circle-open", "line": {"width": 2}},
        hovertemplate="%{text}<br>rated %{x:.2f}, scored %{y:.2f}<extra></extra>",
    )
    mean = sum(abs(score - rating) for _, rating, score in points) / len(points) if points else 0
    style(
        figure,
        f"{label}: scores against ratings",
        "score, rating points",  # not "0–10": scores are not clamped
        f"n = {len(points)} images, {evaluation}; mean absolute error {mean:.2f} points",
    )
    if not points:
        say(figure, "No rated validation images")
    return figure.update_layout(showlegend=False).update_xaxes(title="mean rating (0–10)")


def _weights(metrics: Line) -> list[tuple[str, str, float]]:
    importance, rows = _part(metrics, "importance"), []
    for aspect in ASPECTS:
        if (value := number(importance.get(aspect.name))) is not None:
            known = trained(_head(metrics, aspect.name))
            rows.append((aspect.name, aspect.label if known else f"{aspect.label} (no ratings)", value))
    return rows


def reliability(metrics: Line) -> list[tuple[str, str, list[dict[str, float]]]]:
    """(key, label, bins) of each result that has calibration bins, as metrics.json holds them."""
    found = []
    for key, _, result in result_rows(metrics):
        table = result.get("reliability")
        rows = [row for row in table if isinstance(row, dict)] if isinstance(table, list) else []
        names = ("low", "high", "pairs", "confidence", "accuracy")
        bins = [{name: number(row.get(name)) for name in names} for row in rows]
        known: list[dict[str, Any]] = [row for row in bins if None not in row.values()]
        if known:
            found.append((key, label_of(key), known))
    return found


def _more(metrics: Line, head: str) -> str:
    spread = number(_part(metrics, "importance_spread").get(head))
    lost = number(_part(metrics, "accuracy_lost_without").get(head))
    told = "" if spread is None else f"<br>weight × spread of its scores: {spread:.3f}"
    return told + ("" if lost is None else f"<br>accuracy lost without it: {lost:+.3f}")


def _part(metrics: Line, key: str) -> Mapping[str, Any]:
    found = metrics.get(key)
    return found if isinstance(found, dict) else {}


def _head(metrics: Line, head: str) -> Mapping[str, Any]:
    return _part(metrics, "heads").get(head) or {}


def bounds_of(value: Any) -> tuple[float, float] | None:
    """An interval; None where there is none or it is damaged."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    low, high = number(value[0]), number(value[1])
    return None if low is None or high is None else (low, high)


def _signed(value: Any) -> str:
    known = number(value)
    return "–" if known is None else f"{known:+.3f}"
