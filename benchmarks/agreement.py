"""How long all agreement figures take: `python benchmarks/agreement.py --images 10000 --people 50`."""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from annotate.agreement import Agreement
from annotate.rated import Rated
from reward.aspects import HEADS
from reward.raters import PersonRatings
from reward.resampling import BOOTSTRAP_ROUNDS


def draw(images: int, people: int, an_image: int, seed: int = 0) -> Rated:
    """Everybody's ratings of all images on all heads, with biases and noise; `an_image` images a prompt."""
    random = np.random.default_rng(seed)
    quality, bias = random.uniform(1, 9, (images, 1, len(HEADS))), random.normal(0, 0.8, (people, len(HEADS)))
    values = np.clip(quality + bias + random.normal(0, 1, (images, people, len(HEADS))), 0, 10).round(1)
    image, person = (part.ravel() for part in np.indices((images, people)))
    names = [f"person {number}" for number in range(people)]
    rated = PersonRatings(image, person, values.reshape(-1, len(HEADS)), names)
    return Rated(rated, np.arange(images) // an_image, random.uniform(5, 30, len(image)), np.arange(images) + 1)


def main() -> None:
    """Print the seconds of the best of some runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--an-image", type=int, default=4, help="images a prompt (default: 4)")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    rated, took = draw(given.images, given.people, given.an_image), []
    for _ in range(given.runs):
        started = time.perf_counter()
        Agreement.of(rated)
        took.append(time.perf_counter() - started)
    print(
        f"{given.images:,} images × {given.people} people × {len(HEADS)} heads, {BOOTSTRAP_ROUNDS} resamples: "
        f"{min(took):.2f} s (best of {given.runs})"
    )


if __name__ == "__main__":
    main()
