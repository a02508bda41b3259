"""The results room: head table, what drives the combined score, calibration, errors, learning curves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboards.analysis import RunReport
from dashboards.context import Context
from dashboards.folds_tab import build_folds, build_report, plot

if TYPE_CHECKING:
    import gradio as gr

_CHARTS = ("accuracy", "importance", "calibration")
_CURVES = ("loss", "accuracy-curve", "importance-curve")


@dataclass(frozen=True)
class Part:
    """What shows a part of a checkpoint's report, and the components that this fills."""

    show: Callable[[RunReport], list[Any]]
    filled: list[Any]


def build_results(context: Context, chosen: tuple[Any, Any], badges: "gr.HTML") -> tuple[Part, Part]:
    """Put the room's components where the caller stands.

    Returns:
        The table with the words about it, which are there before the room is opened; and the charts, which the browser
        takes long to draw.
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

    def words(report: RunReport) -> list[Any]:
        drawn = bool(report.metrics)
        with_heads = drawn and isinstance(report.metrics.get("heads"), dict)
        shown = (drawn, drawn and bool(report.lines), *[with_heads] * len(folds))
        return [report.badges, report.table, *(gr.update(visible=on) for on in shown)]

    def figures(report: RunReport) -> list[Any]:
        if not report.metrics:
            return [*[None] * (len(_CHARTS) + len(_CURVES)), "", "", ""]
        return [*report.figures(), *report.tables()]

    drawn = [accuracy, importance, calibration, *curves, weights, bins, epochs]
    return Part(words, [badges, table, charts, learning, *folds]), Part(figures, drawn)
