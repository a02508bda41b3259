"""What the tabs share: the project, the folders that may be used, the trainings, the loaded models, the device,
and the runs' own data."""

from dataclasses import dataclass

from annotate.project import Project
from dashboards.desk import RunDesk
from dashboards.device import DeviceFinder
from dashboards.jobs import JobBoard
from dashboards.roots import Roots
from dashboards.scorer import ModelShelf


@dataclass(frozen=True)
class Context:
    """One studio's parts, made once at its start and handed to every tab."""

    project: Project
    roots: Roots
    board: JobBoard
    shelf: ModelShelf
    devices: DeviceFinder
    desk: RunDesk
