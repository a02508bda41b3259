"""The results room: head table, what drives the combined score, calibration, errors, learning curves."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dashboards import analysis, cards
from dashboards.context import Context
from reward.aspects import ASPECTS

if TYPE_CHECKING:
    import gradio as gr

_CHARTS = ("accuracy", "importance", "calibration")
_CURVES = ("loss", "accuracy-curve", "importance-curve")


def plot(name: str, **more: Any) -> "gr.Plot":
    """A chart of the analysis tab without Gradio's own frame."""
    import gradio as gr

    return gr.Plot(show_label=False, container=False, elem_id=f"analyse-{name}", elem_classes="studio-plot", **more)


def build_results(
    context: Context, chosen: tuple[Any, Any], badges: "gr.HTML"
) -> tuple[Callable[[str | None, str], list[Any]], list[Any]]:
    """Put the room's components where the caller stands.

    Returns:
        What shows a run's checkpoint, and the components it fills.
    """
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        table = gr.HTML(elem_id="analyse-table")
        with gr.Column(visible=False) as charts:
            with gr.Row():
                accuracy, importance = plot("accuracy"), plot("importance")
            weights = gr.HTML(elem_id="analyse-weights-table")
            calibration = plot("calibration")
            bins = gr.HTML(elem_id="analyse-calibration-table")
        with gr.Accordion("How it learned", open=False, visible=False, elem_id="analyse-curves") as learning:
            curves = [plot(name) for name in _CURVES]
            epochs = gr.HTML(elem_id="analyse-curves-table")
        with gr.Accordion("Errors image by image", open=False, visible=False, elem_id="analyse-errors") as wrong:
            _errors(context, chosen[0], wrong)

    def show(name: str | None, which: str) -> list[Any]:
        report = analysis.report(context, name, which)
        drawn = bool(report.metrics)
        figures = report.figures() if drawn else [None] * (len(_CHARTS) + len(_CURVES))
        tables = report.tables() if drawn else ("", "", "")
        with_errors = drawn and isinstance(report.metrics.get("heads"), dict)
        visible = [gr.update(visible=on) for on in (drawn, drawn and bool(report.lines), with_errors)]
        return [report.badges, report.table, *visible, *figures, *tables]

    shown = [badges, table, charts, learning, wrong, accuracy, importance, calibration, *curves, weights, bins, epochs]
    return show, shown


def _errors(context: Context, run: "gr.Dropdown", room: "gr.Accordion") -> None:
    import gradio as gr

    gr.HTML(cards.detail("Validation images of best/, each scored by a model that has not seen it."))
    heads = [(aspect.label, aspect.name) for aspect in ASPECTS]
    head = gr.Dropdown(heads, value="style", label="Head", elem_id="analyse-error-head")
    chart = plot("error-chart")
    told = gr.HTML(elem_id="analyse-error-table")

    def show(name: str | None, which: str) -> tuple[Any, str]:
        words, figure = analysis.errors(context, name, which)
        return figure, words

    gr.on(
        [room.expand, head.change],
        show,
        [run, head],
        [chart, told],
        api_name="errors",
        trigger_mode="always_last",
        show_progress="minimal",
        show_progress_on=told,
    )
