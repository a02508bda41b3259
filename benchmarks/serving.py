"""What the desk's benchmarks share: a data folder with many images, and servers in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[1]
IMAGES_A_PROMPT = 5
DISTINCT = 32
SIDE = 1024  # pixels


def make_images(data: Path, count: int) -> None:
    """`count` images of a megapixel, five a prompt. Few differ: the others are further names of the same files."""
    rng = np.random.default_rng(0)
    store = data.parent / "pictures"
    store.mkdir(parents=True)
    for number in range(min(count, DISTINCT)):
        small = Image.fromarray(rng.integers(0, 256, (96, 96, 3), dtype=np.uint8))
        small.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(store / f"{number}.jpg", quality=90)
    for number in range(count):
        folder = data / "images" / f"p{number // IMAGES_A_PROMPT:05d}"
        folder.mkdir(parents=True, exist_ok=True)
        os.link(store / f"{number % DISTINCT}.jpg", folder / f"{number % IMAGES_A_PROMPT}.jpg")


@contextmanager
def serving(command: Sequence[str], folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server that prints its address at the end of its first line, and its process; it ends with the block."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        try:
            if "http://" not in line:
                raise SystemExit(f"the server did not start: {' '.join(command)}")
            yield line.split()[-1], server
        finally:
            server.terminate()
            server.wait(60)


@contextmanager
def studio(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The studio, served on `folder`/data: its address and its process."""
    with serving([sys.executable, os.fspath(REPOSITORY / "app.py"), "--port", "0"], folder) as served:
        yield served
