"""The room "A against B": its components and events."""

from typing import TYPE_CHECKING, Any

from dashboards import cards, versus
from dashboards.context import Context
from dashboards.folds_tab import plot
from dashboards.rooms import QUIET, Choice, fill_when_open
from reward.errors import RewardError

if TYPE_CHECKING:
    import gradio as gr


def build_versus(context: Context, choice: Choice, tab: "gr.Tab") -> None:
    """Put the room's components where the caller stands and wire them."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("Why A beat B", "What each aspect adds to the difference of two images' combined scores"))
        trouble = gr.HTML(elem_id="versus-trouble")
        with gr.Row():
            prompt = gr.Dropdown([], label="Prompt of the run", elem_id="versus-prompt", min_width=220)
            first = gr.Dropdown([], label="A", elem_id="versus-a", min_width=140)
            second = gr.Dropdown([], label="B", elem_id="versus-b", min_width=140)
        uploads = gr.File(
            file_count="multiple",
            file_types=["image"],
            label="… or two images of your own",
            elem_id="versus-files",
            height=150,
        )
        answer = gr.HTML(elem_id="versus-answer")
        chart = plot("waterfall", visible=False)
        table = gr.HTML(elem_id="versus-table")

    def fill(run: str | None) -> list[Any]:
        try:
            prompts = versus.prompts_of(context, run)
        except RewardError as error:
            told = cards.warning("The run's own images can't be shown; two of your own can", str(error))
            return [told, gr.update(choices=[], value=None)]
        return ["", gr.update(choices=prompts, value=prompts[0][1] if prompts else None)]

    def sides(run: str | None, prompt_id: str | None) -> list[Any]:
        try:
            names = list(versus.images_of(context, run, prompt_id)) if prompt_id else []
        except RewardError:
            names = []
        return [gr.update(choices=names, value=names[k] if len(names) > 1 else None) for k in range(2)]

    def compare(run: str | None, which: str, *rest: Any) -> list[Any]:
        *chosen, files = rest
        if not files and not all(chosen):
            empty = cards.empty("Nothing to compare yet", "Choose two images of a prompt, or drop two of your own.")
            return [empty, gr.update(visible=False), ""]
        found = versus.compare(context, run, which, tuple(chosen), files or [])
        figure = found.figure()
        return [found.card, gr.update(value=figure, visible=figure is not None), found.table()]

    fill_when_open(choice, tab, fill, [choice.run], [trouble, prompt])
    prompt.change(sides, [choice.run, prompt], [first, second], api_visibility="private", **QUIET)
    gr.on(
        [first.change, second.change, uploads.change],
        compare,
        [choice.run, choice.checkpoint, prompt, first, second, uploads],
        [answer, chart, table],
        api_name="compare_images",
        trigger_mode="always_last",
        show_progress="minimal",
        show_progress_on=answer,
    )
