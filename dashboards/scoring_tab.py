"""The scoring room's components and events."""

from typing import Any

from dashboards import cards, scoring
from dashboards.context import Context
from dashboards.rooms import folder_to_download_from
from dashboards.scoring import AS_GIVEN, SORTS, ScoreReport


def build_scoring(context: Context, chosen: tuple[Any, Any]) -> None:
    """Put the room's components where the caller stands and wire them."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("Score images", "With the checkpoint chosen above; 0–10 on each aspect, and combined"))
        files = gr.File(
            file_count="multiple",
            file_types=["image", ".zip"],
            label="Images, or a zip of them",
            elem_id="analyse-files",
            height=150,
        )
        with gr.Row():
            folder = gr.Textbox(
                label="… or a folder on this computer",
                info="within the data folder, or one given by --allow",
                elem_id="analyse-folder",
                max_lines=1,
                scale=4,
            )
            sort = gr.Dropdown(list(SORTS), value=AS_GIVEN, label="Sort by", elem_id="analyse-sort", min_width=140)
        table = gr.HTML(elem_id="analyse-scores")
        plot = gr.Plot(
            show_label=False, container=False, visible=False, elem_id="analyse-bars", elem_classes="studio-plot"
        )
        with gr.Row():
            csv = gr.DownloadButton("Download as CSV", visible=False, elem_id="analyse-csv")
            parquet = gr.DownloadButton("Download as Parquet", visible=False, elem_id="analyse-parquet")
    parts = {"files": files, "folder": folder, "sort": sort, "table": table, "plot": plot, "csv": csv}
    _wire(context, chosen, {**parts, "parquet": parquet})


def _wire(context: Context, chosen: tuple[Any, Any], parts: dict[str, Any]) -> None:
    import gradio as gr

    latest, asked = gr.State(ScoreReport()), gr.State(None)

    def shown(report: ScoreReport, column: str) -> list[Any]:
        """The table and the chart, sorted alike."""
        drawn = report.any_scored
        return [report.table(column), gr.update(value=report.figure(column) if drawn else None, visible=drawn)]

    def score(
        before: Any,
        name: str | None,
        which: str,
        files: list[str] | None,
        folder: str,
        column: str,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 (how Gradio hands it over)
    ) -> Any:
        """Skips what was asked `before`: whoever leaves the field may have had it scored by Enter."""
        question = name, which, tuple(files or ()), str(folder or "").strip()
        if before == question:
            return [gr.skip()] * len(outputs)

        def tell(done: int, total: int) -> None:
            progress((done, total), unit="images")

        report = scoring.score(context, name, which, files or [], str(folder or ""), tell)
        written = scoring.write_files(context, report, folder_to_download_from()) if report.scores else (None, None)
        downloads = [gr.update(value=file and str(file), visible=file is not None) for file in written]
        return [*shown(report, column), *downloads, report, question]

    run, checkpoint = chosen
    inputs = [run, checkpoint, parts["files"], parts["folder"], parts["sort"]]
    outputs = [parts["table"], parts["plot"], parts["csv"], parts["parquet"], latest, asked]
    shared: dict[str, Any] = {
        "trigger_mode": "always_last",
        "show_progress": "minimal",
        "show_progress_on": parts["table"],
        # One after the other, so that the second knows what the first was asked.
        "concurrency_id": "score_images",
        "concurrency_limit": 1,
    }
    gr.on(
        [parts["files"].change, parts["folder"].submit, run.change, checkpoint.change],
        score,
        [gr.State(None), *inputs],
        outputs,
        api_name="score_images",
        **shared,
    )
    parts["folder"].blur(score, [asked, *inputs], outputs, api_visibility="private", **shared)
    parts["sort"].change(
        shown,
        [latest, parts["sort"]],
        [parts["table"], parts["plot"]],
        api_visibility="private",
        queue=False,
        show_progress="hidden",
    )
