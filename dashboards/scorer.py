"""Scores uploaded images with checkpoints that stay loaded: files in, a table of 0–10 scores and a CSV out."""

import csv
import io
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dashboards.runs import number
from dashboards.turns import Turns
from reward.aspects import HEADS

if TYPE_CHECKING:
    import numpy as np

    from reward.model import MultiHeadReward

T = TypeVar("T")

# Images that are scored before somebody else has a turn: a few seconds with a large backbone.
BATCH: Final = 16
BATCH_ON_GPU: Final = 256
SCORE_COLUMNS: Final = (*HEADS, "combined")
CSV_COLUMNS: Final = ("image", *SCORE_COLUMNS, "percentile", "problem")


@dataclass(frozen=True)
class Score:
    """One image's scores in rating units (0–10); None where a head is untrained. `problem` says why there are none.

    `percentile`: the share (0–100) of the run's own images that score lower; None where unknown.
    """

    name: str
    file: Path
    scores: dict[str, float | None]
    problem: str = ""
    percentile: float | None = None


class ModelShelf:
    """The models used last, each loaded once: kept by the real path of its checkpoint, so that a `best/` that
    moved on to another epoch is loaded anew. One works at a time, which also bounds memory; a long scoring lets others
    have their turn between its batches."""

    def __init__(self, capacity: int = 2) -> None:
        self.loads = 0
        self._capacity = capacity
        self._models: OrderedDict[tuple[Path, int], Any] = OrderedDict()
        self._ranked: tuple[MultiHeadReward, np.ndarray, list[float]] | None = None
        self._turns = Turns()

    def score(
        self, checkpoint: Path, files: Sequence[Path], on_progress: "Callable[[int], None]" = lambda _: None
    ) -> list[Score]:
        """Scores of the images, in their order. A file that is no image is named, and stops no other.

        Raises:
            RewardError: the checkpoint or its backbone can't be used.
        """
        from reward.images import image_problem

        problems = [image_problem(file) for file in files]
        usable = [file for file, problem in zip(files, problems, strict=True) if problem is None]
        rows = iter(self._rows(checkpoint, usable, on_progress))
        return [
            Score(file.name, file, {}, problem) if problem is not None else Score(file.name, file, _finite(next(rows)))
            for file, problem in zip(files, problems, strict=True)
        ]

    def use(self, checkpoint: Path, work: "Callable[[MultiHeadReward], T]") -> T:
        """What `work` makes of the checkpoint's model, while nobody else uses it.

        Raises:
            RewardError: the checkpoint or its backbone can't be used.
        """
        with self._turns.turn():
            return work(self._model(checkpoint))

    def ranked(self, checkpoint: Path, vectors: "np.ndarray") -> list[float]:
        """Combined scores of embeddings (N, D), ascending; kept as long as the same ones are asked for again.

        Raises:
            RewardError: the checkpoint or its backbone can't be used.
        """
        import torch

        def rank(model: "MultiHeadReward") -> list[float]:
            if self._ranked is None or self._ranked[0] is not model or self._ranked[1] is not vectors:
                with torch.inference_mode():
                    scores = model.combine(model.head_scores(torch.from_numpy(vectors).to(model.device)))
                self._ranked = model, vectors, sorted(scores.tolist())
            return self._ranked[2]

        return self.use(checkpoint, rank)

    def _rows(
        self, checkpoint: Path, files: Sequence[Path], on_progress: "Callable[[int], None]"
    ) -> list[dict[Any, Any]]:
        """A row of scores a file, all by the model that the checkpoint holds now."""
        from reward.scoring import score_files

        with self._turns.turn():
            model = self._model(checkpoint)
        size = BATCH_ON_GPU if model.device.type == "cuda" else BATCH
        rows: list[dict[Any, Any]] = []
        for start in range(0, len(files), size):

            def tell(done: int, before: int = start) -> None:
                on_progress(before + done)

            with self._turns.turn():
                part = score_files(model, files[start : start + size], on_progress=tell)
            rows += part.to_dict("records")
        return rows

    def _model(self, checkpoint: Path) -> Any:
        from reward.scoring import load_model

        folder = checkpoint.resolve()
        weights = folder / "model.safetensors"
        key = (folder, weights.stat().st_mtime_ns if weights.exists() else 0)
        if key not in self._models:
            self._models[key] = load_model(folder)
            self.loads += 1
        self._models.move_to_end(key)
        while len(self._models) > self._capacity:
            self._models.popitem(last=False)
        return self._models[key]


def scores_csv(scores: Sequence[Score]) -> str:
    """The table as CSV: image, the five heads, combined, percentile, problem; a blank cell = unknown."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for score in scores:
        known = (score.scores.get(column) for column in SCORE_COLUMNS)
        cells = ["" if value is None else f"{value:.4f}" for value in known]
        place = "" if score.percentile is None else f"{score.percentile:.1f}"
        writer.writerow([_safe(score.name), *cells, place, _safe(score.problem)])
    return stream.getvalue()


def _safe(name: str) -> str:
    """A file's name as a cell that no spreadsheet takes for a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t") else name


def _finite(row: dict[Any, Any]) -> dict[str, float | None]:
    return {column: number(row.get(column)) for column in SCORE_COLUMNS}
