"""The results room: head table, what drives the combined score, calibration, errors, learning curves."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dashboards import analysis
from dashboards.context import Context
from dashboards.folds_tab import build_folds, build_report, plot

if TYPE_CHECKING:
    import gradio as gr

_CHARTS = ("accuracy", "importance", "calibration")
_CURVES = ("loss", "accuracy-curve", "importance-curve")


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
        folds = build_folds(context, chosen[0])
        build_report(context, chosen)

    def show(name: str | None, which: str) -> list[Any]:
        report = analysis.report(context, name, which)
        drawn = bool(report.metrics)
        figures = report.figures() if drawn else [None] * (len(_CHARTS) + len(_CURVES))
        tables = report.tables() if drawn else ("", "", "")
        with_heads = drawn and isinstance(report.metrics.get("heads"), dict)
        shown = (drawn, drawn and bool(report.lines), *[with_heads] * len(folds))
        visible = [gr.update(visible=on) for on in shown]
        return [report.badges, report.table, *visible, *figures, *tables]

    filled = [
        badges,
        table,
        charts,
        learning,
        *folds,
        accuracy,
        importance,
        calibration,
        *curves,
        weights,
        bins,
        epochs,
    ]
    return show, filled
