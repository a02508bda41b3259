"""The training tab: its rooms New run, Runs and Compare, each built by a module of its own."""

from typing import TYPE_CHECKING, Final

from dashboards.compare_tab import build_compare
from dashboards.context import Context
from dashboards.form_tab import build_form, wire_form
from dashboards.rooms import LATEST, QUIET
from dashboards.run_tab import build_data_panel, build_run_panel, wire_data, wire_run
from dashboards.runs_tab import build_runs

if TYPE_CHECKING:
    import gradio as gr


# Charts that were drawn behind another room had no size then.
_FIT_CHARTS: Final = """() => {
  requestAnimationFrame(() => requestAnimationFrame(() => window.dispatchEvent(new Event("resize"))));
}"""


def build_training_tab(context: Context, demo: "gr.Blocks", tab: "gr.Tab") -> None:
    """Put the tab's components where the caller stands (within `tab` of `demo`) and wire them."""
    import gradio as gr

    with gr.Tabs(elem_id="train-rooms"):
        with gr.Tab("New run", id="new-run") as new, gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=320):
                inputs = build_form(context)
            with gr.Column(scale=6, min_width=320):
                data = build_data_panel()
                run = build_run_panel()
        with gr.Tab("Runs", id="runs") as runs:
            build_runs(context, runs)
        with gr.Tab("Compare", id="compare") as compare:
            build_compare(context, compare)
    wire_form(context, demo, tab, inputs)
    wire_data(context, demo, (tab, new), inputs, data)
    wire_run(context, demo, inputs, run)

    def read_runs() -> None:
        """Before the room is opened, so that 200 runs are there at once."""
        context.runs.rows()
        context.board.by_output()

    tab.select(read_runs, None, None, api_visibility="private", **LATEST, **QUIET)
    new.select(None, None, None, js=_FIT_CHARTS)
