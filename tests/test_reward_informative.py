"""`python -m reward.informative` on a real trained model: the file it writes, its words, and what it refuses."""

import csv
from pathlib import Path

import pytest

from reward.acquisition import Advice
from reward.cli import main as train
from reward.informative import HEADER, main, reason
from tests.planted import plant, write_rows
from tests.reward_inputs import draw


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten prompts with four pictures; people have rated six of them, of one prompt's four pictures one."""
    root = tmp_path_factory.mktemp("informative")
    planted = plant(root, prompts=10, images=4)
    with planted.ratings.open(encoding="utf-8", newline="") as file:
        rows = [row for row in list(csv.reader(file))[1:] if row[0] < "p6" or row[1] == "images/p7/0.png"]
    write_rows(root / "some.csv", rows)
    assert train([*_words("--ratings", root / "some.csv", "--output", root / "run", "--epochs", 1), *PIXELS]) == 0
    return root


PIXELS = ["--backbone", "pixelstats"]


def _words(*arguments: object) -> list[str]:
    return [str(argument) for argument in arguments]


def ask(root: Path, **changed: object) -> int:
    given = {"model": root / "run" / "best", "images": root / "images", "ratings": root / "some.csv"}
    given |= {"output": root / "priorities.csv", **changed}
    return main([text for flag, value in given.items() for text in (f"--{flag.replace('_', '-')}", str(value))])


def test_all_images_are_in_the_file_each_with_its_reason(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(project) == 0
    with (project / "priorities.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == HEADER
    found = {row[0]: row[1:] for row in rows[1:]}
    assert len(found) == len(rows) - 1 == 40
    assert f"40 images in {project / 'priorities.csv'}, first {rows[1][0]}" in capsys.readouterr().out
    teaches = [float(row[1]) for row in rows[1:]]
    assert max(teaches[:4]) > max(teaches[-4:]) > 0
    unrated = [name for name, (_, people, _) in found.items() if people == "0"]
    assert len(unrated) == 3 * 4 + 3
    begun = [name for name in unrated if "This prompt has few pairs yet" in found[name][2]]
    assert len(begun) == 3 * 2 + 1  # two images of each new prompt, one beside the rated one
    assert {found[f"p{p}/{i}.png"][1] for p in range(6) for i in range(4)} == {"5"}
    assert not list(project.glob(".*.tmp"))


def test_a_broken_picture_and_files_outside_prompts_are_left_out(project: Path) -> None:
    broken, stray = project / "images" / "p8" / "9.png", project / "images" / "stray.png"
    broken.write_bytes(b"no picture")
    draw(stray, 5)
    try:
        assert ask(project) == 0
    finally:
        broken.unlink()
        stray.unlink()
    assert len((project / "priorities.csv").read_text(encoding="utf-8").splitlines()) == 41


def test_what_cannot_be_ranked_is_said_and_the_old_file_stays(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(project) == 0
    before = (project / "priorities.csv").read_bytes()
    capsys.readouterr()
    (tmp_path / "empty").mkdir()
    elsewhere = draw(tmp_path / "others" / "p1" / "1.png", 3).parents[1]
    pairs = project / "pairs-run"
    told = _words("--mode", "pairs", "--pairs", project / "pairs.jsonl", "--output", pairs, "--epochs", 1)
    assert train([*told, *PIXELS]) == 0
    cases: list[tuple[dict[str, object], str]] = [
        ({"images": tmp_path / "nowhere"}, "there is no folder"),
        ({"images": tmp_path / "empty"}, "no image in"),
        ({"images": elsewhere}, "none of its images is below"),
        ({"model": pairs / "best"}, "it was trained on pairs alone"),
        ({"ratings": project / "prompts.csv"}, "column"),
        ({"output": tmp_path / "nowhere" / "file.csv"}, "--output: there is no folder"),
    ]
    capsys.readouterr()
    for changed, message in cases:
        assert ask(project, **changed) == 2
        assert message in capsys.readouterr().err
    assert ask(project, model=tmp_path / "nothing") == 1
    assert (project / "priorities.csv").read_bytes() == before


def test_words_tell_the_reasons_apart() -> None:
    def words(rated: bool, begins: bool, contested: bool) -> str:
        return reason(Advice(0, 0.1, 2, rated, begins, contested))

    assert words(False, True, False) == "This prompt has few pairs yet; they would teach most about: style."
    assert words(False, False, False).startswith("The model is least sure of pictures like this one")
    assert words(True, False, True) == "People differ on this one."
    assert words(True, True, False) == "Rated before: one more rating makes its mean surer."
