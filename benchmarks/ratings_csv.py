"""How long a save takes, and how soon both ratings CSVs are true after it, in a studio with many images.

    python benchmarks/ratings_csv.py --images 10000 --saves 100

Makes a data folder in a temporary place, all its images rated by one person, and runs the store and its exporter as
the studio does. Saves come first one right after another, then each is followed until both files hold it.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from annotate.csv_files import PEOPLE_HEADER, csv_line
from annotate.exports import Exporter
from annotate.judgement import check_rating
from annotate.project import Project
from annotate.store import Store
from reward.aspects import HEADS

IMAGES_A_PROMPT = 100
MAX_IMAGES, MAX_SAVES = 100_000, 1_000
GIVE_UP_S = 60.0
POLL_S = 0.005


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


def until_true(store: Store, exporter: Exporter, image_id: int, value: float) -> float:
    """Save a rating that changes the image's mean; returns the seconds from its acknowledgement until both CSVs say so.

    Raises:
        SystemExit: they don't, for a minute.
    """
    project = store.project
    image = store.image(image_id)
    start = f"{image.prompt_id},{project.exported_path(project.images / image.path)},"
    before = mean_line(project, start)
    save(store, image_id, value)
    started = time.perf_counter()
    people = f"{start}Bob,{value:g},".encode()
    while people not in project.per_annotator_csv.read_bytes() or mean_line(project, start) == before:
        if time.perf_counter() - started > GIVE_UP_S:
            raise SystemExit(f"The CSVs were not true after {GIVE_UP_S:g} s: {' '.join(exporter.problems)}")
        time.sleep(POLL_S)
    return time.perf_counter() - started


def mean_line(project: Project, start: str) -> bytes:
    """The line of an image in the means CSV."""
    data = project.ratings_csv.read_bytes()
    at = data.find(start.encode())
    return data[at : data.find(b"\n", at)] if at >= 0 else b""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--saves", type=int, default=100)
    arguments = parser.parse_args()
    images, saves = arguments.images, arguments.saves
    if not (1 <= saves <= MAX_SAVES and 2 * saves <= images <= MAX_IMAGES):
        parser.error(f"1 to {MAX_SAVES:,} saves, and twice as many to {MAX_IMAGES:,} images")
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder), images)
        store = Store.open(project)
        exporter = Exporter(store)
        exporter.start()
        try:
            if not exporter.flush(600):
                raise SystemExit(f"The files were not written: {' '.join(exporter.problems)}")
            chosen = np.random.default_rng(0).permutation(np.arange(1, images + 1))
            numbers = [int(number) for number in chosen[: 2 * saves]]
            latencies = [save(store, number, 0.1 + number % 9) for number in numbers[:saves]]
            waits = [until_true(store, exporter, number, 0.1 + number % 9) for number in numbers[saves:]]
        finally:
            exporter.stop()
            store.close()
    print(f"{images:,} images; {saves} saves one after another, then {saves} each followed into the files")
    for name, seconds in (("save acknowledged", latencies), ("both CSVs true", waits)):
        low, median, high = np.percentile(seconds, [0, 50, 99]) * 1000
        print(f"{name}: median {median:.1f} ms, p99 {high:.1f} ms (best {low:.1f}, worst {max(seconds) * 1000:.1f})")


if __name__ == "__main__":
    main()
