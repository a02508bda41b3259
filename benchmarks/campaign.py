"""Which order of images teaches a model most for the same number of ratings: a simulated campaign on real ratings.

    python benchmarks/campaign.py --people ratings_per_annotator.csv --results campaign.jsonl

People answer from the recorded ratings, through the studio's own store and queue. Prompts are dealt to four parts; a
campaign is run on three of them, and the model that its ratings give is measured on the fourth, of which nobody in the
campaign sees an image, against the mean of all recorded ratings there: share of pairs in the right order, mean over
prompts, then over the heads style, fidelity and material. The parts take turns, and their mean is one value a seed.
Every order goes on from the same first ratings, given in random order.

`spread` is random order too, but an image's second rating waits until all have their first: what *informative* would be
worth if its ranking were worth nothing.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from annotate.exports import Exporter
from annotate.judgement import check_rating
from annotate.project import Project
from annotate.store import Store
from benchmarks.campaign_report import curves, read_lines, table
from reward.aspects import HEADS
from reward.backbones.base import Backbone
from reward.backbones.registry import make_backbone
from reward.config import TrainConfig
from reward.dataset import LabelledPairs, read_dataset
from reward.embeddings import EmbeddingCache, default_cache_dir, embed_files
from reward.experiments import shares_by_prompt
from reward.fitting import Fit
from reward.groups import folds
from reward.informative import Priority, as_csv, priorities
from reward.model import MultiHeadReward
from reward.model_config import ModelConfig
from reward.pairs import rating_pairs
from reward.problem import Sides, multihead_problem
from reward.ratings import read_ratings
from reward.training import OBJECTIVE

Floats = npt.NDArray[np.float64]

ORDERS = ("random", "informative", "prompt", "spread")
PARTS = 4
WANTED = 3  # people an image
INNER_FOLDS = 5


@dataclass(frozen=True)
class World:
    """What was recorded: N images, and what each of J people says of them on five heads."""

    files: list[Path]
    names: list[str]  # (N) below the images folder
    prompt: npt.NDArray[np.int64]
    said: Floats  # (J, N, 5)
    x: npt.NDArray[np.floating]
    backbone: Backbone

    @property
    def truth(self) -> Floats:
        """(N, 5) means over everybody, NaN = rated by nobody."""
        count = (~np.isnan(self.said)).sum(axis=0)
        return np.where(count > 0, np.nansum(self.said, axis=0) / np.maximum(count, 1), np.nan)


def record(people: Path, backbone: str) -> World:
    """Join the people of one study with those of the other, in order, so that a rating tells of every head."""
    table = read_ratings(people)
    rated = table.by_person()
    images = table.by_image()
    said = np.full((len(rated.names), len(images), len(HEADS)), np.nan)
    said[rated.person, rated.image] = rated.values
    joined = join_studies(said)
    encoder = make_backbone(backbone)
    files = [Path(file) for file in images["file"]]
    x = embed_files(files, encoder, EmbeddingCache(default_cache_dir())).vectors
    prompt = np.unique(images["prompt_id"], return_inverse=True)[1]
    names = [f"{prompt_id}/{file.name}" for prompt_id, file in zip(images["prompt_id"], files, strict=True)]
    return World(files, names, prompt.astype(np.int64), joined, x, encoder)


def join_studies(said: Floats) -> Floats:
    """(J, N, 5) of people who rate different heads → as many as the smaller study has, who rate the heads of all."""
    studies: dict[tuple[bool, ...], list[Floats]] = {}
    for one in said:
        studies.setdefault(tuple((~np.isnan(one)).any(axis=0).tolist()), []).append(one)
    rows = zip(*studies.values(), strict=False)
    return np.stack([np.where(np.isnan(parts[0]), parts[-1], parts[0]) for parts in rows])


class Campaign:
    """One project that simulated people rate, and the model of its ratings so far."""

    def __init__(self, world: World, root: Path, seed: int, epochs: int | None) -> None:
        self.world, self.root, self.seed, self.epochs = world, root, seed, epochs
        self.project = Project(root / "data", base=root)
        self._number = {name: number for number, name in enumerate(world.names)}
        self._model: MultiHeadReward | None = None

    def lay_out(self, images: npt.NDArray[np.bool_]) -> None:
        """Put these images into the project."""
        for number in np.flatnonzero(images):
            file = self.project.images / self.world.names[number]
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.world.files[number], file)

    def rate(self, order: str, people: Iterator[int], count: int) -> int:
        """Have people rate until there are `count` more ratings or nothing to rate; how many there were."""
        asked = "informative" if order == "spread" else order
        settings = f'order = "{asked}"\nratings_per_image = {WANTED}\nrepeats = 0\n'
        self.project.settings.write_text(settings, encoding="utf-8")
        if asked == "informative":
            self.project.priorities.write_text(as_csv(self._spread() if order == "spread" else self._ranked()))
        store = Store.open(self.project)
        store.identity = "campaign"  # what comes by lot follows from it: the same in each run of this
        try:
            done, idle = 0, 0
            while done < count and idle < 20 * len(self.world.said):
                rated = self._rate_one(store, next(people))
                done, idle = done + rated, 0 if rated else idle + 1
            Exporter(store).flush()
        finally:
            store.close()
        return done

    def _rate_one(self, store: Store, person: int) -> bool:
        name = f"Person {person}"
        tasks = store.next_tasks(name, limit=1)
        if not tasks:
            return False
        image = tasks[0].image
        values = self.world.said[person, self._number[image.path]]
        if np.isnan(values).all():
            store.save_skip(image.id, name)  # that person never saw it
            return False
        given = {head: round(float(v), 1) for head, v in zip(HEADS, values, strict=True) if not np.isnan(v)}
        unjudged = [head for head in HEADS if head not in given]
        key = f"campaign-{person}-{image.id}"
        store.save_rating(check_rating(image.id, name, given, unjudged, 1.0, key), only_if_newest=True)
        return True

    def train(self) -> Floats:
        """(N, 5) scores of all images by a model that learned, by the trainer's defaults, from the ratings so far."""
        config = TrainConfig(ratings=self.project.per_annotator_csv, backbone="pixelstats", image_root=self.root)
        data = read_dataset(config, check_images=False)
        x = self.world.x[[self._number["/".join(file.parts[-2:])] for file in data.files]]
        fold = folds(data.prompt, np.ones(len(x), dtype=bool), min(INNER_FOLDS, len(data.prompt_names)), self.seed)
        sides = Sides(np.ones(len(x), dtype=bool), fold, (frozenset(),))
        problem = multihead_problem(data, x, sides, OBJECTIVE)
        fit = Fit(problem, config.learning_rate, config.pairs_per_step, self.seed, torch.device("cpu"))
        for epoch in range(1, 1 + (config.total_epochs if self.epochs is None else self.epochs)):
            fit.run_epoch(epoch, lambda: False)
        trained = tuple(head for k, head in enumerate(HEADS) if not np.isnan(data.ratings[:, k]).all())
        backbone = self.world.backbone
        recorded = {"spec": backbone.spec, "identity": backbone.identity}
        self._model = MultiHeadReward(
            ModelConfig(
                embedding_dim=backbone.dim,
                backbone=recorded,
                mode="multihead",
                heads=HEADS,
                trained=trained,
                score_unit="rating points, 0–10",
                target=data.target,
            ),
            backbone,
        )
        self._model.stack.load_state_dict(fit.stack.state_dict())
        with torch.inference_mode():
            return self._model.head_scores(torch.from_numpy(self.world.x)).numpy().astype(np.float64)

    def _ranked(self) -> list[Priority]:
        assert self._model is not None
        ratings = read_ratings(self.project.per_annotator_csv, self.root, check_images=False)
        return priorities(self._model, self.project.images, ratings)

    def _spread(self) -> list[Priority]:
        """All images in random order, those with the fewest ratings first."""
        frame = read_ratings(self.project.per_annotator_csv, self.root, check_images=False).frame
        people = frame["file"].map(lambda file: "/".join(Path(file).parts[-2:])).value_counts()
        random = np.random.default_rng([self.seed, len(frame)])
        names = [file.relative_to(self.project.images).as_posix() for file in sorted(self.project.images.glob("*/*"))]
        drawn = sorted(random.permutation(names).tolist(), key=lambda name: int(people.get(name, 0)))
        return [Priority(name, 0.0, int(people.get(name, 0)), "") for name in drawn]

    def fork(self, root: Path) -> "Campaign":
        """The same ratings and model in a folder of their own."""
        shutil.copytree(self.root, root)
        copy = Campaign(self.world, root, self.seed, self.epochs)
        copy._model = self._model
        return copy


def measure(world: World, scores: Floats, images: npt.NDArray[np.bool_]) -> dict[str, list[float]]:
    """By head, the share of each prompt's pairs in the right order, of these images."""
    truth = np.where(images[:, None], world.truth, np.nan)
    pairs = rating_pairs(world.prompt, truth, TrainConfig(ratings=Path()).min_rating_diff)
    shares = {}
    for number, head in enumerate(HEADS):
        won = pairs.sign[:, number] != 0
        label = (pairs.sign[won, number] + 1) / 2.0
        labelled = LabelledPairs(pairs.first[won], pairs.second[won], pairs.prompt[won], label)
        if len(labelled):
            shares[head] = shares_by_prompt(labelled, scores[:, number]).tolist()
    return shares


def run_part(
    world: World, seed: int, part: int, orders: Sequence[str], sizes: Sequence[int], epochs: int | None = None
) -> list[dict[str, Any]]:
    """The campaigns of all orders on the prompts outside `part`: one line an order and number of ratings."""
    everything = np.ones(len(world.files), dtype=bool)
    held_out = folds(world.prompt, everything, PARTS, seed) == part
    lines = []
    with tempfile.TemporaryDirectory(dir=os.environ.get("CAMPAIGN_TMP")) as folder:
        first = Campaign(world, Path(folder) / "first", seed, epochs)
        first.lay_out(~held_out)
        first.rate("random", _people(world, seed, part, 0), sizes[0])
        start = measure(world, first.train(), held_out)
        for order in orders:
            campaign = first.fork(Path(folder) / order)
            people, count = _people(world, seed, part, 1), sizes[0]
            lines.append({"seed": seed, "part": part, "order": order, "ratings": count, "shares": start})
            for size in sizes[1:]:
                count += campaign.rate(order, people, size - count)
                shares = measure(world, campaign.train(), held_out)
                lines.append({"seed": seed, "part": part, "order": order, "ratings": size, "shares": shares})
    return lines


def _people(world: World, seed: int, part: int, stage: int) -> Iterator[int]:
    """Who comes next: the same people in every order."""
    random = np.random.default_rng([seed, part, stage])
    while True:
        yield int(random.integers(len(world.said)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=Path, required=True, help="ratings CSV with an annotator column")
    parser.add_argument("--results", type=Path, required=True, help="JSON lines, kept as they come; goes on from there")
    parser.add_argument("--orders", nargs="+", choices=ORDERS, default=ORDERS)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--parts", type=int, default=PARTS, help="how many of the four, for a shorter look")
    parser.add_argument("--sizes", type=int, nargs="+", default=(30, 50, 75, 110, 150))
    parser.add_argument("--epochs", type=int, help="default: the trainer's; 0: the ridge start alone")
    given = parser.parse_args()
    torch.set_num_threads(1)
    world = record(given.people, "pixelstats")
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    done = {(line["seed"], line["part"], line["order"]) for line in read_lines(given.results)}
    for seed in seeds:
        for part in range(given.parts):
            orders = [order for order in given.orders if (seed, part, order) not in done]
            if orders:
                lines = run_part(world, seed, part, orders, given.sizes, given.epochs)
                with given.results.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(line) + "\n" for line in lines)
        print(f"seed {seed} done", file=sys.stderr, flush=True)
    lines = [line for line in read_lines(given.results) if line["seed"] in seeds and line["order"] in given.orders]
    print("\n".join(table(curves(lines))))


if __name__ == "__main__":
    main()
