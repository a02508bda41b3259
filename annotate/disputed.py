"""The images on which people differ most, head by head."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotate.rated import Rated
from reward.aspects import HEADS

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Disputed:
    """One head of one image: what each person says (by name), and the standard deviation; None for a single person."""

    image_id: int
    head: str
    ratings: tuple[tuple[str, float], ...]
    spread: float | None

    @property
    def low(self) -> float:
        """The lowest rating."""
        return min(value for _, value in self.ratings)

    @property
    def high(self) -> float:
        """The highest rating."""
        return max(value for _, value in self.ratings)

    @property
    def mean(self) -> float:
        """What stands where nobody adjudicates."""
        return sum(value for _, value in self.ratings) / len(self.ratings)


def most_disputed(
    rated: Rated, heads: Sequence[str] = HEADS, most: int = 12, without: Iterable[tuple[int, str]] = ()
) -> list[Disputed]:
    """Up to `most` of those that two or more people rated differently, largest standard deviation first.

    Args:
        without: (image id, head) to leave out.
    """
    left_out = set(without)
    spreads = np.full((len(HEADS), rated.images), np.nan)
    for name in heads:
        spreads[HEADS.index(name)] = _spread(rated, HEADS.index(name))
    ranked = np.argsort(-np.nan_to_num(spreads, nan=-1.0), axis=None, kind="stable")
    places: list[tuple[int, int]] = []
    for place in ranked:
        head, image = divmod(int(place), rated.images)
        if len(places) == most or not spreads[head, image] > 0:
            break
        if (int(rated.image_ids[image]), HEADS[head]) not in left_out:
            places.append((image, head))
    return [_disputed(rated, image, head, float(spreads[head, image])) for image, head in places]


def disputed_at(rated: Rated, image_id: int, head: str) -> Disputed | None:
    """What people say of one head of one image; None where nobody rated it."""
    found = np.flatnonzero(rated.image_ids == image_id)
    if not len(found):
        return None
    one = _disputed(rated, int(found[0]), HEADS.index(head), None)
    values = [value for _, value in one.ratings]
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Disputed(one.image_id, head, one.ratings, spread) if values else None


def _spread(rated: Rated, head: int) -> Floats:
    """(N,) standard deviation of each image's ratings; NaN where fewer than two people rated it."""
    values = rated.people.values[:, head]
    known = ~np.isnan(values)
    image, x = rated.people.image[known], values[known]
    count = np.bincount(image, minlength=rated.images)
    total = np.bincount(image, x, rated.images)
    off = x - (total / np.maximum(count, 1))[image]
    squares = np.bincount(image, off * off, rated.images)
    squares[squares < 1e-9] = 0
    return np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)


def _disputed(rated: Rated, image: int, head: int, spread: float | None) -> Disputed:
    people = rated.people
    rows = np.flatnonzero(people.image == image)
    said = [(people.names[people.person[row]], float(people.values[row, head])) for row in rows]
    told = sorted((one for one in said if not np.isnan(one[1])), key=lambda one: (-one[1], one[0]))
    return Disputed(int(rated.image_ids[image]), HEADS[head], tuple(told), spread)
