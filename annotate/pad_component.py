"""A view of the rating desk as one HTML component, whose script talks to the JSON routes.

Gradio's own components cost a round trip each; so the views are our own.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from annotate.pad_files import PAD, script_address

if TYPE_CHECKING:
    import gradio as gr

# Gradio runs this text as a function of `element` and `props`; all else is in modules.
_START = """
const address = new URL("%s", document.baseURI).href;
import(address).then((view) => view.start(element, props.settings)).catch((error) => {
  console.error(error);
  element.querySelector(".pad").dataset.state = "trouble";
  element.querySelector(".pad-message-title").textContent = "This view can’t be loaded";
  element.querySelector(".pad-message-text").textContent = "Reload the page once the studio answers again.";
});
"""


def pad_component(element: str, html: str, styles: Sequence[str], script: str, settings: dict[str, Any]) -> "gr.HTML":
    """The component, where the caller stands.

    Args:
        html, styles, script: files of `annotate/pad/`; the script exports `start(element, settings)`.
    """
    import gradio as gr

    return gr.HTML(
        elem_id=element,
        html_template=_template(html),
        css_template="\n".join(_template(style) for style in styles),
        js_on_load=_START % script_address(script),
        apply_default_css=False,
        settings=settings,
    )


def _template(name: str) -> str:
    """A template without placeholders. Gradio runs it through Handlebars and a JavaScript template literal."""
    text = (PAD / name).read_text(encoding="utf-8")
    for special in ("${", "{{", "`", "\\"):
        if special in text:
            raise ValueError(f"{name} holds {special!r}, which Gradio would interpret; write it another way")
    return text
