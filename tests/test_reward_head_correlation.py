"""Heads that a model mixes up are told from heads that people keep apart, whatever people's noise and halo."""

import numpy as np
import pytest

from dashboards import mixing
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
    assert not pair.unreliable
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


def with_a_random_head(prompts: int) -> list[HeadPair]:
    """Style, Fidelity and Material, the ratings of the last made at random."""
    prompt, scores, people = world(together=0.3, mixed=0.5, halo=0.0)
    inside = np.flatnonzero(prompt < prompts)
    random = np.random.default_rng(3)
    values = np.column_stack([people.values, random.uniform(0, 10, len(people.values))])
    values = values[: len(inside) * PEOPLE]
    scores = np.column_stack([scores, scores[:, 0] + random.normal(size=len(scores))])
    means = values.reshape(-1, PEOPLE, 3).mean(axis=1)
    names = ("style", "fidelity", "material")
    pairs = []
    for one, other in ((0, 1), (0, 2), (1, 2)):
        columns = [one, other]
        theirs = PersonRatings(
            people.image[: len(values)], people.person[: len(values)], values[:, columns], people.names
        )
        pair = correlate(
            scores[inside][:, columns], means[:, columns], prompt[inside], theirs, names=(names[one], names[other])
        )
        assert pair is not None
        pairs.append(pair)
    return pairs


def test_of_a_head_on_which_people_don_t_agree_nothing_is_told_of_people() -> None:
    sound, *random = pairs = with_a_random_head(prompts=11)
    assert not sound.unreliable
    assert sound.interval is not None
    for one in random:
        assert one.unreliable == ("material",)
        assert (one.signal, one.reference, one.difference, one.interval) == (None, None, None, None)
        assert not one.mixed_up
        assert not one.held_apart
    why = "people agree too little on Material to tell"
    rows = mixing.rows(pairs)
    assert [row[5] == why for row in rows] == [False, True, True]
    assert [row[2:5] == ["–", "–", "–"] for row in rows] == [False, True, True]
    assert not any("too few prompts" in cell for row in rows for cell in row)
    people = next(line for line in mixing.chart(pairs).data if line.name == "people's ratings")
    assert [value is None for value in people.x] == [True, True, False]  # from the bottom up
    assert mixing.matrix(pairs).count(f'title="{why}"') == 2
    words = in_words(pairs, LABELS)
    assert "People agree too little on Material to tell how it goes together with other heads." in words
    assert not any("can't be told apart" in line for line in words)
    assert len(in_words(random, LABELS)) == 1


def test_too_few_prompts_are_named_only_where_they_are_the_reason() -> None:
    sound, *random = with_a_random_head(prompts=8)
    assert [row[5] for row in mixing.rows([sound])] == ["too few prompts"]
    assert all("agree too little" in row[5] for row in mixing.rows(random))
    prompt, scores, people = world(together=0.3, mixed=0.5, halo=0.0)
    scores[prompt > 0] = 0.0
    alike = correlate(scores, people.values.reshape(-1, PEOPLE, 2).mean(axis=1), prompt, people)
    assert alike is not None
    assert alike.interval is None
    assert mixing.rows([alike])[0][5] == "too few prompts have images that differ"
