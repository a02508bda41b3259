"""What the rating desk bears: 1, 10 and 50 simulated raters over HTTP against the studio as `app.py` serves it.

    python benchmarks/rating_load.py [--seconds 10] [--calm-seconds 60]

Each rater saves without pause (the save's answer holds the next image), once without fetching image bytes and once
with; then 50 at a person's pace, 5 to 15 s an image. Beside it, with the same client: a bare FastAPI route with one
commit, and SQLite's own commits in one process. Afterwards the database is read: every acknowledged rating is in it
once, no image went to more people than are wanted, and the ratings CSV holds it all. Client and server share the
machine's cores.
"""

import argparse
import http.client
import json
import os
import random
import sqlite3
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.serving import make_images, serving, studio
from reward.aspects import HEADS

WANTED = 2  # people an image
CROWDS = (1, 10, 50)
PAUSE_S = (5.0, 15.0)
CSV_WAIT_S = 30.0


@dataclass
class Tally:
    """What raters saw, all of them together. Seconds a request."""

    saves: list[float] = field(default_factory=list)
    nexts: list[float] = field(default_factory=list)
    images: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)  # keys
    refused: list[str] = field(default_factory=list)
    elapsed: float = 0.0


class Client:
    """One kept-alive connection, without a library's own time in the figures."""

    def __init__(self, url: str) -> None:
        self.host = url.removeprefix("http://")
        self.connection = http.client.HTTPConnection(self.host, timeout=60)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[float, int, bytes]:
        """Seconds, status and answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        started = time.perf_counter()
        try:
            status, content = self._exchange(method, path, data, headers)
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            # The server closes what is idle for five seconds; a browser, too, then asks again.
            self.connection.close()
            status, content = self._exchange(method, path, data, headers)
        return time.perf_counter() - started, status, content

    def _exchange(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        self.connection.request(method, path, data, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def new_rating(name: str, image_id: int, chance: random.Random) -> dict[str, Any]:
    """What a rater sends: a random value for each head, under a key of its own."""
    ratings = {head: chance.randrange(101) / 10 for head in HEADS}
    key = uuid.uuid4().hex
    return {"key": key, "annotator": name, "tab": name, "image_id": image_id, "ratings": ratings, "seconds": 7.5,
            "revises": None}  # fmt: skip


def rate(url: str, name: str, until: float, tally: Tally, *, images: bool, calm: bool) -> None:
    """One rater, until the time is up or nothing is left."""
    client, chance = Client(url), random.Random(name)
    if calm:
        time.sleep(chance.uniform(0, PAUSE_S[1]))
    seconds, status, content = client.call("GET", f"/api/next?annotator={name}&tab={name}")
    tally.nexts.append(seconds)
    while status == 200 and time.monotonic() < until:
        task = json.loads(content)["image"]
        if task is None:
            return
        if images:
            seconds, _, _ = client.call("GET", "/" + task["url"])
            tally.images.append(seconds)
        if calm:
            time.sleep(chance.uniform(*PAUSE_S))
        rating = new_rating(name, task["image_id"], chance)
        seconds, status, content = client.call("POST", "/api/ratings", rating)
        if status == 200:
            tally.saves.append(seconds)
            tally.acknowledged.append(rating["key"])
        else:
            tally.refused.append(content.decode(errors="replace")[:200])


def tap(url: str, _name: str, until: float, tally: Tally) -> None:
    """One client of the bare route."""
    client = Client(url)
    while time.monotonic() < until:
        seconds, status, _ = client.call("POST", "/tap", {"text": uuid.uuid4().hex})
        if status != 200:
            raise SystemExit(f"the bare route answered {status}")
        tally.saves.append(seconds)


def crowd(count: int, seconds: float, work: Callable[[str, float, Tally], None]) -> Tally:
    """`count` clients at once for so many seconds."""
    tally = Tally()
    began = time.monotonic()
    names = [f"rater-{uuid.uuid4().hex[:8]}" for _ in range(count)]
    threads = [threading.Thread(target=work, args=(name, began + seconds, tally)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.elapsed = time.monotonic() - began
    return tally


def bare_app(database: Path) -> Any:
    """One FastAPI route that does nothing but a commit, as the studio commits."""
    from fastapi import FastAPI
    from pydantic import BaseModel

    db, lock = connect(database), threading.Lock()

    class Tap(BaseModel):
        text: str

    app = FastAPI()

    @app.post("/tap")
    def post_tap(sent: Tap) -> dict[str, int]:
        with lock, db:
            return {"id": int(db.execute("INSERT INTO taps (text) VALUES (?)", [sent.text]).lastrowid or 0)}

    return app


def connect(database: Path) -> sqlite3.Connection:
    """A database with the studio's settings and one table."""
    db = sqlite3.connect(database, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE IF NOT EXISTS taps (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
    return db


def serve_bare(database: Path) -> None:
    """Serve the bare route until the process is ended."""
    import uvicorn

    from dashboards.studio import bind

    with bind(0) as listener:
        print(f"Bare route: http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(bare_app(database), log_level="warning")).run(sockets=[listener])


def commits_alone(folder: Path, seconds: float) -> float:
    """SQLite's commits a second, in this process and one after another."""
    db = connect(folder / "alone.db")
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        with db:
            db.execute("INSERT INTO taps (text) VALUES (?)", [uuid.uuid4().hex])
        count += 1
    return count / seconds


def check(data: Path, acknowledged: list[str]) -> list[str]:
    """What the database and the CSV say of the run, in words."""
    db = sqlite3.connect(f"file:{data / 'studio.db'}?mode=ro", uri=True)
    stored = [str(row[0]) for row in db.execute("SELECT key FROM ratings UNION ALL SELECT key FROM repeats")]
    over = db.execute(
        "SELECT count(*) FROM (SELECT image_id FROM ratings WHERE NOT late GROUP BY image_id "
        "HAVING count(DISTINCT annotator) > ?)", [WANTED],
    ).fetchone()[0]  # fmt: skip
    twice = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM ratings GROUP BY image_id, annotator HAVING count(*) > 1)"
    ).fetchone()[0]
    rated = db.execute("SELECT count(DISTINCT image_id) FROM ratings").fetchone()[0]
    missing = len(set(acknowledged) - set(stored))
    frame = pd.read_csv(data / "annotations" / "multihead_ratings.csv")
    return [
        f"acknowledged {len(acknowledged):,}, stored {len(stored):,}, acknowledged but not stored {missing}",
        f"images given to more than {WANTED} people: {over}; images rated twice by one person: {twice}",
        f"rated images {rated:,}, rows in the ratings CSV after the server's end {len(frame):,}",
    ]


def percentiles(seconds: list[float]) -> str:
    """p50, p95, p99 in milliseconds."""
    if not seconds:
        return "– | – | –"
    return " | ".join(f"{value * 1000:.1f}" for value in np.percentile(seconds, [50, 95, 99]))


def line(what: str, tally: Tally) -> str:
    """A row of the table."""
    rate_a_second = f"{len(tally.saves) / tally.elapsed:.0f}" if tally.elapsed else "–"
    return f"| {what} | {rate_a_second} | {percentiles(tally.saves)} | {percentiles(tally.nexts)} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="of each run without pause")
    parser.add_argument("--calm-seconds", type=float, default=60, help="of the run at a person's pace")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare is not None:
        serve_bare(given.bare)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "data"
        make_images(data, given.images)
        (data / "studio.toml").write_text(f"ratings_per_image = {WANTED}\n")
        measure(folder, data, given.seconds, given.calm_seconds)


def measure(folder: Path, data: Path, seconds: float, calm_seconds: float) -> None:
    """All runs, then what is stored."""
    acknowledged: list[str] = []
    refused: list[str] = []
    rates: dict[str, float] = {}
    print("| raters | saves/s | save p50 | p95 | p99 ms | next p50 | p95 | p99 ms |\n" + "|---" * 8 + "|", flush=True)

    def show(what: str, tally: Tally) -> None:
        acknowledged.extend(tally.acknowledged)
        refused.extend(tally.refused)
        rates[what] = len(tally.saves) / tally.elapsed
        print(line(what, tally), flush=True)

    bare_command = [sys.executable, os.fspath(Path(__file__)), "--bare", os.fspath(folder / "bare.db")]
    with serving(bare_command, folder) as (bare, _), studio(folder) as (url, _):
        for count in CROWDS:
            show(f"{count}, bare route", crowd(count, seconds, lambda *who: tap(bare, *who)))
            show(f"{count}", crowd(count, seconds, lambda *who: rate(url, *who, images=False, calm=False)))
            show(f"{count}, with images", crowd(count, seconds, lambda *who: rate(url, *who, images=True, calm=False)))
        most = CROWDS[-1]
        calm = f"{most}, a person's pace, with images"
        show(calm, crowd(most, calm_seconds, lambda *who: rate(url, *who, images=True, calm=True)))
    print(f"\nSQLite alone: {commits_alone(folder, seconds / 2):,.0f} commits/s")
    print(f"{most} raters ÷ bare route: {rates[str(most)] / rates[f'{most}, bare route']:.2f}")
    print("\n".join(check(data, acknowledged)))
    if refused:
        print(f"refused: {len(refused)}, the first: {refused[0]}")


if __name__ == "__main__":
    main()
