"""How the studio looks: one Gradio theme with a system font and one accent, and the CSS of its own pieces."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from reward.aspects import ASPECTS

if TYPE_CHECKING:
    import gradio as gr

CSS_FILE: Final = Path(__file__).with_name("studio.css")
_FONTS: Final = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
_MONO: Final = ("ui-monospace", "SF Mono", "Cascadia Code", "Menlo", "DejaVu Sans Mono", "monospace")


def studio_theme() -> "gr.themes.Base":
    """The theme. Nothing in it is fetched from elsewhere; the accent is indigo, which no head has for a colour."""
    import gradio as gr

    return gr.themes.Base(
        primary_hue="indigo",
        secondary_hue="indigo",
        neutral_hue="slate",
        radius_size="md",
        text_size="md",
        spacing_size="md",
        font=[*_FONTS],
        font_mono=[*_MONO],
    ).set(
        body_background_fill="#f6f7fb",
        body_background_fill_dark="#0e1118",
        body_text_color="*neutral_800",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#161a24",
        background_fill_secondary="#f1f3f9",
        background_fill_secondary_dark="#1c2130",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_padding="0px",
        block_shadow="none",
        block_label_text_weight="600",
        block_title_text_weight="600",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        border_color_primary="#dfe3ee",
        border_color_primary_dark="#2a3042",
        input_background_fill="#ffffff",
        input_background_fill_dark="#10141d",
        input_border_width="1px",
        input_border_color="#cfd5e4",
        input_border_color_dark="#343c52",
        input_border_color_focus="*primary_500",
        input_border_color_focus_dark="*primary_400",
        input_padding="8px 12px",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="#ffffff",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_dark="#1c2130",
        button_secondary_border_color="#cfd5e4",
        button_secondary_border_color_dark="#343c52",
        button_border_width="1px",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
        slider_color="*primary_600",
    )


def studio_css() -> str:
    """The style sheet of the studio's own pieces, and each head's colour for the sliders of that head."""
    heads = "".join(f".studio-head-{aspect.name} {{ --slider-color: {aspect.colour}; }}\n" for aspect in ASPECTS)
    return CSS_FILE.read_text(encoding="utf-8") + heads
