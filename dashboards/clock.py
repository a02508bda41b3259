"""A clock that ticks only while its room is in sight.

Gradio's own goes on behind other tabs, and each call costs a page the more, the more rooms of it were opened: with all
of them, ticks that nobody sees took a third of the browser's time.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gradio as gr

_TICK = """
const room = element.closest('[role="tabpanel"]') ?? document.body;
setInterval(() => {
  if (props.value === "on" && room.checkVisibility() && !document.hidden) trigger("tick");
}, %d);
"""


def clock(seconds: float) -> "gr.HTML":
    """A stopped clock, where the caller stands; `running` starts and stops it, its event is `tick`."""
    import gradio as gr

    return gr.HTML(
        "", html_template=" ", js_on_load=_TICK % round(1000 * seconds), elem_classes="studio-clock", container=False
    )


def running(on: bool) -> Any:
    """The update of a clock."""
    import gradio as gr

    return gr.update(value="on" if on else "")
