"""The single-person line: how often one person orders two images as the others' mean does, and the model beside it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reward.combination import prompt_weights
from reward.metrics import bootstrap_interval
from reward.pairs import compare, pair_indices
from reward.raters import PersonRatings

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Signs = npt.NDArray[np.int8]


@dataclass(frozen=True)
class PersonPairs:
    """Q questions to one person each: which of two images of a prompt is better on a head?

    Attributes:
        first, second: (Q,) images; prompt: (Q,) prompt numbers; people: how many were asked.
        answer: (Q,) 1 = the person rates the first higher, −1 = the second, 0 = both the same.
        others: (Q,) ±1, what the mean of the others' ratings says, by the definition of a win.
    """

    first: Ints
    second: Ints
    prompt: Ints
    people: int
    answer: Signs
    others: Signs


def person_pairs(people: PersonRatings, head: int, prompt: Ints, min_rating_diff: float, seed: int = 0) -> PersonPairs:
    """Every pair of images that a person and, on both, somebody else rated, where the others' mean has a winner.

    Args:
        prompt: (N,) prompt numbers of the images.
    """
    known = ~np.isnan(people.values[:, head])
    image, person, value = people.image[known], people.person[known], people.values[known, head]
    count, total = np.bincount(image, minlength=len(prompt)), np.bincount(image, value, minlength=len(prompt))
    several = count[image] > 1
    image, person, value = image[several], person[several], value[several]
    of_others = (total[image] - value) / (count[image] - 1)
    # One group a person and prompt, so that pairs are made within both.
    first, second, _ = pair_indices(person * (int(prompt.max(initial=0)) + 1) + prompt[image], seed)
    others = compare(of_others[first], of_others[second], min_rating_diff)
    asked = others != 0
    first, second, others = first[asked], second[asked], others[asked]
    return PersonPairs(
        first=image[first],
        second=image[second],
        prompt=prompt[image[first]],
        people=len(np.unique(person[first])),
        answer=compare(value[first], value[second], 0),
        others=others,
    )


def person_line(pairs: PersonPairs, score: Floats, seed: int = 0) -> dict[str, Any]:
    """People and the model on the same questions; an equal answer counts ½ for either.

    Args:
        score: (N,) by a model that hasn't seen the images.

    Returns:
        `accuracy` of people, `model_accuracy` and `difference` (model less people), each a mean over prompts with its
        95 % bootstrap interval; `people`, `pairs`, `prompts`.
    """
    _, number = np.unique(pairs.prompt, return_inverse=True)
    weight = prompt_weights(pairs.prompt)

    def by_prompt(answer: Floats | Signs) -> Floats:
        return np.bincount(number, weights=weight * (1 + np.sign(answer) * pairs.others) / 2).astype(np.float64)

    own, model = by_prompt(pairs.answer), by_prompt(score[pairs.first] - score[pairs.second])
    figures: dict[str, Any] = {"people": pairs.people, "pairs": len(pairs.first), "prompts": len(own)}
    for name, values in (("accuracy", own), ("model_accuracy", model), ("difference", model - own)):
        figures[name], figures[f"{name}_interval"] = float(values.mean()), bootstrap_interval(values, seed)
    return figures
