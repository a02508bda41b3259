"""What can be done with a run that is over: note, archive, rename, delete, download, push. Names are checked here."""

import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from dashboards import growth
from dashboards.context import Context
from dashboards.jobstate import JobError
from dashboards.roots import RefusedPathError
from dashboards.runnotes import LONGEST_NOTE, read_notes, write_notes
from dashboards.runs import Run
from reward.claim import is_claimed
from reward.errors import RewardError, shown
from reward.lineage import trained_run
from reward.outputs import whole_file
from reward.trackers import TENSORBOARD, tensorboard_client
from reward.trackers import write_tensorboard as write_epochs

_TOP_FILES: Final = ("config.json", "metrics.jsonl", "studio.json")
# What resumes a run stays with it: a copy is to be used, not gone on with.
_NOT_COPIED: Final = ("training_state.safetensors",)


def set_note(context: Context, name: str, note: str) -> None:
    """Write a note to a run.

    Raises:
        RewardError: there is no such run, or the note is too long.
    """
    if len(note) > LONGEST_NOTE:
        raise RewardError(f"A note has at most {LONGEST_NOTE} characters; this one has {len(note)}.")
    run = context.run(name)
    write_notes(run.folder, replace(read_notes(run.folder), note=note.strip()))


def set_archived(context: Context, name: str, archived: bool) -> None:
    """Put a run out of the list, or back into it.

    Raises:
        RewardError: there is no such run, or it is to be put away and is not over.
    """
    run = context.run(name)
    if archived:
        _check_over(context, run)
    write_notes(run.folder, replace(read_notes(run.folder), archived=archived))


def rename(context: Context, name: str, new_name: str) -> str:
    """Give a run another name; returns it.

    Raises:
        RewardError: the name is none or taken, there is no such run, or it is not over.
    """
    after = context.roots.run_folder(new_name)
    with _at_rest(context, name) as run:
        if os.path.lexists(after):
            raise RefusedPathError(f"There is a run called {after.name} already; choose another name.")
        run.folder.rename(after)
        context.board.renamed(run.folder, after)
        growth.renamed(context, run, after)
    return after.name


def delete(context: Context, name: str, confirmation: str) -> None:
    """Remove a run with its checkpoints, its jobs and their logs.

    Raises:
        RewardError: the confirmation is not the run's name, there is no such run, or it is not over.
    """
    if not name or confirmation.strip() != name:
        raise JobError(f"To delete a run for good, type its name: {name or 'choose one first'}.")
    with _at_rest(context, name) as run:
        # First out of the way in one step, so that nobody meets half a run.
        aside = run.folder.with_name(f".{name}.deleted-{os.getpid()}")
        run.folder.rename(aside)
        context.board.forget(run.folder)
        growth.forget(context, run)
        shutil.rmtree(aside)


def dependents(context: Context, name: str) -> list[str]:
    """Names of the runs whose weights were set by hand and whose heads are from this one."""
    folder = context.roots.outputs / name
    found = []
    for row in context.runs.rows():
        if row.run.weighed_by_hand:
            with suppress(RewardError):  # the run that its heads are from is gone
                found += [row.name] if trained_run(row.run.folder) == folder else []
    return found


def clear_remains(outputs: Path) -> None:
    """Remove what is left of runs whose deletion was cut short."""
    for remains in outputs.glob(".*.deleted-*"):
        shutil.rmtree(remains, ignore_errors=True)


def write_zip(context: Context, name: str, folder: Path) -> Path:
    """A run as a zip in `folder`: config, metrics, both checkpoints, and TensorBoard's files where there are any.

    No embeddings, and nothing that names raters or, as TensorBoard's file names do, this computer.

    Raises:
        RewardError: there is no such run.
    """
    run = context.run(name)
    place = folder / f"{run.name}.zip"
    with whole_file(place) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for top in _TOP_FILES:
            if (run.folder / top).is_file():
                archive.write(run.folder / top, f"{run.name}/{top}")
        for checkpoint in run.checkpoints:
            files = sorted((run.folder / checkpoint).resolve().iterdir())
            for file in files:
                if file.is_file() and file.name not in _NOT_COPIED:
                    archive.write(file, f"{run.name}/{checkpoint}/{file.name}")
        # TensorBoard reads them in the order of their names.
        for number, file in enumerate(sorted((run.folder / TENSORBOARD).glob("*tfevents*"))):
            archive.write(file, f"{run.name}/{TENSORBOARD}/events.out.tfevents.{number:03d}")
    return place


def write_tensorboard(context: Context, name: str) -> int:
    """Write a run's epochs as TensorBoard's files into its folder; returns how many epochs.

    Raises:
        RewardError: there is no such run, it is not over, its metrics are damaged, or TensorBoard isn't installed.
    """
    _check_over(context, context.run(name))
    tensorboard_client()  # loads torch, for which nobody who starts a run should wait
    with _at_rest(context, name) as run:
        return write_epochs(run.folder)


def push(context: Context, name: str, repository: str, *, private: bool) -> str:
    """Upload the best checkpoint to the hub that this machine is signed in to; returns the commit's address.

    Raises:
        RewardError: no `user/name`, there is no such run or checkpoint, or the hub refuses.
    """
    parts = repository.strip().split("/")
    if len(parts) != 2 or not all(part and part.strip() == part for part in parts):
        raise RewardError(f"The repository is written user/name; {shown(repository)} is not.")
    run = context.run(name)
    if "best" not in run.checkpoints:
        raise RewardError(f"{run.name} has no best/ yet.")
    from reward.model import MultiHeadReward

    model = MultiHeadReward.from_pretrained(run.folder / "best")
    return model.push_to_hub(repository.strip(), private=private)


@contextmanager
def _at_rest(context: Context, name: str) -> Iterator[Run]:
    """The run, while no training is begun on it.

    Raises:
        RewardError: there is no such run, or a training is at work on it or waits to be, or its learning curve is
            being found.
    """
    with context.board.exclusive():
        run = context.run(name)
        if run.folder.is_symlink():
            raise RefusedPathError(f"{run.name} is a link to another folder: the studio leaves it alone.")
        _check_over(context, run)
        with growth.undisturbed(context, run):
            yield run


def _check_over(context: Context, run: Run) -> None:
    """Refuse a run on which a training is at work, or waits to be."""
    job = context.board.of_run(run.folder)
    if job is not None and job.state.open:
        raise JobError(f"{run.name} is not over: it is {job.state}. Stop it first.")
    if is_claimed(run.folder):
        raise JobError(f"{run.name} is not over: it is being trained from a shell. Stop it there first.")
