"""What people write down about a run: a note, and whether it is put away. Kept in the run's folder, `studio.json`."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from dashboards.jobfiles import read_json, write_json

NOTES_FILE: Final = "studio.json"
LONGEST_NOTE: Final = 2000


@dataclass(frozen=True)
class RunNotes:
    """A run's note, and whether it is archived: kept, but out of the list."""

    note: str = ""
    archived: bool = False


def read_notes(folder: Path) -> RunNotes:
    """What is written down about the run in `folder`; nothing where the file is missing or damaged."""
    content = read_json(folder / NOTES_FILE) or {}
    note = content.get("note")
    return RunNotes(note if isinstance(note, str) else "", content.get("archived") is True)


def write_notes(folder: Path, notes: RunNotes) -> None:
    """Write it down."""
    write_json(folder / NOTES_FILE, asdict(notes))
