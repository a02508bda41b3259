"""The views on which `pixelstats` measures a picture: tiles at native resolution, reduced copies for layout and light.

Sharpness, noise and JPEG blocks live in single pixels, so they are looked for in tiles that nobody has resized;
colour, layout and light do not, and reduced copies bound the time that a picture of any size takes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage
from skimage.color import rgb2lab

Array = npt.NDArray[np.float32]

JPEG_BLOCK: Final = 8  # tiles start on multiples of it, so that JPEG's grid keeps its phase
EPS: Final = 1e-3  # in grey levels: far below a quantisation step, it only keeps logarithms and ratios finite
_TILE = 128  # nine of them see most of a 512² picture and 14 % of a 1024² one, in a seventh of the time
_VIEW, _COLOUR_VIEW = 256, 128  # longest sides of the reduced copies
_MIN_SIDE = 32  # smaller views are continued by their edge pixels, so that every statistic is defined


@dataclass(frozen=True)
class Views:
    """An RGB picture seen in several ways, each made when first asked for; values 0–255, L*a*b* in its own units."""

    image: Image.Image

    @cached_property
    def tiles(self) -> Array:
        """(9, h, w, 3): a 3 × 3 lattice at native resolution, row by row; they overlap in small pictures."""
        width, height = (min(_TILE, side) for side in self.image.size)
        xs, ys = (
            [(side - tile) * step // 2 // JPEG_BLOCK * JPEG_BLOCK for step in range(3)]
            for side, tile in zip(self.image.size, (width, height), strict=True)
        )
        crops = (self.image.crop((x, y, x + width, y + height)) for y, x in product(ys, xs))
        return np.stack([_padded(np.asarray(crop, np.float32)) for crop in crops])

    @cached_property
    def tile_luma(self) -> Array:
        """(9, h, w)."""
        return _luma(self.tiles)

    @cached_property
    def luma(self) -> Array:
        """(h, w), longest side 256."""
        return _luma(_padded(np.asarray(self._small, np.float32)))

    @cached_property
    def lab(self) -> Array:
        """(h, w, 3), longest side 128: CIE L*a*b* under D65."""
        return np.asarray(rgb2lab(self.rgb / 255), np.float32)

    @cached_property
    def rgb(self) -> Array:
        """(h, w, 3), longest side 128."""
        return _padded(np.asarray(_reduced(self._small, _COLOUR_VIEW), np.float32))

    @cached_property
    def gradient(self) -> tuple[Array, Array, Array]:
        """(h, w) each: derivative of `luma` along x, along y, and its length, grey levels a pixel."""
        # Derivatives of a Gaussian: Sobel's directions are degrees off on sharp edges, and tilt is told by degrees.
        gx, gy = (ndimage.gaussian_filter(self.luma, 1.0, order) for order in ((0, 1), (1, 0)))
        return gx, gy, np.hypot(gx, gy)

    @cached_property
    def _small(self) -> Image.Image:
        return _reduced(self.image, _VIEW)


def _luma(pixels: Array) -> Array:
    """ITU-R BT.601. Not a matrix product: BLAS rounds differently with the number of threads."""
    return np.asarray(0.299 * pixels[..., 0] + 0.587 * pixels[..., 1] + 0.114 * pixels[..., 2], np.float32)


def _reduced(image: Image.Image, longest: int) -> Image.Image:
    factor = min(1.0, longest / max(image.size))
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BOX, reducing_gap=2.0)


def _padded(pixels: Array) -> Array:
    missing = [max(0, _MIN_SIDE - side) for side in pixels.shape[:2]]
    return np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")


def cells(plane: Array, count: int) -> Array:
    """(count, count): means over a grid of equal cells; neither side of the plane may be shorter than `count`."""
    rows, columns = (np.arange(count) * side // count for side in plane.shape)
    sums = np.add.reduceat(np.add.reduceat(plane, rows, axis=0), columns, axis=1)
    sizes = np.outer(np.diff(rows, append=plane.shape[0]), np.diff(columns, append=plane.shape[1]))
    return np.asarray(sums / sizes, np.float32)


def entropy(counts: npt.NDArray[np.generic]) -> Array:
    """Shannon entropy, in bits, of the histograms along the last axis; none of them may be empty."""
    share = np.asarray(counts, np.float32)
    share = share / share.sum(-1, keepdims=True)
    return np.asarray(-(share * np.log2(np.maximum(share, 1e-9))).sum(-1), np.float32)


def log(value: npt.ArrayLike) -> Array:
    """Natural logarithm that stays finite at 0."""
    return np.asarray(np.log(np.asarray(value, np.float32) + EPS), np.float32)


def names(family: str, *parts: Iterable[object]) -> tuple[str, ...]:
    """One feature name for each combination of the parts, the last part varying fastest."""
    return tuple(" ".join((family, *map(str, combination))) for combination in product(*parts))
