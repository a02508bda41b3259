"""Look at what is to be imported: nothing of the project changes, but files may be copied aside meanwhile."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from annotate.archives import ArchiveError, Limits, unpack_images
from annotate.errors import StorageError
from annotate.importing.finder import Finder
from annotate.importing.label_studio import read_label_studio
from annotate.importing.log import earlier_import
from annotate.importing.people import name_check
from annotate.importing.pictures import LARGEST_FILE, MOST_IMAGES, Pictures
from annotate.importing.plan import Options, Plan, Source
from annotate.importing.tables import Reading, columns_of, read_prompt_texts, read_ratings, read_single_ratings
from annotate.importing.values import told_apart
from annotate.scan import FOREIGN_SUFFIXES, SUFFIXES
from annotate.store import Store
from reward.aspects import RATING_COLUMNS
from reward.errors import Fault, InputError
from reward.prompts import read_prompts

ZIP_LIMITS: Final = Limits(images=MOST_IMAGES, file_bytes=LARGEST_FILE, total_bytes=8 * 2**30, ratio=200)
_PICTURES: Final = SUFFIXES | FOREIGN_SUFFIXES
_TABLES: Final = frozenset({".csv", ".tsv", ".txt"})
_TAKEN: Final = "images, a folder or zip of them, CSVs of ratings or prompts, and Label Studio's JSON are"


@contextmanager
def look(store: Store, sources: Sequence[Source], options: Options) -> Iterator[Plan]:
    """What importing the sources would bring. New images wait in a hidden folder until the block ends.

    Raises:
        StorageError: the project's folder can't be written.
    """
    waiting = store.project.root / ".incoming"
    try:
        shutil.rmtree(waiting, ignore_errors=True)  # what an import left that was killed: there is one at a time
        waiting.mkdir()
        staging = Path(tempfile.mkdtemp(dir=waiting))
    except OSError as error:
        raise StorageError(f"{store.project.root} can't be written ({error.strerror}).") from error
    try:
        yield _Look(store, options, staging).at(sources)
    finally:
        shutil.rmtree(waiting, ignore_errors=True)


class _Look:
    def __init__(self, store: Store, options: Options, staging: Path) -> None:
        self._store = store
        self._options = options
        self._staging = staging
        self._plan = Plan()
        images = [image for image in store.images() if image.active]
        self._pictures = Pictures(store.project, images, staging, self._plan)
        finder = Finder(store.project, images, self._pictures, options)
        self._reading = Reading(self._plan, finder, name_check(), options)

    def at(self, sources: Sequence[Source]) -> Plan:
        """Pictures first: the tables beside them may speak of them."""
        for source in sorted(sources, key=lambda source: _is_table(source.path)):
            before = len(self._plan.faults)
            try:
                self._one(source)
            except InputError as error:
                self._plan.faults.extend(error.faults)
            except ArchiveError as error:
                self._plan.faults.append(Fault(source.name, None, str(error), "pack the images anew"))
            # A person knows an upload by its name, not by where it was put.
            self._plan.faults[before:] = [
                replace(fault, file=source.name) if fault.file == str(source.path) else fault
                for fault in sorted(self._plan.faults[before:], key=lambda fault: fault.line or 0)
            ]
        return told_apart(self._plan, self._store, replace=self._options.replace)

    def _one(self, source: Source) -> None:
        suffix = source.path.suffix.lower()
        if source.path.is_dir():
            self._folder(source)
        elif suffix == ".zip":
            for one in unpack_images(source.path, self._staging, ZIP_LIMITS, _PICTURES):
                self._picture(one.file, one.name, f"{source.name}: {one.name}")
        elif suffix in _PICTURES:
            self._picture(source.path, source.name, source.name)
        elif suffix == ".json" or suffix in _TABLES:
            self._table(source)
        else:
            raise InputError.one(source.name, "can't be imported", f"{_TAKEN} taken in")

    def _picture(self, file: Path, name: str, told: str, otherwise: str = "") -> None:
        place = PurePosixPath(name.replace("\\", "/"))
        self._pictures.add(file, _prompt_of(place) or self._options.prompt or otherwise, place.name, told)

    def _folder(self, source: Source) -> None:
        others = links = 0
        own_name = source.path.resolve().name
        lead, otherwise = ("images/", "") if own_name == "images" else ("", own_name)
        for directory, folders, files in os.walk(source.path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            at = Path(directory)
            links += sum((at / name).is_symlink() for name in folders)
            for name in sorted(files):
                file = at / name
                links += file.is_symlink()
                if file.is_symlink() or name.startswith("."):
                    continue
                if file.suffix.lower() not in _PICTURES:
                    others += 1
                    continue
                inside = file.relative_to(source.path).as_posix()
                self._picture(file, lead + inside, f"{source.name}/{inside}", otherwise)
        if links:
            self._plan.notes.append(f"{source.name}: links that were not followed: {links:,}.")
        if others:
            self._plan.notes.append(
                f"{source.name}: other files than images that were left: {others:,}; name them singly."
            )

    def _table(self, source: Source) -> None:
        mark = _mark(source.path, self._options)
        earlier = earlier_import(self._store, mark)
        if earlier is not None:
            self._plan.notes.append(f"{source.name} was taken in on {earlier[:10]}: it adds nothing again.")
            return
        unknown = self._plan.unknown
        self._read_table(source)
        if self._plan.unknown == unknown:  # else it may come again once the images are here
            self._plan.marks[source.name] = mark

    def _read_table(self, source: Source) -> None:
        columns = () if source.path.suffix.lower() == ".json" else columns_of(source.path)
        if source.path.suffix.lower() == ".json":
            read_label_studio(source.path, self._reading)
        elif "prompt" in columns and "image_path" not in columns:
            ours = self._store.project.prompts_csv
            known = read_prompts(ours) if ours.exists() else {}
            read_prompt_texts(source.path, known, self._plan, replace=self._options.replace)
        elif "rating" in columns and not set(columns) & set(RATING_COLUMNS):
            read_single_ratings(source.path, self._reading)
        else:
            read_ratings(source.path, self._reading)


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in _TABLES | {".json"}


def _prompt_of(place: PurePosixPath) -> str:
    """The prompt that a picture's folder names: the one below `images/`, else the one it lies in."""
    folders = place.parts[:-1]
    if "images" in folders[:-1]:
        return folders[folders.index("images") + 1]
    return folders[-1] if folders and folders[-1] != "images" else ""


def _mark(path: Path, options: Options) -> str:
    """Tells a table, as it would be taken in, from every other."""
    digest = hashlib.sha256(f"{options.annotator}\0{options.replace}\0{options.skip_unknown}\0".encode())
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
