"""The views on which `pixelstats` measures a picture, and the arithmetic that its statistics share.

Sharpness, noise and JPEG blocks live in single pixels, so they are looked for in tiles that nobody has resized;
colour, layout and light do not, and reduced copies bound the time that a picture of any size takes.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[np.floating]
# Numbers by name: a number, an array, told apart by counting from 1, or a dict, told apart by its keys.
Named = Iterator[tuple[str, Any]]

JPEG_BLOCK: Final = 8  # tiles start on multiples of it, so that JPEG's grid keeps its phase
EPS: Final = 1e-3  # in grey levels: far below a quantisation step, it only keeps logarithms and ratios finite
_TILE = 128  # nine of them see most of a 512² picture and 14 % of a 1024² one, in a seventh of the time
_MIN_SIDE = 32  # smaller views are continued by their edge pixels, so that every statistic is defined


def tiles(image: Image.Image) -> Array:
    """(9, h, w, 3) in 0–255: a 3 × 3 lattice at native resolution, row by row; they overlap in small pictures."""
    width, height = (min(_TILE, side) for side in image.size)
    room = (image.width - width, image.height - height)
    xs, ys = ([space * step // 2 // JPEG_BLOCK * JPEG_BLOCK for step in range(3)] for space in room)
    return np.stack([pixels(image.crop((x, y, x + width, y + height))) for y, x in product(ys, xs)])


def reduced(image: Image.Image, longest: int) -> Image.Image:
    """A copy whose longest side is `longest` at the most."""
    factor = min(1.0, longest / max(image.size))
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BOX, reducing_gap=2.0)


def pixels(image: Image.Image) -> Array:
    """(h, w, 3) float32 in 0–255, no side shorter than 32."""
    missing = [(0, max(0, _MIN_SIDE - side)) for side in (image.height, image.width)]
    return np.asarray(np.pad(np.asarray(image, np.float32), (*missing, (0, 0)), mode="edge"))


def luma(rgb: Array) -> Array:
    """(…, 3) → (…): ITU-R BT.601. Not a matrix product: BLAS rounds differently with the number of threads."""
    return np.asarray(0.299 * rgb[..., 0] + 0.587 * rgb[..., 1] + 0.114 * rgb[..., 2])


def cells(plane: Array, count: int) -> Array:
    """(count, count): means over a grid of equal cells; neither side of the plane may be shorter than `count`."""
    rows, columns = (np.arange(count) * side // count for side in plane.shape)
    sums = np.add.reduceat(np.add.reduceat(plane, rows, axis=0), columns, axis=1)
    sizes = np.outer(np.diff(rows, append=plane.shape[0]), np.diff(columns, append=plane.shape[1]))
    return np.asarray(sums / sizes, np.float32)


def entropy(counts: npt.ArrayLike) -> Array:
    """Shannon entropy, in bits, of the histograms along the last axis; none of them may be empty."""
    share = np.asarray(counts, np.float32)
    share = share / share.sum(-1, keepdims=True)
    return np.asarray(-(share * np.log2(np.maximum(share, 1e-9))).sum(-1))


def log(value: npt.ArrayLike) -> Array:
    """Natural logarithm that stays finite at 0."""
    return np.asarray(np.log(np.asarray(value, np.float32) + EPS))
