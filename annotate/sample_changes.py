"""Controlled damage to a picture along the five aspects, for the sample project: pure functions, strength 0 to 1.

Each takes an RGB picture, a strength (0 leaves it as it is, 1 is plain to anybody), and what else it needs;
`rng` decides only in which way the picture is changed, never how much.
"""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageOps
from scipy import ndimage

Box = tuple[float, float, float, float]  # left, top, right, bottom, in parts of the picture's sides
_Floats = npt.NDArray[np.float32]

_UNSEEN = 0.06  # below this strength a picture is left alone: resampling it for nothing would cost sharpness


@dataclass(frozen=True)
class Strengths:
    """How strongly a picture is changed on each aspect, 0 to 1."""

    spatial: float
    icono: float
    style: float
    fidelity: float
    material: float


def changed(
    image: Image.Image, subject: Box, foreign: Image.Image, strengths: Strengths, rng: np.random.Generator
) -> Image.Image:
    """The picture with all five changes; the sticker late, so that neither crop nor colours make it less foreign.

    Args:
        subject: where the picture's subject lies.
        foreign: the picture that doesn't belong there.
    """
    image = flattened(image, strengths.material)
    image = recoloured(image, strengths.style, rng)
    image = misframed(image, strengths.spatial, rng)
    image = covered(image, subject, foreign, strengths.icono, rng)
    return degraded(image, strengths.fidelity, rng)


def misframed(image: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
    """Spatial: tilted by up to 16°, and cropped off-centre to as little as half of each side."""
    if strength < _UNSEEN:
        return image
    side, end = rng.choice([-1, 1]), rng.choice([-1, 1])
    width, height = image.size
    tilted = image.rotate(16 * strength * side, Image.Resampling.BICUBIC, center=(width / 2, height / 2))
    # The largest box of the same shape without the empty corners that the rotation left.
    angle, long = np.deg2rad(16 * strength), max(width, height) / min(width, height)
    whole = 1 / (np.cos(angle) + long * np.sin(angle))
    keep = whole * (1 - 0.4 * strength)
    shift = (whole - keep) / 2
    left, top = (0.5 - keep / 2 + direction * shift for direction in (side, end))
    box = (left * width, top * height, (left + keep) * width, (top + keep) * height)
    return tilted.crop(tuple(round(edge) for edge in box))


def covered(
    image: Image.Image, subject: Box, foreign: Image.Image, strength: float, rng: np.random.Generator
) -> Image.Image:
    """Iconographic: a sticker of something foreign, small in a corner at first, in the end large over the subject."""
    if strength < _UNSEEN:
        return image
    width, height = image.size
    diameter = round((0.22 + 0.55 * strength) * min(width, height))
    corner = np.array([rng.choice([0.15, 0.85]), rng.choice([0.15, 0.85])])
    middle = np.array([subject[0] + subject[2], subject[1] + subject[3]]) / 2
    x, y = corner + (middle - corner) * min(1.0, 1.3 * strength)
    sticker = ImageOps.fit(foreign, (diameter, diameter))
    rim = Image.new("L", (4 * diameter, 4 * diameter))  # drawn four times as large, for a smooth edge
    ImageDraw.Draw(rim).ellipse((0, 0, *rim.size), fill=255)
    mask = rim.resize((diameter, diameter), Image.Resampling.LANCZOS)
    inner = round(0.86 * diameter)
    white = Image.new("RGB", (diameter, diameter), "white")
    white.paste(sticker.resize((inner, inner)), ((diameter - inner) // 2,) * 2, mask.resize((inner, inner)))
    result = image.copy()
    result.paste(white, (round(x * width - diameter / 2), round(y * height - diameter / 2)), mask)
    return result


def recoloured(image: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
    """Style: shadows and lights pulled apart to clashing hues, colours driven up, tones reduced to a few steps."""
    if strength < _UNSEEN:
        return image
    dark, light = ((40, 0, 110), (190, 255, 60)) if rng.random() < 0.5 else ((0, 70, 60), (255, 130, 220))
    pixels = np.asarray(image, np.float32)
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    tone = (grey / 255)[..., None]
    toned = np.array(dark, np.float32) * (1 - tone) + np.array(light, np.float32) * tone
    vivid = grey[..., None] + (pixels - grey[..., None]) * (1 + strength)
    mixed = np.clip(vivid + 0.6 * strength * (toned - vivid), 0, 255)
    steps = round(4 + 28 * (1 - strength) ** 2)
    return _image(np.round(mixed / 255 * (steps - 1)) / (steps - 1) * 255)


def flattened(image: Image.Image, strength: float) -> Image.Image:
    """Material: fine texture ironed out between the edges, light evened out, contrast taken away.

    The texture goes by the guided filter of He, Sun & Tang, IEEE TPAMI 35(6), 2013, each channel guiding itself.
    """
    if strength < _UNSEEN:
        return image
    pixels = np.asarray(image, np.float32)
    smooth = _guided(pixels, radius=round(3 + 6 * strength), tolerance=(60 * strength) ** 2)
    light = smooth.mean(-1)
    for _ in range(3):  # three box filters: a Gaussian of 40 pixels in a tenth of its time
        light = ndimage.uniform_filter(light, 81)
    level = smooth.mean()
    even = smooth - 0.6 * strength * (light[..., None] - level)
    return _image(level + (1 - 0.4 * strength) * (even - level))


def degraded(image: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
    """Fidelity: out of focus, noisy, or compressed until blocks show; each with some of the last."""
    if strength < _UNSEEN:
        return image
    kind = rng.choice(["blur", "noise", "blocks"])
    pixels = np.asarray(image, np.float32)
    if kind == "blur":
        pixels = ndimage.gaussian_filter(pixels, (0.5 + 2.8 * strength, 0.5 + 2.8 * strength, 0))
    elif kind == "noise":
        pixels = pixels + rng.normal(0, 6 + 34 * strength, pixels.shape).astype(np.float32)
    buffer = io.BytesIO()
    quality = 45 - 40 * strength if kind == "blocks" else 75 - 45 * strength
    _image(pixels).save(buffer, "JPEG", quality=round(quality))
    return Image.open(buffer).convert("RGB")


def _guided(pixels: _Floats, radius: int, tolerance: float) -> _Floats:
    size = (2 * radius + 1, 2 * radius + 1, 1)
    mean = ndimage.uniform_filter(pixels, size)
    variance = np.maximum(ndimage.uniform_filter(pixels * pixels, size) - mean * mean, 0)
    slope = variance / (variance + tolerance)
    level = ndimage.uniform_filter(mean * (1 - slope), size)
    return np.asarray(ndimage.uniform_filter(slope, size) * pixels + level, np.float32)


def _image(pixels: npt.NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(np.round(pixels), 0, 255).astype(np.uint8))
