"""`python -m reward.score`, and `load_model`/`score_files` behind it."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from reward.aspects import HEADS
from reward.config import TrainConfig
from reward.score import main
from reward.scoring import load_model, score_files
from reward.training import train
from tests.reward_inputs import PROJECT, simple_ratings


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures below images/ and a run/ that was trained without ratings for `material`."""
    root = tmp_path_factory.mktemp("scoring")
    ratings = simple_ratings(root, prompts=4, images=3, heads=HEADS[:-1])
    list(train(TrainConfig(ratings=ratings, output=root / "run", backbone="pixelstats", epochs=1)))
    return root


def score(*arguments: object, cwd: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reward.score", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_a_folder_is_scored_into_a_csv(trained: Path, tmp_path: Path) -> None:
    done = score("--model", trained / "run/best", trained / "images", "--csv", tmp_path / "out.csv")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "out.csv")
    assert list(table.columns) == ["image", *HEADS, "combined"]
    assert len(table) == 12
    assert table["material"].isna().all()
    assert table["combined"].between(0, 10).mean() > 0.5
    assert {path.name for path in tmp_path.iterdir()} == {"out.csv"}


def test_the_table_agrees_with_the_model(trained: Path) -> None:
    model = load_model(trained / "run/best", device="cpu")
    files = sorted((trained / "images").rglob("*.png"))[:4]
    table = score_files(model, files)
    assert table["combined"].to_numpy() == pytest.approx(model(files).numpy(), abs=1e-5)
    single = model(files, return_individual=True)
    assert table["style"].to_numpy() == pytest.approx(single["style"].numpy(), abs=1e-5)
    assert score_files(model, []).empty


def test_a_table_is_printed(trained: Path) -> None:
    done = score("--model", trained / "run/best", trained / "images/p0/0.png")
    assert done.returncode == 0
    assert "combined" in done.stdout
    assert "0.png" in done.stdout


def test_messages_for_what_can_not_be_scored(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*arguments: object) -> tuple[int, str]:
        code = main([str(argument) for argument in arguments])
        return code, capsys.readouterr().err

    bad, out, best = tmp_path / "bad.png", tmp_path / "out.csv", trained / "run/best"
    bad.write_text("no picture")
    code, said = refused("--model", best, bad, tmp_path / "none.png", "--csv", out)
    assert (code, "none.png: the file does not exist" in said) == (2, True)
    code, said = refused("--model", best, bad, "--csv", out)
    assert (code, "bad.png: not an image" in said) == (2, True)
    assert not out.exists()
    code, said = refused("--model", best, trained / "images", "--csv", tmp_path / "no/out.csv")
    assert (code, "there is no folder" in said) == (2, True)
    (tmp_path / "empty").mkdir()
    assert "no image in there" in refused("--model", best, tmp_path / "empty")[1]
    code, said = refused("--model", tmp_path / "nothing", bad)
    assert (code, "no such folder" in said) == (1, True)
