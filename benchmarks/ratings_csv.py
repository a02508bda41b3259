"""How long a save takes, and how soon both ratings CSVs are true after it, in studios with 10,000 and 100,000 images.

    python benchmarks/ratings_csv.py

Makes a data folder in a temporary place, all its images rated by one person, and runs the store and its exporter as
the studio does. Saves first come one after another, a little apart, in turn without and with the exporter; then each is
followed until both files hold it.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from annotate.csv_files import PEOPLE_HEADER, csv_line
from annotate.exports import Exporter
from annotate.files import Signature
from annotate.judgement import check_rating
from annotate.project import Project
from annotate.store import Store
from benchmarks import ratios
from benchmarks.ratios import ROUNDS, Row
from reward.aspects import HEADS

IMAGES_A_PROMPT = 100
GIVE_UP_S = 60.0
POLL_S = 0.005
APART_S = 0.02  # fifty saves a second: ten times what fifty people do
MOST_SLOWER = 1.1  # a save's median with the exporter, over that without


@dataclass(frozen=True)
class Case:
    """A studio of so many images: saves of a part of a round, and those followed; both CSVs true within `most_s`."""

    images: int
    most_s: float
    saves: int = 50
    followed: int = 20
    rounds: int = ROUNDS


CASES = (Case(10_000, 1), Case(100_000, 3))
QUICK = (Case(200, 1, saves=5, followed=3, rounds=1),)


def make_project(root: Path, images: int) -> Project:
    """`images` pictures, 100 a prompt, each rated by Ada in a CSV that the studio takes in when it starts."""
    project = Project(root / "data", base=root)
    Image.new("RGB", (8, 8), "teal").save(root / "picture.png")
    picture = (root / "picture.png").read_bytes()
    project.annotations.mkdir(parents=True)
    with project.per_annotator_csv.open("w", encoding="utf-8") as file:
        file.write(csv_line(PEOPLE_HEADER))
        for number in range(images):
            path = project.images / f"p{number // IMAGES_A_PROMPT:04d}" / f"{number % IMAGES_A_PROMPT:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture)
            values = [str((number * step) % 11) for step in (1, 2, 3, 5, 7)]
            file.write(csv_line([path.parent.name, project.exported_path(path), "Ada", *values]))
    return project


def save(store: Store, image_id: int, value: float) -> float:
    """Save one rating; returns the seconds until it was acknowledged."""
    rating = check_rating(image_id, "Bob", dict.fromkeys(HEADS, value), [], 1.0, f"benchmark-{time.monotonic_ns()}")
    started = time.perf_counter()
    store.save_rating(rating)
    return time.perf_counter() - started


def saves_apart(store: Store, numbers: Iterator[int], count: int) -> list[float]:
    """Seconds until each of `count` saves was acknowledged, `APART_S` from one to the next."""
    seconds = []
    for _ in range(count):
        number = next(numbers)
        seconds.append(save(store, number, 0.1 + number % 9))
        time.sleep(APART_S)
    return seconds


def until_true(store: Store, exporter: Exporter, image_id: int, value: float) -> float:
    """Save a rating that changes the image's mean; returns the seconds from its acknowledgement until both CSVs say so.

    Raises:
        SystemExit: they don't, for a minute.
    """
    project = store.project
    image = store.image(image_id)
    start = f"{image.prompt_id},{project.exported_path(project.images / image.path)},"
    before = line_of(project.ratings_csv, start)
    save(store, image_id, value)
    started = time.perf_counter()
    wait(
        project.per_annotator_csv, lambda: line_of(project.per_annotator_csv, f"{start}Bob,{value:g},") != b"", exporter
    )
    wait(project.ratings_csv, lambda: line_of(project.ratings_csv, start) != before, exporter)
    return time.perf_counter() - started


def wait(file: Path, is_true: Callable[[], bool], exporter: Exporter) -> None:
    """Until a file is true; it is read only when it has been written anew."""
    started, seen = time.perf_counter(), None
    while True:
        there = Signature.of(file)
        if there != seen and is_true():
            return
        seen = there
        if time.perf_counter() - started > GIVE_UP_S:
            raise SystemExit(f"{file.name} was not true after {GIVE_UP_S:g} s: {' '.join(exporter.problems)}")
        time.sleep(POLL_S)


def line_of(file: Path, start: str) -> bytes:
    """The first line of a CSV that begins so; empty where there is none."""
    data = b"\n" + file.read_bytes()
    at = data.find(b"\n" + start.encode()) + 1
    return data[at : data.find(b"\n", at)] if at > 0 else b""


def measure(case: Case) -> Iterator[Row]:
    """One studio's figures."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(make_project(Path(folder), case.images))
        exporter = Exporter(store)
        exporter.start()
        try:
            if not exporter.flush(600):
                raise SystemExit(f"The files were not written: {' '.join(exporter.problems)}")
            numbers = (int(number) + 1 for number in np.random.default_rng(0).permutation(case.images))
            yield from _rows(case, store, exporter, numbers)
        finally:
            exporter.stop()
            store.close()


def _rows(case: Case, store: Store, exporter: Exporter, numbers: Iterator[int]) -> Iterator[Row]:
    without: list[list[float]] = []
    beside: list[list[float]] = []
    for _ in range(case.rounds):
        exporter.stop()
        without.append(saves_apart(store, numbers, case.saves))
        exporter.start()
        exporter.flush(600)
        beside.append(saves_apart(store, numbers, case.saves))
    waits = [
        until_true(store, exporter, number, 0.1 + number % 9)
        for number, _ in zip(numbers, range(case.followed), strict=False)
    ]
    many = f"{case.images:,} images"
    slower = [float(np.median(one) / np.median(other)) for one, other in zip(beside, without, strict=True)]
    yield Row(f"{many}: a save with the exporter ÷ without", slower, most=MOST_SLOWER)
    for what, found in (("without the exporter", without), ("with it", beside)):
        seconds = 1000 * np.concatenate(found)
        yield Row(f"{many}: a save {what}, p50", [float(np.median(seconds))], unit=" ms")
        yield Row(f"{many}: a save {what}, p99", [float(np.percentile(seconds, 99))], unit=" ms")
    yield Row(f"{many}: both CSVs true after a save, p50", [float(np.median(waits))], unit=" s")
    yield Row(f"{many}: both CSVs true after a save, the worst", [max(waits)], most=case.most_s, unit=" s")


def rows(quick: bool) -> Iterator[Row]:
    """Of all sizes."""
    for case in QUICK if quick else CASES:
        yield from measure(case)


if __name__ == "__main__":
    ratios.main(rows, __doc__)
