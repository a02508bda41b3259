"""The project tab: what the project holds, and how ratings and images come in and go out."""

from typing import TYPE_CHECKING

from annotate.store import Store
from dashboards.overview_tab import build_overview

if TYPE_CHECKING:
    import gradio as gr


def build_project_tab(store: Store, tab: "gr.Tab") -> None:
    """Put the tab's rooms where the caller stands (within `tab`) and wire them."""
    import gradio as gr

    with gr.Tabs(elem_id="project-rooms"), gr.Tab("Overview", id="overview") as overview:
        build_overview(store, tab, overview)
