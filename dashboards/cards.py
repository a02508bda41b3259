"""Small pieces of HTML for the tabs: counts, tables, states. Every text from outside is escaped here."""

import base64
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

from dashboards.datasummary import DataSummary
from dashboards.markup import behind, dot, progress_bar, table
from dashboards.markup import notes as lines
from dashboards.runs import Checkpoint, text_of
from dashboards.scorer import SCORE_COLUMNS, Score
from reward.aspects import BY_NAME

THUMBNAIL_PIXELS = 96
MOST_FAULTS = 12
MOST_BARREN = 200


def empty(title: str, what_next: str) -> str:
    """An empty state: what is not there yet and what to do next."""
    return f'<div class="studio-empty"><strong>{escape(title)}</strong><span>{escape(what_next)}</span></div>'


def problem(title: str, message: str) -> str:
    """A message about something wrong; each line of it a paragraph, the first dozen of them."""
    lines = [line for line in message.splitlines() if line.strip()]
    told = "".join(f"<p>{escape(line)}</p>" for line in lines[:MOST_FAULTS])
    more = f"<p>… and {len(lines) - MOST_FAULTS} more</p>" if len(lines) > MOST_FAULTS else ""
    return f'<div class="studio-problem" role="alert"><strong>{escape(title)}</strong>{told}{more}</div>'


def warning(title: str, message: str) -> str:
    """Something to know that is no fault."""
    return f'<div class="studio-warning" role="status"><strong>{escape(title)}</strong><p>{escape(message)}</p></div>'


def done(words: str) -> str:
    """That something was done as asked."""
    return f'<div class="studio-done" role="status">{escape(words)}</div>'


def fault(words: str) -> str:
    """What is wrong with the field above; empty where nothing is."""
    return f'<div class="studio-fault" role="alert">{escape(words)}</div>' if words else ""


def data_card(summary: DataSummary) -> str:
    """The counts of a ratings CSV or pairs JSONL, a table a head, the notes, and the prompts that yield nothing."""
    kind = "ratings of a head" if summary.heads else "pairs"  # an image that is rated on all heads has five
    counts = [("images", count(summary.images)), ("prompts", count(summary.prompts)), (kind, count(summary.ratings))]
    if summary.people:
        counts.append(("people", count(summary.people)))
    notes = "".join(f"<li>{escape(note)}</li>" for note in summary.notes)
    rows = [
        [
            dot(head.colour) + escape(head.label),
            *((count(n) for n in (head.rated, head.pairs, head.ties)) if head.rated else ("no ratings", "–", "–")),
        ]
        for head in summary.heads
    ]
    heads = table(("Head", "Images rated", "Pairs", "Ties"), rows) if rows else ""
    told = f'<ul class="studio-notes">{notes}</ul>' if notes else ""
    return tiles(counts) + heads + told + _barren(summary)


def _barren(summary: DataSummary) -> str:
    """The prompts without a pair that has a winner: how many for which reason, and which."""
    if not summary.barren:
        return ""
    reasons = Counter(reason for _, reason in summary.barren)
    some = [f"{_prompts(count)} no pair with a winner: {reason}." for reason, count in reasons.most_common()]
    rows = [list(entry) for entry in summary.barren[:MOST_BARREN]]
    more = len(summary.barren) - len(rows)
    named = f"Which prompts (the first {MOST_BARREN})" if more > 0 else "Which prompts"
    return lines(some) + behind(("Prompt", "Why"), rows, named)


def _prompts(count: int) -> str:
    return "1 prompt yields" if count == 1 else f"{count:,} prompts yield"


def working(words: str, fraction: float) -> str:
    """Something at work: a bar, and how far it is."""
    return f'<div class="studio-run" role="status">{progress_bar(fraction)}{detail(words)}</div>'


def badge_card(checkpoint: Checkpoint) -> str:
    """On what a checkpoint stands: backbone, evaluation, epoch, target of the combined score."""
    metrics = checkpoint.metrics
    target = text_of(metrics, "combined", "target")
    facts = [
        ("backbone", checkpoint.run.backbone),
        ("evaluation", text_of(metrics, "evaluation") or "unknown"),
        ("epoch", str(metrics.get("epoch", "?"))),
        ("mode", text_of(metrics, "mode") or "unknown"),
        *([("combined score learned from", target)] if target else []),
    ]
    simulated = '<span class="studio-sample">simulated ratings</span>' if checkpoint.run.simulated else ""
    return '<div class="studio-badges">' + simulated + "".join(_badge(name, value) for name, value in facts) + "</div>"


def scores_card(scores: Sequence[Score], *, overall_only: bool = False) -> str:
    """The scored images with thumbnail, a column a head; files that are no image are named.

    With `overall_only` (a model of pairs mode, which knows no heads) a single column.
    """
    columns = SCORE_COLUMNS[-1:] if overall_only else SCORE_COLUMNS
    labels = [BY_NAME[name].label if name in BY_NAME else "Combined" for name in columns]
    rows = []
    for score in scores:
        name = f'<span class="studio-image">{thumbnail(score)}<span>{escape(score.name)}</span></span>'
        if score.problem:
            bad = f'<span class="studio-bad">{escape(score.problem)}</span>'
            rows.append([name, bad, *[""] * len(columns)])
            continue
        known = (score.scores.get(column) for column in columns)
        place = "–" if score.percentile is None else f"{score.percentile:.0f}"
        rows.append([name, *("no ratings" if value is None else f"{value:.2f}" for value in known), place])
    return table(("Image", *(["Overall preference (logit)"] if overall_only else labels), "Percentile"), rows)


def thumbnail(score: Score) -> str:
    """A small copy of a scored image; empty where it is none."""
    return "" if score.problem else picture(score.file)


def picture(file: Path, pixels: int = THUMBNAIL_PIXELS, words: str = "") -> str:
    """A small copy of an image within the page itself, so that no path is served for it.

    Raises:
        ValueError: it is no image.
    """
    about = file.stat()
    return f'<img alt="{escape(words)}" src="{_data_uri(file, pixels, about.st_mtime_ns, about.st_size)}">'


@lru_cache(maxsize=1000)
def _data_uri(file: Path, pixels: int, _changed: int, _size: int) -> str:
    from reward.images import load_rgb

    image = load_rgb(file)
    image.thumbnail((pixels, pixels))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def header(project: str, where: Path, *, sample: bool, person: tuple[str, str] | None = None) -> str:
    """The page's head: the product's name, the project's, whether its ratings are simulated; who is signed in, if any
    (name and role), with the way out.
    """
    bars = "".join(f'<i style="background:{aspect.colour}"></i>' for aspect in BY_NAME.values())
    mark = '<span class="studio-sample">sample project · simulated ratings</span>' if sample else ""
    return (
        '<header class="studio-header"><div class="studio-brand">'
        f'<span class="studio-logo" aria-hidden="true">{bars}</span><h1>Reward Studio</h1></div>'
        f'<div class="studio-project"><span title="{escape(str(where))}">{escape(project)}</span>{mark}'
        f"{_signed_in(*person) if person else ''}</div></header>"
    )


def without_tabs(names: Iterable[str]) -> str:
    """Hides tabs from people who may not use them. Gradio itself doesn't hide a tab that has never been open."""
    return "".join(f'<style>#studio-tabs button[data-tab-id="{name}"] {{ display: none; }}</style>' for name in names)


def _signed_in(name: str, role: str) -> str:
    return (
        f'<form class="studio-person" method="post" action="sign-out"><b>{escape(name)}</b><span>{escape(role)}</span>'
        '<button type="submit">Sign out</button></form>'
    )


def title(heading: str, what: str) -> str:
    """A panel's title with a line of explanation."""
    return f'<div class="studio-title"><h2>{escape(heading)}</h2><p>{escape(what)}</p></div>'


def detail(words: str) -> str:
    """A line of smaller words."""
    return f'<div class="studio-detail">{escape(words)}</div>'


def tiles(figures: Iterable[tuple[str, str]]) -> str:
    """Figures side by side, each (what it counts, the figure as text)."""
    each = "".join(f"<div><b>{escape(figure)}</b><span>{escape(what)}</span></div>" for what, figure in figures)
    return f'<div class="studio-tiles">{each}</div>'


def count(value: int) -> str:
    """A whole number as a person reads it."""
    return f"{value:,}"


def _badge(name: str, value: str) -> str:
    return f"<span><em>{escape(name)}</em>{escape(value)}</span>"
