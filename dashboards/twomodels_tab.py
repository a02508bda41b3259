"""The room "Two models": its components and events."""

from typing import TYPE_CHECKING, Any

from dashboards import analysis, cards, twomodels
from dashboards.context import Context
from dashboards.folds_tab import plot
from dashboards.rooms import Choice, fill_when_open
from reward.errors import RewardError

if TYPE_CHECKING:
    import gradio as gr


def build_twomodels(context: Context, choice: Choice, tab: "gr.Tab") -> None:
    """Put the room's components where the caller stands and wire them."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("Two models on the same images", "Where the chosen checkpoint and another one differ"))
        with gr.Row():
            other = gr.Dropdown([], label="The other run", elem_id="twomodels-run", min_width=220, scale=3)
            which = gr.Radio(["best", "last"], value="best", label="Its checkpoint", elem_id="twomodels-checkpoint")
            head = gr.Dropdown(
                list(twomodels.HEAD_CHOICES), value="combined", label="Score", elem_id="twomodels-head", min_width=140
            )
        uploads = gr.File(
            file_count="multiple",
            file_types=["image"],
            label="Images of your own; without them, those that both runs validated",
            elem_id="twomodels-files",
            height=150,
        )
        chart = plot("twomodels", visible=False)
        told = gr.HTML(elem_id="twomodels-told")

    def compare(run: str | None, checkpoint: str, second: str | None, its: str, name: str, files: Any) -> list[Any]:
        try:
            twomodels.check_head(name)
        except RewardError as error:
            return [gr.update(visible=False), cards.problem("These models can't be compared", str(error))]
        found = twomodels.compare(context, (run, checkpoint), (second, its), files or [])
        figure = found.figure(name)
        return [gr.update(value=figure, visible=figure is not None), found.told(name)]

    def fill(run: str | None, checkpoint: str, second: str | None, its: str, name: str, files: Any) -> list[Any]:
        others = [one for one in analysis.run_choices(context) if one[1] != run]
        names = [name for _, name in others]
        known = second if second in names else twomodels.likely_other(context, run, names)
        shown = compare(run, checkpoint, known, its, name, files)
        if not others:
            shown[1] = cards.empty("There is no other run", "Train another model, or save weights of your own.")
        elif known is None:
            shown[1] = cards.empty(
                "No other run is on these images", "Choose one, and drop images of your own to compare both on."
            )
        return [gr.update(choices=others, value=known), *shown]

    inputs = [choice.run, choice.checkpoint, other, which, head, uploads]
    fill_when_open(choice, tab, fill, inputs, [other, chart, told])
    gr.on(
        [other.input, which.change, head.change, uploads.change],
        compare,
        inputs,
        [chart, told],
        api_name="compare_models",
        trigger_mode="always_last",
        show_progress="minimal",
        show_progress_on=told,
    )
