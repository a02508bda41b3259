"""What the tabs share: the project and its ratings, the folders that may be used, the trainings, the loaded models, the
device, the runs' own data, what is being found out in the background, and who may sign in."""

from dataclasses import dataclass

from annotate.accounts import Accounts
from annotate.project import Project
from annotate.store import Store
from dashboards.background import Inquiries
from dashboards.desk import RunDesk
from dashboards.device import DeviceFinder
from dashboards.jobs import JobBoard
from dashboards.machine import Machine
from dashboards.roots import Roots
from dashboards.runlist import RunShelf
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
    inquiries: Inquiries
    machine: Machine
    runs: RunShelf
    store: Store | None = None
    accounts: Accounts | None = None
