"""The room "Disagreements": its components and events."""

from typing import TYPE_CHECKING, Any

from annotate.requests import MOST_NOTE
from dashboards import cards, disputes
from dashboards.context import Context
from dashboards.events import caller
from dashboards.rooms import LATEST, QUIET, Choice, fill_when_open

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
        image, send = _send_back(context, head, tab)
        pairs = gr.HTML(elem_id="disputes-pairs")

    def show(run: str | None, which: str, why: str) -> list[Any]:
        found = disputes.disputes(context, run, which, why)
        ours = disputes.to_ask_for(context, found.files)
        told = "" if ours else "None of these images is this project's: nobody can be asked to rate them here."
        return [found.card, gr.update(choices=ours, value=ours[0] if ours else None, info=told), _able(bool(ours))]

    fill_when_open(choice, tab, show, [choice.run, head, reason], [pairs, image, send])
    gr.on(
        [head.change, reason.change],
        show,
        [choice.run, head, reason],
        [pairs, image, send],
        api_name="disagreements",
        trigger_mode="always_last",
        show_progress="minimal",
    )


def _send_back(context: Context, head: "gr.Dropdown", tab: "gr.Tab") -> "tuple[gr.Dropdown, gr.Button]":
    """The fold from which an image goes back to the rating queue."""
    import gradio as gr

    with gr.Accordion("Send an image back to the rating queue", open=False, elem_id="disputes-ask"):
        with gr.Row():
            image = gr.Dropdown([], label="Image", elem_id="disputes-image", min_width=180)
            note = gr.Textbox(
                label="Note for the person who rates it", elem_id="disputes-note", max_lines=1, max_length=MOST_NOTE
            )
            by = gr.Textbox(label="Your name", elem_id="disputes-by", max_lines=1, max_length=64, min_width=120)
        send = gr.Button("Send it back", elem_id="disputes-send")
        told = gr.HTML(elem_id="disputes-sent")

    def who(request: gr.Request) -> Any:
        account = caller(request).account
        return gr.update() if account is None else gr.update(value=account, interactive=False)

    def ask(path: str | None, which: str, words: str, name: str, request: gr.Request) -> str:
        # A request is signed: with accounts by whoever is signed in, whatever the field says.
        return disputes.send_back(context, path, which, words, caller(request).account or name)

    tab.select(who, None, by, api_visibility="private", **LATEST, **QUIET)
    send.click(ask, [image, head, note, by], told, api_name="send_back")
    return image, send


def _able(on: bool) -> Any:
    import gradio as gr

    return gr.update(interactive=on)
