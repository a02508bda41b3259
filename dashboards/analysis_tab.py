"""The analysis tab's components and events; what they do is in `dashboards.analysis`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboards import analysis, cards
from dashboards.context import Context

if TYPE_CHECKING:
    import gradio as gr

_CHECKPOINTS = (("best", "best"), ("last", "last"))
_CURVES = ("loss", "accuracy-curve", "importance-curve")


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
        table = gr.HTML(elem_id="analyse-table")
        with gr.Row(visible=False) as charts:
            bars = [_plot(name) for name in ("accuracy", "importance")]
        with gr.Accordion("How it learned", open=False, visible=False, elem_id="analyse-curves") as learning:
            curves = [_plot(name) for name in _CURVES]
    scoring = _scoring_panel()
    _wire_report(context, demo, tab, (run, checkpoint), [badges, table, charts, learning, *bars, *curves])
    _wire_scores(context, (run, checkpoint), scoring)


def _plot(name: str) -> "gr.Plot":
    import gradio as gr

    return gr.Plot(show_label=False, container=False, elem_id=f"analyse-{name}", elem_classes="studio-plot")


def _scoring_panel() -> "dict[str, Any]":
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("Score images", "With the checkpoint chosen above; 0–10 on each aspect, and combined"))
        files = gr.File(
            file_count="multiple", file_types=["image"], label="Images", elem_id="analyse-files", height=150
        )
        table = gr.HTML(elem_id="analyse-scores")
        plot = gr.Plot(
            show_label=False, container=False, visible=False, elem_id="analyse-bars", elem_classes="studio-plot"
        )
        download = gr.DownloadButton("Download as CSV", visible=False, elem_id="analyse-csv")
    return {"files": files, "table": table, "plot": plot, "download": download}


def _wire_report(context: Context, demo: "gr.Blocks", tab: "gr.Tab", chosen: tuple[Any, Any], shown: list[Any]) -> None:
    import gradio as gr

    run, checkpoint = chosen

    # Until a person has picked a run, the newest one is shown, also when it came after the page.
    picked = gr.State(False)

    def runs(current: str | None, keep: bool) -> Any:
        choices = analysis.run_choices(context)
        names = [name for _, name in choices]
        return gr.update(choices=choices, value=current if keep and current in names else next(iter(names), None))

    def show(name: str | None, which: str) -> Any:
        report = analysis.report(context, name, which)
        drawn = bool(report.metrics)
        plots = report.figures() if drawn else [None] * 5
        visible = [gr.update(visible=drawn), gr.update(visible=drawn and bool(report.lines))]
        return [report.badges, report.table, *visible, *plots]

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


def _wire_scores(context: Context, chosen: tuple[Any, Any], parts: "dict[str, Any]") -> None:
    import gradio as gr
    from gradio.utils import get_upload_folder

    def score(name: str | None, which: str, files: list[str] | None) -> Any:
        report = analysis.score(context, name, which, files or [])
        plot = gr.update(value=report.figure() if report.any_scored else None, visible=report.any_scored)
        csv = str(analysis.write_csv(report.csv, Path(get_upload_folder()))) if report.csv else None
        return report.card, plot, gr.update(value=csv, visible=csv is not None)

    run, checkpoint = chosen
    gr.on(
        [parts["files"].change, run.change, checkpoint.change],
        score,
        [run, checkpoint, parts["files"]],
        [parts["table"], parts["plot"], parts["download"]],
        api_name="score_images",
        trigger_mode="always_last",
        show_progress="minimal",
        show_progress_on=parts["table"],
    )
