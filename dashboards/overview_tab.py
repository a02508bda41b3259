"""The overview room's components and events."""

from typing import TYPE_CHECKING

from annotate.store import Store
from dashboards import cards
from dashboards.overview import show_overview
from dashboards.rooms import QUIET

if TYPE_CHECKING:
    import gradio as gr


def build_overview(store: Store, project: "gr.Tab", tab: "gr.Tab") -> None:
    """Put the room's components where the caller stands (`tab` within `project`); they are filled when it is opened."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("What this project holds", "Each person's newest rating of an image; times are in UTC"))
        shown = gr.HTML(elem_id="project-overview")
        again = gr.Button("Look for new images and prompts", elem_id="project-rescan", size="sm")

    def rescan() -> str:
        store.rescan()
        return show_overview(store)

    gr.on([project.select, tab.select], lambda: show_overview(store), None, shown, api_name="overview", **QUIET)
    again.click(rescan, None, shown, api_name="rescan", show_progress="minimal")
