"""The head table: its figures, and the words for heads that shouldn't be relied on."""

from typing import Any

import pytest
from dashboards_helpers import metrics_line

from dashboards.headtable import COLUMNS, as_html, head_table, table_rows, verdict, weak_heads

GOOD: dict[str, Any] = {
    "trained": True,
    "accuracy": 0.8,
    "accuracy_interval": [0.74, 0.86],
    "f1": 0.81,
    "loss": 0.4,
    "spearman": 0.6,
    "mae": 1.2,
    "calibration_error": 0.03,
    "pairs": 180,
    "ties": 20,
    "prompts": 20,
}


def person(accuracy: float, difference: float, low: float, high: float) -> dict[str, Any]:
    line = {"accuracy": accuracy, "model_accuracy": accuracy + difference, "difference": difference}
    return {"single_person": line | {"difference_interval": [low, high]}}


@pytest.mark.parametrize(
    ("changes", "word", "reason"),
    [
        ({}, "better than guessing", ""),
        (person(0.73, 0.1, 0.03, 0.15), "above one person", ""),
        (person(0.75, 0.02, -0.07, 0.1), "like one person", ""),
        (person(0.75, -0.2, -0.3, -0.1), "below people", "one person agrees with the others on 75% of pairs"),
        (person(0.6, 0.1, 0.0, 0.2), "uncertain", "people disagree"),
        ({"accuracy": 0.55, "accuracy_interval": [0.47, 0.63]}, "like guessing", "its interval 0.47 – 0.63 includes ½"),
        ({"accuracy": 0.3, "accuracy_interval": [0.2, 0.4]}, "wrong way round", "lies below ½"),
        ({"accuracy": 0.4, "accuracy_interval": None}, "like guessing", "no better than guessing"),
        ({"accuracy_interval": None, "prompts": 4}, "uncertain", "few prompts: 4 are too few for an interval"),
        ({"pairs": 12, "prompts": 11}, "uncertain", "few pairs: 12 of 11 prompts"),
        ({"accuracy_interval": [0.6, 0.95]}, "uncertain", "the interval is 0.35 wide"),
        ({"accuracy": None}, "not measured", "no validation pair"),
        ({"trained": False, "reason": "no ratings"}, "no ratings", ""),
    ],
)
def test_a_verdict_names_the_likely_reason(changes: dict[str, Any], word: str, reason: str) -> None:
    judged = verdict(GOOD | changes)
    assert judged.word == word
    assert reason in "; ".join(judged.reasons)
    assert judged.weak == (word not in ("better than guessing", "above one person", "like one person", "no ratings"))


def test_where_people_agree_and_the_model_guesses_another_backbone_is_suggested() -> None:
    guessing = GOOD | {"accuracy": 0.5, "accuracy_interval": [0.44, 0.56]} | person(0.75, -0.25, -0.3, -0.2)
    assert "try another backbone" in verdict(guessing).reasons[-1]


def test_too_sure_and_not_sure_enough_are_told_apart() -> None:
    bins = [{"low": 0.9, "high": 1.0, "pairs": 50, "confidence": 0.95, "accuracy": 0.7}]
    sure = GOOD | {"calibration_error": 0.25, "reliability": bins}
    assert "too sure of itself" in verdict(sure).reasons[0]
    bins[0] |= {"confidence": 0.6, "accuracy": 0.85}
    assert "less sure than it could be" in verdict(sure).reasons[0]


def test_the_table_has_a_row_a_head_and_one_combined() -> None:
    line = metrics_line(3)
    line["heads"]["style"] |= GOOD | person(0.73, 0.1, 0.03, 0.15)
    rows = {row[0]: row[1:] for row in table_rows(line)}
    assert list(rows) == ["Spatial", "Iconographic", "Style", "Fidelity", "Material", "Combined"]
    assert rows["Spatial"] == ["no ratings", *["–"] * (len(COLUMNS) - 2)]
    told = "above one person|0.800|0.740 – 0.860|0.730|0.830|+0.100 (+0.030 to +0.150)|–|0.810|0.400|0.600|1.200|0.030"
    assert rows["Style"] == [*told.split("|"), "180", "20", "20"]
    assert [row[0] for row in table_rows(metrics_line(3, pairs=True))] == ["Overall"]


def test_weak_heads_are_told_in_sentences_and_marked_in_the_table() -> None:
    line = metrics_line(3)
    assert weak_heads(line)[0].startswith("Iconographic: like guessing — it can't be told from guessing")
    assert "studio-weak" in head_table(line)


def test_an_interval_stands_below_its_figure() -> None:
    cells = as_html(["a <b>", "+0.1 (+0.03 to +0.15)"])
    assert cells == ["a &lt;b&gt;", "+0.1 <small>(+0.03 to +0.15)</small>"]


def test_figures_of_odd_shapes_are_dashes() -> None:
    odd: dict[str, Any] = {"trained": True, "accuracy": 0.7, "accuracy_interval": "ab", "single_person": [1]}
    odd |= {"reliability": [3, {}], "calibration_error": 0.5, "pairs": "many", "f1": True}
    assert table_rows({"heads": {"style": odd}})[2][3:8] == ["–", "–", "–", "–", "–"]
    odd["single_person"] = {"accuracy": 0.5, "difference_interval": "ab", "difference": None}
    assert table_rows({"heads": {"style": odd}})[2][4:7] == ["0.500", "–", "–"]
