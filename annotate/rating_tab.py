"""The rating tab: five aspects an image. Gradio's sliders can't tell an untouched head from a rated one."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from annotate.pad_component import pad_component
from annotate.project import Project
from reward.aspects import ASPECTS, BANDS, MAX_RATING, MIN_RATING, RATING_STEP

if TYPE_CHECKING:
    import gradio as gr


def build_rating_tab(project: Project) -> "gr.HTML":
    """The rating pad, to be called inside a `gr.Blocks` or tab that is mounted on `annotate.api.build_api`'s app."""
    return pad_component("rating-pad", "pad.html", ["pad.css"], "pad.js", pad_settings(project))


def pad_settings(project: Project) -> dict[str, Any]:
    """What the pad's script needs to know: heads, bands, scale; in the sample, also where one's own ratings go."""
    return {
        "heads": [asdict(aspect) for aspect in ASPECTS],
        "bands": [asdict(band) for band in BANDS],
        "min": MIN_RATING,
        "max": MAX_RATING,
        "step": RATING_STEP,
        **sample_settings(project),
    }


def sample_settings(project: Project) -> dict[str, Any]:
    """Whether this is the sample, and where in it a person's own ratings and choices go."""
    own = f"{project.exported_path(project.own_annotations)}/" if project.is_sample else ""
    return {"sample": project.is_sample, "own": own}
