"""The overview room's components and events."""

from typing import TYPE_CHECKING, Any

from annotate.image_list import ANY, PAGE, STATES
from annotate.store import Store
from dashboards import cards
from dashboards.overview import show_images, show_overview
from dashboards.rooms import LATEST, QUIET

if TYPE_CHECKING:
    import gradio as gr


def build_overview(store: Store, project: "gr.Tab", tab: "gr.Tab") -> None:
    """Put the room's components where the caller stands (`tab` within `project`); they are filled when it is opened."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("What this project holds", "Each person's newest rating of an image; times are in UTC"))
        shown = gr.HTML(elem_id="project-overview")
        again = gr.Button("Look for new images and prompts", elem_id="project-rescan", size="sm")

    def rescan() -> str:
        store.rescan()
        return show_overview(store)

    # The first opening is both at once, and one of them is dropped: hence not the latest.
    opened = gr.on(
        [project.select, tab.select], lambda: show_overview(store), None, shown, api_name="overview", **QUIET
    )
    looked = again.click(rescan, None, shown, api_name="rescan", show_progress="minimal")
    _build_images(store, opened, looked)


def _build_images(store: Store, opened: Any, looked: Any) -> None:
    """The list of images below; made anew once the room was `opened` or one has `looked` for new ones."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("Images", f"How many people rated each, {PAGE} a page"))
        with gr.Row(elem_classes="studio-inline"):
            words = gr.Textbox(
                label="Filter", placeholder="words of path or prompt", elem_id="images-filter", max_lines=1, scale=3
            )
            state = gr.Dropdown(list(STATES), value=ANY, label="State", elem_id="images-state", min_width=140)
            page = gr.Number(1, label="Page", precision=0, minimum=1, elem_id="images-page", min_width=110)
        listed = gr.HTML(elem_id="project-images")

    def show(said: str, how_far: str, number: float | None) -> tuple[str, int]:
        return show_images(store, said, how_far, number)

    asked, told = [words, state, page], [listed, page]
    # Not beside what opens the room: each call holds the page up before it shows anything.
    for seen in (opened, looked):
        seen.then(show, asked, told, api_visibility="private", **QUIET)
    page.input(
        lambda *given: show(*given)[0], asked, listed, api_visibility="private", **LATEST, **QUIET
    )  # leaves the field alone
    gr.on([page.submit, page.blur], show, asked, told, api_name="images", **LATEST, **QUIET)
    gr.on(
        [words.change, state.change],
        lambda said, how_far: show(said, how_far, 1),
        [words, state],
        told,
        api_visibility="private",
        **LATEST,
        **QUIET,
    )
