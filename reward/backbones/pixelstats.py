"""The embedded default's embedding: natural-scene and layout statistics of one picture, from PIL image to vector."""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from reward.backbones.pixellook import colour, layout
from reward.backbones.pixelviews import EPS, JPEG_BLOCK, Array, Named, entropy, log, luma, pixels, reduced, tiles

VERSION: Final = 2  # part of every cached embedding's identity: raise it whenever a number changes
DIM: Final = 234

_VIEW, _COLOUR_VIEW = 256, 128  # longest sides of the reduced copies
_WINDOW = 7 / 6  # sigma of the 7 × 7 Gaussian window of MSCN


def pixel_statistics(image: Image.Image) -> npt.NDArray[np.float32]:
    """(DIM,) float32, always finite, the same for the same pixels: the values of `named_statistics`."""
    return np.array(list(named_statistics(image).values()), np.float32).reshape(DIM)


def named_statistics(image: Image.Image) -> dict[str, float]:
    """Every number by its name, in its own unit, such as "mscn native spread" or "energy cell 4".

    The numbers are not normalised: whoever learns from them does that on the training images. Alpha is ignored.
    """
    image = image.convert("RGB")
    small = reduced(image, _VIEW)
    native, view, colours = tiles(image), luma(pixels(small)), pixels(reduced(small, _COLOUR_VIEW))
    families = (_scene(luma(native), view), _fidelity(native), colour(colours), layout(view, image.size))
    return dict(chain.from_iterable(_flat(name, value) for name, value in chain(*families)))


def _flat(name: str, value: Any) -> Iterator[tuple[str, float]]:
    if np.ndim(value):
        value = dict(enumerate(np.ravel(value), 1))
    if not isinstance(value, dict):
        return iter([(name, float(value))])
    return chain.from_iterable(_flat(f"{name} {key}", part) for key, part in value.items())


def _scene(native: Array, view: Array) -> Named:
    """Locally normalised contrast (MSCN) and products of neighbours, at native resolution and three coarser scales.

    Mittal, Moorthy & Bovik, "No-reference image quality assessment in the spatial domain", IEEE TIP 21(12), 2012; the
    fitted Gaussians' shapes are left as E|x| / √E[x²], the ratio of moments from which they are estimated.

    Args: native (9, h, w) luma of the tiles; view (h, w) of the reduced copy.
    """
    half = _halved(view)
    scales = {"native": native, "fine": view[None], "middle": half[None], "coarse": _halved(half)[None]}
    for scale, plane in scales.items():
        mean = ndimage.gaussian_filter(plane, (0, _WINDOW, _WINDOW), truncate=2.6)
        variance = ndimage.gaussian_filter(plane * plane, (0, _WINDOW, _WINDOW), truncate=2.6) - mean * mean
        x = (plane - mean) / (np.sqrt(np.maximum(variance, 0)) + 1)
        rms = np.sqrt((x * x).mean()) + EPS
        shape, skew = np.abs(x).mean() / rms, (x * x * x).mean() / rms**3
        yield f"mscn {scale}", {"spread": log(rms), "shape": shape, "skew": skew}
        sides = {"right": x[:, :, 1:] * x[:, :, :-1], "below": x[:, 1:] * x[:, :-1]}
        sides |= {"diagonal": x[:, 1:, 1:] * x[:, :-1, :-1], "antidiagonal": x[:, 1:, :-1] * x[:, :-1, 1:]}
        for side, products in sides.items():
            left, right = (log(np.sqrt(np.square(np.minimum(sign * products, 0)).mean())) for sign in (1, -1))
            yield f"mscn {scale} neighbour {side}", {"mean": products.mean() / rms**2, "left": left, "right": right}


def _halved(plane: Array) -> Array:
    even = plane[: plane.shape[0] // 2 * 2, : plane.shape[1] // 2 * 2]
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4


def _fidelity(rgb: Array) -> Named:
    """Sharpness, noise, blocks, posterisation and clipping in the native tiles (9, h, w, 3).

    Noise: Immerkær, "Fast noise variance estimation", CVIU 64(2), 1996. Blur: Crété et al., "The blur effect", SPIE
    6492, 2007, as the share of the steps that blurring takes away. Blocks: steps across JPEG's grid over the others,
    after Wang, Sheikh & Bovik, "No-reference perceptual quality assessment of JPEG compressed images", ICIP 2002.
    """
    grey = luma(rgb)
    laplacian = ndimage.laplace(grey, axes=(1, 2))[:, 1:-1, 1:-1]
    sharpness, power = log(laplacian.var((1, 2))), np.square(laplacian)
    yield "tiles sharpness", _range(sharpness)
    planes = {"noise": grey, "noise red-green": rgb[..., 0] - rgb[..., 1], "noise blue": rgb[..., 2] - grey}
    for name, plane in planes.items():
        # Immerkær's mask [1 −2 1; −2 4 −2; 1 −2 1], blind to edges, is a second difference both ways.
        residue = np.abs(np.diff(np.diff(plane, 2, axis=1), 2, axis=2)).mean((1, 2))
        yield f"tiles {name}", _range(log(residue * np.sqrt(np.pi / 2) / 6))
    yield "sharpness of the centre", sharpness[4] - np.delete(sharpness, 4).mean()
    yield "sharpness tail", log(np.square(power).mean()) - 2 * log(power.mean())
    for axis, name in ((1, "steps down"), (2, "steps right")):
        step = np.abs(np.diff(grey, axis=axis))
        smooth = np.abs(np.diff(ndimage.uniform_filter1d(grey, 9, axis), axis=axis))
        across = step.mean((0, 3 - axis))
        boundary = np.arange(across.size) % JPEG_BLOCK == JPEG_BLOCK - 1
        yield f"{name} blur", np.maximum(step - smooth, 0).sum() / (step.sum() + EPS)
        yield f"{name} blocks", log(across[boundary].mean() + 0.1) - log(across[~boundary].mean() + 0.1)
        yield f"{name} equal", (step < 0.5).mean()
        median, p90, p99 = log(np.percentile(step.ravel()[::3], (50, 90, 99)))
        yield name, {"median": median, "p90": p90, "p99": p99}
    levels = np.bincount(grey.astype(np.intp).ravel(), minlength=256)
    used = np.flatnonzero(levels)
    yield "levels", {"entropy": entropy(levels), "used": used.size / (used[-1] - used[0] + 1)}
    yield "levels in the fullest eight", np.sort(levels)[-8:].sum() / levels.sum()
    for name, channel in zip(("red", "green", "blue"), np.moveaxis(rgb, -1, 0), strict=True):
        yield f"clipped {name}", {"low": (channel < 4).mean(), "high": (channel > 251).mean()}


def _range(values: Array) -> dict[str, Any]:
    return {"least": values.min(), "median": np.median(values), "most": values.max()}
