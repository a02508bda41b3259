"""The rating tab: one HTML component, whose script talks to the JSON routes of `annotate.routes`.

Gradio's sliders can't tell an untouched head from a rated one and cost a round trip each; so the pad is our own.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from annotate.pad_files import PAD, pad_address
from annotate.project import Project
from reward.aspects import ASPECTS, BANDS, MAX_RATING, MIN_RATING, RATING_STEP

if TYPE_CHECKING:
    import gradio as gr

# Gradio runs this text as a function of `element` and `props`; all else is in modules.
_START = """
const address = new URL("%s", document.baseURI).href;
import(address).then((pad) => pad.start(element, props.settings)).catch((error) => {
  console.error(error);
  element.querySelector(".pad").dataset.state = "trouble";
  element.querySelector(".pad-message-title").textContent = "The rating pad can’t be loaded";
  element.querySelector(".pad-message-text").textContent = "Reload the page once the studio answers again.";
});
"""


def build_rating_tab(project: Project) -> "gr.HTML":
    """The rating pad, to be called inside a `gr.Blocks` or tab that is mounted on `annotate.api.build_api`'s app."""
    import gradio as gr

    return gr.HTML(
        elem_id="rating-pad",
        html_template=_template("pad.html"),
        css_template=_template("pad.css"),
        js_on_load=_START % pad_address(),
        apply_default_css=False,
        settings=pad_settings(project),
    )


def pad_settings(project: Project) -> dict[str, Any]:
    """What the pad's script needs to know: heads, bands, scale; in the sample, also where one's own ratings go."""
    return {
        "heads": [asdict(aspect) for aspect in ASPECTS],
        "bands": [asdict(band) for band in BANDS],
        "min": MIN_RATING,
        "max": MAX_RATING,
        "step": RATING_STEP,
        "sample": project.is_sample,
        "own": f"{project.exported_path(project.own_annotations)}/" if project.is_sample else "",
    }


def _template(name: str) -> str:
    """A template without placeholders. Gradio runs it through Handlebars and a JavaScript template literal."""
    text = _read(name)
    for special in ("${", "{{", "`", "\\"):
        if special in text:
            raise ValueError(f"{name} holds {special!r}, which Gradio would interpret; write it another way")
    return text


def _read(name: str) -> str:
    return (PAD / name).read_text(encoding="utf-8")
