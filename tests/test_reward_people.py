"""The single-person line: by hand, and on people who are as good as planted."""

import numpy as np
import pytest

from reward.people import person_line, person_pairs
from reward.raters import PersonRatings


def rated(table: list[list[float]]) -> PersonRatings:
    """(images, people) ratings of one head, NaN = not rated."""
    values = np.array(table)
    image, person = np.indices(values.shape)
    return PersonRatings(image.ravel(), person.ravel(), values.reshape(-1, 1), [str(n) for n in range(values.shape[1])])


def test_by_hand() -> None:
    people = rated([[8, 6, 7], [4, 6, 9]])  # one prompt of two images
    pairs = person_pairs(people, 0, np.array([0, 0]), 0.5)
    # Others' means: for the first 6.5 and 7.5 (second better), for the second 7.5 and 6.5, for the third 7 and 5.
    order = np.argsort(pairs.others * 10 + pairs.answer)
    sign = np.where(pairs.first == 0, 1, -1)
    assert sorted((sign * pairs.others).tolist()) == [-1, 1, 1]
    assert len(order) == 3
    line = person_line(pairs, np.array([1.0, 0.0]))
    assert line["accuracy"] == pytest.approx((0 + 0.5 + 0) / 3)  # the first and third are wrong, the second can't tell
    assert line["model_accuracy"] == pytest.approx(2 / 3)
    assert line["difference"] == pytest.approx(0.5)
    assert line["people"] == 3
    assert line["accuracy_interval"] is None  # one prompt
    assert person_line(pairs, np.array([1.0, 1.0]))["model_accuracy"] == 0.5  # equal scores count ½


def test_images_of_different_prompts_are_not_compared_and_lone_ratings_tell_nothing() -> None:
    nan = np.nan
    people = rated([[8, 6], [4, 9], [5, nan], [2, nan]])
    assert len(person_pairs(people, 0, np.array([0, 1, 2, 2]), 0.5).first) == 0


def test_a_perfect_model_is_better_than_noisy_people_and_noise_is_worse() -> None:
    random = np.random.default_rng(0)
    prompt = np.repeat(np.arange(30), 5)
    quality = random.uniform(1, 9, 150)
    people = rated((quality[:, None] + random.normal(0, 2, (150, 6))).tolist())
    pairs = person_pairs(people, 0, prompt, 0.5)
    good, bad = person_line(pairs, quality), person_line(pairs, random.normal(size=150))
    assert good["difference_interval"][0] > 0
    assert bad["difference_interval"][1] < 0
    assert good["accuracy"] == bad["accuracy"] > 0.7
    assert good["prompts"] == 30
