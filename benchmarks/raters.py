"""What correcting ratings for who gave them is worth.

    python benchmarks/raters.py --people ratings_per_annotator.csv

First on planted raters (bias of SD 0.8, noise of 0.4–1.6 rating points): how far each estimate of the pictures' quality
is from the truth, root mean square, a common shift aside. Then on real people: of those who rated a picture a few are
drawn, and what they say is compared with the mean of all the others.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reward.aspects import HEADS
from reward.raters import fit_raters
from reward.ratings import read_ratings

Floats = npt.NDArray[np.float64]
Estimate = Callable[[Floats], Floats]

DESIGNS = ((60, 3, 2), (100, 4, 2), (100, 6, 3), (100, 6, 6), (200, 12, 5))  # images, people, people an image


def corrected(table: Floats, *, as_recommended: bool = False) -> Floats:
    """(N,) qualities of an (N, J) table of ratings."""
    image, person = np.indices(table.shape)
    fit = fit_raters(image.ravel(), person.ravel(), table.ravel(), *table.shape, as_recommended=as_recommended)
    return fit.quality


ESTIMATES: dict[str, Estimate] = {
    "plain mean": lambda table: np.asarray(np.nanmean(table, axis=1)),
    "P.910 as written": lambda table: corrected(table, as_recommended=True),
    "the trainer's": corrected,
}


def thinned(table: Floats, each: int, random: np.random.Generator) -> Floats:
    """The table with `each` of a row's ratings left."""
    thin = np.full_like(table, np.nan)
    for row, given in enumerate(table):
        people = random.permutation(np.flatnonzero(~np.isnan(given)))[:each]
        thin[row, people] = given[people]
    return thin


def distance(estimate: Floats, truth: Floats) -> float:
    """Root mean square difference in rating points, a common shift aside."""
    return float((estimate - truth).std())


def planted(images: int, people: int, each: int, draws: int) -> dict[str, list[float]]:
    """Distances from planted qualities."""
    random = np.random.default_rng(0)
    found: dict[str, list[float]] = {name: [] for name in ESTIMATES}
    for _ in range(draws):
        quality, bias = random.uniform(1, 9, images), random.normal(0, 0.8, people)
        noise = random.uniform(0.4, 1.6, people) * random.normal(size=(images, people))
        table = thinned(np.clip(np.round(2 * (quality[:, None] + bias + noise)) / 2, 0, 10), each, random)
        for name, estimate in ESTIMATES.items():
            found[name].append(distance(estimate(table), quality))
    return found


def real(table: Floats, each: int, draws: int) -> dict[str, list[float]]:
    """Distances from the mean of the people who weren't drawn, for `each` people an image out of eight drawn."""
    random = np.random.default_rng(0)
    found: dict[str, list[float]] = {name: [] for name in ESTIMATES}
    for _ in range(draws):
        drawn = random.permutation(table.shape[1])[:8]
        thin = thinned(table[:, drawn], each, random)
        others = np.nanmean(np.delete(table, drawn, axis=1), axis=1)
        for name, estimate in ESTIMATES.items():
            found[name].append(distance(estimate(thin), others))
    return found


def show(design: str, found: dict[str, list[float]]) -> None:
    print(f"| {design} | " + " | ".join(f"{np.mean(values):.3f}" for values in found.values()) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=Path, help="ratings CSV with an annotator column")
    parser.add_argument("--draws", type=int, default=200)
    arguments = parser.parse_args()
    print("| ratings | " + " | ".join(ESTIMATES) + " |")
    print("|---" * (1 + len(ESTIMATES)) + "|")
    for images, people, each in DESIGNS:
        found = planted(images, people, each, arguments.draws)
        show(f"planted: {images} images, {people} people, {each} an image", found)
    if arguments.people is None:
        return
    given = read_ratings(arguments.people, check_images=False).by_person()
    for number, head in enumerate(HEADS):
        rated = ~np.isnan(given.values[:, number])
        if not rated.any():
            continue
        table = np.full((given.image.max() + 1, len(given.names)), np.nan)
        table[given.image[rated], given.person[rated]] = given.values[rated, number]
        for each in (2, 3, 5):
            table_of_head = table[:, ~np.isnan(table).all(axis=0)]
            show(f"real: {head}, {each} of 8 people an image", real(table_of_head, each, arguments.draws))


if __name__ == "__main__":
    main()
