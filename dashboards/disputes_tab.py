"""The room "Disagreements": its components and events."""

from typing import TYPE_CHECKING

from dashboards import cards, disputes
from dashboards.context import Context
from dashboards.rooms import Choice, fill_when_open

if TYPE_CHECKING:
    import gradio as gr


def build_disputes(context: Context, choice: Choice, tab: "gr.Tab") -> None:
    """Put the room's components where the caller stands and wire them."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(
            cards.title(
                "Where model and people disagree",
                "Validation pairs in the wrong order, largest margin first; scored by a model that hasn't seen them",
            )
        )
        with gr.Row():
            head = gr.Dropdown(
                list(disputes.HEAD_CHOICES), value="combined", label="Score", elem_id="disputes-head", min_width=160
            )
            reasons = [("any reason", ""), *((reason, reason) for reason in disputes.REMEDIES)]
            reason = gr.Dropdown(reasons, value="", label="Reason", elem_id="disputes-reason", min_width=160)
        pairs = gr.HTML(elem_id="disputes-pairs")

    def show(run: str | None, which: str, why: str) -> str:
        return disputes.disputes(context, run, which, why)

    fill_when_open(choice, tab, show, [choice.run, head, reason], [pairs])
    gr.on(
        [head.change, reason.change],
        show,
        [choice.run, head, reason],
        pairs,
        api_name="disagreements",
        trigger_mode="always_last",
        show_progress="minimal",
    )
