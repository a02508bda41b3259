"""Small parts that the tests of the rating desk share: pictures to rate, and where a server listens."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


def draw_picture(path: Path, seed: int, size: tuple[int, int] = (320, 240)) -> None:
    """A small picture that differs from seed to seed: smooth colour fields with a disc."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    waves = rng.uniform(0.005, 0.03, (3, 2))
    channels = [127 + 90 * np.sin(fx * x + fy * y + rng.uniform(0, 6)) for fx, fy in waves]
    pixels = np.stack(channels, axis=-1)
    cx, cy, radius = rng.uniform(0.3, 0.7) * size[0], rng.uniform(0.3, 0.7) * size[1], 0.2 * min(size)
    pixels[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = rng.uniform(0, 255, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


@dataclass(frozen=True)
class Served:
    """A running server's address."""

    url: str
