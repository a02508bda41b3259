"""Pictures whose pixels carry five known aspects, ratings of them, and preferences with known weights."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from reward.aspects import HEADS
from tests.reward_inputs import write_ratings

PLANTED = {"spatial": 0.40, "icono": 0.30, "style": 0.15, "fidelity": 0.10, "material": 0.05}
_SIZE = 128
_PEOPLE = 20


def paint(aspects: np.ndarray, random: np.random.Generator) -> Image.Image:
    """A disc on a coloured ground: place, radius, saturation, noise and lightness follow the five aspects in [0, 1]."""
    spatial, icono, style, fidelity, material = aspects
    y, x = np.mgrid[0:_SIZE, 0:_SIZE] / _SIZE
    light, chroma = 80 + 110 * material, 60 * style
    ground = np.array([light + chroma, light, light - chroma])
    disc = (x - 0.25 - 0.5 * spatial) ** 2 + (y - 0.5) ** 2 < (0.06 + 0.16 * icono) ** 2
    pixels = np.where(disc[..., None], 20.0, ground)
    pixels = pixels + random.normal(0, 1 + 25 * (1 - fidelity), pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def plant(root: Path, prompts: int, images: int, seed: int = 0) -> tuple[Path, Path]:
    """Writes pictures, ratings.csv (one rater with a little noise) and pairs.jsonl (20 people a pair) below `root`."""
    random = np.random.default_rng(seed)
    rows, cells, truth = [], {}, {}
    for p in range(prompts):
        folder = root / "images" / f"p{p}"
        folder.mkdir(parents=True)
        for i in range(images):
            aspects = random.random(len(HEADS))
            name = f"images/p{p}/{i}.png"
            paint(aspects, random).save(root / name)
            cells[len(rows)] = np.clip(10 * aspects + random.normal(0, 0.3, len(HEADS)), 0, 10).round(1).tolist()
            rows.append((f"p{p}", name))
            truth[name] = 10 * aspects
    weights = np.array([PLANTED[head] for head in HEADS])
    lines = []
    for p in range(prompts):
        for i in range(images):
            for j in range(i):
                first, second = f"images/p{p}/{i}.png", f"images/p{p}/{j}.png"
                chance = 1 / (1 + np.exp(-(weights @ (truth[first] - truth[second]))))
                label = random.binomial(_PEOPLE, chance) / _PEOPLE
                lines.append(json.dumps({"prompt": f"p{p}", "img_pos": first, "img_neg": second, "label": label}))
    (root / "pairs.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return write_ratings(root / "ratings.csv", rows, cells), root / "pairs.jsonl"
