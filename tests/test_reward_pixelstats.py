"""`pixel_statistics`: defined for every picture, repeatable, and each number moves the way its name says."""

import io
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from reward.backbones.pixelstats import DIM, VERSION, named_statistics, pixel_statistics


def statistics(image: Image.Image) -> dict[str, float]:
    return named_statistics(image)


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


@pytest.fixture(scope="module")
def photograph() -> Image.Image:
    with (files("skimage") / "data" / "coffee.png").open("rb") as file:
        return Image.open(file).convert("RGB")


def test_names_are_one_a_number() -> None:
    image = Image.new("RGB", (40, 30), (10, 120, 200))
    numbers = named_statistics(image)
    assert len(numbers) == DIM
    assert np.array_equal(pixel_statistics(image), np.float32(list(numbers.values())))
    assert isinstance(VERSION, int)


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 2), (7, 9), (33, 31), (257, 127), (1, 3000), (20_000, 3), (512, 512)], ids=str
)
@pytest.mark.parametrize("content", ["black", "white", "grey", "noise", "transparent"])
def test_every_picture_gives_finite_numbers(size: tuple[int, int], content: str) -> None:
    if content == "noise":
        pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        image = Image.fromarray(pixels)
    else:
        mode, colour = {"black": ("RGB", 0), "white": ("L", 255), "grey": ("I;16", 30_000), "transparent": ("RGBA", 0)}[
            content
        ]
        image = Image.new(mode, size, colour)
    numbers = pixel_statistics(image)
    assert numbers.shape == (DIM,)
    assert numbers.dtype == np.float32
    assert [name for name, x in named_statistics(image).items() if not np.isfinite(x)] == []


def test_the_same_pixels_give_the_same_numbers(photograph: Image.Image) -> None:
    first = pixel_statistics(photograph)
    assert np.array_equal(first, pixel_statistics(photograph.copy()))
    assert np.array_equal(first, pixel_statistics(photograph.convert("RGBA")))


def test_different_pictures_differ_in_most_numbers(photograph: Image.Image) -> None:
    other = ImageOps.invert(photograph).transpose(Image.Transpose.ROTATE_90)
    assert np.mean(pixel_statistics(photograph) != pixel_statistics(other)) > 0.9


def test_blur_noise_and_jpeg_show_where_their_names_say(photograph: Image.Image) -> None:
    clean = statistics(photograph)
    blurred = statistics(photograph.filter(ImageFilter.GaussianBlur(2)))
    pixels = np.asarray(photograph, float) + np.random.default_rng(1).normal(0, 20, (400, 600, 3))
    noisy = statistics(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)))
    blocky = statistics(as_jpeg(photograph, 8))

    assert blurred["tiles sharpness median"] < clean["tiles sharpness median"] - 1
    assert blurred["steps right blur"] < clean["steps right blur"]
    assert noisy["tiles noise least"] > clean["tiles noise least"] + 0.5
    assert np.exp(noisy["tiles noise median"]) == pytest.approx(20 * np.sqrt(0.299**2 + 0.587**2 + 0.114**2), rel=0.25)
    assert blocky["steps right blocks"] > clean["steps right blocks"] + 0.5
    assert blocky["steps down blocks"] > clean["steps down blocks"] + 0.5


def test_colour_shows_where_its_names_say(photograph: Image.Image) -> None:
    colours = statistics(photograph)
    grey = statistics(ImageOps.grayscale(photograph))
    posterised = statistics(ImageOps.posterize(photograph, 2))
    bright = statistics(photograph.point(lambda value: min(255, value * 3)))

    assert grey["colourfulness"] == pytest.approx(0, abs=1e-3)
    assert grey["percentile chroma 99"] == pytest.approx(0, abs=0.1)
    assert colours["colourfulness"] > 20
    assert posterised["palette perplexity"] < colours["palette perplexity"]
    assert posterised["levels used"] < colours["levels used"] / 2
    assert bright["clipped red high"] > colours["clipped red high"] + 0.2


def test_tilt_and_place_show_where_their_names_say() -> None:
    stripes = Image.fromarray(np.tile(np.repeat(np.uint8([40, 200]), 24), 20)[None].repeat(800, 0))
    upright = statistics(stripes.crop((200, 200, 600, 600)))
    tilted = statistics(stripes.rotate(12, Image.Resampling.BICUBIC).crop((200, 200, 600, 600)))
    assert upright["axis alignment"] > 0.99
    assert upright["tilt size"] == 0
    direction = np.rad2deg(np.arctan2(tilted["axis tilt"], tilted["axis alignment"])) / 4
    assert abs(direction) == pytest.approx(12, abs=0.2)
    assert tilted["tilt size"] == pytest.approx(12, abs=3)

    scene = Image.new("L", (400, 400), 90)
    scene.paste(stripes.crop((0, 0, 90, 90)), (300, 20))
    corner = statistics(scene)
    assert corner["energy centre x"] > 0.7
    assert corner["energy centre y"] < 0.3
    assert corner["energy cell 4"] > 5
    assert statistics(ImageOps.mirror(scene))["energy centre x"] == pytest.approx(
        1 - corner["energy centre x"], abs=0.01
    )


def test_size_and_aspect_are_of_the_whole_picture() -> None:
    numbers = statistics(Image.new("RGB", (4000, 1000), (10, 120, 200)))
    assert numbers["size"] == pytest.approx(np.log(2000))
    assert numbers["aspect"] == pytest.approx(np.log(4))


def test_it_is_had_without_torch() -> None:
    check = "import sys, reward.backbones.pixelstats; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
