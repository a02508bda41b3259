"""Runs' own data for the analysis: images, ratings and validation scores, read again once each and kept."""

import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dashboards.roots import Roots
from dashboards.runs import Run

if TYPE_CHECKING:
    from reward.unseen import Validated


class RunDesk:
    """The runs looked at last. Torch is loaded when the first of them is asked for; one is read at a time.

    A run whose weights were set by hand has the data of the run that its heads are from.
    """

    def __init__(self, roots: Roots, capacity: int = 3) -> None:
        self._roots = roots
        self._capacity = capacity
        self._known: OrderedDict[tuple[Path, Path, int], Validated] = OrderedDict()
        self._lock = threading.Lock()

    def validated(self, run: Run) -> "Validated":
        """The run's images and how its validation scored them; `combined` is NaN where weights were set by hand.

        Raises:
            RewardError: its images, or input files of which it has no copy, are missing, have changed, are damaged, or
                lie outside the studio's folders; or the run that weights set by hand were saved from is gone.
        """
        from reward.lineage import trained_run

        trained = trained_run(run.folder)
        found = self._read(trained)
        if trained == run.folder:
            return found
        # A log-odds takes a τ that was learned with the weights: these have none.
        return replace(found, combined=np.full(len(found.combined), np.nan))

    def _read(self, folder: Path) -> "Validated":
        from reward.unseen import read_validation

        with self._lock:
            metrics = folder / "metrics.jsonl"
            changed = metrics.stat().st_mtime_ns if metrics.exists() else 0
            key = (folder, (folder / "best").resolve(), changed)
            if key not in self._known:
                self._known[key] = read_validation(folder, may_read=self._roots.may_read)
            self._known.move_to_end(key)
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)
            return self._known[key]


def image_name(file: Path) -> str:
    """An image as a person knows it: its prompt's folder and its name."""
    return f"{file.parent.name}/{file.name}"
