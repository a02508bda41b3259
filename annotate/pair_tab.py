"""The tab "A or B?": two images of a prompt side by side, which one is better?"""

from typing import TYPE_CHECKING

from annotate.pad_component import pad_component
from annotate.project import Project
from annotate.rating_tab import sample_settings

if TYPE_CHECKING:
    import gradio as gr


def build_pair_tab(project: Project) -> "gr.HTML":
    """The view of pairs, to be called where `annotate.rating_tab.build_rating_tab` may be."""
    return pad_component("pair-pad", "pair.html", ["pad.css", "pair.css"], "pair.js", sample_settings(project))
