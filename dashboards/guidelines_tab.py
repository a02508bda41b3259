"""The guidelines' text in the Settings room: a box for the Markdown, and what raters see of it."""

from html import escape
from typing import TYPE_CHECKING, Any, Final

from annotate.guidelines import Guidelines
from annotate.store import Store
from dashboards import cards
from dashboards.rooms import LATEST, QUIET
from reward.errors import RewardError

if TYPE_CHECKING:
    import gradio as gr

_EXAMPLE: Final = """## Spatial

Excellent, 9–10:

![everything stands where the prompt says](images/p01/1.png)

Poor, 0–3:

![left and right are swapped](images/p01/2.png)"""


def show_preview(guidelines: Guidelines, text: str) -> str:
    """What raters see of a text, and which of its images the project doesn't have."""
    if not text.strip():
        return cards.empty("No guidelines", "Write some, and raters get a button for them beside “My ratings”.")
    shown = guidelines.render(text)
    names = "; ".join(shown.missing)
    told = cards.warning("No images of this project, so they are left out", names) if shown.missing else ""
    return f'{told}<div class="studio-guidelines">{shown.html}</div>'


def build_guidelines(store: Store, tab: "gr.Tab") -> None:
    """Put the editor where the caller stands (within `tab`) and wire it."""
    import gradio as gr

    guidelines = Guidelines(store)
    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(
            cards.title(
                "Guidelines",
                "What raters read behind the button “Guidelines” (key i); kept as guidelines.md in the data folder",
            )
        )
        opened = gr.State(None)  # what the file held when its text came into the box
        with gr.Row():
            box = gr.Textbox(label="Markdown", lines=14, max_lines=30, elem_id="guidelines-text")
            with gr.Column():
                preview = gr.HTML(elem_id="guidelines-preview")
        told = gr.HTML(elem_id="guidelines-told")
        with gr.Row():
            save = gr.Button("Save the guidelines", variant="primary", elem_id="guidelines-save")
            again = gr.Button("Load the file again", elem_id="guidelines-again")
        with gr.Accordion("How to show example images", open=False):
            gr.HTML(
                "<p>An image of the project stands there by its prompt id and file name, say below a heading for "
                "each aspect and each band of its scale. Raw HTML is shown as text.</p>"
                f'<pre class="studio-code">{escape(_EXAMPLE)}</pre>'
            )
    _wire(guidelines, tab, (box, opened, preview, told), save, again)


def _wire(guidelines: Guidelines, tab: "gr.Tab", parts: tuple[Any, ...], save: Any, again: Any) -> None:
    import gradio as gr

    box, opened, preview, told = parts

    def load() -> list[Any]:
        try:
            text = guidelines.read()
        except RewardError as error:
            return [gr.skip(), gr.skip(), gr.skip(), cards.problem("The guidelines can't be read", str(error))]
        return [text, text, show_preview(guidelines, text), ""]

    def load_unless_edited(text: str | None, before: str | None) -> list[Any]:
        return load() if before is None or text == before else [gr.skip()] * 4

    def keep(text: str | None, before: str | None) -> list[Any]:
        written = str(text or "")
        try:
            guidelines.save(written, before)
            kept = guidelines.read()
        except RewardError as error:
            return [gr.skip(), gr.skip(), cards.problem("Not saved", f"{error} Your text is still in the box.")]
        words = "Saved; raters see it when they open the guidelines." if kept else "The guidelines are removed."
        return [kept, kept, cards.done(words)]

    tab.select(
        load_unless_edited, [box, opened], [box, opened, preview, told], api_visibility="private", **LATEST, **QUIET
    )
    again.click(load, None, [box, opened, preview, told], api_visibility="private", **QUIET)
    box.change(
        lambda text: show_preview(guidelines, str(text or "")),
        box,
        preview,
        api_name="preview_guidelines",
        **LATEST,
        **QUIET,
    )
    save.click(keep, [box, opened], [box, opened, told], api_name="save_guidelines", show_progress="minimal")
