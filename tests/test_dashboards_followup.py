"""After a training images are ranked anew: when, with which command, and once in real processes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from dashboards_helpers import make_project

from annotate.project import Project
from dashboards.followup import LOG, ranking_command
from dashboards.jobs import JobBoard


@pytest.fixture
def project(tmp_path: Path) -> Project:
    make_project(tmp_path / "data")
    project = Project(tmp_path / "data", base=tmp_path)
    project.settings.write_text('order = "informative"\n')
    return project


def test_only_the_projects_own_ratings_and_the_informative_order_ask_for_a_ranking(
    project: Project, tmp_path: Path
) -> None:
    def command(*told: str) -> list[str] | None:
        return ranking_command(project, told, tmp_path / "run")

    own = ("--ratings", str(project.ratings_csv))
    assert command(*own, "--resume", "--device", "cpu", "--seed", "0") == [
        *(sys.executable, "-m", "reward.informative", "--model", str(tmp_path / "run" / "best")),
        *("--images", str(project.images), "--ratings", str(project.ratings_csv)),
        *("--output", str(project.priorities), "--device", "cpu"),
    ]
    project.per_annotator_csv.write_text("x")
    assert str(project.per_annotator_csv) in (command(*own) or [])
    assert command("--ratings", str(tmp_path / "other.csv")) is None
    assert command("--mode", "pairs", "--pairs", str(project.pairs_jsonl)) is None
    for settings in ('order = "random"', "", "order = [", 'order = "best"'):
        project.settings.write_text(settings)
        assert command(*own) is None


def test_a_training_from_the_studio_leaves_a_ranking(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REWARD_CACHE_DIR", str(tmp_path / "cache"))
    output = tmp_path / "outputs" / "first"
    told = ["--ratings", str(project.ratings_csv), "--backbone", "pixelstats", "--output", str(output), "--epochs", "1"]
    job = JobBoard(project.root / "jobs").start(told, output)
    deadline = time.monotonic() + 180
    while not project.priorities.exists():
        assert time.monotonic() < deadline, (job.folder / "log.txt").read_text()
        time.sleep(0.1)
    lines = project.priorities.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 6 * 4
    assert lines[1].endswith("Rated before: one more rating makes its mean surer.")
    while not (said := (job.folder / LOG).read_text(encoding="utf-8")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "24 images in" in said


def test_the_engine_and_the_runner_start_light() -> None:
    code = "import sys, dashboards.runner; print(sorted({'torch', 'gradio', 'pandas'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
