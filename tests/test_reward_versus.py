"""Contributions that add up, and probabilities that say how far they held."""

import math
from pathlib import Path

import numpy as np
import pytest

from reward.config import TrainConfig
from reward.model import MultiHeadReward
from reward.training import train
from reward.unseen import read_validation
from reward.versus import Sureness, compare_images, sureness
from tests.planted import plant


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("versus")
    planted = plant(root, prompts=12, images=4)
    told = {"pairs": planted.pairs, "backbone": "pixelstats", "epochs": 2, "folds": 3}
    list(train(TrainConfig(output=root / "run", ratings=planted.ratings, **told)))
    list(train(TrainConfig(output=root / "overall", mode="pairs", **told)))
    return root


def test_the_parts_add_up_to_the_difference_of_the_combined_scores(root: Path) -> None:
    model = MultiHeadReward.from_pretrained(root / "run/best")
    images = sorted((root / "images").rglob("*.png"))
    for first, second in zip(images[::5], images[1::5], strict=False):
        found = compare_images(model, first, second)
        assert math.fsum(one.part for one in found.parts) == pytest.approx(found.difference, abs=1e-9)
        combined = model([str(first), str(second)])
        assert found.difference == pytest.approx(float(combined[0] - combined[1]), abs=1e-5)
        assert [one.weight for one in found.parts] == pytest.approx(list(model.get_head_importance().values()))
        expected = 1 / (1 + math.exp(-float(model.combined_temperature) * found.difference))
        assert found.probability == pytest.approx(expected)


def test_turning_the_images_round_turns_the_answer_round(root: Path) -> None:
    model = MultiHeadReward.from_pretrained(root / "run/best")
    first, second = sorted((root / "images/p0").glob("*.png"))[:2]
    there, back = compare_images(model, first, second), compare_images(model, second, first)
    assert there.difference == pytest.approx(-back.difference)
    assert there.probability == pytest.approx(1 - (back.probability or 0))


def test_weights_of_one_s_own_have_no_probability_and_pairs_mode_no_parts(root: Path) -> None:
    model = MultiHeadReward.from_pretrained(root / "run/best")
    first, second = sorted((root / "images/p0").glob("*.png"))[:2]
    own = compare_images(model.with_head_weights(dict.fromkeys(model.config.heads, 1.0)), first, second)
    assert own.probability is None
    assert [one.weight for one in own.parts] == pytest.approx([0.2] * 5)
    overall = compare_images(MultiHeadReward.from_pretrained(root / "overall/best"), first, second)
    assert overall.parts == ()
    assert overall.probability is not None


def test_the_interval_holds_where_probabilities_do_and_shrinks_them_where_they_boast(root: Path) -> None:
    found = read_validation(root / "run")
    held = sureness(found)
    assert held is not None
    share, low, high = held.of(1.0)
    assert low < share < high
    found.combined[:] *= 20  # the same order, far too sure
    boast = sureness(found)
    assert boast is not None
    assert boast.factor < held.factor / 5
    assert boast.of(20.0)[0] < 0.99


def test_no_difference_is_even_chances() -> None:
    assert Sureness(1.0, np.array([0.5, 2.0]), 10, 10).of(0.0) == (0.5, 0.5, 0.5)
