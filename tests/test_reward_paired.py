"""Two runs on the same pairs: the difference of two validations, and when it can't be told."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from reward.aspects import HEADS
from reward.dataset import Dataset, LabelledPairs
from reward.images import ImageFiles
from reward.metrics import bootstrap_interval
from reward.paired import ACCURACY, F1, FIGURES, LOSS, paired_differences
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
    hashes = [f"{number:015x}".ljust(64, "0") for number in range(count)]
    return Validated(data, np.zeros((count, 1)), hashes, np.ones(count, dtype=bool), scores, scores.copy(), score)


@pytest.fixture
def quality() -> np.ndarray:
    return np.random.default_rng(5).uniform(0, 10, 40 * IMAGES)


def test_the_better_run_is_told_and_one_against_itself_is_not(quality: np.ndarray) -> None:
    good, poor = validated(quality, 0.5, 1, 40), validated(quality, 4.0, 2, 40)
    for found in paired_differences(poor, good).values():
        assert found.words == "better"
        assert found.differs
        assert found.prompts == 40
    for back in paired_differences(good, poor, "style").values():
        assert back.words == "worse"
        assert back.difference == pytest.approx(back.second - back.first)
    for same in paired_differences(good, good).values():
        assert (same.difference, same.interval, same.words) == (0.0, (0.0, 0.0), "no difference can be told")


def test_the_figures_are_those_of_a_loop_over_pairs(quality: np.ndarray) -> None:
    runs = validated(quality, 1.0, 1, 12), validated(quality, 3.0, 2, 12)
    shares, losses, chosen = [], [], []
    for prompt in range(12):
        rows = range(prompt * IMAGES, (prompt + 1) * IMAGES)
        pairs = [(i, j) for i in rows for j in rows if round(quality[i] - quality[j], 6) >= 0.5]
        shares.append([np.mean([run.combined[i] > run.combined[j] for i, j in pairs]) for run in runs])
        losses += [[np.log1p(np.exp(run.combined[j] - run.combined[i])) for run in runs] for i, j in pairs]
        for i, j in pairs:  # named "first" by the hashes, as reward.metrics does it
            first = (i < j) == bool((i ^ j) & 1)
            chosen.append([first, *(first == (run.combined[i] > run.combined[j]) for run in runs), 1 / len(pairs)])
    found = paired_differences(*runs)
    assert [found[ACCURACY].first, found[ACCURACY].second] == pytest.approx(np.mean(shares, axis=0))
    assert [found[LOSS].first, found[LOSS].second] == pytest.approx(np.mean(losses, axis=0))
    truth, *said, weight = map(np.array, zip(*chosen, strict=True))
    expected = [f1_score(truth, one, sample_weight=weight) for one in said]
    assert [found[F1].first, found[F1].second] == pytest.approx(expected)


def test_the_interval_is_that_of_prompts_drawn_anew(quality: np.ndarray) -> None:
    runs = validated(quality, 2.0, 1, 12), validated(quality, 2.0, 2, 12)
    found = paired_differences(*runs)
    for figure in FIGURES:
        low, high = found[figure].interval or (np.nan, np.nan)
        assert low < found[figure].difference < high
        assert found[figure].pairs == found[ACCURACY].pairs
    scores = [one.combined for one in runs]
    shares = []
    for prompt in range(12):
        rows = range(prompt * IMAGES, (prompt + 1) * IMAGES)
        pairs = [(i, j) for i in rows for j in rows if round(quality[i] - quality[j], 6) >= 0.5]
        shares.append([np.mean([score[i] > score[j] for i, j in pairs]) for score in scores])
    differences = np.diff(shares, axis=1)[:, 0]
    assert found[ACCURACY].interval == pytest.approx(bootstrap_interval(differences), abs=0.01)


def test_a_label_that_changed_counts_by_its_winner_but_not_in_the_loss(quality: np.ndarray) -> None:
    first, second = validated(quality, 1.0, 1, 12), validated(quality, 2.0, 2, 12)
    pairs = second.data.combined
    surer = replace(pairs, label=np.where(pairs.prompt < 3, 0.5 + 0.8 * (pairs.label - 0.5), pairs.label))
    found = paired_differences(first, replace(second, data=replace(second.data, combined=surer)))
    assert (found[ACCURACY].prompts, found[LOSS].prompts) == (12, 9)


def test_only_what_both_measured_counts(quality: np.ndarray) -> None:
    first, second = validated(quality, 1.0, 1, 30), validated(quality, 1.0, 2, 30)
    second.combined[: 25 * IMAGES] = np.nan
    for few in paired_differences(first, second).values():
        assert few.prompts == 5
        assert few.interval is None
        assert few.words == "can't be told: 5 prompts in common, at least 10 are needed"
    for others in paired_differences(first, validated(quality, 1.0, 2, 30, prefix="q")).values():
        assert others.words == "can't be told: they were not validated on the same pairs"
