"""The page: head, the tabs Rate, A or B?, Train, Analyse and Project, and how it is mounted so that no file leaks."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from annotate.store import Store
from dashboards import cards
from dashboards.analysis_tab import build_analysis_tab
from dashboards.context import Context
from dashboards.fence import Fence
from dashboards.project_tab import build_project_tab
from dashboards.theme import studio_css, studio_theme
from dashboards.training_tab import build_training_tab

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

LARGEST_UPLOAD: Final = "64mb"
KEEP_UPLOADS_SECONDS: Final = 24 * 3600


def build_page(
    context: Context, store: Store, build_rate: Callable[[], object], build_pairs: Callable[[], object]
) -> "gr.Blocks":
    """The Blocks of the page; `build_rate` and `build_pairs` put their tabs' components where they are called."""
    import gradio as gr

    project = context.project
    demo = gr.Blocks(
        title="Reward Studio", analytics_enabled=False, delete_cache=(3600, KEEP_UPLOADS_SECONDS), fill_width=True
    )
    with demo:
        name = "" if project.is_sample else project.root.resolve().name
        gr.HTML(cards.header(name, project.root, sample=project.is_sample))
        with gr.Tabs(elem_id="studio-tabs"):
            with gr.Tab("Rate", id="rate"):
                build_rate()
            with gr.Tab("A or B?", id="pairs"):
                build_pairs()
            with gr.Tab("Train", id="train") as train:
                build_training_tab(context, demo, train)
            with gr.Tab("Analyse", id="analyse") as analyse:
                build_analysis_tab(context, demo, analyse)
            with gr.Tab("Project", id="project") as tab:
                build_project_tab(context, store, tab)
    return demo


def mount_page(app: "FastAPI", demo: "gr.Blocks", blocked: list[Path]) -> "FastAPI":
    """Mount the page at "/" of `app`; nothing below a `blocked` path is handed out by Gradio's file route."""
    import gradio as gr

    app.add_middleware(Fence)
    gr.mount_gradio_app(
        app,
        demo,
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        show_error=True,
        blocked_paths=[str(path.resolve()) for path in blocked],
        max_file_size=LARGEST_UPLOAD,
        theme=studio_theme(),
        css=studio_css(),
    )
    # Mounting alone leaves this False, and with it Gradio checks no path, in or out.
    demo.has_launched = True
    return app
