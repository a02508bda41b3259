"""Colour, light and layout statistics of a picture: the half of `pixelstats` that looks at it from afar."""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft, ndimage
from skimage.color import rgb2lab

from reward.backbones.pixelviews import EPS, Array, Named, cells, entropy, log

PERCENTILES: Final = (1, 5, 25, 50, 75, 95, 99)
OCTAVES: Final = tuple(2.0**k for k in range(-8, -1))  # lower edges, cycles a pixel
LBP_CODES: Final = 10  # 0–8: that many brighter neighbours in one run; 9: in several runs


def colour(rgb: Array) -> Named:
    """Colour, palette and large-scale light of a small copy (h, w, 3), in L*a*b* under D65.

    Colourfulness: Hasler & Süsstrunk, "Measuring colourfulness in natural images", SPIE 5007, 2003, the measure on
    opponent channels of RGB. Hue harmony: length of the chroma-weighted mean of e^{ikh} over hues h, high for one hue
    (k = 1), two opposite ones (2) or three evenly apart (3).
    """
    lab = rgb2lab(rgb / 255)
    lightness, a, b = np.moveaxis(lab, -1, 0)
    chroma, hue = np.hypot(a, b), np.arctan2(b, a)
    planes = {"L*": lightness, "a*": a, "b*": b, "chroma": chroma}
    for name, plane in planes.items():
        yield f"percentile {name}", dict(zip(PERCENTILES, np.percentile(plane, PERCENTILES), strict=True))
    yield "spread of", {name: plane.std() for name, plane in planes.items()}
    red_green, yellow_blue = rgb[..., 0] - rgb[..., 1], (rgb[..., 0] + rgb[..., 1]) / 2 - rgb[..., 2]
    spread, mean = np.hypot(red_green.std(), yellow_blue.std()), np.hypot(red_green.mean(), yellow_blue.mean())
    yield "colourfulness", spread + 0.3 * mean
    yield "hue harmony", [np.abs((chroma * np.exp(1j * k * hue)).sum()) / (chroma.sum() + 1) for k in (1, 2, 3)]
    yield "warmth", (chroma * np.cos(hue - np.pi / 3)).mean()  # 60°: between red and yellow, the warmest hue
    yield from _palette(lab)
    yield "thirds", {name: cells(planes[name], 3) - planes[name].mean() for name in ("L*", "chroma")}
    yield from _shade(cells(lightness, 8))


def _palette(lab: Array) -> Named:
    """Number and size of dominant colours, in bins of 10 L* by 16 a* by 16 b*; mean distance of the eight fullest."""
    size, grid = (10, 16, 16), (16, 16, 16)
    bins = np.floor(lab.reshape(-1, 3) / size).astype(np.intp) + np.array([0, 8, 8])
    codes, counts = np.unique(np.ravel_multi_index(bins.T, grid), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:8]
    share, place = counts[order] / counts.sum(), np.transpose(np.unravel_index(codes[order], grid)) * size
    weights, distance = np.outer(share, share), np.sqrt(np.square(place[:, None] - place).sum(-1))
    yield "palette perplexity", entropy(counts)
    yield "palette", {"first": share[0], "first three": share[:3].sum(), "first eight": share.sum()}
    yield "palette distance", (weights * distance).sum() / weights.sum()


def _shade(light: Array) -> Named:
    """Large-scale light as a slope and a bowl, by least squares on a grid (8, 8) of lightness."""
    y, x = np.meshgrid(np.linspace(-1, 1, 8), np.linspace(-1, 1, 8), indexing="ij")
    basis = np.stack([np.ones_like(x), x, y, x * x + y * y], -1).reshape(64, 4)
    fit = np.linalg.lstsq(basis, light.ravel().astype(np.float64))[0]
    yield "shade", dict(zip(("across", "down", "radial"), fit[1:], strict=True))
    yield "shade", {"residue": (light.ravel() - basis @ fit).std(), "spread": light.std()}


def layout(luma: Array, size: tuple[int, int]) -> Named:
    """Where the detail lies and which way it runs, its spectrum and texture, and the picture's size.

    Centre and width of the gradient energy are in units of the picture's sides.

    Args: luma (h, w) of a reduced copy; size: (width, height) of the picture itself.
    """
    # Derivatives of a Gaussian: Sobel's directions are degrees off on sharp edges, and tilt is told by degrees.
    gx, gy = (ndimage.gaussian_filter(luma, 1.0, order) for order in ((0, 1), (1, 0)))
    length = np.hypot(gx, gy)
    energy, coarse = cells(length, 32), cells(length, 4) + EPS
    weight = (energy + EPS) / (energy + EPS).sum()
    yield "energy cell", coarse / coarse.mean()
    yield "energy", log(length.mean())
    yield "energy concentration", 10 - entropy(weight.ravel())
    place = (np.arange(32) + 0.5) / 32
    across, down = weight.sum(0), weight.sum(1)
    x, y = across @ place, down @ place
    yield "energy centre", {"x": x, "y": y}
    yield "energy", {"width": np.sqrt(across @ np.square(place - x)), "height": np.sqrt(down @ np.square(place - y))}
    for name, plane in {"light": cells(luma, 32), "energy": energy}.items():
        mirrored = {"across": np.flip(plane, 1), "down": np.flip(plane, 0)}
        yield f"symmetry {name}", {way: _correlation(plane, other) for way, other in mirrored.items()}
    yield from _orientation(gx, gy, length)
    yield from _spectrum(luma)
    yield from _texture(luma)
    yield "size", np.log(size[0] * size[1]) / 2
    yield "aspect", np.log(size[0] / size[1])
    yield "contrast", luma.std()


def _correlation(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).mean() / (np.sqrt((a * a).mean() * (b * b).mean()) + EPS))


def _orientation(gx: Array, gy: Array, length: Array) -> Named:
    """Directions θ of the gradient, weighted by its length.

    Alignment and tilt: the mean of e^{4iθ}, 1 for lines along the picture's sides only. Tilt's size: the peak of the
    histogram of degrees modulo 90.
    """
    angle = np.arctan2(gy, gx)
    total = length.sum() + EPS
    octants = np.bincount((angle / np.pi * 8 + 8.5).astype(np.intp).ravel() % 8, length.ravel(), 8) / total
    turns = np.square(np.square(gx + 1j * gy)) / np.maximum(length, 1e-6) ** 3  # length · e^{4iθ}
    mean = turns.sum() / total
    degrees = np.bincount((np.rad2deg(angle) + 360.5).astype(np.intp).ravel() % 90, length.ravel(), 90) / total
    smooth = ndimage.uniform_filter1d(degrees, 3, mode="wrap")
    yield "orientation", octants
    yield "orientation entropy", entropy(octants + 1e-6)
    yield "axis", {"alignment": mean.real, "tilt": mean.imag, "sharpness": smooth.max()}
    yield "tilt size", abs((int(smooth.argmax()) + 45) % 90 - 45)


def _spectrum(luma: Array) -> Named:
    """Power over frequency of the windowed view: natural pictures fall like 1/f² (Field, JOSA A 4(12), 1987)."""
    window = np.outer(np.hanning(luma.shape[0]), np.hanning(luma.shape[1])).astype(np.float32)
    power = np.square(np.abs(fft.rfft2((luma - luma.mean()) * window)))
    fy, fx = np.abs(fft.fftfreq(luma.shape[0]))[:, None], fft.rfftfreq(luma.shape[1])[None]
    octave = np.digitize(np.hypot(fx, fy), OCTAVES)  # 0: below the lowest, where the window itself lies
    count = np.bincount(octave.ravel(), minlength=8)[1:]
    density = log(np.bincount(octave.ravel(), power.ravel(), 8)[1:] / np.maximum(count, 1))
    at, seen = np.log(OCTAVES), count > 0  # a small picture has no slow waves: its lowest octaves are extrapolated
    line = np.polyval(np.polyfit(at[seen], density[seen], 1), at)
    density = np.where(seen, density, line)
    angle = np.arctan2(fy, fx)
    across, down = (power[(octave > 1) & side].sum() for side in (angle < np.pi / 4, angle >= np.pi / 4))
    axes = power[(octave > 1) & (np.minimum(angle, np.pi / 2 - angle) < np.pi / 60)].sum()
    yield "spectrum slope", (line[-1] - line[0]) / (at[-1] - at[0])
    yield "spectrum residue", np.abs(density - line).mean()
    yield "spectrum across over down", log(across) - log(down)
    yield "spectrum on the axes", axes / (across + down + EPS)
    yield "spectrum octave", density - density.mean()


def _texture(luma: Array) -> Named:
    """Entropy of blocks, local contrast, and rotation-invariant uniform LBP on the square of neighbours.

    LBP: Ojala, Pietikäinen & Mäenpää, IEEE TPAMI 24(7), 2002.
    """
    blocks = sliding_window_view((luma / 8).astype(np.intp), (16, 16))[::16, ::16].reshape(-1, 256)
    bins = blocks + 32 * np.arange(len(blocks))[:, None]
    local = entropy(np.bincount(bins.ravel(), minlength=32 * len(blocks)).reshape(-1, 32))
    yield "local entropy", {"mean": local.mean(), "spread": local.std(), "least": local.min(), "most": local.max()}
    mean = ndimage.uniform_filter(luma, 7)
    contrast = np.sqrt(np.maximum(ndimage.uniform_filter(luma * luma, 7) - mean * mean, 0))
    contrasts = log(np.percentile(contrast, PERCENTILES) + 1)
    yield "local contrast percentile", dict(zip(PERCENTILES, contrasts, strict=True))
    window = sliding_window_view(luma, (3, 3))
    ring = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    brighter = np.stack([window[..., y, x] >= window[..., 1, 1] for y, x in ring])
    turns = (brighter ^ np.roll(brighter, 1, axis=0)).sum(0, dtype=np.uint8)
    codes = np.where(turns <= 2, brighter.sum(0, dtype=np.uint8), LBP_CODES - 1)
    yield "texture pattern", np.bincount(codes.ravel(), minlength=LBP_CODES) / codes.size
