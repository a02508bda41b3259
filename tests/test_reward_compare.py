"""Do five heads pay? The comparison on generated pictures, and its words."""

from pathlib import Path

import numpy as np
import pytest

from reward.compare import Comparison, compare, main, verdict
from reward.config import TrainConfig
from tests.planted import plant
from tests.reward_inputs import simple_ratings


def test_every_way_learns_what_was_planted(tmp_path: Path) -> None:
    planted = plant(tmp_path, prompts=15, images=4)
    found, target = compare(TrainConfig(ratings=planted.ratings, pairs=planted.pairs, backbone="pixelstats", epochs=3))
    assert target == "overall preferences"
    assert [one.name for one in found] == [
        "five heads + weights",
        "one head on the overall target",
        "ridge",
        "extra-trees",
    ]
    for one in found:
        assert one.accuracy > 0.6
        assert one.interval is not None
        assert one.interval[0] <= one.accuracy <= one.interval[1]
    assert found[0].difference == 0
    assert np.isclose(found[2].difference, found[2].accuracy - found[0].accuracy)


def test_noise_is_not_learned_by_anyone(tmp_path: Path) -> None:
    ratings = simple_ratings(tmp_path, prompts=20, images=4)
    found, target = compare(TrainConfig(ratings=ratings, backbone="pixelstats", epochs=1))
    assert target == "mean of the rated heads"
    for one in found:
        assert one.interval is not None
        assert one.interval[0] - 0.05 < 0.5 < one.interval[1] + 0.05


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ((0.01, 0.2), "ridge orders pictures better than five heads"),
        ((-0.2, -0.01), "Five heads order pictures better than ridge"),
        ((-0.1, 0.1), "No difference"),
        (None, "Too few prompts"),
    ],
)
def test_the_verdict_says_no_more_than_the_interval(interval: tuple[float, float] | None, expected: str) -> None:
    heads = Comparison("five heads + weights", 0.7, None, 0.0, None)
    assert expected in verdict([heads, Comparison("ridge", 0.75, None, 0.05, interval)])


def test_the_command_prints_a_table_and_its_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ratings = simple_ratings(tmp_path, prompts=6, images=3)
    assert main(["--ratings", str(ratings), "--backbone", "pixelstats", "--epochs", "1"]) == 0
    assert "extra-trees" in capsys.readouterr().out
    assert main(["--ratings", str(ratings), "--backbone", "pixelstats", "--folds", "7"]) == 2
    assert "--folds: 7 folds, but only 6 prompts" in capsys.readouterr().err
