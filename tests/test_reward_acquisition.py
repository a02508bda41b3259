"""What the next rating would teach: planted gaps in what is known come first, and a prompt's images together."""

import numpy as np
import pytest

from reward import acquisition
from reward.acquisition import Opinions, rank
from reward.raters import PersonRatings

HEADS = 2
A = np.array([1.0, 0.8, 0.6, 0.0, 0.0, 0.0])


def world(prompts: int = 8, images: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, 6) embeddings, (N,) prompts, (N, 2) scores by a model that knows the truth."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(prompts * images, len(A)))
    return x, np.repeat(np.arange(prompts), images), np.stack([x @ A, x @ A[::-1]], axis=1) + 5


def ratings(scores: np.ndarray, rated: list[int], people: int = 3, noise: float = 0.5) -> PersonRatings:
    """`people` rate each of the images, with noise."""
    random = np.random.default_rng(1)
    image, person = np.repeat(rated, people), np.tile(np.arange(people), len(rated))
    values = scores[image] + random.normal(0, noise, (len(image), scores.shape[1]))
    return PersonRatings(image, person, values, [str(number) for number in range(people)])


def test_pictures_unlike_all_that_were_rated_come_first() -> None:
    x, prompt, scores = world()
    x[:, 5] = 0
    unlike = prompt == 6
    x[unlike, 5] = [3, -3, 3, -3]  # a direction that nobody has rated along
    opinions = Opinions.of(ratings(scores, np.flatnonzero(prompt < 4).tolist()), len(x))
    found = rank(x, prompt, scores, opinions)
    assert {one.image for one in found[:4]} == set(np.flatnonzero(unlike).tolist())
    assert [(one.begins, one.rated) for one in found[:4]] == [(True, False)] * 2 + [(False, False)] * 2
    assert sorted(one.image for one in found) == list(range(len(x)))


def test_a_prompt_that_is_begun_gets_its_pair_at_once_and_images_teach_less_and_less() -> None:
    x, prompt, scores = world(prompts=20)
    opinions = Opinions.of(ratings(scores, [0, 1, 2, 3, 4]), len(x))
    fresh = [one for one in rank(x, prompt, scores, opinions) if not one.rated]
    came = [int(prompt[one.image]) for one in fresh]
    begun = [number for number, p in enumerate(came) if p > 1 and p not in came[:number]]
    assert all(came[number + 1] == came[number] for number in begun)
    teaches = np.array([one.teaches for one in fresh])
    assert teaches[:20].mean() > teaches[20:40].mean() > teaches[-20:].mean() > 0


def test_far_down_the_list_the_order_is_nearly_that_of_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    x, prompt, scores = world(prompts=20)
    opinions = Opinions.of(ratings(scores, [0, 1, 2, 3, 4]), len(x))
    exact = [one.image for one in rank(x, prompt, scores, opinions)]
    monkeypatch.setattr(acquisition, "_LOOKED_AT", 1000)
    assert [one.image for one in rank(x, prompt, scores, opinions)] == exact
    monkeypatch.setattr(acquisition, "_ONE_BY_ONE", 10)
    short = [one.image for one in rank(x, prompt, scores, opinions)]
    assert sorted(short) == sorted(exact)
    assert short[:5] == exact[:5]


def test_a_lone_image_makes_no_pair_and_teaches_nothing() -> None:
    x, prompt, scores = world()
    prompt = np.where(np.arange(len(x)) == 31, 99, prompt)
    opinions = Opinions.of(ratings(scores, [0, 1, 2, 3]), len(x))
    lone = next(one for one in rank(x, prompt, scores, opinions) if one.image == 31)
    assert lone.teaches == pytest.approx(0, abs=1e-12)


def test_of_rated_images_the_one_that_people_differ_on_comes_first() -> None:
    x, prompt, scores = world()
    people = ratings(scores, list(range(len(x))), noise=0.3)
    values = people.values.copy()
    contested = 13
    values[people.image == contested] += np.array([[-3.0], [0.0], [3.0]])
    opinions = Opinions.of(PersonRatings(people.image, people.person, values, people.names), len(x))
    found = rank(x, prompt, scores, opinions)
    assert (found[0].image, found[0].contested, found[0].rated) == (contested, True, True)
    assert found[0].teaches > 2 * found[1].teaches
    assert not found[1].contested


def test_a_second_rating_is_worth_more_than_a_tenth() -> None:
    x, prompt, scores = world()
    x[1], scores[1] = x[0], scores[0]  # twins in one prompt
    thin, thick = ratings(scores, list(range(1, 32)), 1), ratings(scores, [0], 10)
    joined = PersonRatings(
        np.concatenate([thin.image, thick.image]),
        np.concatenate([thin.person, thick.person]),
        np.concatenate([thin.values, thick.values]),
        thick.names,
    )
    teaches = {one.image: one.teaches for one in rank(x, prompt, scores, Opinions.of(joined, len(x)))}
    assert teaches[1] > 5 * teaches[0]


def test_what_is_said_to_be_taught_is_what_a_ridge_gains() -> None:
    """The forecast for the first block against the mean square error of ridge fits on drawn ratings."""
    x, prompt, _ = world(prompts=12, images=4)
    random = np.random.default_rng(3)
    rated = np.flatnonzero(prompt < 3)
    errors = {"before": 0.0, "first": 0.0, "last": 0.0}
    scores = np.stack([x @ A, x @ A], axis=1)
    found = rank(x, prompt, scores, Opinions.of(ratings(scores, rated.tolist(), 1, noise=1.0), len(x)))
    fresh = [one for one in found if not one.rated]
    more = {"before": [], "first": [one.image for one in fresh[:4]], "last": [one.image for one in fresh[-4:]]}
    for _ in range(400):
        truth = random.normal(0, 1, len(A))
        noise = random.normal(0, 1.5, len(x))
        for name, added in more.items():
            known = np.concatenate([rated, added]).astype(int)
            centred = _centred(x[known], prompt[known])
            target = _centred((x @ truth + noise)[known][:, None], prompt[known])[:, 0]
            fit = np.linalg.solve(centred.T @ centred + 1.5**2 * np.eye(len(A)), centred.T @ target)
            errors[name] += float((_centred((x @ (fit - truth))[:, None], prompt) ** 2).mean()) / 400
    assert errors["before"] > errors["last"] > errors["first"]


def _centred(values: np.ndarray, prompt: np.ndarray) -> np.ndarray:
    return np.concatenate([values[prompt == p] - values[prompt == p].mean(axis=0) for p in np.unique(prompt)])


def test_untrained_heads_and_unrated_ones_are_left_out_and_ratings_without_people_do() -> None:
    x, prompt, scores = world()
    scores[:, 0] = np.nan
    means = PersonRatings(np.arange(8), np.zeros(8, dtype=np.int64), np.full((8, HEADS), 5.0), [""])
    found = rank(x, prompt, scores, Opinions.of(means, len(x)))
    assert {one.head for one in found if not one.rated} == {1}
    assert all(np.isfinite(one.teaches) for one in found)
    assert not any(one.contested for one in found)
