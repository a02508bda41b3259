"""Reading run folders, sound and damaged."""

import os
from pathlib import Path

import pytest
from dashboards_helpers import write_run

from dashboards.runs import list_runs, read_checkpoint, read_run


def test_a_run_and_its_checkpoints_are_read(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "first"))
    assert run is not None
    assert (run.name, run.backbone, run.checkpoints, run.problem) == ("first", "pixelstats", ("best", "last"), "")
    assert read_checkpoint(run, "best").metrics["epoch"] == 3
    assert read_checkpoint(run, "last").metrics["epoch"] == 4


def test_runs_are_listed_newest_first_and_other_folders_passed_over(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "old")):
        os.utime(write_run(tmp_path / name) / "metrics.jsonl", (1e9 - age, 1e9 - age))
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("x")
    assert [run.name for run in list_runs(tmp_path)] == ["new", "old"]
    assert list_runs(tmp_path / "missing") == []


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda best: (best / "metrics.json").write_text('{"epoch": 3, "he'),
            "metrics.json is damaged: it is not JSON",
        ),
        (lambda best: (best / "metrics.json").write_text("[]"), "it holds no JSON object"),
        (lambda best: (best / "metrics.json").write_bytes(b"\xff\xfe\x00"), "is damaged"),
        (lambda best: (best / "metrics.json").write_text('{"version": 9}'), "neither heads nor an overall result"),
        (lambda best: (best / "metrics.json").unlink(), "metrics.json is missing"),
    ],
)
def test_a_damaged_checkpoint_is_named(tmp_path: Path, damage: object, words: str) -> None:
    folder = write_run(tmp_path / "first")
    damage(folder / "best")  # type: ignore[operator]  # one of the lambdas above
    run = read_run(folder)
    assert run is not None
    assert words in read_checkpoint(run, "best").problem
    assert read_checkpoint(run, "last").problem == ""


def test_a_run_without_config_or_checkpoints_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "first")
    (folder / "config.json").unlink()
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "config.json").write_text("{}")
    problems = {run.name: run.problem for run in list_runs(tmp_path)}
    assert problems == {"first": "config.json is missing", "second": "it holds no checkpoint yet"}


def test_a_link_to_a_checkpoint_that_is_gone_counts_as_none(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "first")
    (folder / "best").unlink()
    (folder / "best").symlink_to("checkpoints/99")
    run = read_run(folder)
    assert run is not None
    assert run.checkpoints == ("last",)
    assert "no checkpoint called 'best'" in read_checkpoint(run, "best").problem
