"""Starts, stops and tells the state of trainings, which run as processes of their own beside the studio.

A job is a folder `<data>/jobs/<id>/`: `job.json` (what was asked), `process.json` and `exit.json` (by the
runner), `events.jsonl` (by the trainer), `log.txt`, and `stop.json` once a person pressed stop. Folders rather than
a table: each file has one writer in one process, so that the studio, the runner or the trainer may be killed at
any moment without a lock or a transaction left behind, and a state is never stored, only derived from what is true.
"""

import fcntl
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from dashboards.jobstate import Job, JobError, JobState, JobStatus, after_the_end, lives, processes, read_job, read_json
from dashboards.journal import Journal
from dashboards.runner import EXIT_FILE, write_json

REPOSITORY: Final = Path(__file__).resolve().parent.parent
PROGRAM: Final = REPOSITORY / "train_reward.py"
JOB_ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
START_SECONDS: Final = 60.0


class JobBoard:
    """The trainings of one project. Two studios on one folder, or one that was restarted, see the same."""

    def __init__(self, folder: Path, program: Path = PROGRAM, python: str = sys.executable) -> None:
        self.folder = folder
        self._program = program
        self._python = python
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._journals: dict[str, Journal] = {}
        self._lock = threading.Lock()

    def start(self, arguments: Sequence[str], output: Path) -> Job:
        """Start `train_reward.py` with these arguments; `--events` is added.

        Raises:
            JobError: the output exists already, or a training is at work.
        """
        with self._one_starter():
            at_work = self.at_work()
            if at_work is not None:
                raise JobError(
                    f"A training is at work: {at_work.job.name} ({at_work.state}). Wait for its end or stop it first."
                )
            if os.path.lexists(output):
                raise JobError(f"There is a run called {output.name} already: {output}. Choose another name.")
            job = self._write_job(arguments, output)
            self._launch(job)
        return job

    def stop(self, job_id: str) -> None:
        """Ask the training to end after what it is at (SIGINT to its group): `last/` stays complete.

        Raises:
            JobError: there is no such job, or it is not at work.
        """
        status = self.status(self.find(job_id))
        if status.state is JobState.STOPPING:
            raise JobError(f"{status.job.name} is stopping already: it saves what it has first.")
        if not status.state.live:
            raise JobError(f"{status.job.name} is not at work: it is {status.state}.")
        pids = [entry["pid"] for entry in processes(status.job.folder) if lives(entry, status.job.folder)]
        if not pids:
            raise JobError(f"{status.job.name} is only just starting; try again in a moment.")
        write_json(status.job.folder / "stop.json", {"time": time.time()})
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
        jobs = (read_job(self.folder / name) for name in names)
        return [job for job in jobs if job is not None]

    def newest(self) -> JobStatus | None:
        """The state of the job started last."""
        jobs = self.all()
        return self.status(jobs[0]) if jobs else None

    def at_work(self) -> JobStatus | None:
        """The job that has a process at work, if any."""
        return next((status for status in map(self.status, self.all()) if status.state.live), None)

    def events(self, job: Job) -> list[dict[str, Any]]:
        """What the trainer reported so far, oldest first."""
        with self._lock:
            journal = self._journals.setdefault(job.id, Journal(job.folder / "events.jsonl"))
        return journal.lines()

    def status(self, job: Job) -> JobStatus:
        """What is true of the job now, from its files and the processes of this machine."""
        ended = read_json(job.folder / EXIT_FILE)
        if ended is None and self._alive(job):
            stopping = (job.folder / "stop.json").exists()
            started = any(entry for entry in processes(job.folder))
            state = JobState.STOPPING if stopping else JobState.RUNNING if started else JobState.STARTING
            return JobStatus(job, state)
        # The runner may have ended between the two looks: its exit code was written before that.
        ended = ended or read_json(job.folder / EXIT_FILE)
        return after_the_end(job, ended, self.events(job))

    def _alive(self, job: Job) -> bool:
        entries = processes(job.folder)
        if entries:
            return any(lives(entry, job.folder) for entry in entries)
        child = self._children.get(job.id)
        if child is not None:
            return child.poll() is None
        return time.time() - job.created < START_SECONDS

    def _write_job(self, arguments: Sequence[str], output: Path) -> Job:
        created = time.time()
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(created))
        job_id = f"{stamp}-{secrets.token_hex(3)}"
        folder = self.folder / job_id
        folder.mkdir(parents=True)
        job = Job(job_id, folder, tuple(arguments), output, created)
        content = {"arguments": list(job.arguments), "output": str(output), "created": created}
        write_json(folder / "job.json", content)
        return job

    def _launch(self, job: Job) -> None:
        trainer = [self._python, str(self._program), *job.arguments, "--events", str(job.folder / "events.jsonl")]
        command = [self._python, "-m", "dashboards.runner", str(job.folder), "--", *trainer]
        paths = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        with (job.folder / "log.txt").open("ab") as log:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        with self._lock:
            self._children[job.id] = child
        # Takes its exit code as soon as it ends, so that no zombie is left; the runner has it on disk.
        threading.Thread(target=child.wait, name=f"reaper of {job.id}", daemon=True).start()

    @contextmanager
    def _one_starter(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
