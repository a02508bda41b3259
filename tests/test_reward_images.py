"""Pixels as a person sees them, and files that hold none."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reward.images import ImageFiles, content_sha256, image_problem, list_images, load_rgb, locate_images, resolve_image
from tests.reward_inputs import draw


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "red")
    exif = image.getexif()
    exif[0x0112] = 6  # turn by 90°
    image.save(tmp_path / "a.jpg", exif=exif)
    assert load_rgb(tmp_path / "a.jpg").size == (20, 40)


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert load_rgb(tmp_path / "a.png").getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 32896, dtype=np.uint16)).save(tmp_path / "a.png")
    assert load_rgb(tmp_path / "a.png").getpixel((0, 0)) == (128, 128, 128)


def test_cmyk_and_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    red, green, _ = load_rgb(tmp_path / "a.jpg").getpixel((4, 4))
    assert red > 200 > 60 > green
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert load_rgb(tmp_path / "a.gif").getpixel((4, 4)) == (255, 0, 0)


def test_what_is_no_image_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("<svg onload='x'></svg>")
    assert image_problem(tmp_path / "a.png") == "not an image that Pillow can read"
    assert image_problem(tmp_path / "none.png") == "the file does not exist"
    assert image_problem(tmp_path) == "not a file"
    with pytest.raises(ValueError) as caught:
        load_rgb(tmp_path / "a.png")
    assert "not an image" in str(caught.value)


def test_a_picture_of_a_billion_pixels_is_refused_without_decoding(tmp_path: Path) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    assert image_problem(tmp_path / "a.png") == "too many pixels to be decoded safely"


def test_folders_are_searched_and_files_kept(tmp_path: Path) -> None:
    b = draw(tmp_path / "x" / "b.png", 1)
    a = draw(tmp_path / "a.png", 2)
    (tmp_path / "note.txt").write_text("x")
    assert list_images([tmp_path]) == [a, b]
    assert list_images([b, a]) == [b, a]
    assert content_sha256(a) != content_sha256(b)


def test_many_paths_lead_where_each_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("root/a/1.png", "here/a/1.png", "here/a/2.png", "here/3.png", "csv/b/4.png", "csv/3.png"):
        draw(tmp_path / name, 1)
    monkeypatch.chdir(tmp_path / "here")
    names = ["a/1.png", "a/2.png", "./a/2.png", "3.png", "b/4.png", "b/5.png", "a//1.png", "b/../a/2.png", "a/1.png/"]
    names += [str(tmp_path / "csv/b/4.png"), f"{tmp_path}/csv/../root/a/1.png", "nowhere/6.png", "../csv/3.png", "."]
    for bases in ([Path(), tmp_path / "csv"], [tmp_path / "root", Path(), tmp_path / "csv"], [Path("../csv")]):
        expected = [os.path.normpath(resolve_image(name, bases)) for name in names]
        assert locate_images(pd.Series(names, dtype="str"), bases).tolist() == expected
        assert [locate_images(pd.Series([name], dtype="str"), bases)[0] for name in names] == expected


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp", "gif", "avif", "mpo"])
def test_a_loaded_picture_outlives_its_file(tmp_path: Path, suffix: str) -> None:
    frames = [Image.effect_mandelbrot((80, 60), (-2, -1, 1, edge), 20).convert("RGB") for edge in (1, 2)]
    many = {} if suffix in ("bmp", "jpg") else {"save_all": True, "append_images": frames[1:]}
    path = tmp_path / f"a.{suffix}"
    frames[0].save(path, **many)
    with Image.open(path) as opened:
        expected = np.asarray(opened.convert("RGB"))
    image = load_rgb(path)
    path.unlink()
    assert image.mode == "RGB"
    assert (np.asarray(image) == expected).all()
    assert image.resize((8, 8)).getextrema() == Image.fromarray(expected).resize((8, 8)).getextrema()
    assert image.crop((0, 0, 9, 9)).size == (9, 9)


def test_files_are_a_sequence_of_paths_that_are_made_when_asked_for() -> None:
    files = ImageFiles(["a/1.png", "a/2.png", "b/3.png"])
    assert (len(files), files[-1], list(files[1:])) == (3, Path("b/3.png"), [Path("a/2.png"), Path("b/3.png")])
    assert list(files) == [files[0], files[1], files[2]]
    assert Path("a/2.png") in files
    assert files[0] is not files[0]
