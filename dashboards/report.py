"""`python -m dashboards.report RUN --output FILE.html`: a run as one HTML file for those who have no account.

The numbers are those of the Analyse tab and of the model card; charts are drawn within the file, which asks nobody
for anything and runs no script.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dashboards import cards, figures, headtable, markup, svg, trustfigures
from dashboards.chartstyle import colour_of, label_of
from dashboards.desk import RunDesk, image_name
from dashboards.epochs import read_epochs
from dashboards.roots import Roots
from dashboards.runpeople import agreement_of
from dashboards.runs import (
    CHECKPOINTS,
    Checkpoint,
    interval,
    number,
    read_checkpoint,
    read_run,
    result_rows,
    text_of,
    trained,
)
from dashboards.runstate import half_way
from dashboards.scorer import ModelShelf
from reward.aspects import ASPECTS
from reward.errors import CheckpointError, RewardError

if TYPE_CHECKING:
    from annotate.alpha import HeadAgreement

STYLE: Final = Path(__file__).with_name("report.css")
PICTURES: Final = 6  # of the best, and as many of the worst
_PIXELS: Final = 160


@dataclass(frozen=True)
class Pictures:
    """Small copies of the run's images, best first, as (caption, HTML); `note` says where they are from or missing."""

    best: tuple[tuple[str, str], ...] = ()
    worst: tuple[tuple[str, str], ...] = ()
    note: str = ""


def build_report(
    found: Checkpoint,
    pictures: Pictures,
    warning: str = "",
    people: "Mapping[str, HeadAgreement] | None" = None,
) -> str:
    """The HTML of a checkpoint's report.

    Args:
        warning: what there is to know about the run beside its numbers.
        people: how far the people who rated agree, by head, where that is known.

    Raises:
        CheckpointError: there are no metrics to report.
    """
    if not found.metrics:
        raise CheckpointError(found.problem or found.run.problem or f"{found.folder} holds no metrics")
    metrics = found.metrics
    written = datetime.now(UTC).strftime("%Y-%m-%d")
    title = f"{found.run.name}: what the reward model learned"
    simulated = '<p><span class="simulated">simulated ratings: no person gave them</span></p>'
    parts = [
        f"<h1>{escape(title)}</h1>",
        _soft(f"Checkpoint {found.name}/ of epoch {metrics.get('epoch', '?')} · report of {written}"),
        simulated if found.run.simulated else "",
        _soft(warning) if warning else "",
        _section("What it stands on", _facts(found)),
        _section("How well it orders pictures", _accuracy(metrics, people)),
        _section("What drives the combined score", _importance(metrics)),
        _section("Is it as sure as it should be?", _calibration(metrics)),
        _section("How it learned", _curves(found)),
        _section("The best and the worst by combined score", _wall(pictures)),
        _section("What these words mean", _glossary()),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:">'
        f"<title>{escape(title)}</title><style>{STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def take_pictures(desk: RunDesk, shelf: ModelShelf, found: Checkpoint) -> Pictures:
    """The run's own images that the checkpoint scores highest and lowest; where they can't be read, a note says why."""
    import torch

    try:
        known = desk.validated(found.run)
        vectors = torch.from_numpy(known.vectors)
        with torch.inference_mode():
            scores: list[float] = shelf.use(
                found.folder, lambda model: model.combine(model.head_scores(vectors.to(model.device))).tolist()
            )
    except RewardError as error:
        return Pictures(note=f"The run's images can't be shown here: {error}")
    order = sorted(range(len(scores)), key=lambda one: -scores[one])
    half = min(PICTURES, len(order) // 2)
    files = known.data.files
    best = tuple(_picture(files[one], scores[one]) for one in order[:half])
    worst = tuple(_picture(files[one], scores[one]) for one in order[len(order) - half :])
    unit = "centred logit" if found.pairs_mode else "combined score, 0–10"
    return Pictures(best, worst, f"Of the run's {len(order)} images, which this checkpoint has learned from; {unit}.")


def _picture(file: Path, score: float) -> tuple[str, str]:
    name = image_name(file)
    try:
        return f"{score:.2f} · {name}", cards.picture(file, _PIXELS, name)
    except (OSError, ValueError):
        return f"{score:.2f} · {name}", ""


def _facts(found: Checkpoint) -> str:
    """Backbone, validation, and the data facts as the model card has them."""
    metrics, record = found.metrics, found.run.config
    told = [
        ("Backbone", found.run.backbone),
        ("Mode", text_of(metrics, "mode") or "unknown"),
        ("Figures are", text_of(metrics, "evaluation") or "unknown"),
        ("Combined score learned from", text_of(metrics, "combined", "target")),
        ("Trained", text_of(record, "created")[:19].replace("T", " ")),
        ("Code", text_of(record, "git_revision")[:12]),
    ]
    facts = "".join(f"<li><strong>{escape(name)}:</strong> {escape(value)}</li>" for name, value in told if value)
    return f'<ul class="facts">{facts}</ul>{_data_of_card(found.folder / "README.md")}'


def _data_of_card(card: Path) -> str:
    try:
        text = card.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    part = text.partition("\n## Data\n")[2].partition("\n## ")[0]
    plain = [line.replace("**", "").replace("`", "") for line in part.splitlines() if line.strip()]
    listed = "".join(f"<li>{escape(line[2:])}</li>" for line in plain if line.startswith("- "))
    said = "".join(f"<p>{escape(line)}</p>" for line in plain if not line.startswith("- "))
    return said + (f'<ul class="facts">{listed}</ul>' if listed else "")


def _accuracy(metrics: dict[str, Any], people: "Mapping[str, HeadAgreement] | None") -> str:
    rows = [
        svg.Bar(label, colour_of(key), accuracy, interval(result), headtable.share(accuracy))
        for key, label, result in result_rows(metrics)
        if trained(result) and (accuracy := number(result.get("accuracy"))) is not None
    ]
    words = f"Share of {metrics.get('evaluation') or 'validation'} pairs in the right order, with 95 % interval"
    chart = svg.bars(rows, (0, 1), 0.5, words) if rows else ""
    cells = [headtable.as_html(row) for row in headtable.table_rows(metrics, people)]
    table = markup.table(headtable.COLUMNS, cells, wide=True)
    return (
        f"{_soft(f'{words}; the dashed line is guessing.')}{chart}{table}{markup.notes(headtable.weak_heads(metrics))}"
    )


def _importance(metrics: dict[str, Any]) -> str:
    weights = {head: number(value) for head, value in (metrics.get("importance") or {}).items()}
    bounds = metrics.get("importance_interval") or {}
    rows = [
        svg.Bar(one.label, one.colour, weight, trustfigures.bounds_of(bounds.get(one.name)), f"{weight:.0%}")
        for one in ASPECTS
        if (weight := weights.get(one.name)) is not None
    ]
    if not rows:
        return _soft("Pairs alone don't tell the heads apart.")
    most = max([row.value for row in rows] + [row.bounds[1] for row in rows if row.bounds])
    words = "Weight of one rating point of each head in the combined score, with 95 % interval"
    cells = [[escape(cell) for cell in row] for row in trustfigures.importance_rows(metrics)]
    source = trustfigures.importance_source(metrics)
    table = markup.table(trustfigures.IMPORTANCE_COLUMNS, cells)
    return f"{_soft(f'{words}. {source}')}{svg.bars(rows, (0, most or 1.0), words=words)}{table}"


def _calibration(metrics: dict[str, Any]) -> str:
    lines = [
        svg.Series(
            label,
            colour_of(key),
            [(row["confidence"], row["accuracy"]) for row in bins],
            3.0 if key == "combined" else 1.5,
        )
        for key, label, bins in trustfigures.reliability(metrics)
    ]
    if not lines:
        return _soft("No validation pairs.")
    words = "Across: how sure the model was; up: share of pairs in the right order. On the dashed line it means it."
    cells = [[escape(cell) for cell in row] for row in trustfigures.calibration_rows(metrics)]
    chart = svg.lines(lines, (0.5, 1), (0, 1), diagonal=True, percent=(True, True), words=words)
    return _soft(words) + chart + _folded(markup.table(trustfigures.CALIBRATION_COLUMNS, cells))


def _curves(found: Checkpoint) -> str:
    lines = read_epochs(found.run.folder).lines
    if len(lines) < 2:
        return _soft("There are no two epochs to draw.")
    drawn = []
    for key, label, _ in result_rows(lines[-1]):
        points = [(float(epoch), value) for epoch, value in figures.curve(lines, key, "loss")]
        if points:
            drawn.append(svg.Series(label, colour_of(key), points, 3.0 if key == "combined" else 2.0))
    values = [value for one in drawn for _, value in one.points]
    if not values:
        return _soft("No validation pairs.")
    epochs = [epoch for one in drawn for epoch, _ in one.points]
    room = 0.05 * (max(values) - min(values) or 0.1)
    span = (min(values) - room, max(values) + room)
    whole = lines[-1].get("overall", lines[-1].get("combined"))
    count = figures.counted(whole) if isinstance(whole, dict) else ""
    words = f"Loss on validation pairs over {len(lines)} epochs (nats a pair); .69 is guessing, lower is better."
    told = f"{words} For all heads together {count}." if count else words
    cells = [[escape(cell) for cell in row] for row in figures.curve_rows(lines)]
    chart = svg.lines(drawn, (min(epochs), max(epochs)), span, percent=(False, False), whole=True, words=words)
    return _soft(told) + chart + _folded(markup.table(figures.CURVE_COLUMNS, cells))


def _wall(pictures: Pictures) -> str:
    parts = [_soft(pictures.note)]
    for title, some in (("The best", pictures.best), ("The worst", pictures.worst)):
        tiles = "".join(f"<figure>{image}<figcaption>{escape(words)}</figcaption></figure>" for words, image in some)
        parts.append(f'<h3>{title}</h3><div class="wall">{tiles}</div>' if tiles else "")
    return "".join(parts)


def _glossary() -> str:
    heads = [(label_of(one.name), one.description) for one in ASPECTS]
    entries = [*heads, *markup.GLOSSARY.items()]
    return "<dl>" + "".join(f"<dt>{escape(word)}</dt><dd>{escape(text)}</dd>" for word, text in entries) + "</dl>"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _soft(words: str) -> str:
    return f'<p class="soft">{escape(words)}</p>'


def _folded(table: str) -> str:
    return f"<details><summary>The numbers as a table</summary>{table}</details>"


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m dashboards.report", description="Write a run's report: one HTML file that needs nothing else."
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the run's folder, e.g. outputs/first")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.html", help="the file to write")
    parser.add_argument("--checkpoint", choices=CHECKPOINTS, default="best", help="which one (default: best)")
    parser.add_argument("--no-pictures", action="store_true", help="leave the thumbnails of the run's images out")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0 written, 1 can't be reported."""
    from reward.cli import report as reported

    given = build_parser().parse_args(argv)
    return reported(lambda: _write(given))


def _write(given: argparse.Namespace) -> int:
    from reward.outputs import check_output, write_text

    check_output("--output", given.output)
    run = read_run(given.run.absolute())
    if run is None:
        raise CheckpointError(f"{given.run} holds no run; name a folder below outputs")
    found = read_checkpoint(run, given.checkpoint)
    # Whoever runs a command may read what their account may read: no folder is out of bounds.
    everywhere = Roots.of(Path("/"), run.folder.parent)
    pictures = Pictures(note="Left out.")
    if not given.no_pictures and found.metrics:
        pictures = take_pictures(RunDesk(everywhere), ModelShelf(), found)
    text = build_report(found, pictures, half_way(run), agreement_of(run, everywhere))
    write_text(given.output, text)
    print(f"{given.output}: {len(text.encode()) / 1000:,.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
