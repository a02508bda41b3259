"""The sample project: photographs bundled with scikit-image, changed in known ways, and simulated people's ratings.

Made on first use, so that a newcomer can rate, train and analyse at once. Everything in it that looks like an opinion
is computed; annotators' names, SAMPLE.txt and simulated_truth.csv say so.
"""

import csv
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from annotate.csv_files import PEOPLE_HEADER, write_number
from annotate.judgement import SIMULATED_PREFIX
from annotate.project import SAMPLE_MARKER, Project
from annotate.sample_changes import Box, Strengths, changed
from reward.aspects import HEADS, MAX_RATING, MIN_RATING
from reward.errors import RewardError

ANNOTATORS = tuple(f"{SIMULATED_PREFIX}{number}" for number in range(1, 6))
TRUTH_FILE = "simulated_truth.csv"
_SEED = 20
_LONGEST = 640  # pixels
_VARIANTS = 5
_BEST, _LOSS = 9.3, 8.0  # quality of an unchanged picture, and what the strongest change takes from it, rating points
_HALO = 0.15  # how far a head's rating is drawn to the person's overall impression
_NOISE = 0.7  # standard deviation of a single rating, rating points
_UNJUDGED = 0.03  # share of cells a person leaves blank

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Photograph:
    prompt_id: str
    file: str
    prompt: str
    subject: Box
    credit: str


_PHOTOGRAPHS = (
    _Photograph(
        "astronaut",
        "astronaut.png",
        "A smiling astronaut in an orange space suit, with a space shuttle behind",
        (0.25, 0.02, 0.62, 0.45),
        "Eileen Collins; NASA, public domain",
    ),
    _Photograph(
        "camera",
        "camera.png",
        "Black-and-white photograph of a man looking through a camera on a tripod",
        (0.15, 0.1, 0.6, 0.6),
        "Lav Varshney, CC0",
    ),
    _Photograph(
        "cat",
        "chelsea.png",
        "Close-up of a tabby cat with green eyes",
        (0.25, 0.15, 0.8, 0.9),
        "Stéfan van der Walt, CC0",
    ),
    _Photograph(
        "coffee",
        "coffee.png",
        "A cup of espresso on a red saucer, on a wooden table",
        (0.2, 0.05, 0.75, 0.9),
        "Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0",
    ),
    _Photograph(
        "galaxies",
        "hubble_deep_field.jpg",
        "Thousands of distant galaxies on the black of deep space",
        (0.2, 0.2, 0.8, 0.8),
        "Hubble eXtreme Deep Field; NASA, public domain",
    ),
    _Photograph(
        "motorcycle",
        "motorcycle_left.png",
        "A red motorcycle parked in a garage",
        (0.15, 0.25, 0.95, 0.9),
        "D. Scharstein et al., Middlebury 2014 stereo benchmark, by way of scikit-image",
    ),
    _Photograph(
        "retina",
        "retina.jpg",
        "The retina of a human eye with its fine blood vessels, seen by an eye doctor",
        (0.2, 0.2, 0.8, 0.8),
        "Mikael Häggström, CC0",
    ),
    _Photograph(
        "rocket",
        "rocket.jpg",
        "A rocket on its launch pad between lightning towers at dusk",
        (0.4, 0.25, 0.6, 0.95),
        "SpaceX, public domain",
    ),
)

_MARKER_TEXT = """SIMULATED RATINGS

This project was made by the program, for a first look. Its pictures are photographs that come with scikit-image,
changed on purpose in five ways (framing, foreign objects, colours, technical faults, flattened surfaces).

No person gave the ratings of simulated-1 to simulated-5. They were computed from the strength of
each change, with a bias and noise for each name. {truth} holds what they were computed from.

Ratings that you give in here are written to annotations/own/, apart from these: don't mix the two. Put your own
pictures into images/<prompt_id>/ of the folder above, and the studio opens that instead.

Photographs
{credits}
"""


def make_sample(root: Path) -> None:
    """Make the sample project at `root`, unless it is there; takes a few seconds.

    It appears whole or not at all: built in a hidden folder beside and renamed. Of two that start at once, one
    makes it and the other waits; what a killed one left is cleared away by the next.

    Raises:
        RewardError: `root` holds something that isn't the sample.
        OSError: the folder above can't be written, or the disk is full.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(root.parent):
        if (root / SAMPLE_MARKER).is_file():
            return
        if root.exists() and not (root.is_dir() and not any(root.iterdir())):
            raise RewardError(f"{root} is where the sample goes, but holds something else; move that away")
        building = root.with_name(f".{root.name}.building")
        if building.exists():
            shutil.rmtree(building)
        try:
            _build(Project(building))
            building.rename(root)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the folder itself as a lock: it leaves no file behind, and goes with the process however that ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _build(project: Project) -> None:
    photographs = [_load(photograph.file) for photograph in _PHOTOGRAPHS]
    paths, strengths = [], []
    for number, photograph in enumerate(_PHOTOGRAPHS):
        foreign = photographs[3 if photograph.prompt_id == "cat" else 2]  # the cat gets a coffee, all others the cat
        folder = project.images / photograph.prompt_id
        folder.mkdir(parents=True)
        for variant, plan in enumerate(_plan(np.random.default_rng((_SEED, number)))):
            rng = np.random.default_rng((_SEED, number, variant))
            picture = changed(photographs[number], photograph.subject, foreign, plan, rng)
            file = folder / f"{photograph.prompt_id}-{variant + 1}.jpg"
            picture.save(file, quality=94, subsampling=0)
            paths.append((photograph.prompt_id, file.relative_to(project.root).as_posix()))
            strengths.append(astuple(plan))
    quality = _BEST - _LOSS * np.array(strengths)
    _write_csv(project.prompts_csv, ("prompt_id", "prompt"), [(p.prompt_id, p.prompt) for p in _PHOTOGRAPHS])
    truth = ([*path, *(f"{value:.3f}" for value in row)] for path, row in zip(paths, quality, strict=True))
    _write_csv(project.root / TRUTH_FILE, ("prompt_id", "image_path", *(f"{h}_quality" for h in HEADS)), truth)
    project.annotations.mkdir()
    _write_csv(project.per_annotator_csv, PEOPLE_HEADER, _people_rows(paths, quality))
    credits = "\n".join(f"  {p.prompt_id}: {p.credit}" for p in _PHOTOGRAPHS)
    text = _MARKER_TEXT.format(truth=TRUTH_FILE, credits=credits)
    (project.root / SAMPLE_MARKER).write_text(text, encoding="utf-8")


def _load(name: str) -> Image.Image:
    with files("skimage").joinpath("data", name).open("rb") as file:
        image = Image.open(file).convert("RGB")
    factor = _LONGEST / max(image.size)
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)


def _plan(rng: np.random.Generator) -> list[Strengths]:
    """The strengths of a prompt's variants: one untouched, each other with two strong changes and a mild one.

    Every aspect is strongly changed in one or two variants, so each prompt has pairs on every head, and
    the variants differ in how bad they are over all.
    """
    strengths = rng.uniform(0, 0.05, (_VARIANTS, len(HEADS)))
    heads = rng.permutation(len(HEADS))
    for variant, (strong, mild) in enumerate([((0, 1), 3), ((2, 3), 4), ((4, 0), 2), ((1, 2), 4)], start=1):
        force = 1.1 - 0.15 * variant
        strengths[variant, heads[list(strong)]] = force * rng.uniform(0.7, 1.0, 2)
        strengths[variant, heads[mild]] = force * rng.uniform(0.3, 0.5)
    return [Strengths(*row) for row in rng.permutation(strengths)]


def _people_rows(paths: Sequence[tuple[str, str]], quality: _Floats) -> Iterator[list[str]]:
    """The per-annotator CSV's rows: every simulated person has a bias, a spread of their own, a halo and noise."""
    rng = np.random.default_rng(_SEED)
    middle = (MIN_RATING + MAX_RATING) / 2
    halo = quality + _HALO * (quality.mean(1, keepdims=True) - quality)
    rated = []
    for _ in ANNOTATORS:
        bias, spread = rng.normal(0, 0.6), rng.uniform(0.8, 1.1)
        raw = middle + spread * (halo - middle) + bias + rng.normal(0, _NOISE, quality.shape)
        blank = rng.random(quality.shape) < _UNJUDGED
        rated.append(np.where(blank, np.nan, np.clip(raw, MIN_RATING, MAX_RATING).round(1)))
    for row, (prompt_id, path) in enumerate(paths):
        for name, ratings in zip(ANNOTATORS, rated, strict=True):
            cells = (write_number(None if np.isnan(value) else float(value)) for value in ratings[row])
            # Relative to this file's folder, so that the project may be moved before it is first opened.
            yield [prompt_id, f"../{path}", name, *cells]


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
