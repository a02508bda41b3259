"""The room "Agreement" as HTML: how far people agree on each head, and each person beside the others."""

from html import escape
from typing import TYPE_CHECKING, Final

from annotate.agreement_desk import AgreementDesk
from dashboards import cards, markup
from dashboards.markup import table
from reward.aspects import ASPECTS, BY_NAME

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from annotate.agreement import Agreement
    from annotate.alpha import HeadAgreement
    from annotate.raters import PersonReport

HEAD_COLUMNS: Final = ("Head", "α", "α interval", "Reliable?", "Images", "Prompts", "People")
PEOPLE_COLUMNS: Final = (
    *("Person", "Signal", "Images", "Bias", "Follows others", "Spread", "Others' spread", "Halo", "Others' halo"),
    *("Repeats", "Gold", "Seconds"),
)
_MARKS: Final = {"reliable": "fine", "tentative": "weak", "low": "weak", "too little": "none"}


def head_card(agreement: "Agreement") -> str:
    """The table of heads, with what is missing below it."""
    rows = [
        [
            markup.dot(BY_NAME[head.head].colour) + escape(BY_NAME[head.head].label),
            _figure(head.alpha),
            _span(head.interval),
            f'<span class="studio-verdict studio-{_MARKS[head.word]}">{head.word}</span>',
            *(f"{count:,}" for count in (head.images, head.prompts, head.people)),
        ]
        for head in agreement.heads
    ]
    told = [f"{BY_NAME[head.head].label}: {head.note}." for head in agreement.heads if head.note]
    return table(HEAD_COLUMNS, rows, wide=True) + markup.notes([*_in_words(agreement.heads), *told])


def people_card(agreement: "Agreement") -> str:
    """The table of people, with a sentence below it for everybody there is something to know about."""
    rows = [[escape(one.name), _signal(one), *map(escape, _cells(one))] for one in agreement.people]
    silent = [f"{one.name} {why}." for one in agreement.people for why in one.no_signal]
    told = [f"{one.name}: {note}." for one in agreement.people for note in one.notes]
    pointed = ""
    if silent:
        heading = "Ratings that carry no signal, as far as can be seen"
        pointed = cards.warning(heading, " ".join(silent))
    return pointed + table(PEOPLE_COLUMNS, rows, wide=True) + markup.notes(told)


def bias_rows(agreement: "Agreement") -> list[list[str]]:
    """The table behind the chart: a row a person, a column a head."""
    return [[one.name, *(_figure(value, "+") for value in one.bias)] for one in agreement.people]


def bias_chart(agreement: "Agreement") -> "go.Figure":
    """How much higher than the others each person rates on each head: a line a person, a dot a head."""
    import plotly.graph_objects as go

    from dashboards.chartstyle import HEIGHT, TEXT, say, style

    figure = go.Figure()
    people = sorted(agreement.people, key=lambda one: one.mean_bias or 0.0)
    for number, aspect in enumerate(ASPECTS):
        known = [(one.name, one.bias[number]) for one in people if one.bias[number] is not None]
        if known:
            figure.add_scatter(
                x=[bias for _, bias in known],
                y=[name for name, _ in known],
                mode="markers",
                name=aspect.label,
                marker={"color": aspect.colour, "size": 10},
                hovertemplate=f"%{{y}}, {aspect.label}: %{{x:+.2f}} points<extra></extra>",
            )
    told = sum(one.mean_bias is not None for one in people)
    style(figure, "Who rates higher, who lower", "", f"rating points above the others; n = {told} people")
    figure.add_vline(x=0, line={"color": TEXT, "width": 1, "dash": "dash"})
    if not figure.data:
        say(figure, "Nobody can be compared yet")
    figure.update_layout(height=max(HEIGHT, 140 + 24 * told))
    return figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=[one.name for one in people], dtick=1
    )


def nothing_yet(desk: AgreementDesk) -> str:
    """What to do so that there is something to see."""
    each = desk.store.campaign.ratings_per_image
    if each == 1:
        way = "studio.toml says ratings_per_image = 1, so nobody gets an image that is rated: set 2 or more."
    else:
        many = f"{each} people rate" if each else "everybody rates"
        way = f"Let a second person rate in the Rate tab, under a name of their own: as it is set, {many} each image."
        way += " With ratings_per_image = 2 in studio.toml each image goes to two people."
    return cards.empty("No image has been rated by two people yet", f"{way} Figures come with the first one in common.")


def _in_words(heads: "list[HeadAgreement]") -> list[str]:
    words = {
        "reliable": "people mean the same by these ratings",
        "tentative": "good for tentative conclusions only",
        "low": "single ratings differ much; means of several people are surer, and the rubric may need work",
    }
    found = []
    for word, meaning in words.items():
        named = [BY_NAME[head.head].label for head in heads if head.word == word]
        if named:
            found.append(f"{', '.join(named)}: {word} – {meaning}.")
    return found


def _signal(one: "PersonReport") -> str:
    if one.no_signal:
        word, mark, why = "no signal", "weak", "; ".join(one.no_signal)
    elif one.notes or one.interval is None:
        word, mark, why = "too little", "none", "; ".join(one.notes)
    else:
        word, mark, why = "yes", "fine", "the interval of its correlation with the others lies above 0"
    return f'<span class="studio-verdict studio-{mark}" title="{escape(why)}">{word}</span>'


def _cells(one: "PersonReport") -> list[str]:
    follows = _figure(one.correlation) + (f" ({_span(one.interval)})" if one.interval else "")
    repeats = "–"
    if one.repeat_error is not None and one.repeat_within is not None:
        repeats = f"±{one.repeat_error:.1f}, {one.repeat_within:.0%} close (n = {one.repeats})"
    seconds = "–" if one.seconds is None else f"{one.seconds:.0f}" if one.seconds >= 10 else f"{one.seconds:.1f}"
    gold = "–" if one.gold_within is None else f"{one.gold_within:.0%} (n = {one.gold})"
    spreads = (_figure(value) for value in (one.spread, one.others_spread, one.halo, one.others_halo))
    return [f"{one.images:,}", _figure(one.mean_bias, "+"), follows, *spreads, repeats, gold, seconds]


def _figure(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.2f}"


def _span(bounds: tuple[float, float] | None) -> str:
    return "–" if bounds is None else f"{bounds[0]:.2f} – {bounds[1]:.2f}"
