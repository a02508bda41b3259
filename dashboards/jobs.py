"""Starts, stops and tells the state of trainings, which run as processes of their own beside the studio.

A job is a folder `<data>/jobs/<id>/`: `job.json` (what was asked), `process.json` and `exit.json` (by the
runner, which waits for its turn: `dashboards.line`), `events.jsonl` (by the trainer), `log.txt`, and `stop.json`
once a person pressed stop. Folders rather than
a table: each file has one writer in one process, so that the studio, the runner or the trainer may be killed at
any moment without a lock or a transaction left behind, and a state is never stored, only derived from what is true.
"""

import fcntl
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from dashboards.background import REPOSITORY, module_environment
from dashboards.jobfiles import (
    EXIT_FILE,
    JOB_FILE,
    STOP_FILE,
    Job,
    lives,
    processes,
    read_job,
    read_json,
    waits,
    write_job,
    write_json,
)
from dashboards.jobstate import JobError, JobState, JobStatus, after_the_end, last_events
from dashboards.journal import Journal
from dashboards.line import is_open, order

PROGRAM: Final = REPOSITORY / "train_reward.py"
JOB_ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
EVENTS: Final = "events.jsonl"
AT_ONCE: Final = 1  # trainings on one device


class JobBoard:
    """The trainings of one project. Two studios on one folder, or one that was restarted, see the same."""

    def __init__(
        self, folder: Path, program: Path = PROGRAM, python: str = sys.executable, at_once: int = AT_ONCE
    ) -> None:
        self.folder = folder
        self._at_once = at_once
        self._program = program
        self._python = python
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._journals: dict[Path, Journal] = {}
        self._known: dict[str, tuple[int, Job | None]] = {}
        self._over: set[str] = set()
        self._ended: dict[Job, JobStatus] = {}
        self._lock = threading.Lock()

    def start(self, arguments: Sequence[str], output: Path) -> Job:
        """Start `train_reward.py` with these arguments; `--events` is added. It waits while the device is busy.

        An output that is there already is refused unless the arguments have --resume or --overwrite.

        Raises:
            JobError: the output exists already, or another training is at work on it or waits to be.
        """
        with self.exclusive():
            before = self.of_run(output)
            if before is not None and before.state.open:
                doing = "waits in line" if before.state is JobState.WAITING else "is being trained"
                raise JobError(f"A run called {output.name} {doing} already. Choose another name, or wait for its end.")
            if os.path.lexists(output) and not {"--resume", "--overwrite"} & set(arguments):
                raise JobError(f"There is a run called {output.name} already: {output}. Choose another name.")
            job = self._write_job(arguments, output)
            self._launch(job)
        return job

    def stop(self, job_id: str) -> None:
        """Ask the training to end after what it is at (SIGINT to its group): `last/` stays complete.

        One that waits is taken out of the line.

        Raises:
            JobError: there is no such job, or it is over.
        """
        status = self.status(self.find(job_id))
        if status.state is JobState.WAITING:
            write_json(status.job.folder / STOP_FILE, {"time": time.time()})  # its runner sees it and ends
            return
        if status.state is JobState.STOPPING:
            raise JobError(f"{status.job.name} is stopping already: it saves what it has first.")
        if not status.state.live:
            raise JobError(f"{status.job.name} is not at work: it is {status.state}.")
        pids = [entry["pid"] for entry in processes(status.job.folder) if lives(entry, status.job.folder)]
        if not pids:
            raise JobError(f"{status.job.name} is only just starting; try again in a moment.")
        write_json(status.job.folder / STOP_FILE, {"time": time.time()})
        try:
            os.killpg(os.getpgid(pids[0]), signal.SIGINT)
        except ProcessLookupError:
            return

    def find(self, job_id: str) -> Job:
        """The job of this id.

        Raises:
            JobError: there is none.
        """
        job = read_job(self.folder / job_id) if JOB_ID.fullmatch(job_id) else None
        if job is None:
            raise JobError("There is no such training.")
        return job

    def all(self) -> list[Job]:
        """Every job of the project, the newest first; folders that hold no readable job are passed over."""
        try:
            names = sorted((path.name for path in self.folder.iterdir() if JOB_ID.fullmatch(path.name)), reverse=True)
        except FileNotFoundError:
            return []
        jobs = (self._read(name) for name in names)
        return sorted((job for job in jobs if job is not None), key=order, reverse=True)

    def newest(self) -> JobStatus | None:
        """The state of the job started last."""
        jobs = self.all()
        return self.status(jobs[0]) if jobs else None

    def at_work(self) -> JobStatus | None:
        """The job that has a process at work, if any."""
        return next((status for status in self.open() if status.state.live), None)

    def open(self) -> list[JobStatus]:
        """The jobs that are not over, at work or waiting, in the order of their turns."""
        jobs = [job for job in self.all() if not self._is_over(job)]
        return [status for job in reversed(jobs) if (status := self.status(job)).state.open]

    def in_line(self) -> list[JobStatus]:
        """The jobs that wait for their turn, the next one first."""
        return [status for status in self.open() if status.state is JobState.WAITING]

    def of_run(self, output: Path) -> JobStatus | None:
        """The job started last on this run folder."""
        wanted = output.absolute()
        job = next((job for job in self.all() if job.output.absolute() == wanted), None)
        return self.status(job) if job else None

    def recover(self) -> list[Job]:
        """Put the waiting jobs whose runner is gone (the machine was restarted) back in line; returns them."""
        with self.exclusive():
            gone = [job for job in self.all() if not self._is_over(job) and waits(job.folder) and not is_open(job)]
            back = [job for job in reversed(gone) if not (job.folder / STOP_FILE).exists()]
            for job in back:
                self._launch(job)
        return back

    def renamed(self, before: Path, after: Path) -> None:
        """Have the jobs of a run follow its folder to another name; call it within `exclusive`."""
        for job in self.all():
            if job.output.absolute() == before.absolute():
                write_job(replace(job, output=after))

    def forget(self, output: Path) -> None:
        """Remove the jobs of a run, their logs with them; call it within `exclusive`."""
        for job in self.all():
            if job.output.absolute() == output.absolute():
                shutil.rmtree(job.folder)

    def events(self, job: Job) -> list[dict[str, Any]]:
        """What the trainer reported so far, oldest first."""
        return self._journal(job.folder / EVENTS).lines()

    def epochs(self, job: Job) -> list[dict[str, Any]]:
        """A line of metrics for each epoch, those from before it was resumed among them."""
        return self._journal(job.output / "metrics.jsonl").lines()

    def status(self, job: Job) -> JobStatus:
        """What is true of the job now, from its files and the processes of this machine."""
        if job in self._ended:
            return self._ended[job]
        ended = read_json(job.folder / EXIT_FILE)
        if ended is None and self._alive(job):
            if (job.folder / STOP_FILE).exists():
                state = JobState.STOPPING
            elif waits(job.folder):
                state = JobState.WAITING
            else:
                state = JobState.RUNNING if processes(job.folder) else JobState.STARTING
            return JobStatus(job, state)
        # The runner may have ended between the two looks: its exit code was written before that.
        ended = ended or read_json(job.folder / EXIT_FILE)
        found = after_the_end(job, ended, last_events(job.folder / EVENTS))
        if ended is not None:
            self._ended[job] = found
        return found

    def by_output(self) -> dict[Path, JobStatus]:
        """The state of each run folder's newest job."""
        newest: dict[Path, Job] = {}
        for job in self.all():
            newest.setdefault(job.output.absolute(), job)
        return {output: self.status(job) for output, job in newest.items()}

    def _journal(self, path: Path) -> Journal:
        with self._lock:
            return self._journals.setdefault(path, Journal(path))

    def _alive(self, job: Job) -> bool:
        child = self._children.get(job.id)
        if child is not None and not processes(job.folder):
            return child.poll() is None
        return is_open(job)

    def _is_over(self, job: Job) -> bool:
        """Whether its end is on disk; once it is, that doesn't change."""
        if job.id not in self._over and (job.folder / EXIT_FILE).exists():
            self._over.add(job.id)
        return job.id in self._over

    def _read(self, name: str) -> Job | None:
        """The job of a folder, read again only where it was written anew."""
        try:
            changed = (self.folder / name / JOB_FILE).stat().st_mtime_ns
        except (FileNotFoundError, NotADirectoryError):
            return None
        known = self._known.get(name)
        if known is None or known[0] != changed:
            known = self._known[name] = (changed, read_job(self.folder / name))
        return known[1]

    def _write_job(self, arguments: Sequence[str], output: Path) -> Job:
        created = time.time()
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(created))
        job_id = f"{stamp}-{secrets.token_hex(3)}"
        folder = self.folder / job_id
        folder.mkdir(parents=True)
        job = Job(job_id, folder, tuple(arguments), output, created)
        write_job(job)
        return job

    def _launch(self, job: Job) -> None:
        trainer = [self._python, str(self._program), *job.arguments, "--events", str(job.folder / EVENTS)]
        command = [self._python, "-m", "dashboards.runner", str(job.folder), str(self._at_once), "--", *trainer]
        with (job.folder / "log.txt").open("ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=module_environment(),
                start_new_session=True,
            )
        with self._lock:
            self._children[job.id] = child
        # Takes its exit code as soon as it ends, so that no zombie is left; the runner has it on disk.
        threading.Thread(target=child.wait, name=f"reaper of {job.id}", daemon=True).start()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Held while run folders are begun, renamed or removed, by one studio at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
