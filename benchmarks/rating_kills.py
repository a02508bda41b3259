"""The studio killed with SIGKILL at random moments while people rate, and started again each time.

    python benchmarks/rating_kills.py

Eight raters save over HTTP, a few of their saves sent twice; between a fifth of a second and two seconds later the
server is killed. After each start the database has to hold every acknowledged rating once, and the two CSVs and
pairs.jsonl have to parse and to say what the database says, worked out here anew.
"""

import argparse
import json
import math
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from http.client import HTTPException
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.rating_load import Client, new_rating
from benchmarks.ratios import Row, table
from benchmarks.serving import make_images, studio
from reward.aspects import HEADS, RATING_COLUMNS

ROUNDS = 100
IMAGES, QUICK_IMAGES = 20_000, 500
RATERS = 8
LIFE_S = (0.2, 2.0)
TRUE_WITHIN_S = 60.0  # seconds that a busy machine may take
PATIENCE_S = 60.0  # for the first save
SENT_TWICE = 0.1
Said = dict[tuple[str, str], tuple[float, ...]]  # by path and person


def rate_until_death(url: str, name: str, chance: random.Random, acknowledged: list[str], refused: list[str]) -> None:
    """Save one image after another until the server is gone."""
    try:
        with Client(url) as client:
            _, _, content = client.call("GET", f"/api/next?annotator={name}&tab={name}")
            while (task := json.loads(content)["image"]) is not None:
                rating = new_rating(name, task["image_id"], chance)
                for _ in range(2 if chance.random() < SENT_TWICE else 1):
                    _, status, content = client.call("POST", "/api/ratings", rating)
                    if status != 200:
                        refused.append(f"a save was refused: {content.decode(errors='replace')[:300]}")
                        return
                    acknowledged.append(str(rating["key"]))
    except (OSError, HTTPException, ValueError):  # cut off in the midst of a request or an answer
        return


def rate_and_kill(url: str, kill: Callable[[], None], chance: random.Random, acknowledged: list[str]) -> list[str]:
    """Let people rate, kill the server in the midst of it, and wait until all of them have noticed.

    The keys of what was saved go to `acknowledged`. Returns what was refused.
    """
    refused: list[str] = []
    seeds = [chance.randrange(2**32) for _ in range(RATERS)]
    raters = [
        threading.Thread(target=rate_until_death, args=(url, f"rater-{n}", random.Random(seed), acknowledged, refused))
        for n, seed in enumerate(seeds)
    ]
    for rater in raters:
        rater.start()
    before, deadline = len(acknowledged), time.monotonic() + PATIENCE_S
    while len(acknowledged) == before and not refused and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(chance.uniform(*LIFE_S))
    kill()
    for rater in raters:
        rater.join()
    return refused


def faults(data: Path, acknowledged: list[str]) -> list[str]:
    """What of the acknowledged ratings is missing or doubled, and which files are not true soon after the start."""
    stored = read_database(data, "SELECT key FROM ratings UNION ALL SELECT key FROM repeats")
    missing = set(acknowledged) - {key for (key,) in stored}
    found = [f"{len(missing)} acknowledged ratings are not stored"] if missing else []
    if len(set(stored)) < len(stored):
        found.append("a key is stored twice")
    until = time.monotonic() + TRUE_WITHIN_S
    while (untrue := untrue_files(data)) and time.monotonic() < until:
        time.sleep(0.05)
    return found + untrue


def read_database(data: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    if not (data / "studio.db").exists():
        return []
    db = sqlite3.connect(f"file:{data / 'studio.db'}?mode=ro", uri=True)
    try:
        return list(db.execute(query))
    finally:
        db.close()


def untrue_files(data: Path) -> list[str]:
    """The exported files that don't say what the database says."""
    newest = (
        f"SELECT i.path, r.annotator, {', '.join(HEADS)} FROM ratings r JOIN images i ON i.id = r.image_id "
        "WHERE r.id IN (SELECT max(id) FROM ratings GROUP BY annotator, image_id)"
    )
    said: Said = {(str(row[0]), str(row[1])): tuple(map(float, row[2:])) for row in read_database(data, newest)}
    folder, found = data / "annotations", []
    if not said:
        return []
    for name, true in (
        ("ratings_per_annotator.csv", said == read_people(folder / "ratings_per_annotator.csv")),
        ("multihead_ratings.csv", close(means(said), read_means(folder / "multihead_ratings.csv"))),
        ("pairs.jsonl", close(labels(said), read_labels(folder / "pairs.jsonl"))),
    ):
        if not true:
            found.append(f"{name} does not say what the database says")
    return found


def inside(path: str) -> str:
    """A path as the database has it, from an exported one."""
    return path.split("/images/", 1)[1]


def read_people(path: Path) -> Said:
    """The ratings in the CSV of people; none where there is no file yet."""
    if not path.exists():
        return {}
    frame = pd.read_csv(path)
    rows = frame[list(RATING_COLUMNS)].itertuples(index=False)
    keys = zip(frame["image_path"].map(inside), frame["annotator"], strict=True)
    return {key: tuple(map(float, row)) for key, row in zip(keys, rows, strict=True)}


def read_means(path: Path) -> dict[tuple[str, ...], float]:
    """Mean by image and head in the CSV of means."""
    if not path.exists():
        return {}
    frame = pd.read_csv(path)
    return {
        (inside(row["image_path"]), head): float(row[column])
        for row in frame.to_dict("records")
        for head, column in zip(HEADS, RATING_COLUMNS, strict=True)
    }


def read_labels(path: Path) -> dict[tuple[str, ...], float]:
    """Label by pair."""
    if not path.exists():
        return {}
    pairs = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    return {(inside(pair["img_pos"]), inside(pair["img_neg"])): float(pair["label"]) for pair in pairs}


def means(said: Said) -> dict[tuple[str, ...], float]:
    """Mean over people by image and head."""
    values = defaultdict(list)
    for (path, _), ratings in said.items():
        for head, value in zip(HEADS, ratings, strict=True):
            values[path, head].append(value)
    return {key: math.fsum(found) / len(found) for key, found in values.items()}


def labels(said: Said) -> dict[tuple[str, ...], float]:
    """How surely the first image of a pair is better: mean over the people who rated both, on the mean of the heads."""
    by_prompt: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for (path, person), ratings in said.items():
        by_prompt[path.split("/")[0]][path][person] = math.fsum(ratings) / len(ratings)
    found: dict[tuple[str, ...], float] = {}
    for images in by_prompt.values():
        for first, second in combinations(sorted(images), 2):
            both = images[first].keys() & images[second].keys()
            wins = [_win(images[first][person] - images[second][person]) for person in both]
            if wins:
                found[first, second] = sum(wins) / len(wins)
    return found


def _win(difference: float) -> float:
    rounded = round(difference, 6)
    return 0.5 if rounded == 0 else float(rounded > 0)


def close(one: dict[tuple[str, ...], float], other: dict[tuple[str, ...], float]) -> bool:
    """The same keys, and values as far as the files write them."""
    return one.keys() == other.keys() and all(abs(value - other[key]) < 1e-3 for key, value in one.items())


def rows(quick: bool, rounds: int = ROUNDS, seed: int = 0) -> Iterator[Row]:
    """What happened; what was wrong after a start goes to standard error."""
    chance, acknowledged, bad = random.Random(seed), list[str](), 0
    rounds, images = (2, QUICK_IMAGES) if quick else (rounds, IMAGES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_images(folder / "data", images)
        for number in range(rounds + 1):
            with studio(folder) as (url, server):
                wrong = faults(folder / "data", acknowledged)
                if number < rounds:
                    wrong += rate_and_kill(url, server.kill, chance, acknowledged)
            bad += bool(wrong)
            if wrong:
                print(f"start {number + 1}: {'; '.join(wrong)}", file=sys.stderr, flush=True)
        stored = len(read_database(folder / "data", "SELECT id FROM ratings UNION ALL SELECT id FROM repeats"))
    yield Row("kill -9 of the studio while people rate", [rounds])
    yield Row("ratings acknowledged", [len(set(acknowledged))], least=rounds)
    yield Row("ratings stored", [stored], least=len(set(acknowledged)))
    yield Row("starts after which anything was missing, doubled or untrue", [bad], most=0)


def main() -> int:
    """Command line; fails where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two kills, few images: only to see that it runs")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    found = list(rows(given.quick, given.rounds, given.seed))
    for line in table(found):
        print(line, flush=True)
    return int(not all(row.reached for row in found))


if __name__ == "__main__":
    sys.exit(main())
