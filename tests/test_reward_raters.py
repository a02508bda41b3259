"""People's bias and inconsistency: a reference's numbers, planted raters, what can't be told, nothing of held-out."""

import json
from pathlib import Path

import numpy as np
import pytest

from reward import correct
from reward.aspects import HEADS, RATING_COLUMNS
from reward.config import TrainConfig
from reward.dataset import read_dataset
from reward.events import Warning
from reward.losses import Objective
from reward.problem import Sides, multihead_problem
from reward.raters import PersonRatings, RaterModel, fit_raters
from reward.ratings import read_ratings
from reward.training import train
from tests.reward_inputs import HEADER, draw_prompts

# Ten images by twelve people, and what the alternating projection of the reference implementation of ITU-T P.910
# (sureal 0.9.0, SubjectMLEModelProjectionSolver) makes of them.
GIVEN = """
8.9 10.7 9.8 7.9 6.5 10.1 7.8 10.2 7.5 7.1 6.9 7.3
5.0 6.2 7.6 - 3.6 - 2.6 5.6 4.8 5.3 - 6.1
- 10.2 10.0 9.9 - - 7.3 10.0 - 9.5 7.2 6.8
- 2.8 0.6 4.1 0.1 4.9 -0.7 2.3 - -1.3 -0.2 1.0
7.0 9.3 5.0 - 4.0 7.4 2.8 - 4.7 - 5.3 4.5
5.7 5.4 4.4 5.7 3.4 5.8 2.4 4.8 4.9 4.2 4.0 4.4
6.9 9.1 6.1 9.3 6.3 - 6.5 8.3 6.9 - 7.0 5.8
- - 4.5 - 1.2 7.3 3.0 3.4 2.8 3.0 4.2 -
8.3 10.3 8.5 9.2 - - - 6.4 7.4 8.9 5.9 8.9
6.7 - 5.6 5.8 3.2 6.8 3.8 6.8 6.0 3.8 5.9 3.9
"""
QUALITY = [8.268677, 5.266565, 8.838615, 1.601531, 5.618406, 4.914849, 7.543083, 3.471761, 7.888634, 5.611741]
BIAS = [
    *(0.484006, 1.757455, 0.307614, 1.033267, -1.749577, 2.135506),
    *(-1.737248, 0.488283, -0.447965, -0.670297, -0.8397, -0.761345),
]
INCONSISTENCY = [
    *(0.667847, 0.961206, 1.15571, 0.885572, 0.372283, 1.072091),
    *(0.862375, 0.928041, 0.403297, 1.207668, 0.898106, 1.024212),
]


def long_form(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(images, people) ratings → image, person, rating of each cell."""
    image, person = np.indices(table.shape)
    return image.ravel(), person.ravel(), table.ravel()


def planted(
    random: np.random.Generator, images: int, people: int, each: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quality (N,), bias (J,) and a table (N, J) of ratings, `each` of them an image."""
    quality, bias = random.uniform(1, 9, images), random.normal(0, 0.8, people)
    spread = random.uniform(0.4, 1.6, people)
    table = quality[:, None] + bias + spread * random.normal(size=(images, people))
    for row in table:
        row[random.permutation(people)[each:]] = np.nan
    return quality, bias - bias.mean(), np.clip(np.round(table, 1), 0, 10)


def test_the_reference_implementations_numbers() -> None:
    rows = [line.split() for line in GIVEN.strip().splitlines()]
    table = np.array([[np.nan if cell == "-" else float(cell) for cell in row] for row in rows])
    fit = fit_raters(*long_form(table), *table.shape, as_recommended=True)
    np.testing.assert_allclose(fit.quality, QUALITY, atol=2e-5)
    np.testing.assert_allclose(fit.bias, BIAS, atol=2e-5)
    np.testing.assert_allclose(fit.inconsistency, INCONSISTENCY, atol=2e-5)


def test_planted_biases_come_back() -> None:
    _, bias, table = planted(np.random.default_rng(1), images=200, people=8, each=4)
    fit = fit_raters(*long_form(table), *table.shape)
    assert np.corrcoef(fit.bias, bias)[0, 1] > 0.97
    assert abs(fit.bias.sum()) < 1e-9


@pytest.mark.parametrize("each", [2, 3, 6])
def test_the_correction_is_nearer_to_the_truth_than_the_mean(each: int) -> None:
    random = np.random.default_rng(2)
    wins = 0
    for _ in range(20):
        quality, _, table = planted(random, images=100, people=6, each=each)
        corrected = fit_raters(*long_form(table), *table.shape).quality
        error, plain = corrected - quality, np.nanmean(table, axis=1) - quality
        wins += (error - error.mean()).std() < (plain - plain.mean()).std()
    assert wins >= 18


def test_nobody_takes_all_the_weight() -> None:
    """Two people an image leave it open who is the consistent one: both count the same."""
    table = np.random.default_rng(3).uniform(0, 10, (30, 2))
    fit = fit_raters(*long_form(table), *table.shape)
    np.testing.assert_allclose(fit.quality, table.mean(axis=1))
    assert fit.inconsistency[0] == pytest.approx(fit.inconsistency[1])


def test_who_shares_no_image_is_taken_as_is_and_groups_are_told() -> None:
    table = np.full((8, 5), np.nan)
    table[:3, :2] = [[5, 7], [4, 6.5], [3, 5]]
    table[3:6, 2:4] = [[9, 8], [6, 5], [2, 1]]
    table[6:, 4] = [3.0, 9.0]
    people = PersonRatings(*long_form(table)[:2], np.repeat(long_form(table)[2][:, None], 5, axis=1), list("abcde"))
    model = RaterModel.of(people, 8)
    fit = model.fits[0]
    assert fit.groups == 2
    assert fit.bias[:2].sum() == pytest.approx(0)
    assert fit.bias[2:4].sum() == pytest.approx(0)
    assert fit.bias[1] - fit.bias[0] == pytest.approx(2.1666, abs=0.2)
    assert fit.quality[6:].tolist() == [3, 9]
    assert fit.alone.tolist() == [False, False, False, False, True]
    lone, groups = model.notes(0)
    assert lone == "e shares no image with others: no bias can be told, ratings are taken as they are"
    assert "2 groups" in groups


def test_one_rating_an_image_stays_what_it_is() -> None:
    fit = fit_raters(np.arange(6), np.array([0, 1, 0, 1, 0, 1]), np.array([1.0, 2, np.nan, 4, 5, 6]), 6, 2)
    np.testing.assert_array_equal(fit.quality, [1, 2, np.nan, 4, 5, 6])
    assert fit.alone.all()


@pytest.fixture
def by_person(tmp_path: Path) -> Path:
    """Six prompts of four pictures, rated by four people of whom b is generous by two points."""
    random = np.random.default_rng(5)
    lines = ["annotator," + HEADER]
    for number, (prompt, name) in enumerate(draw_prompts(tmp_path, 6, 4)):
        quality = random.uniform(2, 8, len(HEADS))
        for person, bias in zip("abcd", (-0.5, 2.0, -0.5, -1.0), strict=True):
            if (number + ord(person)) % 4:
                rating = np.clip(quality + bias + random.normal(0, 0.3, len(HEADS)), 0, 10).round(2)
                lines.append(",".join([person, prompt, name, *(str(value) for value in rating)]))
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_member_learns_biases_from_its_own_prompts_only(by_person: Path) -> None:
    data = read_dataset(TrainConfig(ratings=by_person))
    x, fold = np.zeros((24, 3), dtype=np.float32), np.repeat(np.arange(6), 4) % 3
    sides = Sides(np.ones(24, dtype=bool), fold, (frozenset(), frozenset({0}), frozenset({1})))
    before = multihead_problem(data, x, sides, Objective()).ratings
    assert data.by_person is not None
    there = fold[data.by_person.image] == 0
    data.by_person.values[there] = data.by_person.values[there][::-1]  # other people's ratings in fold 0
    after = multihead_problem(data, x, sides, Objective()).ratings
    np.testing.assert_array_equal(before[1, fold != 0], after[1, fold != 0])
    assert not np.allclose(before[2, fold == 2], after[2, fold == 2])
    np.testing.assert_array_equal(before[1, fold == 0], data.ratings[fold == 0])  # what it is measured by: plain means


def test_training_writes_what_it_found_about_people(by_person: Path, tmp_path: Path) -> None:
    for targets in ("corrected", "mean"):
        config = TrainConfig(
            ratings=by_person, output=tmp_path / targets, backbone="pixelstats", epochs=1, targets=targets
        )
        events = list(train(config))
        assert not [event for event in events if isinstance(event, Warning)]
    raters = json.loads((tmp_path / "corrected/raters.json").read_text())
    people = raters["heads"]["style"]["people"]
    assert [people[name]["bias"] for name in "abcd"] == pytest.approx([-0.5, 2, -0.5, -1], abs=0.3)
    assert people["b"]["ratings"] == 18
    assert not (tmp_path / "mean/raters.json").exists()
    card = (tmp_path / "corrected/best/README.md").read_text()
    assert "corrected for each person's bias" in card
    assert "corrected for" not in (tmp_path / "mean/best/README.md").read_text()
    for file in (tmp_path / "corrected/best").iterdir():  # a checkpoint may be published: it names nobody
        assert b'"b"' not in file.read_bytes()


def test_the_command_prints_people_and_writes_corrected_ratings(
    by_person: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "corrected.csv"
    assert correct.main(["--ratings", str(by_person), "--csv", str(out)]) == 0
    first = capsys.readouterr().out.splitlines()[:3]
    assert first[0] == "spatial"
    assert first[2].split()[0] == "b"  # the most generous first
    table = read_ratings(out, tmp_path)
    assert table.frame.columns[:2].tolist() == ["prompt_id", "image_path"]
    assert len(table.frame) == 24
    plain = read_ratings(by_person).by_image()
    assert not np.allclose(table.frame[list(RATING_COLUMNS)], plain[list(RATING_COLUMNS)], atol=0.2)


def test_corrected_exports_stay_on_the_scale(tmp_path: Path) -> None:
    draw_prompts(tmp_path, 1, 3)
    rows = [("a", 0, 0), ("b", 0, 3), ("a", 1, 10), ("b", 1, 10), ("b", 2, 10)]
    lines = [f"{who},p0,images/p0/{image}.png," + ",".join([str(value)] * 5) for who, image, value in rows]
    path = tmp_path / "r.csv"
    path.write_text("\n".join(["annotator," + HEADER, *lines]) + "\n", encoding="utf-8")
    assert correct.main(["--ratings", str(path), "--csv", str(tmp_path / "out.csv")]) == 0
    values = read_ratings(tmp_path / "out.csv", check_images=False).frame[list(RATING_COLUMNS)].to_numpy()
    assert values.min() >= 0
    assert values.max() <= 10


def test_correcting_needs_to_know_who_rated(avt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert correct.main(["--ratings", str(avt / "multihead_ratings.csv")]) == 2
    assert "no annotator column" in capsys.readouterr().err
