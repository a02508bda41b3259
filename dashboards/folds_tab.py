"""Below the results: what is computed only when it is opened, and the report to take away."""

from typing import TYPE_CHECKING, Any, Final

from dashboards import analysis, cards, growth, mixing
from dashboards.clock import clock, running
from dashboards.context import Context
from dashboards.rooms import QUIET, folder_to_download_from
from reward.aspects import ASPECTS
from reward.errors import RewardError

if TYPE_CHECKING:
    import gradio as gr

_LOOK_SECONDS: Final = 2.0
_SAVE: Final = """file => {
  if (!file) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name;
  link.click();
}"""


def plot(name: str, **more: Any) -> "gr.Plot":
    """A chart of the analysis tab without Gradio's own frame."""
    import gradio as gr

    return gr.Plot(show_label=False, container=False, elem_id=f"analyse-{name}", elem_classes="studio-plot", **more)


def build_folds(context: Context, run: "gr.Dropdown") -> "list[gr.Accordion]":
    """The parts that need the run's own data; returns them, for they are hidden where a run has no heads."""
    import gradio as gr

    parts = {
        "errors": ("Errors image by image", _errors),
        "mixing": ("Are heads mixed up?", _mixing),
        "growth": ("Would more ratings help?", _growth),
    }
    folds = []
    for name, (title, build) in parts.items():
        with gr.Accordion(title, open=False, visible=False, elem_id=f"analyse-{name}") as fold:
            build(context, run, fold)
        folds.append(fold)
    # What they show is of the run that was chosen when they were opened.
    run.change(lambda: [gr.update(open=False)] * len(folds), None, folds, api_visibility="private", **QUIET)
    return folds


def _errors(context: Context, run: "gr.Dropdown", fold: "gr.Accordion") -> None:
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
        [fold.expand, head.change],
        show,
        [run, head],
        [chart, told],
        api_name="errors",
        trigger_mode="always_last",
        show_progress="minimal",
        show_progress_on=told,
    )


def _mixing(context: Context, run: "gr.Dropdown", fold: "gr.Accordion") -> None:
    import gradio as gr

    gr.HTML(cards.detail("Correlation between heads: of the model's scores on images it hasn't seen, and of ratings."))
    told = gr.HTML(elem_id="analyse-mixing-words")
    chart = plot("mixing-chart", visible=False)
    table = gr.HTML(elem_id="analyse-mixing-table")

    def show(name: str | None) -> list[Any]:
        words, figure, rows = mixing.mixing(context, name)
        return [words, gr.update(value=figure, visible=figure is not None), rows]

    fold.expand(
        show, run, [told, chart, table], api_name="head_correlation", show_progress="minimal", show_progress_on=told
    )


def _growth(context: Context, run: "gr.Dropdown", fold: "gr.Accordion") -> None:
    """The learning curve: a process of its own, looked at while it is at work."""
    import gradio as gr

    gr.HTML(
        cards.detail(
            "Trains anew on ever fewer of the run's rated prompts and measures each on prompts left out: minutes. "
            "You may close the page meanwhile."
        )
    )
    told = gr.HTML(elem_id="analyse-growth-words")
    chart = plot("growth-chart", visible=False)
    table = gr.HTML(elem_id="analyse-growth-table")
    begin = gr.Button("Find out", elem_id="analyse-growth-start")
    timer = clock(_LOOK_SECONDS)
    shown = [told, chart, table, begin, timer]

    def look(name: str | None) -> list[Any]:
        found = growth.look(context, name)
        figure = found.figure()
        press = gr.update(interactive=not found.at_work, value="Find out again" if found.known else "Find out")
        return [
            found.card,
            gr.update(value=figure, visible=figure is not None),
            found.table(),
            press,
            running(found.at_work),
        ]

    def start(name: str | None) -> list[Any]:
        trouble = growth.start(context, name)
        first, *rest = look(name)
        return [trouble + first, *rest]

    gr.on([fold.expand, timer.tick], look, run, shown, api_name="learning_curve", **QUIET)
    begin.click(start, run, shown, api_name="start_learning_curve", show_progress="minimal", show_progress_on=told)
    gr.on([fold.collapse, run.change], lambda: running(False), None, timer, api_visibility="private", **QUIET)


def build_report(context: Context, chosen: tuple[Any, Any]) -> None:
    """The button that makes the report and hands it out."""
    import gradio as gr

    with gr.Row(elem_classes="studio-actions"):
        begin = gr.Button("Download a report (one HTML file)", elem_id="analyse-report", scale=2, min_width=220)
        pictures = gr.Checkbox(
            True, label="with a dozen pictures", elem_id="analyse-report-pictures", scale=1, min_width=180
        )
        file = gr.DownloadButton("Save it again", visible=False, elem_id="analyse-report-file", scale=1, min_width=140)
    trouble = gr.HTML(elem_id="analyse-report-trouble")

    def write(name: str | None, which: str, with_pictures: bool) -> list[Any]:
        try:
            folder = folder_to_download_from()
            written = analysis.write_report(context, name, which, folder, pictures=with_pictures is True)
        except RewardError as error:
            return [gr.update(value=None, visible=False), cards.problem("There is no report of this", str(error))]
        return [gr.update(value=str(written), visible=True), ""]

    made = begin.click(write, [*chosen, pictures], [file, trouble], api_name="write_report", show_progress="minimal")
    # A download button hands out what it held before the press: so the file is made first, and then asked for.
    made.success(None, file, None, js=_SAVE)
    chosen[0].change(lambda: gr.update(visible=False), None, file, api_visibility="private", **QUIET)
