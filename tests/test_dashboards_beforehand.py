"""Before a training: the default file, the forecast in words, and questions asked in the background."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dashboards_helpers import make_context, make_project

from annotate.project import Project
from dashboards import beforehand, forecastcard, training
from dashboards.background import Answer, Inquiries
from dashboards.context import Context
from reward.aspects import RATING_COLUMNS

FOUND = {
    "backbone": {"state": "cached", "words": "x"},
    "device": "cpu",
    "images": 100,
    "cached": 40,
    "new": 60,
    "probed": 0,
    "images_per_s": 0.0,
    "remaining_s": None,
}


def until(ready: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 120
    while not (found := ready()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture
def context(tmp_path: Path) -> Context:
    make_project(tmp_path / "data")
    return make_context(tmp_path / "data", tmp_path / "outputs")


def test_where_several_rated_the_file_that_tells_them_apart_comes_first(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert beforehand.default_ratings(project) == project.ratings_csv
    project.annotations.mkdir()
    header = ",".join(("annotator", "prompt_id", "image_path", *RATING_COLUMNS))
    project.per_annotator_csv.write_text(f"{header}\nann,p,a.png,1,1,1,1,1\nann,p,b.png,1,1,1,1,1\n")
    assert beforehand.default_ratings(project) == project.ratings_csv
    project.per_annotator_csv.write_text(f"{header}\nann,p,a.png,1,1,1,1,1\nbob,p,b.png,1,1,1,1,1\n")
    assert beforehand.default_ratings(project) == project.per_annotator_csv


def test_a_cheap_backbone_is_measured_unasked_and_never_by_the_page_itself(context: Context) -> None:
    ratings = str(context.project.ratings_csv)
    values = {"mode": "multihead", "ratings": ratings, "backbone": "pixelstats", "min_rating_diff": 0.5}
    assert beforehand.foresee(context, values) == ""
    waiting = beforehand.foresee(context, values, ask=True)
    assert beforehand.asking(waiting)
    assert "Measuring" in waiting
    card = until(lambda: (card := beforehand.foresee(context, values)) and not beforehand.asking(card) and card)
    assert "24" in card
    assert "encoded already" in card or "images/s just measured" in card
    assert beforehand.foresee(context, {**values, "ratings": "/etc/hostname"}, ask=True) == ""


def test_a_backbone_that_is_not_named_yet_has_no_weights_to_look_for(context: Context, tmp_path: Path) -> None:
    for spec in (None, "", " "):
        assert training.weights(context, "other", spec, ask=True) == ""
    assert "ready" in training.weights(context, "pixelstats", None, ask=True)
    (tmp_path / "data/small.pt").write_bytes(b"x" * 2_000_000)
    waiting = training.weights(context, "other", "openclip:ViT-S-32@small.pt", ask=True)
    assert beforehand.asking(waiting)
    spec = "openclip:ViT-S-32@small.pt"
    told = until(lambda: (card := training.weights(context, "other", spec)) and not beforehand.asking(card) and card)
    assert "Weights from the file small.pt, 2 MB." in told
    assert training.weights(context, "other", "openclip:ViT-S-32@/etc/hostname", ask=True) == ""


def test_the_forecast_in_words() -> None:
    def told(**more: Any) -> str:
        return forecastcard.forecast_card(Answer({**FOUND, **more}))

    assert "40 of 100 images are encoded already; 60 images are to be encoded on cpu. How long" in told()
    assert beforehand.unmeasured(told())
    measured = told(images_per_s=3.0, remaining_s=200.0)
    assert "about 3 min 20 s, at the 3 images/s just measured" in measured
    assert not beforehand.unmeasured(measured)
    assert "All 100 different images are encoded already" in told(new=0)
    away = told(backbone={"state": "downloadable", "words": "x"})
    assert "can&#x27;t be before its weights are here" in away
    assert not beforehand.unmeasured(away)
    assert "2 image files are not there" in told(missing_count=2, missing=["a", "b"])
    assert "1 file is byte for byte another one" in told(duplicate_count=1, duplicates=["a = b"])
    assert "studio-problem" in forecastcard.forecast_card(Answer(problem="no such device"))
    assert "studio-warning" in forecastcard.weights_line({"state": "unreachable", "words": "no"})


def test_answers_are_kept_and_failures_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Inquiries()
    asked.ask("bad", "reward.forecast", ["--ratings", "/nowhere.csv", "--backbone", "pixelstats"])
    assert asked.asking("bad")
    failed = until(lambda: asked.answer("bad"))
    assert "/nowhere.csv" in failed.problem
    assert "Traceback" not in failed.problem
    assert not asked.asking("bad")
    asked.ask("broken", "dashboards.no_such_module", [])
    assert "No module named" in until(lambda: asked.answer("broken")).problem
    asked.forget("broken")
    assert asked.answer("broken") is None


def test_a_question_that_waits_gives_way_to_the_next_of_its_kind_alone() -> None:
    asked = Inquiries()
    asked.ask("first", "json.tool", ["--help"])
    asked.ask("old", "reward.forecast", ["--help"])
    asked.ask("weights", "reward.backbones.availability", ["pixelstats"])
    asked.ask("new", "reward.forecast", ["--help"])
    assert [asked.asking(key) for key in ("old", "new", "weights")] == [False, True, True]
    assert until(lambda: asked.answer("weights")).found["pixelstats"]["state"] == "built in"
    until(lambda: asked.answer("new"))
    assert asked.answer("old") is None
