"""What all charts share: colours that can be read on light and on dark, titles with their unit, words for no data."""

from typing import TYPE_CHECKING, Final

from reward.aspects import BY_NAME

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Lines 3:1 against white and against the dark theme's panels alike. On the page the style sheet recolours text by
# the theme; what TEXT says of it holds for a picture that someone saves, which is read on white: 4.5:1.
TEXT: Final = "#6d727c"
# Whiskers cross bars of any colour. On the page the style sheet gives them the theme's text colour and a rim.
WHISKER: Final = "#1f2433"
GRID: Final = "rgba(128, 132, 142, 0.22)"
HOVER: Final = "#1f2433"
WHOLE: Final = "#8b8fa0"
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
HEIGHT: Final = 340


def colour_of(key: str) -> str:
    """A head's own colour; grey for what is made of several."""
    return BY_NAME[key].colour if key in BY_NAME else WHOLE


def label_of(key: str) -> str:
    """A head's label, else the key as a word."""
    return BY_NAME[key].label if key in BY_NAME else key.capitalize()


def say(figure: "go.Figure", words: str) -> None:
    """Words in the middle of a chart that has nothing to draw."""
    figure.add_annotation(text=words, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"size": 14})


def style(figure: "go.Figure", title: str, unit: str, more: str = "") -> None:
    """Title, what stands below it (n, interval; lines are parted by `<br>`), the y axis's unit, and colours."""
    heading = {"text": title, "font": {"size": 15}, "x": 0.01, "xref": "container", "y": 0.97, "yanchor": "top"}
    if more:
        heading["subtitle"] = {"text": more, "font": {"size": 12, "color": TEXT}}
    figure.update_layout(
        title=heading,
        height=HEIGHT,
        autosize=True,
        margin={"l": 8, "r": 8, "t": 46 + (16 * (1 + more.count("<br>")) if more else 0), "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 12, "color": TEXT},
        legend={"orientation": "h", "y": -0.14, "x": 0, "yanchor": "top", "itemwidth": 30},
        hoverlabel={"bgcolor": HOVER, "font": {"family": FONT, "color": "#ffffff"}},
        modebar={"remove": ["select", "lasso", "autoscale", "zoomin", "zoomout", "pan"]},
        template="none",
    )
    figure.update_xaxes(gridcolor=GRID, zeroline=False, automargin=True)
    figure.update_yaxes(
        gridcolor=GRID, zeroline=False, automargin=True, ticklabelstandoff=4, title={"text": unit, "standoff": 12}
    )
