"""The charts: what they draw, and that they can be read on light and on dark."""

import math
from pathlib import Path
from typing import Any

import pytest
from dashboards_helpers import metrics_line

from dashboards import chartstyle, figures, trustfigures
from dashboards.scorer import SCORE_COLUMNS, Score
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


def test_every_figure_has_a_title_and_transparent_backgrounds() -> None:
    for figure in every_figure():
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

    # Text is recoloured by the page's style sheet; this is what an exported picture has.
    assert contrast(chartstyle.TEXT) > 3.9
    assert contrast(chartstyle.WHOLE) > 3
    for aspect in ASPECTS:
        assert contrast(aspect.colour) > 2.2
