"""The embedded default's embedding: natural-scene and layout statistics of one picture, from PIL image to vector."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from reward.backbones.pixellook import COLOUR_NAMES, LAYOUT_NAMES, colour, layout
from reward.backbones.pixelviews import EPS, JPEG_BLOCK, Array, Views, entropy, log, names

VERSION: Final = 2  # part of every cached embedding's identity: raise it whenever a number changes

_WINDOW = 7 / 6  # sigma of the 7 × 7 Gaussian window of MSCN

_SCENE_NAMES = names(
    "mscn",
    ("native", "fine", "middle", "coarse"),
    (
        "spread",
        "shape",
        "skew",
        *names("neighbour", ("right", "below", "diagonal", "antidiagonal"), ("mean", "left", "right")),
    ),
)


def _scene(views: Views) -> list[npt.ArrayLike]:
    """Locally normalised contrast (MSCN) and products of neighbours, at native resolution and three coarser scales.

    Mittal, Moorthy & Bovik, "No-reference image quality assessment in the spatial domain", IEEE TIP 21(12), 2012; the
    fitted Gaussians' shapes are left as E|x| / √E[x²], the ratio of moments from which they are estimated.
    """
    values: list[npt.ArrayLike] = []
    for plane in (views.tile_luma, views.luma[None], _halved(views.luma)[None], _halved(_halved(views.luma))[None]):
        mean = ndimage.gaussian_filter(plane, (0, _WINDOW, _WINDOW), truncate=2.6)
        variance = ndimage.gaussian_filter(plane * plane, (0, _WINDOW, _WINDOW), truncate=2.6) - mean * mean
        x = (plane - mean) / (np.sqrt(np.maximum(variance, 0)) + 1)
        rms = np.sqrt((x * x).mean()) + EPS
        values += [log(rms), np.abs(x).mean() / rms, (x * x * x).mean() / rms**3]
        diagonals = (x[:, 1:, 1:] * x[:, :-1, :-1], x[:, 1:, :-1] * x[:, :-1, 1:])
        for neighbours in (x[:, :, 1:] * x[:, :, :-1], x[:, 1:] * x[:, :-1], *diagonals):
            left, right = (np.sqrt(np.square(np.minimum(sign * neighbours, 0)).mean()) for sign in (1, -1))
            values += [neighbours.mean() / rms**2, log(left), log(right)]
    return values


_FIDELITY_NAMES = (
    *names("tiles", ("sharpness", "noise", "noise red-green", "noise blue"), ("least", "median", "most")),
    *("sharpness of the centre", "sharpness tail"),
    *names("steps", ("down", "right"), ("blur", "blocks", "equal", "median", "p90", "p99")),
    *("levels entropy", "levels used", "levels in the fullest eight"),
    *names("clipped", ("red", "green", "blue"), ("low", "high")),
)


def _fidelity(views: Views) -> list[npt.ArrayLike]:
    """Sharpness, noise, blocks, posterisation and clipping in the native tiles.

    Noise: Immerkær, "Fast noise variance estimation", CVIU 64(2), 1996. Blur: Crété et al., "The blur effect", SPIE
    6492, 2007, as the share of the steps that blurring takes away. Blocks: steps across JPEG's grid over the others,
    after Wang, Sheikh & Bovik, "No-reference perceptual quality assessment of JPEG compressed images", ICIP 2002.
    """
    luma = views.tile_luma
    laplacian = ndimage.laplace(luma, axes=(1, 2))[:, 1:-1, 1:-1]
    sharpness = log(laplacian.var((1, 2)))
    values: list[npt.ArrayLike] = [np.min(sharpness), np.median(sharpness), np.max(sharpness)]
    for plane in (luma, views.tiles[..., 0] - views.tiles[..., 1], views.tiles[..., 2] - luma):
        # Immerkær's mask [1 −2 1; −2 4 −2; 1 −2 1], blind to edges, is a second difference both ways.
        residue = np.abs(np.diff(np.diff(plane, 2, axis=1), 2, axis=2)).mean((1, 2))
        noise = log(residue * np.sqrt(np.pi / 2) / 6)
        values += [np.min(noise), np.median(noise), np.max(noise)]
    power = np.square(laplacian)
    values += [sharpness[4] - np.delete(sharpness, 4).mean(), log(np.square(power).mean()) - 2 * log(power.mean())]
    for axis in (1, 2):
        step = np.abs(np.diff(luma, axis=axis))
        smooth = np.abs(np.diff(ndimage.uniform_filter1d(luma, 9, axis), axis=axis))
        across = step.mean((0, 3 - axis))
        boundary = np.arange(across.size) % JPEG_BLOCK == JPEG_BLOCK - 1
        values.append(np.maximum(step - smooth, 0).sum() / (step.sum() + EPS))
        values += [log(across[boundary].mean() + 0.1) - log(across[~boundary].mean() + 0.1), (step < 0.5).mean()]
        values += list(log(np.percentile(step.ravel()[::3], (50, 90, 99))))
    levels = np.bincount(luma.astype(np.intp).ravel(), minlength=256)
    used = np.flatnonzero(levels)
    values += [entropy(levels), used.size / (used[-1] - used[0] + 1), np.sort(levels)[-8:].sum() / levels.sum()]
    clipped = np.stack([(views.tiles < 4).mean((0, 1, 2)), (views.tiles > 251).mean((0, 1, 2))], axis=-1)
    return [*values, *clipped.ravel()]


def _halved(plane: Array) -> Array:
    even = plane[: plane.shape[0] // 2 * 2, : plane.shape[1] // 2 * 2]
    quads = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    return np.asarray(quads / 4, np.float32)


FEATURE_NAMES: Final = (*_SCENE_NAMES, *_FIDELITY_NAMES, *COLOUR_NAMES, *LAYOUT_NAMES)
DIM: Final = len(FEATURE_NAMES)


def pixel_statistics(image: Image.Image) -> npt.NDArray[np.float32]:
    """(DIM,) float32, always finite, the same for the same pixels: what `FEATURE_NAMES` says, each in its own unit.

    The numbers are not normalised: whoever learns from them does that on the training images. Alpha is ignored.
    """
    views = Views(image.convert("RGB"))
    values = [*_scene(views), *_fidelity(views), *colour(views), *layout(views)]
    return np.array(values, np.float32).reshape(DIM)
