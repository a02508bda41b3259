"""Which people's ratings stand together in one set of exported files.

All of a project's do; but in the sample simulated people's and real people's never share a file.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from annotate.judgement import CORRECTION_NAME, SIMULATED_CORRECTION_NAME, StoredRating, is_simulated
from annotate.project import Project


@dataclass(frozen=True)
class Share:
    """The ratings of some people and the files that hold these alone.

    `prefix` stands before the files' names where they are told from another share's; `correction_name` is the
    annotator of what an edited means file of this share says.
    """

    folder: Path
    prefix: str
    correction_name: str
    includes: Callable[[str], bool]

    def of(self, rows: Iterable[StoredRating]) -> list[StoredRating]:
        """Those of the ratings that belong in here."""
        return [row for row in rows if self.includes(row.annotator)]


def project_shares(project: Project) -> list[Share]:
    """One share; in the sample two: the simulated people's in its annotations folder, and below it everybody else's."""
    if not project.is_sample:
        return [Share(project.annotations, "", CORRECTION_NAME, lambda _: True)]
    own = project.own_annotations
    return [
        Share(project.annotations, "", SIMULATED_CORRECTION_NAME, is_simulated),
        Share(own, f"{own.name}/", CORRECTION_NAME, lambda name: not is_simulated(name)),
    ]
