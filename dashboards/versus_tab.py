"""The room "A against B": its components and events."""

from typing import TYPE_CHECKING, Any

from dashboards import cards, versus
from dashboards.context import Context
from dashboards.folds_tab import plot
from dashboards.rooms import Choice, fill_when_open
from reward.errors import RewardError

if TYPE_CHECKING:
    import gradio as gr


def build_versus(context: Context, choice: Choice, tab: "gr.Tab") -> None:
    """Put the room's components where the caller stands and wire them."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(
            cards.title(
                "Why one beats the other", "What each aspect adds to the difference of two images' combined scores"
            )
        )
        trouble = gr.HTML(elem_id="versus-trouble")
        with gr.Row():
            prompt = gr.Dropdown([], label="Prompt of the run", elem_id="versus-prompt", min_width=220)
            first = gr.Dropdown([], label="A", elem_id="versus-a", min_width=220)
            second = gr.Dropdown([], label="B", elem_id="versus-b", min_width=220)
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

    answered = [answer, chart, table]

    def fill(run: str | None, which: str, prompt_id: str | None, *rest: Any) -> list[Any]:
        """The run's prompts, the chosen one and its images kept where this run has them too, and the answer by it."""
        *chosen, files = rest
        try:
            prompts = versus.prompts_of(context, run)
            told = ""
        except RewardError as error:
            prompts = []
            told = cards.warning("The run's own images can't be shown; two of your own can", str(error))
        known = [one for _, one in prompts]
        prompt_id = prompt_id if prompt_id in known else next(iter(known), None)
        sides, found = looked_at(run, which, prompt_id, tuple(chosen), files)
        return [told, gr.update(choices=prompts, value=prompt_id), *sides, *found]

    def looked_at(
        run: str | None, which: str, prompt_id: str | None, chosen: tuple[Any, ...], files: list[str] | None
    ) -> tuple[list[Any], list[Any]]:
        try:
            choices = versus.choices_of(context, run, prompt_id) if prompt_id else []
        except RewardError:
            choices = []
        names = [name for _, name in choices]
        if not set(chosen) <= set(names):
            chosen = (names[0], names[1]) if len(names) > 1 else (None, None)
        sides = [gr.update(choices=choices, value=one) for one in chosen]
        return sides, compare(run, which, prompt_id, *chosen, files)

    def another_prompt(run: str | None, which: str, prompt_id: str | None, files: list[str] | None) -> list[Any]:
        sides, found = looked_at(run, which, prompt_id, (None, None), files)
        return [*sides, *found]

    def compare(run: str | None, which: str, *rest: Any) -> list[Any]:
        *chosen, files = rest
        if not files and not all(chosen):
            empty = cards.empty("Nothing to compare yet", "Choose two images of a prompt, or drop two of your own.")
            return [empty, gr.update(visible=False), ""]
        found = versus.compare(context, run, which, tuple(chosen), files or [])
        figure = found.figure()
        return [found.card, gr.update(value=figure, visible=figure is not None), found.table()]

    inputs = [choice.run, choice.checkpoint, prompt, first, second, uploads]
    fill_when_open(choice, tab, fill, inputs, [trouble, prompt, first, second, *answered])
    # `input`, not `change`: what `fill` sets is compared by it already.
    prompt.input(
        another_prompt,
        [choice.run, choice.checkpoint, prompt, uploads],
        [first, second, *answered],
        api_visibility="private",
        trigger_mode="always_last",
        show_progress="minimal",
        show_progress_on=answer,
    )
    gr.on(
        [first.input, second.input, uploads.change],
        compare,
        inputs,
        answered,
        api_name="compare_images",
        trigger_mode="always_last",
        show_progress="minimal",
        show_progress_on=answer,
    )
