"""What the rooms of the analysis tab share: the run that is chosen, which room is open, and when a room is filled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gradio as gr

QUIET: "dict[str, Any]" = {"queue": False, "show_progress": "hidden"}
# For what a room shows when it is opened: by default Gradio drops an event that comes while one of its kind is at work,
# and a room that is left and opened again meanwhile would show what was true before.
LATEST: "dict[str, Any]" = {"trigger_mode": "always_last"}


@dataclass(frozen=True)
class Choice:
    """The components of the choice at the top of the tab; `room` holds the id of the room that is open."""

    run: "gr.Dropdown"
    checkpoint: "gr.Radio"
    room: "gr.State"


def fill_when_open(
    choice: Choice,
    tab: "gr.Tab",
    work: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
) -> None:
    """Run `work` when the room of `tab` is opened, and when another run is chosen while it is open.

    What a room shows may need torch and the run's own data: nobody waits for that who has not opened it.
    """
    import gradio as gr

    def opened(*values: Any) -> list[Any]:
        return [tab.id, *_listed(work(*values), outputs)]

    def changed(room: str, *values: Any) -> Any:
        return _listed(work(*values), outputs) if room == tab.id else [gr.skip()] * len(outputs)

    shared: dict[str, Any] = {"api_visibility": "private", "show_progress": "minimal", **LATEST}
    tab.select(opened, [*inputs], [choice.room, *outputs], **shared)
    gr.on(
        [choice.run.change, choice.checkpoint.change],
        changed,
        [choice.room, *inputs],
        [*outputs],
        **shared,
    )


def folder_to_download_from() -> Path:
    """Where files are put that the page hands out; it goes with the studio."""
    from gradio.utils import get_upload_folder

    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _listed(found: Any, outputs: Sequence[Any]) -> list[Any]:
    return list(found) if len(outputs) > 1 else [found]
