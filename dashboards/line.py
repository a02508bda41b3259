"""Whose turn it is: trainings wait for the device in the order in which they were asked for.

Nothing keeps the line: each waiting runner looks at the job folders and the processes, which are true whoever was
killed. Everybody sees the same order, so that no two take the same turn.
"""

import time
from pathlib import Path
from typing import Final

from dashboards.jobfiles import EXIT_FILE, STOP_FILE, Job, lives, processes, read_job, waits

START_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.5


def at_work_or_before(job: Job) -> list[Job]:
    """The other jobs that keep this one waiting: those at work, and earlier ones that wait as well."""
    found = []
    for folder in job.folder.parent.iterdir():
        if folder == job.folder or (folder / EXIT_FILE).exists():
            continue
        other = read_job(folder)
        if other is not None and is_open(other) and (order(other) < order(job) or not waits(folder)):
            found.append(other)
    return sorted(found, key=order)


def order(job: Job) -> tuple[float, str]:
    """The place in the line: by the time of asking."""
    return job.created, job.id


def is_open(job: Job) -> bool:
    """Whether one of its processes is there, or may be about to be."""
    entries = processes(job.folder)
    if entries:
        return any(lives(entry, job.folder) for entry in entries)
    return time.time() - job.created < START_SECONDS


def wait_for_turn(folder: Path, at_once: int) -> bool:
    """Wait until fewer than `at_once` others are before the job of this folder; False where it was cancelled."""
    while not (folder / STOP_FILE).exists():
        job = read_job(folder)
        if job is None or len(at_work_or_before(job)) < at_once:
            return job is not None
        time.sleep(LOOK_SECONDS)
    return False
