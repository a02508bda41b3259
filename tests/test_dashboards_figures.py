"""The charts: what they draw, and that they can be read on light and on dark."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dashboards_helpers import make_context, metrics_line, write_run
from gradio.themes.utils.colors import slate
from skimage.color import deltaE_ciede2000, rgb2lab

from dashboards import chartstyle, comparison, figures, trustfigures
from dashboards.scorer import SCORE_COLUMNS, Score
from dashboards.theme import studio_css, studio_theme
from dashboards.watch import RunView, Seen
from reward.aspects import ASPECTS

LINES = [metrics_line(epoch) for epoch in range(1, 6)]
PAIRS_LINES = [metrics_line(epoch, pairs=True) for epoch in range(1, 6)]
CURVES = (figures.loss_curves, figures.accuracy_curves, figures.importance_curves)


def scores(count: int, **changes: float | None) -> list[Score]:
    known: dict[str, float | None] = dict.fromkeys(SCORE_COLUMNS, 5.0)
    return [Score(f"{number}.png", Path(f"{number}.png"), known | changes) for number in range(count)]


def traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


def test_loss_has_a_line_a_trained_head_and_the_training_loss_dotted() -> None:
    drawn = traces(figures.loss_curves(LINES))
    assert list(drawn["Style"].x) == [1, 2, 3, 4, 5]
    assert list(drawn["Style"].y) == [line["heads"]["style"]["loss"] for line in LINES]
    assert drawn["Style, training"].line.dash == "dot"
    assert "Combined" in drawn
    assert "Spatial" not in drawn


def test_heads_have_the_colours_of_the_aspects() -> None:
    drawn = traces(figures.accuracy_curves(LINES))
    for aspect in ASPECTS[1:]:
        assert drawn[aspect.label].line.color == aspect.colour


def test_accuracy_tells_on_how_many_pairs_it_stands() -> None:
    assert figures.accuracy_curves(LINES).layout.title.subtitle.text == "n = 31–35 validation pairs a line"
    assert figures.accuracy_curves(PAIRS_LINES).layout.title.subtitle.text == "n = 30 validation pairs a line"


def test_every_chart_over_epochs_tells_its_n_and_has_it_in_the_table() -> None:
    for curve in (figures.loss_curves, figures.accuracy_curves):
        assert "n = 31–35 validation pairs a line" in curve(LINES).layout.title.subtitle.text
    assert "n = 35 validation pairs of 5 prompts" in figures.importance_curves(LINES).layout.title.subtitle.text
    rows = {tuple(row[:2]): row[2:] for row in figures.curve_rows(LINES)}
    assert rows["5", "Style"] == ["0.540", "0.440", "0.720", "0.500 – 0.900", "0.250", "32"]
    assert len(rows) == 25
    assert len(figures.curve_rows(PAIRS_LINES)) == 5


def test_a_run_at_work_has_a_table_behind_its_charts() -> None:
    table = RunView(Seen(), metrics=LINES).epochs()
    assert table.count("<tr>") == 26
    assert all(column in table for column in ("Training loss", "95 % interval", "Pairs"))
    assert RunView(Seen()).epochs() == ""


def test_compared_curves_have_n_and_a_table_behind(tmp_path: Path) -> None:
    for name, epochs in (("one", 3), ("two", 4)):
        write_run(tmp_path / "outputs" / name, epochs)
    found = comparison.compare(make_context(tmp_path / "data", tmp_path / "outputs"), ["one", "two"])
    for chart in found.curves("style"):
        assert chart.layout.title.subtitle.text == "n = 32 validation pairs a run"
    table = found.curves_table("style")
    assert table.count("<tr>") == 1 + 3 + 4
    assert "<td>0.500 – 0.900</td><td>0.600</td><td>32</td>" in table


def test_importance_adds_up_and_leaves_untrained_heads_out() -> None:
    drawn = traces(figures.importance_curves(LINES))
    assert set(drawn) == {"Iconographic", "Style", "Fidelity", "Material"}
    assert sum(trace.y[-1] for trace in drawn.values()) == pytest.approx(1)


def test_pairs_mode_draws_the_overall_score_and_says_why_there_is_no_importance() -> None:
    assert set(traces(figures.accuracy_curves(PAIRS_LINES))) == {"Overall"}
    importance = figures.importance_curves(PAIRS_LINES)
    assert importance.layout.annotations[0].text == "Pairs alone don't tell the heads apart"


@pytest.mark.parametrize("curve", CURVES)
def test_nothing_to_draw_is_said(curve: Any) -> None:
    assert curve([]).layout.annotations[0].text == "No epoch yet"


def test_missing_values_leave_gaps() -> None:
    lines = [metrics_line(1), metrics_line(2)]
    lines[0]["heads"]["style"]["loss"] = None
    lines[1]["heads"]["fidelity"]["loss"] = math.nan
    drawn = traces(figures.loss_curves(lines))
    assert drawn["Style"].y[0] is None
    assert drawn["Fidelity"].y[1] is None


def test_accuracy_bars_carry_intervals_and_counts() -> None:
    line = metrics_line(3)
    line["heads"]["material"]["accuracy_interval"] = None
    drawn = traces(figures.accuracy_bars(line))
    style = drawn["Style"]
    assert style.y[0] == "Style (n = 32)"
    assert style.x[0] + style.error_x.array[0] == pytest.approx(0.9)
    assert style.x[0] - style.error_x.arrayminus[0] == pytest.approx(0.5)
    assert drawn["Material"].error_x.array is None
    assert "Spatial" not in drawn


def test_accuracy_bars_without_validation_pairs_say_so() -> None:
    line = metrics_line(3, pairs=True)
    line["overall"]["accuracy"] = None
    assert "No validation pairs" in [note.text for note in figures.accuracy_bars(line).layout.annotations]


def test_score_bars_show_each_image_and_the_first_dozen_of_many() -> None:
    drawn = traces(figures.score_bars(scores(2, spatial=None)))
    assert list(drawn["Combined"].y) == [5.0, 5.0]
    assert "Spatial" not in drawn
    many = figures.score_bars([*scores(30), Score("bad.txt", Path("bad.txt"), {}, "not an image")])
    assert len(many.data[0].x) == figures.MOST_BARS
    assert many.layout.title.text == "Scores (first 12 of 30 images)"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("photos/harbour-0.jpg", "photos/harbour-0.jpg"),
        ("photos/of/the/harbour/harbour-0.jpg", "…/harbour/harbour-0.jpg"),
        ("photographs/the-long-harbour/harbour-0.jpg", "…/harbour-0.jpg"),
        ("photos/a-ship-in-the-harbour.jpg", "a-ship-in-the-harbour.jpg"),
        ("photos/a-ship-in-the-harbour-at-night-0.jpg", "a-ship-in-…at-night-0.jpg"),
    ],
)
def test_a_long_name_keeps_what_tells_images_apart(name: str, shown: str) -> None:
    one = Score(name, Path(name), dict.fromkeys(SCORE_COLUMNS, 5.0))
    assert list(figures.score_bars([one, one]).data[0].x) == [f"1. {shown}", f"2. {shown}"]


def test_a_single_image_has_its_scores_written_behind_the_bars() -> None:
    drawn = traces(figures.score_bars(scores(1, style=10.3, spatial=None)))
    assert drawn["Style"].text[0] == "10.30"
    assert list(drawn["Combined"].x) == [5.0]
    assert "Spatial" not in drawn


def test_images_of_one_name_have_bars_of_their_own() -> None:
    twice = scores(1) * 2
    assert len(set(figures.score_bars(twice).data[0].x)) == 2


def test_a_pairs_model_has_one_bar_on_a_free_scale() -> None:
    figure = figures.score_bars(scores(2, combined=-1.5), overall_only=True)
    assert set(traces(figure)) == {"Combined"}
    assert figure.layout.yaxis.range is None


def every_figure() -> list[Any]:
    return [
        *(curve(lines) for curve in CURVES for lines in (LINES, PAIRS_LINES, [])),
        figures.accuracy_bars(LINES[-1]),
        trustfigures.importance_bars(LINES[-1]),
        trustfigures.importance_bars(PAIRS_LINES[-1]),
        trustfigures.calibration_chart(LINES[-1]),
        trustfigures.error_chart("Style", "#CC79A7", [("a", 5.0, 6.0)], "held-out"),
        figures.score_bars(scores(3)),
    ]


def test_every_figure_has_a_title_and_transparent_backgrounds_and_no_faint_marks() -> None:
    for figure in every_figure():
        assert all(trace.opacity is None and trace.marker.opacity is None for trace in figure.data)
        assert figure.layout.title.text
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"


def luminance(colour: str) -> float:
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("background", ["#ffffff", "#161a24"])
def test_text_and_lines_can_be_seen_on_light_and_dark(background: str) -> None:
    def contrast(colour: str) -> float:
        light, dark = sorted((luminance(colour), luminance(background)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    for colour in (chartstyle.TEXT, chartstyle.WHOLE, *comparison.COLOURS, *(aspect.colour for aspect in ASPECTS)):
        assert contrast(colour) >= 3, colour
    # On the page the style sheet gives text the theme's own colour; a saved picture is looked at on white.
    variable = "body_text_color_subdued" + ("" if background == "#ffffff" else "_dark")
    shade = getattr(studio_theme(), variable).removeprefix("*neutral_")
    assert ".js-plotly-plot .main-svg text { fill: var(--body-text-color-subdued) !important; }" in studio_css()
    assert contrast(getattr(slate, f"c{shade}")) >= 4.5
    if background == "#ffffff":
        assert contrast(chartstyle.TEXT) >= 4.5
        assert contrast(chartstyle.HOVER) >= 4.5  # under white words


# Machado, Oliveira & Fernandes (2009): what is left of linear RGB without the red, green or blue cones.
SIGHT = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("sight", SIGHT)
def test_heads_are_told_apart_with_every_kind_of_sight(sight: str) -> None:
    rgb = np.array([[int(a.colour[k : k + 2], 16) / 255 for k in (1, 3, 5)] for a in ASPECTS])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(SIGHT[sight]).T, 0, 1)
    lab = rgb2lab(np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055))
    first, second = np.triu_indices(len(lab), 1)
    assert deltaE_ciede2000(lab[first], lab[second]).min() > 12


def test_a_heads_slider_has_its_colour() -> None:
    for aspect in ASPECTS:
        assert f".studio-head-{aspect.name} {{ --slider-color: {aspect.colour}; }}" in studio_css()
