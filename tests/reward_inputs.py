"""Input files for the tests of the reward engine, written as people write them."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

from reward.aspects import HEADS, RATING_COLUMNS
from reward.config import TrainConfig

HEADER = ",".join(["prompt_id", "image_path", *RATING_COLUMNS])
PROJECT = Path(__file__).parents[1]


def draw(path: Path, seed: int, size: int = 64) -> Path:
    """A small PNG that differs from seed to seed."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC).save(path)
    return path


def draw_prompts(root: Path, prompts: int, images: int) -> list[tuple[str, str]]:
    """Draws `images` pictures for each of `prompts`; (prompt_id, path relative to `root`) of each."""
    rows = []
    for p in range(prompts):
        for i in range(images):
            name = f"images/p{p}/{i}.png"
            draw(root / name, 1000 * p + i)
            rows.append((f"p{p}", name))
    return rows


def write_ratings(path: Path, rows: Sequence[tuple[str, str]], ratings: Mapping[int, Sequence[object]]) -> Path:
    """A ratings CSV: five cells for each row number."""
    lines = [HEADER]
    lines += [",".join([*row, *(str(cell) for cell in ratings[number])]) for number, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def simple_ratings(root: Path, prompts: int = 4, images: int = 3, heads: Sequence[str] = HEADS) -> Path:
    """A sound ratings CSV with its pictures; heads that aren't named are blank."""
    rows = draw_prompts(root, prompts, images)
    random = np.random.default_rng(7)
    cells = {n: [round(float(random.uniform(0, 10)), 1) if h in heads else "" for h in HEADS] for n in range(len(rows))}
    return write_ratings(root / "ratings.csv", rows, cells)


def run_trainer(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`python train_reward.py` as a person runs it."""
    command = [sys.executable, str(PROJECT / "train_reward.py"), *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=cwd or PROJECT, capture_output=True, text=True, timeout=300, check=False)


def config(ratings: Path, output: Path, **more: object) -> TrainConfig:
    """A short training on pixelstats."""
    return TrainConfig(ratings=ratings, output=output, backbone="pixelstats", **{"epochs": 3, **more})  # type: ignore[arg-type]  # fields by name


def weights(run: Path, link: str = "last") -> dict[str, np.ndarray]:
    """A checkpoint's tensors."""
    return load_file(run / link / "model.safetensors")


def same(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> bool:
    """Whether two checkpoints are equal, bit for bit."""
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
