"""A million ratings, 200,000 prompts × 5 images on five heads: reading, pairs, split, an epoch, evaluation, memory.

    python benchmarks/million_ratings.py

Makes a ratings CSV and random 768-d embeddings in half precision (1.5 GB, memory-mapped) in a temporary folder. There
are no image files: what a training does with them (looking at each, hashing and encoding it) is left out, and hashes
of their paths stand for those of their contents. Memory is the peak of RssAnon of a fresh process that does all else
that a training does, once, with the six models side by side that training with a held-out share trains; of the epoch
it takes three steps.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.ratios import ROUNDS, Row, in_turn, main, ratios
from reward.aspects import HEADS, RATING_COLUMNS
from reward.config import TrainConfig
from reward.dataset import Dataset, group_images, read_dataset
from reward.errors import InterruptedTrainingError
from reward.evaluation import Evaluator
from reward.fitting import Fit
from reward.heads import HIDDEN
from reward.pairs import prompt_numbers, rating_pairs
from reward.problem import Sides, multihead_problem
from reward.ratings import read_ratings
from reward.training import OBJECTIVE
from reward.validation import CrossValidation, HoldOut, make_validation

PROMPTS, IMAGES, DIM, BATCH, STEPS = 200_000, 5, 768, 4096, 20
HUGE_PROMPT = 20_000
GIGABYTE = 1e9

T = TypeVar("T")


def make_files(folder: Path, prompts: int, dim: int) -> tuple[Path, Path]:
    """The ratings CSV and the embeddings."""
    random = np.random.default_rng(0)
    csv, mapped = folder / "ratings.csv", folder / "embeddings.f16"
    ratings = pd.DataFrame(random.integers(0, 101, (prompts * IMAGES, len(HEADS))) / 10, columns=RATING_COLUMNS)
    prompt, image = np.divmod(np.arange(prompts * IMAGES), IMAGES)
    ratings.insert(0, "prompt_id", [f"p{p:06d}" for p in prompt])
    ratings.insert(1, "image_path", [f"images/p{p:06d}/{i}.png" for p, i in zip(prompt, image, strict=True)])
    ratings.to_csv(csv, index=False, float_format="%g")
    x = np.memmap(mapped, np.float16, "w+", shape=(prompts * IMAGES, dim))
    for start in range(0, len(x), 10_000):
        x[start : start + 10_000] = random.standard_normal((min(10_000, len(x) - start), dim), dtype=np.float32)
    x.flush()
    return csv, mapped


def read(csv: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """(N,) prompt numbers and (N, 5) ratings of a CSV, read and checked."""
    frame = read_ratings(csv, check_images=False).frame
    return prompt_numbers(frame["prompt_id"])[0], frame[list(RATING_COLUMNS)].to_numpy(dtype=np.float64)


def read_all(csv: Path) -> tuple[Dataset, list[str]]:
    """What a training reads, the image files apart: the data set, and stand-ins for the hashes of the images."""
    data = read_dataset(TrainConfig(ratings=csv), check_images=False)
    return data, [hashlib.sha256(name.encode()).hexdigest() for name in data.files.names]


def split(data: Dataset, hashes: list[str]) -> HoldOut | CrossValidation:
    """As a training without further arguments splits."""
    config = TrainConfig(ratings=next(iter(data.sources)))
    groups = group_images(data, hashes)
    return make_validation(groups, data.in_a_pair, config.folds_wanted, config.share_held_out, config.seed)


def fit(data: Dataset, sides: Sides, mapped: Path) -> Fit:
    """Ready to train the models that `sides` names."""
    x = np.memmap(mapped, np.float16, "c").reshape(len(data.prompt), -1)
    return Fit(multihead_problem(data, x, sides, OBJECTIVE), 1e-4, BATCH, 0, torch.device("cpu"))


def some_steps(made: Fit, steps: int) -> None:
    """The first steps of an epoch, as `Fit.run_epoch` does them."""
    left = steps

    def enough() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    with suppress(InterruptedTrainingError):
        made.run_epoch(1, enough)


def products(pairs: int, dim: int, steps: int) -> Callable[[], None]:
    """The large matrix products of as many steps, of two images a pair."""
    x, weights = torch.randn(2 * pairs, dim), torch.randn(dim, HIDDEN * len(HEADS))
    gradient = torch.randn(2 * pairs, HIDDEN * len(HEADS))

    def run() -> None:
        for _ in range(steps):
            _ = x @ weights
            _ = x.T @ gradient

    return run


class AnonymousMemory(threading.Thread):
    """Watches this process's RssAnon; `peak` in bytes, 0 where the system doesn't tell."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.02):
            self.look()

    def look(self) -> None:
        status = Path("/proc/self/status")
        for line in status.read_text().splitlines() if status.exists() else []:
            if line.startswith("RssAnon"):
                self.peak = max(self.peak, 1024 * int(line.split()[1]))

    def stop(self) -> int:
        self._done.set()
        self.join()
        self.look()
        return self.peak


def measure_memory(csv: Path, mapped: Path) -> None:
    """Everything once, in a process of its own; prints the peak in bytes, then seconds of parts of it by name."""
    watch, seconds = AnonymousMemory(), dict[str, float]()
    watch.start()

    def timed(name: str, part: Callable[[], T]) -> T:
        started = time.perf_counter()
        result = part()
        seconds[name] = time.perf_counter() - started
        return result

    data, hashes = read_all(csv)
    validation = timed("split by prompt, text and picture", lambda: split(data, hashes))
    made = timed("the start of training six models side by side", lambda: fit(data, validation.sides, mapped))
    some_steps(made, 3)
    scores = timed("scores of all images by the six", made.scores)
    evaluator = Evaluator(data, hashes, validation.rounds, validation.sides.train, validation.name, 0)
    unseen = validation.unseen(scores)
    current = timed("evaluation of an epoch", lambda: evaluator.evaluate(1, unseen, made.train_losses))
    more = "evaluation of the best epoch so far: each head left out, intervals of the weights"
    timed(more, lambda: validation.choose(1, made, scores, current, evaluator))
    print(json.dumps({"peak": watch.stop(), "seconds": seconds}))


def rows(quick: bool) -> Iterator[Row]:
    prompts, dim, rounds = (300, 16, 1) if quick else (PROMPTS, DIM, ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        csv, mapped = make_files(Path(folder), prompts, dim)
        measured = in_turn([lambda: read(csv), lambda: pd.read_csv(csv)], rounds)
        yield Row("a million ratings: read and checked ÷ pandas.read_csv", ratios(measured), most=3)
        prompt, ratings = read(csv)
        measured = in_turn([lambda: rating_pairs(prompt, ratings, 0.5), lambda: pd.read_csv(csv)], rounds)
        pairs = len(rating_pairs(prompt, ratings, 0.5))
        yield Row(f"their {pairs:,} pairs on five heads", [a for a, _ in measured], most=2, unit=" s")
        yield Row("their pairs ÷ pandas.read_csv", ratios(measured))
        huge = np.zeros(HUGE_PROMPT, dtype=np.int64), np.random.default_rng(0).random((HUGE_PROMPT, len(HEADS))) * 10
        measured = in_turn([lambda: rating_pairs(*huge, 0.5)], rounds)
        found = rating_pairs(*huge, 0.5)
        what = f"pairs of one prompt with {HUGE_PROMPT:,} images: {len(found):,} drawn"
        yield Row(what, [seconds for (seconds,) in measured], unit=" s")
        config = TrainConfig(ratings=csv)
        measured = in_turn([lambda: read_dataset(config, check_images=False)], rounds)
        yield Row("the data set of a training, read with its pairs", [seconds for (seconds,) in measured], unit=" s")
        yield from _epoch(read_dataset(config, check_images=False), mapped, rounds)
        command = [sys.executable, __file__, "--memory", str(csv), str(mapped)]
        told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for what, seconds in told["seconds"].items():
            yield Row(what, [seconds], unit=" s")
        if told["peak"]:
            yield Row("all of it: peak anonymous memory", [told["peak"] / GIGABYTE], most=3, unit=" GB")


def _epoch(data: Dataset, mapped: Path, rounds: int) -> Iterator[Row]:
    one = Sides(np.ones(len(data.prompt), dtype=bool), np.full(len(data.prompt), -1), (frozenset(),))
    started = time.perf_counter()
    made = fit(data, one, mapped)
    yield Row(
        "the start of one model's training (normalisation, ridge fits)", [time.perf_counter() - started], unit=" s"
    )
    in_epoch = -(-len(made.problem.first) // BATCH)
    steps = min(STEPS, in_epoch)
    some_steps(made, 2)
    measured = in_turn([lambda: some_steps(made, steps), products(BATCH, made.stack.dim, steps)], rounds)
    part = f"measured on {steps} of {in_epoch} steps"
    yield Row(f"an epoch of one model, batch {BATCH}, {part}", [a / steps * in_epoch for a, _ in measured], unit=" s")
    yield Row("an epoch ÷ its large matrix products alone", ratios(measured))
    yield Row("an epoch: pairs a second", [steps * BATCH / seconds[0] for seconds in measured])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        measure_memory(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main(rows, __doc__)
