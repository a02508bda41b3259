"""The project tab: what the project holds, how far people agree, how images and ratings come in and go out, how the
project is rated, and who may sign in."""

from typing import TYPE_CHECKING

from annotate.store import Store
from dashboards.agreement_tab import build_agreement_room
from dashboards.context import Context
from dashboards.events import EventNeeds
from dashboards.export_tab import build_export
from dashboards.guidelines_tab import build_guidelines
from dashboards.import_tab import build_import
from dashboards.overview_tab import build_overview
from dashboards.people_tab import build_people
from dashboards.settings_tab import build_settings

if TYPE_CHECKING:
    import gradio as gr


def build_project_tab(context: Context, store: Store, tab: "gr.Tab", needs: EventNeeds) -> None:
    """Put the tab's rooms where the caller stands (within `tab`) and wire them."""
    import gradio as gr

    with gr.Tabs(elem_id="project-rooms"):
        with gr.Tab("Overview", id="overview") as overview, needs.declare("review"):
            build_overview(store, tab, overview)
        with gr.Tab("Agreement", id="agreement") as agreement, needs.declare("review"):
            build_agreement_room(store, agreement)
        with gr.Tab("Import", id="import") as importing, needs.declare("manage"):
            build_import(store, context.roots, importing)
        with gr.Tab("Export", id="export") as exporting, needs.declare("manage"):
            build_export(store, exporting)
        with gr.Tab("Settings", id="settings") as settings, needs.declare("manage"):
            build_settings(store, settings)
            build_guidelines(store, settings)
        if context.accounts is not None:
            with gr.Tab("People", id="people") as people, needs.declare("manage"):
                build_people(context.accounts, people)
