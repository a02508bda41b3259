"""Would more ratings help? The curve on generated pictures, what it may learn from, and its words."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from reward.aspects import HEADS
from reward.config import TrainConfig
from reward.learning_curve import Curve, Doubling, Point, curve_sizes, draw_sides, learning_curve, main
from tests.planted import plant
from tests.reward_inputs import simple_ratings


def test_accuracy_rises_with_the_prompts_where_there_is_something_to_learn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = plant(tmp_path, prompts=15, images=4)
    out = tmp_path / "curve.json", tmp_path / "curve.csv"
    arguments = ["--ratings", planted.ratings, "--pairs", planted.pairs, "--json", out[0], "--csv", out[1]]
    options = ["--backbone", "pixelstats", "--epochs", "2", "--repeats", "2", "--folds", "3"]
    assert main([*map(str, arguments), *options]) == 0
    found = json.loads(out[0].read_text(encoding="utf-8"))
    assert (found["prompts"], found["folds"], found["repeats"]) == (15, 3, 2)
    assert set(found["curves"]) == {*HEADS, "combined"}
    for curve in found["curves"].values():
        points = curve["points"]
        assert [point["prompts"] for point in points] == [2, 4, 5, 7, 10]
        assert points[-1]["accuracy"] > points[0]["accuracy"] + 0.05
        assert points[-1]["accuracy"] > 0.75
        assert all(point["interval"][0] <= point["accuracy"] <= point["interval"][1] for point in points)
        last, half = points[-1], points[-3]
        doubling = curve["doubling"]
        assert (doubling["before"], doubling["after"]) == (half["prompts"], last["prompts"])
        assert doubling["gain"] == pytest.approx(last["accuracy"] - half["accuracy"])
    with out[1].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * 5
    first = found["curves"]["spatial"]["points"][0]
    assert float(rows[0]["accuracy"]) == first["accuracy"]
    assert [float(rows[0]["low"]), float(rows[0]["high"])] == first["interval"]
    printed = capsys.readouterr().out
    assert "5 → 10 prompts: +" in printed
    assert found["curves"]["combined"]["words"] in printed


def test_ratings_that_mean_nothing_stay_at_a_half_however_many(tmp_path: Path) -> None:
    ratings = simple_ratings(tmp_path, prompts=20, images=4, heads=HEADS[:4])
    found = learning_curve(TrainConfig(ratings=ratings, backbone="pixelstats", epochs=1, folds=3), repeats=2)
    assert set(found.curves) == {*HEADS[:4], "combined"}  # a head without ratings has no curve
    accuracy = np.array([[point.accuracy for point in found.curves[head].points] for head in HEADS[:4]])
    # A random order of four images has 0.245 / √20 prompts = .055 of standard deviation: these are 3.6 of them.
    assert np.abs(accuracy - 0.5).max() < 0.2
    assert np.abs(accuracy.mean(axis=0) - 0.5).max() < 0.1


def test_a_model_learns_from_as_many_prompts_as_said_and_from_none_that_measure_it() -> None:
    groups = np.repeat(np.arange(11), 3)
    fold = np.where(groups == 10, -1, groups % 4)  # the last is in no pair
    sides = draw_sides(groups, fold, 4, [2, 5, 7], seed=3)
    seen = [set(groups[sides.sees(member)].tolist()) for member in range(12)]
    for number, size in enumerate([2, 5, 7]):
        for k in range(4):
            learned = seen[4 * number + k]
            assert len(learned) == size
            assert not learned & set(groups[fold == k].tolist())
            assert 10 not in learned
            assert number == 0 or seen[4 * (number - 1) + k] < learned
    other = draw_sides(groups, fold, 4, [2, 5, 7], seed=4)
    assert other.left_out != sides.left_out


@pytest.mark.parametrize(
    ("most", "sizes"),
    [(2, [2]), (4, [2, 3, 4]), (16, [2, 3, 4, 6, 8, 11, 16]), (800, [100, 141, 200, 283, 400, 566, 800])],
)
def test_sizes_grow_by_the_root_of_two_and_half_of_all_is_one(most: int, sizes: list[int]) -> None:
    assert curve_sizes(most) == sizes


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ((0.001, 0.1), "still rising: more rated prompts should help"),
        ((-0.03, 0.019), "flat: a doubling gains less than 0.02"),
        ((-0.03, 0.03), "can't be told: the interval holds a gain and none"),
        (None, "can't be told: too few prompts"),
    ],
)
def test_the_answer_says_no_more_than_the_interval(interval: tuple[float, float] | None, expected: str) -> None:
    points = [Point(4, 0.7, None), Point(8, 0.72, (0.6, 0.8))]
    assert Curve(points, Doubling(4, 8, 0.02, interval)).words.startswith(expected)
    assert Curve(points[-1:], None).words == "can't be told: too few prompts"
    guess = Curve([Point(8, 0.52, (0.49, 0.6))], Doubling(4, 8, 0.02, (-0.1, 0.1)))
    assert guess.words.endswith("no better than guessing so far")


def test_few_prompts_have_no_interval_and_no_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ratings = simple_ratings(tmp_path, prompts=5, images=3)
    assert main(["--ratings", str(ratings), "--backbone", "pixelstats", "--epochs", "1", "--folds", "3"]) == 0
    printed = capsys.readouterr().out
    assert "can't be told: too few prompts" in printed
    assert "(" not in printed.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--repeats", "0"], "--repeats: 0 is too few"),
        (["--folds", "7"], "--folds: 7 folds, but only 6 prompts"),
        (["--json", "nowhere/curve.json"], "--json: there is no folder nowhere"),
        (["--csv", "."], "--csv: . is a folder"),
        (["--epochs", "0"], "--epochs: 0 is too few"),
    ],
)
def test_what_can_not_be_done_is_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    ratings = simple_ratings(tmp_path, prompts=6, images=3)
    assert main(["--ratings", str(ratings), "--backbone", "pixelstats", *arguments]) == 2
    assert expected in capsys.readouterr().err
