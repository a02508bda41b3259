"""The scoring room's components and events."""

from pathlib import Path
from typing import Any

from dashboards import analysis, cards
from dashboards.context import Context


def build_scoring(context: Context, chosen: tuple[Any, Any]) -> None:
    """Put the room's components where the caller stands and wire them."""
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
    _wire(context, chosen, {"files": files, "table": table, "plot": plot, "download": download})


def _wire(context: Context, chosen: tuple[Any, Any], parts: dict[str, Any]) -> None:
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
