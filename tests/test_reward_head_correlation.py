"""Heads that a model mixes up are told from heads that people keep apart, whatever people's noise and halo."""

import numpy as np
import pytest

from reward.aspects import HEADS
from reward.head_correlation import HeadPair, correlate, in_words
from reward.raters import PersonRatings

PROMPTS, IMAGES, PEOPLE = 60, 6, 4
LABELS = {head: head.capitalize() for head in HEADS}


def world(together: float, mixed: float, halo: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, PersonRatings]:
    """Prompt numbers, scores (N, 2) and ratings by person of two aspects that go `together` in truth.

    The model's scores share `mixed` of their variance beyond that; people's errors share `halo` of theirs.
    """
    random = np.random.default_rng(seed)
    count = PROMPTS * IMAGES
    prompt = np.repeat(np.arange(PROMPTS), IMAGES)
    shared = random.normal(size=(count, 1))
    truth = np.sqrt(together) * shared + np.sqrt(1 - together) * random.normal(size=(count, 2))
    truth += 3 * random.normal(size=(PROMPTS, 1))[prompt]  # a prompt's level lifts both heads, and is no mixing up
    scores = truth + mixed * random.normal(size=(count, 1))
    common, own = random.normal(size=(count, PEOPLE, 1)), random.normal(size=(count, PEOPLE, 2))
    errors = 1.5 * (np.sqrt(halo) * common + np.sqrt(1 - halo) * own)
    bias = random.normal(size=(PEOPLE, 2))
    values = truth[:, None, :] + errors + bias
    image, person = (index.ravel() for index in np.indices((count, PEOPLE)))
    return prompt, scores, PersonRatings(image, person, values.reshape(-1, 2), [f"p{k}" for k in range(PEOPLE)])


def found(together: float, mixed: float, halo: float) -> HeadPair:
    prompt, scores, people = world(together, mixed, halo)
    means = people.values.reshape(-1, PEOPLE, 2).mean(axis=1)
    pair = correlate(scores, means, prompt, people, names=("style", "fidelity"))
    assert pair is not None
    return pair


def test_heads_that_the_model_mixes_up_are_told() -> None:
    pair = found(together=0.2, mixed=1.5, halo=0.0)
    assert pair.mixed_up
    assert pair.images == PROMPTS * IMAGES
    assert pair.prompts == PROMPTS
    assert "Style and Fidelity are mixed up" in in_words([pair], LABELS)[0]


def test_noise_and_halo_of_people_mix_up_nothing() -> None:
    for halo in (0.0, 0.6):
        pair = found(together=0.4, mixed=0.0, halo=halo)
        assert pair.signal == pytest.approx(0.4, abs=0.08)
        assert pair.halo == pytest.approx(halo, abs=0.12)
        assert not pair.mixed_up
        assert not pair.held_apart
    assert any("People's own halo" in line for line in in_words([pair], LABELS))


def test_the_correlation_is_that_within_prompts() -> None:
    prompt, scores, people = world(together=0.3, mixed=0.5, halo=0.2)
    means = people.values.reshape(-1, PEOPLE, 2).mean(axis=1)
    within = [scores[prompt == p] - scores[prompt == p].mean(axis=0) for p in range(PROMPTS)]
    pair = correlate(scores, means, prompt)
    assert pair is not None
    assert pair.model == pytest.approx(np.corrcoef(np.concatenate(within).T)[0, 1])
    assert pair.signal is None
    assert pair.difference == pair.model - pair.people


def test_what_can_t_be_told_isn_t() -> None:
    prompt, scores, people = world(together=0.3, mixed=0.5, halo=0.2)
    means = people.values.reshape(-1, PEOPLE, 2).mean(axis=1)
    few = prompt < 4
    pair = correlate(scores[few], means[few], prompt[few], names=("style", "fidelity"))
    assert pair is not None
    assert pair.interval is None
    assert "no difference can be told" in in_words([pair], LABELS)[0]
    assert correlate(np.full_like(scores, np.nan), means, prompt) is None
    assert correlate(scores * 0, means, prompt) is None
    assert correlate(scores, means, np.arange(len(prompt))) is None
    assert "nothing can be told" in in_words([], LABELS)[0]
