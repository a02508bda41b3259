"""Pictures whose pixels carry five known aspects, ratings by people of known bias, preferences of known weights."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from reward.aspects import HEADS
from tests.reward_inputs import HEADER

WEIGHTS = {"spatial": 0.35, "icono": 0.25, "style": 0.20, "fidelity": 0.12, "material": 0.08}
PEOPLE = ("anna", "bo", "chen", "dora", "emil", "fay")
_SIZE, _MORE_DOTS = 96, 16
_RATE_EACH = 5  # of the people, so that a plain mean holds some of their biases
_BIAS, _NOISE = 0.8, (0.3, 0.6)  # rating points: standard deviation of biases; least and most of a person's noise
_ASKED, _DECIDEDNESS = 10, 1.5  # people asked about a pair; log-odds a point of the overall difference


@dataclass(frozen=True)
class Planted:
    """The files, and what was put into them.

    Attributes:
        ratings, pairs: the files; prompts.csv lies beside them.
        bias: (people, heads) how much higher than the others each person rates, rating points.
    """

    ratings: Path
    pairs: Path
    bias: np.ndarray


def paint(aspects: np.ndarray, random: np.random.Generator) -> Image.Image:
    """Five aspects in [0, 1], each to be seen with the eye.

    Where a dark disc lies from left to right; how many white dots there are; how colourful the ground is, how free of
    noise and how coarse its grain.
    """
    spatial, icono, style, fidelity, material = aspects
    y, x = np.mgrid[0:_SIZE, 0:_SIZE] / _SIZE
    pixels = np.zeros((_SIZE, _SIZE, 3)) + random.uniform(110, 140) + (8 + 52 * style) * np.array([1, 0, -1])
    pixels += 22 * _grain(3 * 8**material, random)[..., None]
    disc = np.hypot(x - 0.25 - 0.5 * spatial, y - random.uniform(0.44, 0.56))
    pixels -= 75 * np.clip((0.22 - disc) / 0.04 + 0.5, 0, 1)[..., None]
    pixels += random.normal(0, 1.5 * np.exp(2.6 * (1 - fidelity)), pixels.shape)
    for cell in random.permutation(25)[: 2 + round(_MORE_DOTS * icono)]:
        down, across = (np.array(divmod(cell, 5)) + random.uniform(0.25, 0.75, 2)) / 5
        pixels[np.hypot(x - across, y - down) < 0.04] = 255
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _grain(wavelength: float, random: np.random.Generator) -> np.ndarray:
    """Noise of one wavelength, in pixels, of unit variance."""
    frequency = np.fft.fftfreq(_SIZE)
    octaves = np.log(np.hypot(frequency[:, None], frequency) * wavelength + 1e-9)
    waves = np.fft.ifft2(np.fft.fft2(random.normal(size=(_SIZE, _SIZE))) * np.exp(-((octaves / 0.2) ** 2) / 2)).real
    return waves / waves.std()


def plant(root: Path, prompts: int, images: int, seed: int = 0) -> Planted:
    """Writes pictures, multihead_ratings.csv (a row a person and image), pairs.jsonl and prompts.csv below `root`."""
    random = np.random.default_rng(seed)
    aspects = random.random((prompts, images, len(HEADS)))
    counted = HEADS.index("icono")
    aspects[..., counted] = (aspects[..., counted] * _MORE_DOTS).round() / _MORE_DOTS  # dots come in whole numbers
    truth = 1 + 8 * aspects
    names = [[f"images/p{p}/{i}.png" for i in range(images)] for p in range(prompts)]
    for p, i in np.ndindex(prompts, images):
        file = root / names[p][i]
        file.parent.mkdir(parents=True, exist_ok=True)
        paint(aspects[p, i], random).save(file)
    bias = random.normal(0, _BIAS, (len(PEOPLE), len(HEADS)))
    bias -= bias.mean(axis=0)
    noise = random.uniform(*_NOISE, bias.shape)
    rows = []
    for p, i in np.ndindex(prompts, images):
        for who in sorted(random.permutation(len(PEOPLE))[:_RATE_EACH]):
            given = np.clip(random.normal(truth[p, i] + bias[who], noise[who]), 0, 10).round(1)
            rows.append([f"p{p}", names[p][i], *given, PEOPLE[who]])
    ratings = root / "multihead_ratings.csv"
    write_rows(ratings, rows)
    overall = truth @ np.array([WEIGHTS[head] for head in HEADS])
    lines = []
    for p in range(prompts):
        for i, j in zip(*np.triu_indices(images, 1), strict=True):
            chance = 1 / (1 + np.exp(-_DECIDEDNESS * (overall[p, i] - overall[p, j])))
            label = random.binomial(_ASKED, chance) / _ASKED
            lines.append({"prompt": f"picture {p}", "img_pos": names[p][i], "img_neg": names[p][j], "label": label})
    (root / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    texts = "".join(f"p{p},picture {p}\n" for p in range(prompts))
    (root / "prompts.csv").write_text("prompt_id,prompt\n" + texts, encoding="utf-8")
    return Planted(ratings, root / "pairs.jsonl", bias)


def shuffle_ratings(planted: Planted, path: Path, seed: int = 0) -> Path:
    """A copy of the ratings in which each person's marks on each head are dealt to other images of theirs."""
    random = np.random.default_rng(seed)
    with planted.ratings.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    for who in PEOPLE:
        theirs = [row for row in rows if row[-1] == who]
        for column in range(2, 2 + len(HEADS)):
            cells = random.permutation([row[column] for row in theirs])
            for row, cell in zip(theirs, cells, strict=True):
                row[column] = str(cell)
    return write_rows(path, rows)


def write_rows(path: Path, rows: list[list[object]] | list[list[str]]) -> Path:
    """A ratings CSV with annotators."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([[*HEADER.split(","), "annotator"], *rows])
    return path
