"""The import room's components and events: every change of the form shows anew what would come in."""

from typing import TYPE_CHECKING, Any

from annotate.importing.plan import Options
from annotate.store import Store
from dashboards import cards
from dashboards.importing import Given, carry_out, preview
from dashboards.rooms import LATEST, QUIET
from dashboards.roots import Roots

if TYPE_CHECKING:
    import gradio as gr


def build_import(store: Store, roots: Roots, tab: "gr.Tab") -> None:
    """Put the room's components where the caller stands (within `tab`) and wire them."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(
            cards.title(
                "Bring images, prompts and ratings in",
                "You see what would come in before anything changes; where anything is wrong, nothing comes in",
            )
        )
        files = gr.File(
            file_count="multiple",
            label="Images, zips, CSVs, Label Studio’s JSON",
            elem_id="import-files",
            height=150,
        )
        folder = gr.Textbox(
            label="… or a folder of images on this computer",
            info="within the data folder, or one given by --allow",
            elem_id="import-folder",
            max_lines=1,
        )
        with gr.Row():
            prompt = gr.Textbox(
                label="Prompt id of single images",
                info="images in folders belong to the prompt that their folder names",
                elem_id="import-prompt",
                max_lines=1,
            )
            annotator = gr.Textbox(
                Options.annotator,
                label="Whose ratings",
                info="where the file doesn’t tell",
                elem_id="import-annotator",
                max_lines=1,
            )
        with gr.Row():
            replace = gr.Checkbox(False, label="Replace ratings and prompts that are here otherwise")
            unknown = gr.Checkbox(False, label="Leave out ratings of images that aren’t here")
        told = gr.HTML(elem_id="import-plan")
        confirm = gr.Button("Take this in", variant="primary", interactive=False, elem_id="import-confirm")
    _wire(store, roots, tab, (files, folder, prompt, annotator, replace, unknown), told, confirm)


def _wire(
    store: Store, roots: Roots, tab: "gr.Tab", form: tuple[Any, ...], told: "gr.HTML", confirm: "gr.Button"
) -> None:
    import gradio as gr

    files, folder, prompt, annotator, replace, unknown = form

    def given(*values: Any) -> Given:
        paths, where, whose_prompt, name, *choices = values
        texts = [str(text or "") for text in (where, whose_prompt, name)]
        return Given(paths or [], texts[0], texts[1], texts[2], *(choice is True for choice in choices))

    def show(*values: Any) -> list[Any]:
        card, ready = preview(store, roots, given(*values))
        return [card, gr.update(interactive=ready)]

    def take(*values: Any) -> list[Any]:
        return [carry_out(store, roots, given(*values)), gr.update(interactive=False)]

    seen: dict[str, Any] = {"show_progress": "minimal", "show_progress_on": told}
    gr.on(
        [files.change, folder.submit, folder.blur, prompt.blur, annotator.blur, replace.input, unknown.input],
        show,
        [*form],
        [told, confirm],
        api_name="look_at_import",
        trigger_mode="always_last",
        **seen,
    )
    confirm.click(take, [*form], [told, confirm], api_name="take_in", **seen)
    tab.select(show, [*form], [told, confirm], api_visibility="private", **LATEST, **QUIET)
