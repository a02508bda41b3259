"""The page: head, the tabs Rate, A or B?, Train, Analyse and Project, and how it is mounted so that no file leaks."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from annotate.declared import declared_needs
from annotate.identity import person_in
from annotate.permissions import Permission
from annotate.store import Store
from dashboards import cards
from dashboards.analysis_tab import build_analysis_tab
from dashboards.context import Context
from dashboards.events import EventNeeds, caller
from dashboards.fence import Fence
from dashboards.project_tab import build_project_tab
from dashboards.theme import studio_css, studio_theme
from dashboards.training_tab import build_training_tab

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI, Request

LARGEST_UPLOAD: Final = "64mb"
KEEP_UPLOADS_SECONDS: Final = 24 * 3600
# Tabs and rooms by their ids, and what somebody must be allowed to do who sees them.
_TABS: Final[dict[str, Permission]] = {
    **{"train": "train", "analyse": "analyse", "project": "review"},
    **{"import": "manage", "export": "manage", "settings": "manage", "people": "manage"},
}


def build_page(
    context: Context, store: Store, build_rate: Callable[[], object], build_pairs: Callable[[], object]
) -> "gr.Blocks":
    """The Blocks of the page; `build_rate` and `build_pairs` put their tabs' components where they are called."""
    import gradio as gr

    project = context.project
    demo = gr.Blocks(
        title="Reward Studio", analytics_enabled=False, delete_cache=(3600, KEEP_UPLOADS_SECONDS), fill_width=True
    )
    needs = EventNeeds(demo)
    with demo:
        name = "" if project.is_sample else project.root.resolve().name
        head = gr.HTML(cards.header(name, project.root, sample=project.is_sample))
        with gr.Tabs(elem_id="studio-tabs"):
            with gr.Tab("Rate", id="rate"), needs.declare("rate"):
                build_rate()
            with gr.Tab("A or B?", id="pairs"), needs.declare("rate"):
                build_pairs()
            with gr.Tab("Train", id="train") as train, needs.declare("train"):
                build_training_tab(context, demo, train)
            with gr.Tab("Analyse", id="analyse") as analyse, needs.declare("analyse"):
                build_analysis_tab(context, demo, analyse)
            with gr.Tab("Project", id="project") as managing:
                build_project_tab(context, store, managing, needs)

        def greet(request: gr.Request) -> Any:
            person = caller(request)
            if person.account is None:
                return gr.skip()
            signed_in = (person.account, person.role)
            hidden = [tab for tab, permission in _TABS.items() if not person.may(permission)]
            header = cards.header(name, project.root, sample=project.is_sample, person=signed_in)
            return header + cards.without_tabs(hidden)

        with needs.declare("rate"):
            demo.load(greet, None, head, api_visibility="private", queue=False, show_progress="hidden")
    needs.enforce()
    return demo


def mount_page(app: "FastAPI", demo: "gr.Blocks", blocked: list[Path]) -> "FastAPI":
    """Mount the page at "/" of `app`; nothing below a `blocked` path is handed out by Gradio's file route."""
    import gradio as gr

    gr.mount_gradio_app(
        app,
        demo,
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        show_error=True,
        blocked_paths=[str(path.resolve()) for path in blocked],
        auth_dependency=_name_of,
        max_file_size=LARGEST_UPLOAD,
        theme=studio_theme(),
        css=studio_css(),
    )
    # Mounting alone leaves this False, and with it Gradio checks no path, in or out.
    demo.has_launched = True
    mounted = app.routes[-1]
    mounted.app = Fence(mounted.app)
    declared_needs(app)
    return app


def _name_of(request: "Request") -> str | None:
    """Who Gradio takes for the user; None shuts the door."""
    person = person_in(request.scope)
    return None if person is None else person.account or "anybody"
