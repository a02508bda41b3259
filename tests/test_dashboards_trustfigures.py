"""Charts about trust, and the tables behind them."""

from typing import Any

import pytest
from dashboards_helpers import metrics_line

from dashboards import trustfigures
from reward.dataset import MEAN_TARGET, PREFERENCE_TARGET

BINS = [
    {"low": 0.5, "high": 0.55, "pairs": 30, "confidence": 0.53, "accuracy": 0.5},
    {"low": 0.9, "high": 0.95, "pairs": 10, "confidence": 0.92, "accuracy": 0.8},
]


def line() -> dict[str, Any]:
    found = metrics_line(3) | {"importance_interval": {"style": [0.1, 0.45]}, "accuracy_lost_without": {"style": 0.02}}
    found["heads"]["style"]["reliability"] = BINS
    return found


def traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


def test_importance_has_its_interval_and_names_untrained_heads() -> None:
    figure = trustfigures.importance_bars(line())
    told = "weight of a rating point, with 95 % interval<br>n = 35 validation pairs of 5 prompts"
    assert figure.layout.title.subtitle.text == told
    drawn = traces(figure)
    assert drawn["Spatial (no ratings)"].x[0] == 0
    style = drawn["Style"]
    assert style.x[0] == pytest.approx(0.25)
    assert style.x[0] + style.error_x.array[0] == pytest.approx(0.45)
    assert style.x[0] - style.error_x.arrayminus[0] == pytest.approx(0.1)
    assert drawn["Fidelity"].error_x.array is None


def test_the_table_behind_importance_has_interval_spread_and_what_is_lost() -> None:
    rows = {row[0]: row[1:] for row in trustfigures.importance_rows(line())}
    assert rows["Style"] == ["0.250", "0.100 – 0.450", "0.250", "+0.020"]
    assert rows["Fidelity"] == ["0.250", "–", "0.250", "–"]


@pytest.mark.parametrize(
    ("target", "words"),
    [(MEAN_TARGET, "not what people prefer"), (PREFERENCE_TARGET, "35 measured pairs of 5 prompts): they tell what")],
)
def test_which_data_the_weights_come_from_is_told(target: str, words: str) -> None:
    found = line()
    found["combined"]["target"] = target
    assert words in trustfigures.importance_source(found)
    assert trustfigures.importance_source(metrics_line(3, pairs=True)) == ""


def test_calibration_draws_each_bin_and_counts_its_pairs() -> None:
    figure = trustfigures.calibration_chart(line())
    style = traces(figure)["Style"]
    assert (list(style.x), list(style.y)) == ([0.53, 0.92], [0.5, 0.8])
    assert figure.layout.title.subtitle.text == "across: how sure it was; n = 40 pairs a line"
    assert trustfigures.calibration_rows(line())[1] == ["Style", "90% – 95%", "10", "0.920", "0.800"]
    empty = trustfigures.calibration_chart(metrics_line(3))
    assert empty.layout.annotations[0].text == "No validation pairs"


def test_errors_tell_how_many_images_and_how_large_they_are() -> None:
    figure = trustfigures.error_chart("Style", "#CC79A7", [("a", 5.0, 6.0), ("b", 3.0, 5.0)], "held-out")
    assert figure.layout.title.subtitle.text == "n = 2 images, held-out; mean absolute error 1.50 points"
    assert figure.layout.yaxis.title.text == "score, rating points"
