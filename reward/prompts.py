"""Prompts CSV (`prompt_id,prompt`) → prompt texts by id."""

from pathlib import Path
from typing import Final

from reward.errors import InputError
from reward.tables import open_csv

KIND: Final = "a prompts CSV"


def read_prompts(path: Path, content: bytes | None = None) -> dict[str, str]:
    """Prompt text by prompt_id.

    Args:
        content: the file's, where it has been read already or `path` holds something else by now.

    Raises:
        InputError: unreadable, a column missing, a blank id, or one id with two texts; every fault at once.
    """
    table = open_csv(path, KIND, ("prompt_id", "prompt"), content)
    frame, _ = table.frame(["prompt_id", "prompt"], [])
    prompts: dict[str, str] = {}
    faults = []
    for row, (prompt_id, prompt) in enumerate(zip(frame["prompt_id"], frame["prompt"], strict=True)):
        if not prompt_id:
            faults.append(table.fault(row, "prompt_id is blank", "give every prompt an id"))
        elif prompts.setdefault(prompt_id, prompt) != prompt:
            faults.append(table.fault(row, f"prompt {prompt_id!r} has a second text", "keep one line a prompt"))
    if faults:
        raise InputError(faults)
    return prompts


def find_prompts(source: Path, given: Path | None) -> Path | None:
    """`given`, else the nearest prompts.csv beside `source` or up to two folders above, else None."""
    if given is not None:
        return given
    beside = (folder / "prompts.csv" for folder in list(source.absolute().parents)[:3])
    return next((path for path in beside if path.is_file()), None)
