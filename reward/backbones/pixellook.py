"""Colour, light and layout statistics of a picture: the half of `pixelstats` that looks at it from afar."""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from reward.backbones.pixelviews import EPS, Array, Views, cells, entropy, log, names

PERCENTILES: Final = (1, 5, 25, 50, 75, 95, 99)
OCTAVES: Final = tuple(2.0**k for k in range(-8, -1))  # lower edges, cycles a pixel
LBP_CODES: Final = 10  # 0–8: that many brighter neighbours in one run; 9: in several runs

COLOUR_NAMES = (
    *names("percentile", ("L*", "a*", "b*", "chroma"), PERCENTILES),
    *names("spread of", ("L*", "a*", "b*", "chroma")),
    *("colourfulness", "hue harmony 1", "hue harmony 2", "hue harmony 3", "warmth"),
    *("palette perplexity", "palette first", "palette first three", "palette first eight", "palette distance"),
    *names("thirds", ("L*", "chroma"), range(1, 10)),
    *names("shade", ("across", "down", "radial", "residue", "spread")),
)


def colour(views: Views) -> list[npt.ArrayLike]:
    """Colour, palette and large-scale light, in L*a*b*.

    Colourfulness: Hasler & Süsstrunk, "Measuring colourfulness in natural images", SPIE 5007, 2003, the measure on
    opponent channels of RGB. Hue harmony: length of the chroma-weighted mean of e^{ikh} over hues h, high for one hue
    (k = 1), two opposite ones (2) or three evenly apart (3).
    """
    lightness, a, b = np.moveaxis(views.lab, -1, 0)
    chroma = np.hypot(a, b)
    planes = (lightness, a, b, chroma)
    values: list[npt.ArrayLike] = [p for plane in planes for p in np.percentile(plane, PERCENTILES)]
    values += [plane.std() for plane in planes]
    red_green = views.rgb[..., 0] - views.rgb[..., 1]
    yellow_blue = (views.rgb[..., 0] + views.rgb[..., 1]) / 2 - views.rgb[..., 2]
    values.append(np.hypot(red_green.std(), yellow_blue.std()) + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))
    hue = np.arctan2(b, a)
    values += [np.abs((chroma * np.exp(1j * k * hue)).sum()) / (chroma.sum() + 1) for k in (1, 2, 3)]
    values.append((chroma * np.cos(hue - np.pi / 3)).mean())  # 60°: between red and yellow, the warmest hue
    values += _palette(views.lab)
    values += [cell for plane in (lightness, chroma) for cell in (cells(plane, 3) - plane.mean()).ravel()]
    light = cells(lightness, 8)
    y, x = np.meshgrid(np.linspace(-1, 1, 8), np.linspace(-1, 1, 8), indexing="ij")
    basis = np.stack([np.ones_like(x), x, y, x * x + y * y], -1).reshape(64, 4)
    fit = np.linalg.lstsq(basis, light.ravel().astype(np.float64))[0]
    return [*values, *fit[1:], (light.ravel() - basis @ fit).std(), light.std()]


def _palette(lab: Array) -> list[npt.ArrayLike]:
    """Number and size of dominant colours, in bins of 10 L* by 16 a* by 16 b*; mean distance of the eight fullest."""
    bins = np.floor(lab.reshape(-1, 3) / (10, 16, 16)).astype(np.intp) + np.array([0, 8, 8])
    codes, counts = np.unique(bins @ (256, 16, 1), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:8]
    top = np.stack([codes[order] // 256 * 10, codes[order] // 16 % 16 * 16, codes[order] % 16 * 16], -1)
    share = np.sort(counts / counts.sum())[::-1]
    weights = np.outer(share[:8], share[:8])
    distance = np.sqrt(np.square(top[:, None] - top[None]).sum(-1))
    return [entropy(counts), share[0], share[:3].sum(), share[:8].sum(), (weights * distance).sum() / weights.sum()]


LAYOUT_NAMES = (
    *names("energy cell", range(1, 17)),
    *("energy", "energy concentration", "energy centre x", "energy centre y", "energy width", "energy height"),
    *names("symmetry", ("light", "energy"), ("across", "down")),
    *names("orientation", range(1, 9)),
    *("orientation entropy", "axis alignment", "axis tilt", "axis sharpness", "tilt size"),
    *("spectrum slope", "spectrum residue", "spectrum across over down", "spectrum on the axes"),
    *names("spectrum octave", range(1, 8)),
    *names("local entropy", ("mean", "spread", "least", "most")),
    *names("local contrast percentile", PERCENTILES),
    *names("texture pattern", range(1, LBP_CODES + 1)),
    *("size", "aspect", "contrast"),
)


def layout(views: Views) -> list[npt.ArrayLike]:
    """Where the detail lies and which way it runs, its spectrum and texture, and the picture's size.

    Centre and width of the gradient energy are in units of the picture's sides. Tilt: the length-weighted mean of
    e^{4iθ} over gradient directions θ, 1 for lines along the picture's sides only, and the peak of the histogram of
    degrees modulo 90. Texture patterns: rotation-invariant uniform LBP on the square of neighbours, Ojala, Pietikäinen
    & Mäenpää, IEEE TPAMI 24(7), 2002.
    """
    gx, gy, length = views.gradient
    energy = cells(length, 32)
    weight = (energy + EPS) / (energy + EPS).sum()
    across, down = weight.sum(0), weight.sum(1)
    place = (np.arange(32) + 0.5) / 32
    x, y = across @ place, down @ place
    coarse = cells(length, 4) + EPS
    values: list[npt.ArrayLike] = [*(coarse / coarse.mean()).ravel(), log(length.mean()), 10 - entropy(weight.ravel())]
    values += [x, y, np.sqrt(across @ np.square(place - x)), np.sqrt(down @ np.square(place - y))]
    for plane in (cells(views.luma, 32), energy):
        values += [_correlation(plane, np.flip(plane, axis)) for axis in (1, 0)]
    values += [*_orientation(gx, gy, length), *_spectrum(views.luma), *_texture(views.luma)]
    width, height = views.image.size
    return [*values, np.log(width * height) / 2, np.log(width / height), views.luma.std()]


def _texture(luma: Array) -> list[npt.ArrayLike]:
    height, width = (side // 16 for side in luma.shape)
    grey = (luma[: height * 16, : width * 16] / 8).astype(np.intp)
    blocks = grey.reshape(height, 16, width, 16).swapaxes(1, 2).reshape(-1, 256)
    bins = blocks + 32 * np.arange(len(blocks))[:, None]
    local = entropy(np.bincount(bins.ravel(), minlength=32 * len(blocks)).reshape(-1, 32))
    mean = ndimage.uniform_filter(luma, 7)
    contrast = np.sqrt(np.maximum(ndimage.uniform_filter(luma * luma, 7) - mean * mean, 0))
    rows, columns = (side - 2 for side in luma.shape)
    ring = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    brighter = np.stack([luma[y : y + rows, x : x + columns] >= luma[1:-1, 1:-1] for y, x in ring])
    turns = (brighter ^ np.roll(brighter, 1, axis=0)).sum(0, dtype=np.uint8)
    codes = np.where(turns <= 2, brighter.sum(0, dtype=np.uint8), LBP_CODES - 1)
    patterns = np.bincount(codes.ravel(), minlength=LBP_CODES) / codes.size
    entropies = (local.mean(), local.std(), local.min(), local.max())
    return [*entropies, *log(np.percentile(contrast, PERCENTILES) + 1), *patterns]


def _orientation(gx: Array, gy: Array, length: Array) -> list[npt.ArrayLike]:
    angle = np.arctan2(gy, gx)
    total = length.sum() + EPS
    octants = np.bincount((angle / np.pi * 8 + 8.5).astype(np.intp).ravel() % 8, length.ravel(), 8) / total
    turns = np.square(np.square(gx + 1j * gy)) / np.maximum(length, 1e-6) ** 3  # length · e^{4iθ}
    mean = turns.sum() / total
    degrees = np.bincount((np.rad2deg(angle) + 360.5).astype(np.intp).ravel() % 90, length.ravel(), 90) / total
    smooth = ndimage.uniform_filter1d(degrees, 3, mode="wrap")
    peak = (int(smooth.argmax()) + 45) % 90 - 45
    return [*octants, entropy(octants + 1e-6), mean.real, mean.imag, smooth.max(), abs(peak)]


def _spectrum(luma: Array) -> list[npt.ArrayLike]:
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
    axes = power[(octave > 1) & (np.minimum(angle, np.pi / 2 - angle) < np.pi / 60)].sum() / (across + down + EPS)
    slope = (line[-1] - line[0]) / (at[-1] - at[0])
    return [slope, np.abs(density - line).mean(), log(across) - log(down), axes, *(density - density.mean())]


def _correlation(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).mean() / (np.sqrt((a * a).mean() * (b * b).mean()) + EPS))
