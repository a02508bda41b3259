"""Each person beside the others: bias, spread, consistency, halo, how far they follow the others, and a verdict."""

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from annotate.rated import Rated
from annotate.resampling import percentile_interval, resampled
from reward.aspects import BY_NAME, HEADS
from reward.metrics import FEWEST_PROMPTS
from reward.raters import RaterModel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEWEST_SHARED: Final = 20  # images in common with others, before anything is said against a person
FEWEST_RATED: Final = (
    10  # ratings before a head counts as always the same, two heads as going together, a time as known
)
IMPLAUSIBLE_SECONDS: Final = 2.0  # for looking at an image and judging it on five aspects
CLOSE: Final = 1.0  # rating points between a rating and its blind repeat


@dataclass(frozen=True)
class PersonReport:
    """One person; None = can't be told.

    Attributes:
        images: they rated; shared: of these, those that somebody else rated on the same head.
        bias: by head, rating points above the others (`reward.raters`); mean_bias: over their ratings.
        spread, others_spread: standard deviation of their ratings and of the others' of the same images.
        repeats: ratings given twice, blind; repeat_error: mean |change|; repeat_within: share within 1 point.
        halo: mean correlation between two heads of theirs over images; others_halo: mean of the other people's.
        correlation: of their ratings with the mean of the others', within prompts, over all heads; `interval`: 95 %.
        seconds: median an image.
        gold: ratings of theirs with an expected band; gold_within: share of these inside it.
        no_signal: why their ratings carry no signal, a sentence each; empty where nothing says so.
        notes: what else to know.
    """

    name: str
    images: int
    shared: int
    bias: tuple[float | None, ...]
    mean_bias: float | None
    spread: float | None
    others_spread: float | None
    repeats: int
    repeat_error: float | None
    repeat_within: float | None
    halo: float | None
    others_halo: float | None
    correlation: float | None
    interval: tuple[float, float] | None
    prompts: int
    seconds: float | None
    gold: int
    gold_within: float | None
    no_signal: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def person_reports(rated: Rated, seed: int = 0) -> list[PersonReport]:
    """One a person, by name."""
    if not rated.people.names:
        return []
    fit, follow, halo = _biases(rated), _following(rated, seed), _halos(rated)
    spread, others = _spreads(rated)
    found = []
    for number in sorted(range(len(rated.people.names)), key=lambda k: rated.people.names[k]):
        mine = rated.people.person == number
        values = rated.people.values[mine]
        seconds = rated.seconds[mine]
        seconds = seconds[~np.isnan(seconds)]
        change = rated.repeat_change[rated.repeat_person == number]
        change = np.abs(change[~np.isnan(change)])
        inside = _inside_bands(rated, mine)
        bias, weight = fit[:, number], (~np.isnan(values)).sum(axis=0)
        told = ~np.isnan(bias) & (weight > 0)
        correlation, interval = _or_none(follow.correlation[number]), follow.interval(number)
        no_signal = [
            *_constant(values),
            *_not_following(correlation, interval, int(follow.shared[number]), int(follow.companions[number])),
            *_too_quick(seconds),
        ]
        found.append(
            PersonReport(
                name=rated.people.names[number],
                images=len(values),
                shared=int(follow.shared[number]),
                bias=tuple(_or_none(value) for value in bias),
                mean_bias=float(np.average(bias[told], weights=weight[told])) if told.any() else None,
                spread=_or_none(spread[number]),
                others_spread=_or_none(others[number]),
                repeats=len(change),
                repeat_error=float(change.mean()) if len(change) else None,
                repeat_within=float((change <= CLOSE + 1e-6).mean()) if len(change) else None,
                halo=_or_none(halo[number]),
                others_halo=_or_none(_mean(np.delete(halo, number))),
                correlation=correlation,
                interval=interval,
                prompts=int(follow.prompts[number]),
                seconds=float(np.median(seconds)) if len(seconds) else None,
                gold=len(inside),
                gold_within=float(inside.mean()) if len(inside) else None,
                no_signal=tuple(no_signal),
                notes=tuple(_too_little(int(follow.shared[number]), int(follow.prompts[number]))),
            )
        )
    return found


def _biases(rated: Rated) -> Floats:
    """(H, J), NaN where a person shares no image with anybody on the head."""
    model = RaterModel.of(rated.people, rated.images)
    return np.stack([np.where(fit.alone, np.nan, fit.bias) for fit in model.fits])


@dataclass(frozen=True)
class _Following:
    """How people follow the mean of the others: (J,) each; `draws` (B, J) are resampled correlations."""

    correlation: Floats
    draws: Floats
    shared: Ints
    prompts: Ints
    companions: Ints

    def interval(self, person: int) -> tuple[float, float] | None:
        return percentile_interval(self.draws[:, person], int(self.prompts[person]))


def _following(rated: Rated, seed: int) -> _Following:
    """Correlation with the others' mean, both taken less their own mean over the prompt's images and head."""
    people, prompts = len(rated.people.names), int(rated.prompt.max()) + 1
    sums, together = np.zeros((3, people * prompts)), np.zeros((people, rated.images), dtype=bool)
    for head in range(len(HEADS)):
        image, person, x, others, _ = _beside_others(rated, head)
        together[person, image] = True
        group = person * prompts + rated.prompt[image]
        x, others = _centred(x, group, people * prompts), _centred(others, group, people * prompts)
        for part, product in zip(sums, (x * others, x * x, others * others), strict=True):
            part += np.bincount(group, product, people * prompts)
    by_prompt = sums.reshape(3, people, prompts)
    drawn = resampled(by_prompt.reshape(3 * people, prompts).T, seed).reshape(-1, 3, people)
    counts = together.astype(np.float32)
    return _Following(
        correlation=_correlation(by_prompt.sum(axis=2)),
        draws=_correlation(drawn.transpose(1, 0, 2)),
        shared=together.sum(axis=1),
        prompts=((by_prompt[1] > 0) | (by_prompt[2] > 0)).sum(axis=1),
        companions=(counts @ counts.T > 0).sum(axis=1) - together.any(axis=1),
    )


def _beside_others(rated: Rated, head: int) -> tuple[Ints, Ints, Floats, Floats, Floats]:
    """Image, person, rating, the others' mean and the others' mean square, of each rating that is not alone."""
    people = rated.people
    known = ~np.isnan(people.values[:, head])
    image, person, x = people.image[known], people.person[known], people.values[known, head]
    count = np.bincount(image, minlength=rated.images)
    total, squares = np.bincount(image, x, rated.images), np.bincount(image, x * x, rated.images)
    several = count[image] > 1
    image, person, x = image[several], person[several], x[several]
    left = count[image] - 1
    return image, person, x, (total[image] - x) / left, (squares[image] - x * x) / left


def _spreads(rated: Rated) -> tuple[Floats, Floats]:
    """(J,) standard deviations over images, own and the others', root mean square over heads."""
    people = len(rated.people.names)
    own, theirs, weights = np.zeros(people), np.zeros(people), np.zeros(people)
    for head in range(len(HEADS)):
        _, person, x, mean, square = _beside_others(rated, head)
        count = np.bincount(person, minlength=people)
        many = np.maximum(count, 1)
        for sums, first, second in ((own, x, x * x), (theirs, mean, square)):
            variance = np.bincount(person, second, people) / many - (np.bincount(person, first, people) / many) ** 2
            sums += count * np.maximum(variance, 0)
        weights += count
    told = weights >= 2
    weights = np.where(told, weights, 1)
    return np.where(told, np.sqrt(own / weights), np.nan), np.where(told, np.sqrt(theirs / weights), np.nan)


def _halos(rated: Rated) -> Floats:
    """(J,) mean over pairs of heads of their correlation over the images that a person rated on both."""
    people, person = len(rated.people.names), rated.people.person
    found = []
    for first, second in combinations(rated.people.values.T, 2):
        both = ~np.isnan(first) & ~np.isnan(second)
        who = person[both]
        x, y = _centred(first[both], who, people), _centred(second[both], who, people)
        sums: Floats = np.stack([np.bincount(who, product, people) for product in (x * y, x * x, y * y)]).astype(float)
        enough = np.bincount(who, minlength=people) >= FEWEST_RATED
        found.append(np.where(enough, _correlation(sums), np.nan))
    return np.array([_mean(column) for column in np.stack(found, axis=1)])


def _inside_bands(rated: Rated, mine: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Of the ratings in a mask that have an expected band, whether each lies in it."""
    if not len(rated.gold_low):
        return np.empty(0, dtype=bool)
    image, values = rated.people.image[mine], rated.people.values[mine]
    low, high = rated.gold_low[image], rated.gold_high[image]
    asked = ~np.isnan(low) & ~np.isnan(values)
    inside: npt.NDArray[np.bool_] = (values >= low) & (values <= high)
    return inside[asked]


def _constant(values: Floats) -> list[str]:
    """Heads on which a person says the same of every image."""
    known = [(head, column[~np.isnan(column)]) for head, column in zip(HEADS, values.T, strict=True)]
    always = {head: x[0] for head, x in known if len(x) >= FEWEST_RATED and np.ptp(x) == 0}
    if always and len(always) == sum(len(x) > 0 for _, x in known) and len(set(always.values())) == 1:
        return [f"gives every image {next(iter(always.values())):g} on every aspect"]
    return [f"gives every image {value:g} on {BY_NAME[head].label}" for head, value in always.items()]


def _not_following(
    correlation: float | None, interval: tuple[float, float] | None, shared: int, companions: int
) -> list[str]:
    if correlation is None or interval is None or interval[0] > 0 or shared < FEWEST_SHARED:
        return []
    told = f"correlation {correlation:.2f}, 95 % interval {interval[0]:.2f} to {interval[1]:.2f}, over {shared} images"
    if companions == 1:
        return [f"does not follow the one other person ({told}); of two it can't be told whose fault that is"]
    against = interval[1] < 0
    return [
        f"{'goes against' if against else 'does not follow'} the others ({told}{'' if against else ', includes 0'})"
    ]


def _too_quick(seconds: Floats) -> list[str]:
    if len(seconds) < FEWEST_RATED or np.median(seconds) >= IMPLAUSIBLE_SECONDS:
        return []
    return [f"takes {np.median(seconds):.1f} s an image (median), too short to look and judge"]


def _too_little(shared: int, prompts: int) -> list[str]:
    if not shared:
        return ["shares no image with others: nothing to compare"]
    if shared < FEWEST_SHARED:
        return [f"{shared} images in common with others are too few to judge by; {FEWEST_SHARED} are needed"]
    if prompts < FEWEST_PROMPTS:
        return [f"images in common of only {prompts} prompts with two or more: too few for an interval"]
    return []


def _centred(values: Floats, group: Ints, groups: int) -> Floats:
    """Values less the mean of their group."""
    count = np.bincount(group, minlength=groups)
    mean = np.bincount(group, values, groups) / np.maximum(count, 1)
    found: Floats = values - mean[group]
    found[np.abs(found) < 1e-9] = 0  # rounding, where all of a group are equal
    return found


def _correlation(sums: Floats) -> Floats:
    """(…) from (3, …) sums of xy, xx, yy; NaN where one of the two doesn't vary."""
    product, own, theirs = sums
    scale = np.sqrt(own * theirs)
    return np.where(scale > 1e-12, product / np.where(scale > 1e-12, scale, 1), np.nan)


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
