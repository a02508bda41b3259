"""The thread that keeps the exported files true: many saves become one write, and no save waits for it."""

import logging
import threading
import time

from annotate.export_files import ExportFiles
from annotate.shares import project_shares
from annotate.store import Store
from reward.errors import RewardError

_GATHER_S = 0.05  # saves that come within this time become one write
_REST = 3  # times as long as a write took, so that many people's saves get most of the machine
_MOST_REST_S = 1.0
_POLL_S = 0.5  # how often the files are looked at for edits by others
_log = logging.getLogger(__name__)


class Exporter:
    """Writes the ratings CSVs and pairs.jsonl of a store after each change, and takes in edited CSVs.

    `start` and `stop` may be called more than once. Without `start`, `flush` does the work in the calling thread.
    """

    def __init__(self, store: Store) -> None:
        self._files = [ExportFiles(store, share) for share in project_shares(store.project)]
        self._pass_lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._hurry = threading.Event()  # somebody waits for the files
        self._thread: threading.Thread | None = None
        self._state = threading.Condition()
        self._asked = 0
        self._finished = 0
        self._problems: tuple[str, ...] = ()
        store.subscribe(self._wake.set)

    @property
    def problems(self) -> tuple[str, ...]:
        """What a person should know about the exported files, one sentence each; empty when all is well."""
        return self._problems

    def start(self) -> None:
        """Begin: first what was edited while the studio was stopped, then an export if the database is newer."""
        if self._thread is not None:
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="exporter", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is outstanding and end the thread."""
        if self._thread is None:
            return
        self._stopping.set()
        self._hurry.set()
        self._wake.set()
        self._thread.join()
        self._thread = None

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until everything saved before this call is in the files; False if that took longer than `timeout` s."""
        if self._thread is None:
            return self._pass(trusting=True, all_files=True)
        with self._state:
            self._asked += 1
            target = self._asked
            self._hurry.set()
            self._wake.set()
            return self._state.wait_for(lambda: self._finished >= target, timeout)

    def _run(self) -> None:
        trusting = True  # at start nobody is in the midst of writing
        while True:
            self._wake.clear()
            self._hurry.clear()
            began = time.monotonic()
            with self._state:
                asked = self._asked
            stopping = self._stopping.is_set()
            settled = self._pass(trusting=trusting, all_files=stopping or asked > self._finished)
            trusting = False
            lasted = time.monotonic() - began
            if settled:
                with self._state:
                    self._finished = asked
                    self._state.notify_all()
            if stopping:
                return
            if self._wake.wait(_POLL_S):
                self._hurry.wait(max(_GATHER_S, min(_MOST_REST_S, _REST * lasted)))

    def _pass(self, *, trusting: bool, all_files: bool) -> bool:
        with self._pass_lock:
            started = time.monotonic()
            try:
                done = [files.sync(trusting=trusting, all_files=all_files) for files in self._files]
                settled = all(done)
                self._problems = tuple(problem for files in self._files for problem in files.problems())
            except OSError as error:
                what = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
                self._problems = (f"The CSV files can't be written ({what}). All ratings are safe in the database.",)
                settled = False
            except RewardError as error:
                self._problems = (str(error),)
                settled = False
            except Exception:  # a bug: the thread must live on, and the log must show it
                _log.exception("export failed after %.1f s", time.monotonic() - started)
                self._problems = (
                    "The CSV files can't be written (see the log). All ratings are safe in the database.",
                )
                settled = False
            return settled
