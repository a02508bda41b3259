"""Two runs on the same pairs: the difference of two validations, and when it can't be told."""

import numpy as np
import pytest

from reward.aspects import HEADS
from reward.dataset import Dataset, LabelledPairs
from reward.images import ImageFiles
from reward.paired import paired_difference
from reward.pairs import rating_pairs
from reward.unseen import Validated

IMAGES = 6


def validated(quality: np.ndarray, noise: float, seed: int, prompts: int, prefix: str = "p") -> Validated:
    """A run on `prompts` × 6 images of known quality whose scores are off by `noise`."""
    count = prompts * IMAGES
    prompt = np.repeat(np.arange(prompts), IMAGES)
    ratings = np.repeat(quality[:count, None], len(HEADS), axis=1)
    pairs = rating_pairs(prompt, ratings, 0.5)
    label = np.where(pairs.sign[:, 0] > 0, 1.0, np.where(pairs.sign[:, 0] < 0, 0.0, 0.5))
    combined = LabelledPairs(pairs.first, pairs.second, pairs.prompt, label)
    files = ImageFiles([f"{number}.png" for number in range(count)])
    names = [f"{prefix}{number}" for number in range(prompts)]
    data = Dataset(files, prompt, names, ratings, pairs, combined, "mean", [""] * count, [])
    score = quality[:count] + np.random.default_rng(seed).normal(0, noise, count)
    scores = np.repeat(score[:, None], len(HEADS), axis=1)
    hashes = [f"{number:064x}" for number in range(count)]
    return Validated(data, np.zeros((count, 1)), hashes, np.ones(count, dtype=bool), scores, scores.copy(), score)


@pytest.fixture
def quality() -> np.ndarray:
    return np.random.default_rng(5).uniform(0, 10, 40 * IMAGES)


def test_the_better_run_is_told_and_one_against_itself_is_not(quality: np.ndarray) -> None:
    good, poor = validated(quality, 0.5, 1, 40), validated(quality, 4.0, 2, 40)
    found = paired_difference(poor, good)
    assert found.words == "better"
    assert found.differs
    assert found.prompts == 40
    back = paired_difference(good, poor, "style")
    assert back.words == "worse"
    assert back.difference == pytest.approx(back.second - back.first)
    same = paired_difference(good, good)
    assert (same.difference, same.interval, same.words) == (0.0, (0.0, 0.0), "no difference can be told")


def test_the_shares_are_those_of_a_loop_over_pairs(quality: np.ndarray) -> None:
    first, second = validated(quality, 1.0, 1, 12), validated(quality, 3.0, 2, 12)
    shares = []
    for prompt in range(12):
        rows = range(prompt * IMAGES, (prompt + 1) * IMAGES)
        pairs = [(i, j) for i in rows for j in rows if round(quality[i] - quality[j], 6) >= 0.5]
        shares.append([np.mean([run.combined[i] > run.combined[j] for i, j in pairs]) for run in (first, second)])
    found = paired_difference(first, second)
    assert [found.first, found.second] == pytest.approx(np.mean(shares, axis=0))


def test_only_what_both_measured_counts(quality: np.ndarray) -> None:
    first, second = validated(quality, 1.0, 1, 30), validated(quality, 1.0, 2, 30)
    second.combined[: 25 * IMAGES] = np.nan
    few = paired_difference(first, second)
    assert few.prompts == 5
    assert few.interval is None
    assert few.words == "can't be told: 5 prompts in common, at least 10 are needed"
    others = paired_difference(first, validated(quality, 1.0, 2, 30, prefix="q"))
    assert others.words == "can't be told: they were not validated on the same pairs"
