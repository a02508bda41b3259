"""The analysis tab: which run is looked at, and the rooms in which it is looked at."""

from typing import TYPE_CHECKING, Any

from dashboards import analysis, cards
from dashboards.context import Context
from dashboards.disputes_tab import build_disputes
from dashboards.results_tab import build_results
from dashboards.rooms import Choice
from dashboards.scoring_tab import build_scoring
from dashboards.twomodels_tab import build_twomodels
from dashboards.versus_tab import build_versus
from dashboards.weights_tab import build_weights
from dashboards.where_tab import build_where

if TYPE_CHECKING:
    import gradio as gr

_CHECKPOINTS = (("best", "best"), ("last", "last"))


def build_analysis_tab(context: Context, demo: "gr.Blocks", tab: "gr.Tab") -> None:
    """Put the tab's components where the caller stands (within `tab` of `demo`) and wire them."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(
            cards.title(
                "What a model learned",
                "How well it orders pictures of prompts that it, or its copy in a fold, was not trained on",
            )
        )
        with gr.Row():
            run = gr.Dropdown([], label="Run", elem_id="analyse-run", scale=4, min_width=220, allow_custom_value=True)
            checkpoint = gr.Radio(
                _CHECKPOINTS, value="best", label="Checkpoint", elem_id="analyse-checkpoint", min_width=160
            )
        badges = gr.HTML(elem_id="analyse-badges")
    choice = Choice(run, checkpoint, gr.State("results"))
    with gr.Tabs(elem_id="analyse-rooms"):
        with gr.Tab("Results", id="results"):
            show, shown = build_results(context, (run, checkpoint), badges)
        with gr.Tab("A against B", id="versus") as versus:
            build_versus(context, choice, versus)
        with gr.Tab("Where", id="where") as where:
            build_where(context, choice, where)
        with gr.Tab("Disagreements", id="disputes") as disputes:
            build_disputes(context, choice, disputes)
        with gr.Tab("Two models", id="twomodels") as twomodels:
            build_twomodels(context, choice, twomodels)
        with gr.Tab("Weights", id="weights") as weights:
            build_weights(context, choice, weights)
        with gr.Tab("Score images", id="score"):
            build_scoring(context, (run, checkpoint))
    _wire_choice(context, demo, tab, (run, checkpoint), show, shown)


def _wire_choice(
    context: Context, demo: "gr.Blocks", tab: "gr.Tab", chosen: tuple[Any, Any], show: Any, shown: list[Any]
) -> None:
    import gradio as gr

    run, checkpoint = chosen

    # Until a person has picked a run, the newest one is shown, also when it came after the page.
    picked = gr.State(False)

    def runs(current: str | None, keep: bool) -> Any:
        choices = analysis.run_choices(context)
        names = [name for _, name in choices]
        return gr.update(choices=choices, value=current if keep and current in names else next(iter(names), None))

    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    listed = gr.on([demo.load, tab.select], runs, [run, picked], run, api_name="runs", **quiet)
    listed.then(show, [run, checkpoint], shown, api_visibility="private", **quiet)
    run.input(lambda: True, None, picked, api_visibility="private", **quiet)
    gr.on(
        [run.change, checkpoint.change],
        show,
        [run, checkpoint],
        shown,
        api_name="run_report",
        trigger_mode="always_last",
        **quiet,
    )
