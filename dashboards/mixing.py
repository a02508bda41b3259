"""Head correlation as the page shows it: a run in; a chart, the matrix, the table behind, and words out."""

from html import escape
from typing import TYPE_CHECKING, Final

from dashboards import cards, markup
from dashboards.chartstyle import TEXT, WHOLE, label_of, say, style
from dashboards.context import Context
from dashboards.headtable import share, span
from reward.aspects import ASPECTS, HEADS
from reward.errors import RewardError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from reward.head_correlation import HeadPair

COLUMNS: Final = (
    *("Heads", "Model", "People", "People without noise", "Model less people", "95 % interval of that"),
    *("Halo", "Images", "Prompts"),
)
_MODEL: Final = "#5b5bd6"


def mixing(context: Context, name: str | None) -> "tuple[str, go.Figure | None, str]":
    """Words and the matrix, the chart, the table behind; or what is wrong and nothing else."""
    from reward.head_correlation import head_pairs_of, in_words

    try:
        found = context.desk.validated(context.run(name or ""))
    except RewardError as error:
        return cards.problem("The heads can't be compared", str(error)), None, ""
    if found.data.pairs is None:
        nothing = cards.empty("There are no heads to compare", "A model of overall pairs has a single score.")
        return nothing, None, ""
    pairs = head_pairs_of(found)
    words = markup.notes(in_words(pairs, {head: label_of(head) for head in HEADS}))
    return words + matrix(pairs), chart(pairs), markup.behind(COLUMNS, rows(pairs))


def matrix(pairs: "Sequence[HeadPair]") -> str:
    """Heads by heads: below the diagonal the model, above it people."""
    if not pairs:
        return ""
    known = {(one.first, one.second): one for one in pairs}
    cells = []
    for down in ASPECTS:
        row = [down.label]
        for across in ASPECTS:
            one = known.get((across.name, down.name)) or known.get((down.name, across.name))
            if one is None:
                row.append("" if across is down else "–")
            else:
                above = HEADS.index(across.name) > HEADS.index(down.name)
                value = one.reference if above else one.model
                row.append(f'<span title="{escape(_untold(one))}">–</span>' if value is None else f"{value:.2f}")
        cells.append(row)
    told = "Below the diagonal the model's scores, above it people's ratings; correlation within prompts."
    return cards.detail(told) + markup.table(("", *(aspect.label for aspect in ASPECTS)), cells)


def rows(pairs: "Sequence[HeadPair]") -> list[list[str]]:
    """The rows of `COLUMNS`."""
    return [
        [
            _both(one),
            share(one.model),
            share(None if one.unreliable else one.people),
            share(one.signal),
            "–" if one.difference is None else f"{one.difference:+.3f}",
            span(one.interval, signed=True) or _untold(one),
            share(one.halo),
            f"{one.images}",
            f"{one.prompts}",
        ]
        for one in pairs
    ]


def chart(pairs: "Sequence[HeadPair]") -> "go.Figure":
    """A row a pair of heads: people's correlation as a circle, the model's as a dot with the difference's interval."""
    import plotly.graph_objects as go

    figure = go.Figure()
    names = [f"{_both(one)} (n = {one.images})" for one in reversed(pairs)]
    turned = list(reversed(pairs))
    arms = [_arms(one) for one in turned]
    figure.add_scatter(
        x=[one.model for one in turned],
        y=names,
        mode="markers",
        name="the model's scores",
        marker={"color": _MODEL, "size": 10},
        error_x={
            "array": [up for _, up in arms],
            "arrayminus": [down for down, _ in arms],
            "color": TEXT,
        },
        hovertemplate="%{y}<br>model %{x:.2f}<extra></extra>",
    )
    figure.add_scatter(
        x=[one.reference for one in turned],
        y=names,
        mode="markers",
        name="people's ratings",
        marker={"color": WHOLE, "size": 11, "symbol": "circle-open", "line": {"width": 2.5}},
        hovertemplate="%{y}<br>people %{x:.2f}<extra></extra>",
    )
    style(
        figure,
        "Do heads go together as in people's ratings?",
        "",
        "correlation within prompts; whiskers: 95 % interval of model less people",
    )
    if not pairs:
        say(figure, "No two heads share rated images")
    figure.add_vline(x=0, line={"color": TEXT, "width": 1})
    figure.update_layout(height=150 + 34 * max(len(pairs), 3))
    return figure.update_xaxes(range=[-1.05, 1.05])


def _untold(one: "HeadPair") -> str:
    """Why there is no interval."""
    if one.unreliable:
        return f"people agree too little on {' and '.join(label_of(head) for head in one.unreliable)} to tell"
    return "too few prompts" if one.too_few else "too few prompts have images that differ"


def _arms(one: "HeadPair") -> tuple[float, float]:
    """How far the interval of the difference reaches down and up."""
    if one.interval is None or one.difference is None:
        return 0.0, 0.0
    return one.difference - one.interval[0], one.interval[1] - one.difference


def _both(one: "HeadPair") -> str:
    return f"{label_of(one.first)} · {label_of(one.second)}"
