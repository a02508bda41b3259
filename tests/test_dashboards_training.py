"""The training tab: the pairs that people judged directly are offered, and what can't work isn't started."""

from pathlib import Path
from typing import Any

import pytest
from dashboards_helpers import make_context, make_project

from annotate.project import Project
from dashboards import training
from dashboards.beforehand import judged_pairs

LINE = '{"prompt": "a disc", "img_pos": "a.png", "img_neg": "b.png", "label": 1.0%s}\n'


@pytest.mark.parametrize("place", ["annotations", "annotations/own"])
def test_only_pairs_that_people_judged_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path / "data")
    path = project.root / place / "pairs.jsonl"
    assert judged_pairs(project) == ("", 0)
    path.parent.mkdir(parents=True)
    for text in ("", "no JSON\n", "[]\n", LINE % ""):
        path.write_text(text)
        assert judged_pairs(project) == ("", 0)
    path.write_text(2 * (LINE % ', "votes": 3'))
    assert judged_pairs(project) == (f"data/{place}/pairs.jsonl", 2)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("folds", "999", "999 folds, but only 6 prompts have pairs"),
        ("min_rating_diff", 10, "no two images of a prompt differ by that much on any head"),
        ("epochs", 1e99, "that is too many; at most 100,000"),
    ],
)
def test_what_can_t_work_is_said_beside_its_field_and_not_started(
    tmp_path: Path, field: str, value: Any, words: str
) -> None:
    ratings = make_project(tmp_path / "data")
    context = make_context(tmp_path / "data", tmp_path / "outputs")
    values = {"mode": "multihead", "ratings": str(ratings), "output": "first", "backbone": "pixelstats"}
    assert training.check(context, values | {"folds": "6"}).faults == {}
    assert words in training.check(context, values | {field: value}).faults[field]
    assert "The training was not started" in training.start(context, values | {field: value})
    assert context.board.all() == []


def test_the_preset_that_the_form_has_is_known_and_nothing_starts_without_ratings(tmp_path: Path) -> None:
    ratings = make_project(tmp_path / "data")
    context = make_context(tmp_path / "data", tmp_path / "outputs")
    values = {"mode": "multihead", "ratings": str(ratings), "backbone": "pixelstats"}
    for name in ("look", "standard", "thorough"):
        _, filled = training.preset(context, name, values)
        values |= {field: value for field, value in filled.items() if value is not None}
        assert training.chosen_preset(context, values) == name
    assert training.chosen_preset(context, values | {"epochs": 41}) == ""
    assert training.not_yet(context, values) == ""
    ratings.unlink()
    assert training.not_yet(context, values) == "no ratings yet"
    assert training.not_yet(context, {"mode": "pairs", "pairs": str(context.project.pairs_jsonl)}) == "no pairs yet"
