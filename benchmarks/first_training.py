"""A first and a second training of 15 epochs on 40 prompts × 5 images against the naive loop, ViT-L-14 on the CPU.

    python benchmarks/first_training.py

The naive loop sends both images of each pair through the encoder in each epoch. It is measured on one step of four
pairs (tensors in memory, nothing decoded) and multiplied to all 15 epochs. Of a first training the encoding is measured
end to end on eight of the 200 files and multiplied; all else, which is the second training, is measured whole, in this
process, with what encoding would have left in the cache filled in beforehand by random embeddings.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.encoder import QUICK, REAL, draw_photographs, random_backbone
from benchmarks.encoding import SIZES, end_to_end
from benchmarks.ratios import ROUNDS, Row, in_turn, main
from reward.aspects import HEADS, RATING_COLUMNS
from reward.backbones.base import Backbone
from reward.config import TrainConfig
from reward.embeddings import EmbeddingCache
from reward.events import Encoding
from reward.heads import HeadStack
from reward.images import load_rgb
from reward.training import train

PROMPTS, IMAGES, EPOCHS, PAIRS_A_STEP, PART = 40, 5, 15, 4, 8


def write_ratings(path: Path, files: list[Path]) -> Path:
    """Random ratings, five images a prompt."""
    random = np.random.default_rng(0)
    lines = [",".join(["prompt_id", "image_path", *RATING_COLUMNS])]
    for number, file in enumerate(files):
        ratings = random.uniform(0, 10, len(HEADS)).round(1)
        lines.append(",".join([f"p{number // IMAGES}", str(file), *map(str, ratings)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def naive_step(files: list[Path], backbone: Backbone) -> Callable[[], None]:
    """One step on four pairs: encoder, heads, loss, gradient, optimizer."""
    pixels = torch.stack([backbone.prepare(load_rgb(file)) for file in files[: 2 * PAIRS_A_STEP]])
    heads = HeadStack(1, len(HEADS), backbone.dim)
    optimizer = torch.optim.AdamW(heads.parameters(), lr=1e-4)

    def run() -> None:
        with torch.inference_mode():
            embeddings = backbone.encode(pixels)
        scores = heads(embeddings.clone())
        loss = functional.softplus(scores[:, PAIRS_A_STEP:] - scores[:, :PAIRS_A_STEP]).sum() / PAIRS_A_STEP
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return run


def second_training(folder: Path, ratings: Path, backbone: Backbone) -> Callable[[], None]:
    """A whole training on what the cache holds, into a new folder each time."""
    runs = iter(range(1000))

    def run() -> None:
        config = TrainConfig(
            ratings=ratings,
            output=folder / f"run{next(runs)}",
            backbone=backbone.spec,
            epochs=EPOCHS,
            batch_size=PAIRS_A_STEP,
            cache_dir=folder / "cache",
            device="cpu",
        )
        for event in train(config):
            assert not isinstance(event, Encoding) or event.cached == event.total

    return run


def rows(quick: bool) -> Iterator[Row]:
    prompts, architecture, rounds = (6, QUICK, 1) if quick else (PROMPTS, REAL, ROUNDS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        backbone = random_backbone(folder, architecture)
        files = draw_photographs(folder / "images", "jpg", (64, 64) if quick else SIZES[1], prompts * IMAGES)
        cache = EmbeddingCache(folder / "cache")
        hashes = cache.hashes(files)
        filled = np.random.default_rng(0).normal(size=(len(files), backbone.dim)).astype(np.float32)
        cache.put(hashes, backbone.key, filled / np.linalg.norm(filled, axis=1, keepdims=True))
        ratings = write_ratings(folder / "ratings.csv", files)
        sides = [
            naive_step(files, backbone),
            end_to_end(files[:PART], backbone),
            second_training(folder, ratings, backbone),
        ]
        measured = in_turn(sides, rounds)
    pairs = prompts * IMAGES * (IMAGES - 1) // 2
    naive = np.array([seconds[0] for seconds in measured]) / PAIRS_A_STEP * pairs * EPOCHS
    encoding = np.array([seconds[1] for seconds in measured]) / PART * len(files)
    second = np.array([seconds[2] for seconds in measured])
    what = f"{EPOCHS} epochs, {prompts} prompts × {IMAGES} images, {architecture}"
    encodings = 2 * pairs * EPOCHS / len(files)
    yield Row(
        f"{what}: naive loop (one step) ÷ first training (encoding of {PART})",
        list(naive / (encoding + second)),
        least=50,
    )
    yield Row(f"{what}: encodings of the naive loop ÷ of a first training", [encodings])
    yield Row(f"{what}: naive loop (one step) ÷ second training (whole)", list(naive / second), least=1000)
    yield Row(f"{what}: second training", list(second), unit=" s")


if __name__ == "__main__":
    main(rows, __doc__)
