"""The export room's components and events."""

from typing import TYPE_CHECKING

from annotate.store import Store
from dashboards import cards
from dashboards.exporting import show_commands, show_exports
from dashboards.rooms import LATEST, QUIET

if TYPE_CHECKING:
    import gradio as gr


def build_export(store: Store, tab: "gr.Tab") -> None:
    """Put the room's components where the caller stands (within `tab`); they are filled when it is opened."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(
            cards.title(
                "Take the ratings away", "Each file is made when you ask for it, from the ratings as they stand"
            )
        )
        downloads = gr.HTML(elem_id="project-exports")
        with gr.Accordion("From the shell, and Label Studio’s template", open=False):
            gr.HTML(show_commands(store), elem_id="project-export-commands")
    tab.select(lambda: show_exports(store), None, downloads, api_name="exports", **LATEST, **QUIET)
