"""What the rating desk bears: 1, 10 and 50 simulated raters over HTTP against the studio as `app.py` serves it.

    python benchmarks/rating_load.py

Without pause, in turn: a bare FastAPI route with one commit, saves (whose answer holds the next image), saves with the
image's bytes fetched before each, and asking for the next image alone. Then 50 raters at a person's pace, 5 to 15 s an
image, with bytes and without. Beside it SQLite's own commits in one process. At the end the database is read: every
acknowledged rating is in it and no other, once; and of all leases that the server gave, no image's went to more people
than are wanted. Client and server share the machine's cores.
"""

import http.client
import json
import math
import os
import random
import sqlite3
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import ratios
from benchmarks.ratios import Row
from benchmarks.serving import make_images, serving, studio
from reward.aspects import HEADS

WANTED = 2  # people an image
ROUNDS = 3
LEAST_OF_BARE = 0.6  # of the bare route's saves a second, without images, with the largest crowd
MOST_CALM_MS = 30.0  # p99 of a save at a person's pace


@dataclass(frozen=True)
class Size:
    """How much is done: seconds of a part of a round, and of each run at a person's pace."""

    crowds: tuple[int, ...] = (1, 10, 50)
    rounds: int = ROUNDS
    seconds: float = 2.5
    calm_seconds: float = 40.0
    pause: tuple[float, float] = (5.0, 15.0)
    images: int = 20_000


QUICK = Size(crowds=(1, 3), rounds=1, seconds=0.3, calm_seconds=0.6, pause=(0.05, 0.15), images=1_000)


@dataclass
class Lease:
    """An image that is a person's, from the answer that gave it until the request that let go of it was sent; for good
    where it was rated or still held at the end. Moments of this process's clock."""

    image_id: int
    name: str
    since: float
    until: float = math.inf


@dataclass
class Tally:
    """What raters saw, all of them together. Seconds a request."""

    saves: list[float] = field(default_factory=list)
    nexts: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)  # keys
    refused: list[str] = field(default_factory=list)
    leases: list[Lease] = field(default_factory=list)  # as the server gave them
    rates: list[float] = field(default_factory=list)  # saves a second, one a round

    def add(self, other: "Tally") -> None:
        """Another round's."""
        for name in vars(self):
            getattr(self, name).extend(getattr(other, name))


class Client:
    """One kept-alive connection, without a library's own time in the figures."""

    def __init__(self, url: str) -> None:
        self.host = url.removeprefix("http://")
        self.connection = http.client.HTTPConnection(self.host, timeout=60)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

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


Work = Callable[[str, float, Tally], None]  # one rater by name, until a moment


class Person:
    """One rater's page: what it asks, and which image is its own meanwhile."""

    def __init__(self, client: Client, name: str, tally: Tally) -> None:
        self.client, self.name, self.tally = client, name, tally
        self.lease: Lease | None = None

    def ask(self, after: int | None = None) -> dict[str, Any] | None:
        """The next image; None where there is none, or the server refuses."""
        behind = "" if after is None else f"&after={after}"
        sent = time.monotonic()
        seconds, status, content = self.client.call(
            "GET", f"/api/next?annotator={self.name}&tab={self.name}{behind}"
        )  # fmt: skip
        self.tally.nexts.append(seconds)
        return self._given(status, content, sent)

    def save(self, rating: dict[str, Any]) -> dict[str, Any] | None:
        """Save a rating; returns the next image as `ask` does."""
        sent = time.monotonic()
        seconds, status, content = self.client.call("POST", "/api/ratings", rating)
        if status == 200:
            self.tally.saves.append(seconds)
            self.tally.acknowledged.append(rating["key"])
            self.lease = None  # rated: the image has this person for good
        return self._given(status, content, sent)

    def _given(self, status: int, content: bytes, sent: float) -> dict[str, Any] | None:
        if status != 200:
            self.tally.refused.append(content.decode(errors="replace")[:200])
            return None
        task: dict[str, Any] | None = json.loads(content)["image"]
        image_id = None if task is None else task["image_id"]
        if self.lease is not None and self.lease.image_id != image_id:
            self.lease.until = sent
            self.lease = None
        if image_id is not None and self.lease is None:
            self.lease = Lease(image_id, self.name, time.monotonic())
            self.tally.leases.append(self.lease)
        return task


@dataclass(frozen=True)
class Rater:
    """One who rates until the time is up or nothing is left; with a `pause` (s) a person, who asks for each image."""

    url: str
    images: bool = False
    pause: tuple[float, float] | None = None

    def __call__(self, name: str, until: float, tally: Tally) -> None:
        with Client(self.url) as client:
            self._rate(Person(client, name, tally), until)

    def _rate(self, person: Person, until: float) -> None:
        chance = random.Random(person.name)
        if self.pause:
            time.sleep(chance.uniform(0, self.pause[1]))
        task = person.ask()
        while task is not None and time.monotonic() < until:
            if self.images:
                person.client.call("GET", "/" + task["url"])
            if self.pause:
                time.sleep(chance.uniform(*self.pause))
            after = task["image_id"]
            task = person.save(new_rating(person.name, after, chance))
            if self.pause and task is not None:
                task = person.ask(after)


@dataclass(frozen=True)
class Asker:
    """One who asks for the next image over and over, as a page that is opened does."""

    url: str

    def __call__(self, name: str, until: float, tally: Tally) -> None:
        with Client(self.url) as client:
            person = Person(client, name, tally)
            while time.monotonic() < until and person.ask() is not None:
                pass


@dataclass(frozen=True)
class Tapper:
    """One client of the bare route."""

    url: str

    def __call__(self, _name: str, until: float, tally: Tally) -> None:
        with Client(self.url) as client:
            while time.monotonic() < until:
                seconds, status, _ = client.call("POST", "/tap", {"text": uuid.uuid4().hex})
                if status != 200:
                    tally.refused.append(f"the bare route answered {status}")
                    return
                tally.saves.append(seconds)


def crowd(count: int, seconds: float, work: Work) -> Tally:
    """`count` clients at once for so many seconds, each with a name of its own."""
    tally = Tally()
    began = time.monotonic()
    names = [f"rater-{uuid.uuid4().hex[:8]}" for _ in range(count)]
    threads = [threading.Thread(target=work, args=(name, began + seconds, tally)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.rates.append(len(tally.saves) / (time.monotonic() - began))
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

    from dashboards.listening import Listening

    with Listening(port=0).bind() as listener:
        print(f"Bare route: http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(bare_app(database), log_level="warning")).run(sockets=[listener])


def commits_alone(folder: Path, seconds: float) -> float:
    """SQLite's commits a second, in this process and one after another."""
    count, until = 0, time.monotonic() + seconds
    with closing(connect(folder / "alone.db")) as db:
        while time.monotonic() < until:
            with db:
                db.execute("INSERT INTO taps (text) VALUES (?)", [uuid.uuid4().hex])
            count += 1
    return count / seconds


def over_assigned(leases: Sequence[Lease], wanted: int) -> int:
    """Images that more than `wanted` people had at one moment, be it rated or before them."""
    by_image: dict[int, list[Lease]] = defaultdict(list)
    for lease in leases:
        by_image[lease.image_id].append(lease)
    return sum(
        any(len({other.name for other in of if other.since <= one.since < other.until}) > wanted for one in of)
        for of in by_image.values()
    )


def kept(data: Path, total: Tally) -> Iterator[Row]:
    """What database and CSV say of all runs, after the server's end."""
    with closing(sqlite3.connect(f"file:{data / 'studio.db'}?mode=ro", uri=True)) as db:
        stored = [str(row[0]) for row in db.execute("SELECT key FROM ratings UNION ALL SELECT key FROM repeats")]
        twice = db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM ratings GROUP BY image_id, annotator HAVING count(*) > 1)"
        ).fetchone()[0]
        rated = db.execute("SELECT count(DISTINCT image_id) FROM ratings").fetchone()[0]
    rows = len(pd.read_csv(data / "annotations" / "multihead_ratings.csv"))
    yield Row("ratings acknowledged", [len(total.acknowledged)])
    yield Row("acknowledged and not stored", [len(set(total.acknowledged) - set(stored))], most=0)
    yield Row("stored and not acknowledged", [len(set(stored) - set(total.acknowledged))], most=0)
    yield Row(
        "keys stored twice, or images rated twice by one person", [len(stored) - len(set(stored)) + twice], most=0
    )
    yield Row("leases given", [len(total.leases)])
    yield Row(f"images leased to more than {WANTED} people at a time", [over_assigned(total.leases, WANTED)], most=0)
    yield Row("requests refused", [len(total.refused)], most=0)
    yield Row("rated images less rows of the contract CSV", [abs(rated - rows)], most=0)


def waits(what: str, seconds: list[float], most_p99: float | None = None) -> Iterator[Row]:
    """p50, p95 and p99 in milliseconds."""
    for number in (50, 95, 99) if seconds else ():
        most = most_p99 if number == 99 else None
        yield Row(f"{what}, p{number}", [float(np.percentile(seconds, number)) * 1000], most=most, unit=" ms")


def at_once(size: Size, bare: str, url: str, total: Tally) -> Iterator[Row]:
    """The crowds without pause."""
    works: dict[str, Work] = {
        "bare": Tapper(bare), "saves": Rater(url), "with images": Rater(url, images=True), "next": Asker(url)
    }  # fmt: skip
    for count in size.crowds:
        found = {name: Tally() for name in works}
        for _ in range(size.rounds):
            for name, work in works.items():
                found[name].add(crowd(count, size.seconds, work))
        who = f"{count} rater{'s' * (count > 1)}"
        yield Row(f"{who}: bare route", found["bare"].rates, unit="/s")
        for name, what in (("saves", "saves"), ("with images", "saves with image bytes")):
            yield Row(f"{who}: {what}", found[name].rates, unit="/s")
            yield from waits(f"{who}: {what}", found[name].saves)
        yield from waits(f"{who}: next", found["next"].nexts)
        shares = [ours / theirs for ours, theirs in zip(found["saves"].rates, found["bare"].rates, strict=True)]
        least = LEAST_OF_BARE if count == size.crowds[-1] else None
        yield Row(f"{who}: saves ÷ bare route", shares, least=least)
        total.refused += found.pop("bare").refused
        for tally in found.values():
            total.add(tally)


def calmly(size: Size, url: str, total: Tally) -> Iterator[Row]:
    """The largest crowd at a person's pace."""
    for images in (True, False):
        found = crowd(size.crowds[-1], size.calm_seconds, Rater(url, images, size.pause))
        what = f"{size.crowds[-1]} raters at a person's pace{' with image bytes' if images else ''}"
        yield Row(f"{what}: saves", found.rates, unit="/s")
        yield from waits(f"{what}: save", found.saves, MOST_CALM_MS)
        yield from waits(f"{what}: next", found.nexts)
        total.add(found)


def measure(size: Size) -> Iterator[Row]:
    """All runs, then what is stored."""
    total = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_images(folder / "data", size.images)
        (folder / "data" / "studio.toml").write_text(f"ratings_per_image = {WANTED}\nlease_minutes = 60\n")
        bare_command = [sys.executable, os.fspath(Path(__file__)), "--bare", os.fspath(folder / "bare.db")]
        with serving(bare_command, folder) as (bare, _), studio(folder) as (url, _):
            total.add(crowd(1, size.seconds, Rater(url)))  # the first requests find nothing warm
            yield from at_once(size, bare, url, total)
            yield from calmly(size, url, total)
        alone = [commits_alone(folder, size.seconds / 2) for _ in range(size.rounds)]
        yield Row("SQLite's commits in one process", alone, unit="/s")
        yield from kept(folder / "data", total)
    if total.refused:
        print(f"refused, the first: {total.refused[0]}", file=sys.stderr)


def rows(quick: bool) -> Iterator[Row]:
    """As `benchmarks.run_all` asks for them."""
    return measure(QUICK if quick else Size())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:  # the process of the bare route
        serve_bare(Path(sys.argv[2]))
    else:
        ratios.main(rows, __doc__)
