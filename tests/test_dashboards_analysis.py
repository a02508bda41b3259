"""What the analysis tab tells of runs, and scoring with a model that was really trained."""

import csv
import io
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from dashboards_helpers import make_context, make_images, make_project, write_run

from dashboards import analysis, scorer, scoring
from dashboards.context import Context
from dashboards.jobs import PROGRAM
from dashboards.runs import read_run
from dashboards.scorer import SCORE_COLUMNS, ModelShelf, Score, scores_csv
from reward.errors import RewardError


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with a model in outputs/first, trained by the command itself."""
    folder = tmp_path_factory.mktemp("trained")
    ratings = make_project(folder / "data")
    told = ["--ratings", ratings, "--backbone", "pixelstats", "--output", folder / "outputs/first", "--epochs", "2"]
    environment = os.environ | {"REWARD_CACHE_DIR": str(folder / "cache")}
    subprocess.run([sys.executable, PROGRAM, *told], check=True, env=environment, capture_output=True)
    return folder


@pytest.fixture
def context(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setenv("REWARD_CACHE_DIR", str(trained / "cache"))
    return make_context(trained / "data", trained / "outputs")


def test_a_trained_run_is_reported(context: Context) -> None:
    assert analysis.run_choices(context) == [("first · pixelstats", "first")]
    report = analysis.report(context, "first", "best")
    assert "pixelstats" in report.badges
    assert "no ratings" in report.table
    assert [line["epoch"] for line in report.lines] == [1, 2]
    assert len(report.figures()) == 6


def test_images_are_scored_and_the_model_is_loaded_once(context: Context, trained: Path, tmp_path: Path) -> None:
    files = [str(file) for file in make_images(tmp_path, 1, 3)]
    first = scoring.score(context, "first", "best", files)
    again = scoring.score(context, "first", "best", files[:1])
    assert context.shelf.loads == 1
    assert first.any_scored
    assert first.scores[0].scores == pytest.approx(again.scores[0].scores, abs=1e-4, nan_ok=True)
    assert first.scores[0].scores["spatial"] is None
    cleaner, noisier = first.scores[0].scores["combined"], first.scores[2].scores["combined"]
    assert cleaner is not None
    assert noisier is not None
    assert cleaner > noisier


def test_the_page_and_the_command_line_score_alike(context: Context, trained: Path, tmp_path: Path) -> None:
    file = make_images(tmp_path, 1, 1)[0]
    page = scoring.score(context, "first", "best", [str(file)])
    table = tmp_path / "shell.csv"
    command = [sys.executable, "-m", "reward.score", "--model", trained / "outputs/first/best", file, "--csv", table]
    subprocess.run(command, check=True, cwd=PROGRAM.parent, capture_output=True)
    row = next(csv.DictReader(io.StringIO(table.read_text())))
    for name in SCORE_COLUMNS[1:]:
        assert page.scores[0].scores[name] == pytest.approx(float(row[name]), abs=1e-3)


def test_a_file_that_is_no_image_is_named_and_stops_no_other(context: Context, tmp_path: Path) -> None:
    good = make_images(tmp_path, 1, 1)[0]
    bad = tmp_path / "notes.png"
    bad.write_text("not a picture")
    cut = tmp_path / "cut.png"
    cut.write_bytes(good.read_bytes()[:400])
    report = scoring.score(context, "first", "best", [str(bad), str(good), str(cut)])
    assert [bool(score.problem) for score in report.scores] == [True, False, True]
    rows = list(csv.reader(io.StringIO(report.csv)))
    assert [row[0] for row in rows[1:]] == ["notes.png", "0.png", "cut.png"]
    assert rows[1][1:-1] == [""] * 7
    assert rows[1][-1] == "not an image that Pillow can read"
    assert rows[2][1] == ""
    assert float(rows[2][6]) > 0


def test_others_have_their_turn_between_the_batches_of_a_long_scoring(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorer, "BATCH", 2)
    files = make_images(tmp_path, 2, 3)
    shelf, best = ModelShelf(), trained / "outputs/first/best"
    whole = ModelShelf().score(best, files)
    happened: list[str] = []
    other = threading.Thread(target=lambda: shelf.use(best, lambda _: happened.append("another room")))

    def on_progress(done: int) -> None:
        if not other.ident:
            other.start()
            deadline = time.monotonic() + 30
            while not shelf._turns.waiting:
                assert time.monotonic() < deadline
                time.sleep(0.001)
        happened.append(f"{done}")

    scores = shelf.score(best, files, on_progress)
    other.join()
    assert happened.index("2") < happened.index("another room") < happened.index("4") < happened.index("6")
    for one, same in zip(scores, whole, strict=True):
        assert one.scores == pytest.approx(same.scores, abs=1e-4)
    assert shelf.loads == 1


def test_a_best_checkpoint_that_moved_on_is_loaded_anew(trained: Path, tmp_path: Path) -> None:
    image = make_images(tmp_path, 1, 1)[0]
    shelf = ModelShelf()
    link = tmp_path / "best"
    for folder in ("best", "last", "best"):
        link.unlink(missing_ok=True)
        link.symlink_to((trained / "outputs/first" / folder).resolve())
        shelf.score(link, [image])
    targets = {(trained / "outputs/first" / folder).resolve() for folder in ("best", "last")}
    assert shelf.loads == len(targets)


@pytest.mark.parametrize("name", ["../data", "nothing", "/etc", "a\0b", ""])
def test_names_that_are_no_runs_are_answered_in_words(context: Context, name: str, tmp_path: Path) -> None:
    image = str(make_images(tmp_path, 1, 1)[0])
    assert analysis.report(context, name, "best").metrics == {}
    report = scoring.score(context, name, "best", [image])
    assert not report.any_scored
    assert report.csv == ""
    assert "studio-problem" in report.card


def test_a_checkpoint_is_best_or_last(context: Context, tmp_path: Path) -> None:
    image = str(make_images(tmp_path, 1, 1)[0])
    for wrong in ("checkpoints/1", "../first/best", ""):
        assert "has no checkpoint called" in analysis.report(context, "first", wrong).table
        assert "has no checkpoint called" in scoring.score(context, "first", wrong, [image]).card


def test_damaged_runs_are_named_and_score_nothing(tmp_path: Path) -> None:
    context = make_context(tmp_path / "data", tmp_path / "outputs")
    folder = write_run(tmp_path / "outputs" / "damaged")
    image = str(make_images(tmp_path, 1, 1)[0])
    for name, content in (("config.json", "{}"), ("model.safetensors", "rubbish")):
        (folder / "best" / name).write_text(content)
        assert "These images were not scored" in scoring.score(context, "damaged", "best", [image]).card
    (folder / "metrics.jsonl").write_text('{"epoch": 1}\nrubbish\n[]\n')
    told = analysis.report(context, "damaged", "best")
    assert told.lines == []
    assert "metrics.jsonl is damaged: 3 lines of it are no epoch&#x27;s figures" in told.table
    (folder / "best" / "metrics.json").write_text("rubbish")
    assert "metrics.json is damaged" in analysis.report(context, "damaged", "best").table


def test_metrics_of_odd_shapes_never_break_the_page(tmp_path: Path) -> None:
    context = make_context(tmp_path / "data", tmp_path / "outputs")
    folder = write_run(tmp_path / "outputs" / "odd")
    for content in (
        '{"heads": {"style": 7, "fidelity": null}, "combined": [], "importance": "much"}',
        '{"heads": {"style": {"trained": true, "accuracy": "good", "accuracy_interval": [1]}}, "epoch": {}}',
        '{"overall": {"accuracy": true, "pairs": "many", "loss": 1e999}, "mode": 3}',
        '{"heads": {}}',
    ):
        (folder / "best" / "metrics.json").write_text(content)
        report = analysis.report(context, "odd", "best")
        assert report.table
        if report.metrics:
            assert len(report.figures()) == 6


@pytest.mark.parametrize("lineage", [{}, {"weights": {"style": 1.0}}])
def test_a_newer_format_is_named_and_none_of_its_numbers_shown(tmp_path: Path, lineage: dict[str, Any]) -> None:
    context = make_context(tmp_path / "data", tmp_path / "outputs")
    folder = write_run(tmp_path / "outputs" / "later")
    for name in ("best", "last"):
        (folder / name / "config.json").write_text(json.dumps({"format_version": 99, "lineage": lineage}))
    if lineage:
        for name in ("config.json", "metrics.jsonl"):
            (folder / name).unlink()
    words = "it has format 99, this version reads up to 1: update the studio"
    report = analysis.report(context, "later", "best")
    assert words in report.table
    assert (report.metrics, report.lines, report.badges) == ({}, [], "")
    assert lineage or analysis.run_choices(context) == [(f"later · {words}", "later")]
    with pytest.raises(RewardError, match=words):
        analysis.write_report(context, "later", "best", tmp_path, pictures=False)


def test_without_runs_or_images_the_page_says_what_to_do(tmp_path: Path) -> None:
    context = make_context(tmp_path / "data", tmp_path / "outputs")
    assert analysis.run_choices(context) == []
    assert "Train a model in the Train tab" in analysis.report(context, None, "best").table
    assert "Drop one or more images" in scoring.score(context, None, "best", []).card


def test_a_name_that_a_spreadsheet_would_run_is_made_harmless() -> None:
    table = scores_csv([Score("=cmd|' /C calc'!A0.png", Path("x"), {"combined": 1.0})])
    assert table.splitlines()[1].startswith("'=cmd|")


def test_folders_that_hold_no_run_are_none(tmp_path: Path) -> None:
    assert read_run(tmp_path) is None
