"""The room "Where": its components and events."""

from typing import TYPE_CHECKING, Any

from dashboards import cards, versus, where
from dashboards.context import Context
from dashboards.rooms import QUIET, Choice, fill_when_open
from reward.errors import RewardError

if TYPE_CHECKING:
    import gradio as gr


def build_where(context: Context, choice: Choice, tab: "gr.Tab") -> None:
    """Put the room's components where the caller stands and wire them."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("Where in the picture", "Which parts of an image a score stands on, head by head"))
        trouble = gr.HTML(elem_id="where-trouble")
        with gr.Row():
            prompt = gr.Dropdown([], label="Prompt of the run", elem_id="where-prompt", min_width=220)
            image = gr.Dropdown([], label="Image", elem_id="where-image", min_width=140)
            method = gr.Dropdown(
                list(where.METHODS), value=where.COVER, label="How", elem_id="where-method", min_width=160
            )
        upload = gr.File(
            file_count="multiple",
            file_types=["image"],
            label="… or one of your own",
            elem_id="where-file",
            height=150,
        )
        begin = gr.Button("Draw the maps", variant="primary", elem_id="where-start")
        maps = gr.HTML(elem_id="where-maps")

    def fill(run: str | None, prompt_id: str | None, name: str | None) -> list[Any]:
        """The run's prompts; the chosen prompt and image are kept where this run has them too."""
        try:
            prompts = versus.prompts_of(context, run)
            told = ""
        except RewardError as error:
            prompts = []
            told = cards.warning("The run's own images can't be shown; one of your own can", str(error))
        known = [one for _, one in prompts]
        prompt_id = prompt_id if prompt_id in known else next(iter(known), None)
        return [told, gr.update(choices=prompts, value=prompt_id), images(run, prompt_id, name)]

    def images(run: str | None, prompt_id: str | None, name: str | None = None) -> Any:
        try:
            names = list(versus.images_of(context, run, prompt_id)) if prompt_id else []
        except RewardError:
            names = []
        return gr.update(choices=names, value=name if name in names else next(iter(names), None))

    def cleared() -> str:
        return cards.empty("No maps of this model yet", "Press “Draw the maps” to see what its scores stand on.")

    def draw(
        run: str | None,
        which: str,
        prompt_id: str | None,
        name: str | None,
        files: list[str] | None,
        how: str,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 (how Gradio hands it over)
    ) -> str:
        def tell(done: int, total: int) -> None:
            progress((done, total), unit="patches")

        return where.maps(context, run, which, (prompt_id, name), files or [], how, tell)

    fill_when_open(choice, tab, fill, [choice.run, prompt, image], [trouble, prompt, image])
    prompt.input(images, [choice.run, prompt], image, api_visibility="private", **QUIET)
    inputs = [choice.run, choice.checkpoint, prompt, image, upload, method]
    begin.click(draw, inputs, maps, api_name="where_in_the_picture", show_progress="minimal")
    # Drawing takes long, so another model's maps are taken away rather than drawn anew.
    gr.on([choice.run.change, choice.checkpoint.change], cleared, None, maps, api_visibility="private", **QUIET)
