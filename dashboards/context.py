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
from dashboards.runs import Run, read_run
from dashboards.scorer import ModelShelf
from reward.errors import RewardError, shown


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

    def run(self, name: str) -> Run:
        """The run of this name.

        Raises:
            RewardError: the name is no run's.
        """
        run = read_run(self.roots.run_folder(name))
        if run is None:
            raise RewardError(f"There is no run called {shown(name)}: it was renamed or deleted, choose another.")
        return run
