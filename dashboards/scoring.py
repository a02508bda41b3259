"""The scoring room without its components: images and a checkpoint in; cards, a wall of best and worst, tables out."""

import tempfile
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashboards import cards, figures, markup
from dashboards.analysis import usable_checkpoint
from dashboards.chartstyle import label_of
from dashboards.context import Context
from dashboards.intake import take_in
from dashboards.scorer import SCORE_COLUMNS, Score, scores_csv
from reward.errors import RewardError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from reward.model import MultiHeadReward

MOST_ROWS: Final = 100
WALL: Final = 6
AS_GIVEN: Final = "as given"
SORTS: Final = (("as given", AS_GIVEN), *((label_of(column), column) for column in reversed(SCORE_COLUMNS)))


@dataclass(frozen=True)
class ScoreReport:
    """Scored images; without scores, `trouble` says what to do or what is wrong."""

    trouble: str = ""
    scores: tuple[Score, ...] = ()
    overall_only: bool = False
    checkpoint: Path | None = None
    note: str = ""

    @property
    def any_scored(self) -> bool:
        """Whether there is something to draw."""
        return any(not score.problem for score in self.scores)

    @property
    def csv(self) -> str:
        """The table as CSV, problems included; empty where nothing was scored."""
        return scores_csv(self.scores) if self.scores else ""

    @property
    def card(self) -> str:
        """The table in the order given."""
        return self.table(AS_GIVEN)

    def sorted_by(self, column: str) -> list[Score]:
        """The scores, highest first on a column; those without a score last."""
        if column not in SCORE_COLUMNS:
            return list(self.scores)
        return sorted(self.scores, key=lambda score: -_value(score, column))

    def table(self, column: str) -> str:
        """The table as the page shows it: how many, what can't be read, the best and worst on a column, the rows."""
        if not self.scores:
            return self.trouble
        rows = self.sorted_by(column)
        bad = sum(bool(score.problem) for score in rows)
        told = [f"{len(rows) - bad:,} of {len(rows):,} images scored."] if bad or len(rows) > MOST_ROWS else []
        told += [f"{bad:,} could not be read: each with its reason in the table and in the CSV."] if bad else []
        told += [self.note] if self.note else []
        told += [f"The first {MOST_ROWS} are shown; the files to download hold all."] if len(rows) > MOST_ROWS else []
        table = cards.scores_card(rows[:MOST_ROWS], overall_only=self.overall_only)
        return markup.notes(told) + self._wall(column) + table

    def figure(self, column: str = AS_GIVEN) -> "go.Figure":
        """A bar a head and one combined, of each of the images that come first in the table sorted by `column`."""
        # A head that the model doesn't know sorts nothing.
        known = any(_value(score, column) > float("-inf") for score in self.scores)
        order = f"highest {label_of(column)} first" if known else "in the order given"
        return figures.score_bars(self.sorted_by(column), overall_only=self.overall_only, order=order)

    def _wall(self, column: str) -> str:
        """The best and the worst images on a column, where there are enough to tell them apart."""
        known = [score for score in self.sorted_by(column) if _value(score, column) > float("-inf")]
        if column not in SCORE_COLUMNS or len(known) < 2 * WALL:
            return ""
        parts = (("Best", known[:WALL]), ("Worst", known[-WALL:]))
        return "".join(
            f'<h3 class="studio-sub">{word} by {label_of(column)}</h3><div class="studio-wall">'
            + "".join(
                f'<figure title="{escape(score.name)}">{cards.thumbnail(score)}'
                f"<figcaption>{_value(score, column):.2f}</figcaption></figure>"
                for score in some
            )
            + "</div>"
            for word, some in parts
        )


def score(
    context: Context,
    name: str | None,
    checkpoint: str,
    files: Sequence[str],
    folder: str = "",
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> ScoreReport:
    """Score images with a checkpoint. Whatever is wrong is said in the report; nothing is raised.

    Args:
        files: uploads, images and zips of them; folder: one on the server, below those that may be read.
        on_progress: told how many of how many images are done.
    """
    if not files and not folder.strip():
        return ScoreReport(
            cards.empty("No images yet", "Drop one or more images, or a zip, above to see how this model scores them.")
        )
    if not name:
        return ScoreReport(cards.problem("No model to score with", "Choose a run above, or train one first."))
    try:
        found = usable_checkpoint(context, name, checkpoint)
        place = Path(files[0]).parent if files else Path(tempfile.gettempdir())
        taken = take_in(context.roots, files, folder, place)
        scores = context.shelf.score(
            found.folder, [one.file for one in taken], lambda done: on_progress(done, len(taken))
        )
    except RewardError as error:
        return ScoreReport(cards.problem("These images were not scored", str(error)))
    named = [replace(score, name=one.name) for score, one in zip(scores, taken, strict=True)]
    told, note = _with_percentiles(context, name, found.folder, named)
    return ScoreReport("", tuple(told), found.pairs_mode, found.folder, note)


def _with_percentiles(context: Context, name: str, checkpoint: Path, scores: list[Score]) -> tuple[list[Score], str]:
    """Each image's place among the run's own images by combined score; or why those can't be read."""
    try:
        own = context.shelf.ranked(checkpoint, context.desk.validated(context.run(name)).vectors)
    except RewardError as error:
        return scores, f"Percentiles are unknown, for the run's own images can't be read: {error}"
    known = [score.scores.get("combined") for score in scores]
    shares = [None if value is None else 100 * bisect_left(own, value) / len(own) for value in known]
    return [replace(score, percentile=share) for score, share in zip(scores, shares, strict=True)], ""


def write_files(context: Context, report: ScoreReport, folder: Path) -> tuple[Path, Path | None]:
    """Keep the CSV and the Parquet file of a report in a folder of their own below `folder`."""
    from reward.score import scores_parquet
    from reward.scoring import scores_frame

    place = Path(tempfile.mkdtemp(prefix="scores-", dir=folder))
    csv = place / "scores.csv"
    csv.write_text(report.csv, encoding="utf-8")
    usable = [score for score in report.scores if not score.problem]
    if report.checkpoint is None or not usable:
        return csv, None
    parquet = place / "scores.parquet"
    frame = scores_frame([score.name for score in usable], [score.scores for score in usable])

    def write(model: "MultiHeadReward") -> None:
        with scores_parquet(parquet, model) as append:
            append(frame)

    context.shelf.use(report.checkpoint, write)
    return csv, parquet


def _value(score: Score, column: str) -> float:
    known = score.scores.get(column)
    return float("-inf") if known is None else known
