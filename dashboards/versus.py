"""Why one image beats another, without components: two images in, of the run or one's own; cards and waterfall out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashboards import cards, markup
from dashboards.analysis import usable_checkpoint
from dashboards.chartstyle import TEXT, WHISKER, WHOLE, colour_of, label_of, say, style
from dashboards.context import Context
from dashboards.desk import image_name
from dashboards.sureness import chance
from dashboards.trustfigures import bounds_of
from reward.errors import RewardError, shown

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from reward.versus import Contribution, Versus

PICTURE_PIXELS: Final = 512
TELLING: Final = 0.005  # points; what rounds to nothing is not told
COLUMNS: Final = ("Head", "Weight", "A", "B", "A less B", "Adds to the difference", "95 % interval of that")

Intervals = Mapping[str, tuple[float, float]]  # by head, of its weight


@dataclass(frozen=True)
class Answer:
    """What the room shows; without `versus`, `card` says what is wrong or what to do.

    `weights`: the 95 % interval of the heads' weights, where the run measured it.
    """

    card: str
    versus: "Versus | None" = None
    weights: Intervals = field(default_factory=dict)

    def figure(self) -> "go.Figure | None":
        """The waterfall; None where there is nothing to draw."""
        return waterfall(self.versus, self.weights) if self.versus is not None else None

    def table(self) -> str:
        """The table behind the waterfall."""
        return markup.behind(COLUMNS, rows(self.versus, self.weights)) if self.versus is not None else ""


def prompts_of(context: Context, name: str | None) -> list[tuple[str, str]]:
    """(label, prompt_id) of the run's prompts that have two images or more.

    Raises:
        RewardError: the run's data can't be read.
    """
    data = context.desk.validated(context.run(name or "")).data
    texts: dict[str, str] = {}
    counts: dict[str, int] = {}
    for number, text in zip(data.prompt, data.texts, strict=True):
        prompt_id = data.prompt_names[number]
        texts[prompt_id] = text
        counts[prompt_id] = counts.get(prompt_id, 0) + 1
    return [(f"{one} · {texts[one]}" if texts[one] else one, one) for one in texts if counts[one] > 1]


def images_of(context: Context, name: str | None, prompt: str | None) -> dict[str, Path]:
    """The files of a prompt's images, by the names that the page shows.

    Raises:
        RewardError: the run's data can't be read.
    """
    data = context.desk.validated(context.run(name or "")).data
    numbers = zip(data.files, data.prompt, strict=True)
    return {image_name(file): file for file, number in numbers if data.prompt_names[number] == prompt}


def choices_of(context: Context, name: str | None, prompt: str | None) -> list[tuple[str, str]]:
    """(label, name) of a prompt's images: without their folder, which says nothing where they share it.

    Raises:
        RewardError: the run's data can't be read.
    """
    known = images_of(context, name, prompt)
    alike = len({file.parent for file in known.values()}) == 1
    return [(file.name if alike else one, one) for one, file in known.items()]


def compare(
    context: Context,
    name: str | None,
    checkpoint: str,
    chosen: tuple[str | None, str | None, str | None],
    uploads: Sequence[str],
) -> Answer:
    """Compare two images: the first two uploads where there are two, else those `chosen` as (prompt, A, B)."""
    try:
        first, second = _files(context, name, chosen, uploads)
        if uploads:
            _check(first, second)
        found = usable_checkpoint(context, name or "", checkpoint)
        from reward.versus import compare_images

        versus = context.shelf.use(found.folder, lambda model: compare_images(model, first, second))
        pictures = "".join(
            f"<figure>{cards.picture(file, PICTURE_PIXELS, image_name(file))}"
            f"<figcaption><strong>{side}</strong> {escape(image_name(file))} · {score:.2f}</figcaption></figure>"
            for side, file, score in (("A", first, versus.first), ("B", second, versus.second))
        )
    except (RewardError, ValueError) as error:
        return Answer(cards.problem("These images were not compared", str(error)))
    words = f'<p class="studio-answer">{escape(in_words(versus))}</p>'
    told = markup.notes(_how_sure(context, found.run.name, versus))
    known = found.metrics.get("importance_interval")
    bounds = {head: bounds_of(value) for head, value in known.items()} if isinstance(known, dict) else {}
    weights = {head: value for head, value in bounds.items() if value is not None}
    return Answer(f'<div class="studio-sides">{pictures}</div>{words}{told}', versus, weights)


def in_words(versus: "Versus") -> str:
    """The answer in a sentence or two."""
    if versus.difference == 0:
        return "A and B have the same combined score."
    winner, loser = ("A", "B") if versus.difference > 0 else ("B", "A")
    told = f"{winner} is ahead of {loser} by {abs(versus.difference):.2f}."
    pull = sorted(versus.parts, key=lambda one: -one.part * (1 if versus.difference > 0 else -1))
    sign = 1 if versus.difference > 0 else -1
    helped = [label_of(one.head) for one in pull if one.part * sign > TELLING][:2]
    against = [label_of(one.head) for one in reversed(pull) if one.part * sign < -TELLING][:2]
    if helped:
        told += f" {' and '.join(helped)} {'speak' if len(helped) > 1 else 'speaks'} for {winner}"
        told += f", {' and '.join(against)} for {loser}." if against else ", no head against it."
    return told


def part_bounds(one: "Contribution", weights: Intervals) -> tuple[float, float] | None:
    """Where a head's part lies as its weight goes through its interval; None where that isn't known."""
    if one.head not in weights:
        return None
    low, high = sorted(weight * (one.first - one.second) for weight in weights[one.head])
    return (low, high) if low <= one.part <= high else None


def rows(versus: "Versus", weights: Intervals) -> list[list[str]]:
    """The table behind: the rows of `COLUMNS`, the last the whole."""
    bounds = [part_bounds(one, weights) for one in versus.parts]
    parts = [
        [
            label_of(one.head),
            f"{one.weight:.3f}",
            f"{one.first:.3f}",
            f"{one.second:.3f}",
            f"{one.first - one.second:+.3f}",
            f"{one.part:+.4f}",
            "–" if bound is None else f"{bound[0]:+.3f} – {bound[1]:+.3f}",
        ]
        for one, bound in zip(versus.parts, bounds, strict=True)
    ]
    whole = ["Combined", "1.000", f"{versus.first:.3f}", f"{versus.second:.3f}", f"{versus.difference:+.3f}"]
    return [*parts, [*whole, f"{versus.difference:+.4f}", "–"]]


def waterfall(versus: "Versus", weights: Intervals) -> "go.Figure":
    """A step a head from 0 to the difference of the combined scores, which the last bar shows whole.

    A step's whiskers are its length with the ends of its weight's interval.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    steps, reached = [], 0.0
    for one in versus.parts:
        bounds = part_bounds(one, weights)
        steps.append((f"{label_of(one.head)} {one.part:+.2f}", colour_of(one.head), reached, one.part, bounds))
        reached += one.part
    steps.append((f"A less B {versus.difference:+.2f}", WHOLE, 0.0, versus.difference, None))
    for label, colour, base, length, bounds in reversed(steps):
        figure.add_bar(
            y=[label],
            x=[length],
            base=[base],
            orientation="h",
            name=label,
            marker={"color": colour},
            error_x=bounds and {"array": [bounds[1] - length], "arrayminus": [length - bounds[0]], "color": WHISKER},
            hovertemplate=f"{label}: {length:+.4f}<extra></extra>",
        )
    unit = "points of the combined score: weight × difference" if versus.parts else "centred logit"
    sure = "; whiskers: the weight's 95 % interval" if any(bounds for *_, bounds in steps) else ""
    style(figure, "What each head adds to A less B", "", f"{unit}<br>n = 2 images{sure}")
    if not versus.parts:
        say(figure, "Pairs alone don't tell the heads apart")
    reach = [base + end for _, _, base, length, bounds in steps for end in (0.0, length, *(bounds or ()))]
    edges = [0.0, *reach]
    room = 0.04 * (max(edges) - min(edges) or 1.0)
    figure.add_vline(x=0, line={"color": TEXT, "width": 1})
    figure.update_layout(showlegend=False, bargap=0.35).update_yaxes(showgrid=False)
    return figure.update_xaxes(range=[min(edges) - room, max(edges) + room])


def _files(
    context: Context, name: str | None, chosen: tuple[str | None, str | None, str | None], uploads: Sequence[str]
) -> tuple[Path, Path]:
    if len(uploads) >= 2:
        return Path(uploads[0]), Path(uploads[1])
    if uploads:
        raise RewardError("One image is there; add the other one to compare it with.")
    prompt, *sides = chosen
    known = images_of(context, name, prompt)
    if unknown := [side for side in sides if side not in known]:
        raise RewardError(f"Choose two images: {shown(str(unknown[0]))} is none of this prompt's.")
    return known[str(sides[0])], known[str(sides[1])]


def _check(*uploads: Path) -> None:
    """Refuse uploads that are no images by their own names: where they lie for now concerns nobody."""
    from reward.images import image_problem

    if bad := [f"{file.name}: {problem}" for file in uploads if (problem := image_problem(file))]:
        raise RewardError("\n".join(bad))


def _how_sure(context: Context, name: str, versus: "Versus") -> list[str]:
    """P and what validation says of it, for the side that is ahead."""
    from reward.versus import sureness

    if versus.probability is None:
        return ["These weights were set by hand, so no probability can be told."]
    ahead = "A" if versus.logit >= 0 else "B"
    sure = chance(max(versus.probability, 1 - versus.probability))
    told = [f"The model expects people to prefer {ahead} in {sure} of comparisons."]
    try:
        held = sureness(context.desk.validated(context.run(name)))
    except RewardError as error:
        return [*told, f"How far that holds can't be told: {error}"]
    if held is None:
        return [*told, "Validation has too few prompts to tell how far that holds."]
    share, low, high = (chance(one) for one in held.of(abs(versus.logit)))
    return [
        *told,
        f"On the run's {held.pairs} validation pairs, people preferred what was as far ahead in {share} of cases "
        f"(95 % interval {low} – {high}, over {held.prompts} prompts): that is for images like those.",
    ]
