"""Image files → embeddings, each picture encoded once, ever: kept in SQLite under (content sha256, backbone key)."""

import os
import sqlite3
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reward.decoding import decoded_by_processes, worth_processes
from reward.encoders import Encoders
from reward.errors import CacheError, Fault, InputError
from reward.events import Encoding
from reward.images import content_sha256, load_rgb
from reward.threads import one_thread_each

if TYPE_CHECKING:
    from reward.backbones.base import Backbone

Floats = npt.NDArray[np.float32]

_PREPARE_THREADS: Final = min(8, os.cpu_count() or 1)
CHUNK: Final = 4096
_LOOKUP_CHUNK: Final = 500  # SQLite's limit on variables in one statement was once 999
_MOST_IN_MEMORY: Final = 2**30  # bytes of embeddings
_FIRST_BATCH: Final = 1  # batches double from here: the encoder starts with the first decoded picture


def default_cache_dir() -> Path:
    """$REWARD_CACHE_DIR, else reward-studio in the user's cache folder."""
    if named := os.environ.get("REWARD_CACHE_DIR"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reward-studio"


class EmbeddingCache:
    """Embeddings on disk. Safe with several processes and after a kill: a row is there whole or not at all."""

    def __init__(self, directory: Path) -> None:
        """Open or make the cache in `directory`."""
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "embeddings.db"
        with self._open() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(
                "CREATE TABLE IF NOT EXISTS embeddings (sha256 TEXT, backbone TEXT, vector BLOB NOT NULL, "
                "PRIMARY KEY (sha256, backbone)) WITHOUT ROWID"
            )
            db.execute(
                "CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, sha256 TEXT) "
                "WITHOUT ROWID"
            )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            db = sqlite3.connect(self.path, timeout=60)
            try:
                with db:
                    yield db
            finally:
                db.close()
        except sqlite3.Error as error:
            raise CacheError(
                f"{self.path}: the embedding cache can't be used ({error}); delete it, or name another with --cache-dir"
            ) from error

    def hashes(self, paths: Sequence[Path]) -> list[str]:
        """The content sha256 of each file; a file of known size and time of change is not read again."""
        names = [str(path.resolve()) for path in paths]
        stats = [(stat.st_size, stat.st_mtime_ns) for stat in (path.stat() for path in paths)]
        with self._open() as db:
            query = "SELECT size, mtime_ns, sha256 FROM files WHERE path = ?"
            rows = [db.execute(query, (name,)).fetchone() for name in names]
        known = {name: row[2] for name, stat, row in zip(names, stats, rows, strict=True) if row and row[:2] == stat}
        new = {name: (path, stat) for name, path, stat in zip(names, paths, stats, strict=True) if name not in known}
        with ThreadPoolExecutor(_PREPARE_THREADS) as pool:
            read = dict(zip(new, pool.map(content_sha256, [path for path, _ in new.values()]), strict=True))
        # All reading comes first: a write lock held meanwhile would keep other processes waiting.
        with self._open() as db:
            records = [(name, *stat, read[name]) for name, (_, stat) in new.items()]
            db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", records)
        known |= read
        return [known[name] for name in names]

    def known(self, hashes: Iterable[str], backbone: str) -> Iterator[tuple[str, Floats]]:
        """The embeddings that are there, with their content hashes."""
        unique = list(dict.fromkeys(hashes))
        with self._open() as db:
            for start in range(0, len(unique), _LOOKUP_CHUNK):
                chunk = unique[start : start + _LOOKUP_CHUNK]
                marks = ",".join("?" * len(chunk))
                query = f"SELECT sha256, vector FROM embeddings WHERE backbone = ? AND sha256 IN ({marks})"
                for sha256, vector in db.execute(query, (backbone, *chunk)):
                    yield sha256, np.frombuffer(vector, dtype=np.float32)

    def put(self, hashes: Sequence[str], backbone: str, vectors: Floats) -> None:
        """Keep (B, D) embeddings."""
        rows = [
            (sha, backbone, vector.tobytes()) for sha, vector in zip(hashes, vectors.astype(np.float32), strict=True)
        ]
        with self._open() as db:
            db.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", rows)


@dataclass(frozen=True)
class Embeddings:
    """`vectors` (N, D) and `hashes` (N) content sha256 of N image files, in their order.

    Vectors are float32. Where they would take over a gigabyte they are memory-mapped, those of length 1 in float16.
    """

    vectors: npt.NDArray[np.float32 | np.float16]
    hashes: list[str]


def embed_files(
    paths: Sequence[Path],
    backbone: "Backbone",
    cache: EmbeddingCache,
    on_progress: Callable[[Encoding], None] = lambda _: None,
) -> Embeddings:
    """Embeddings of image files, from the cache where it has them; new ones are kept as they come.

    Args:
        on_progress: told after each batch; may raise to stop, what is encoded stays kept.

    Raises:
        InputError: images that can't be decoded, all of them named.
        BackboneError: the weights can't be had.
    """
    hashes = cache.hashes(paths)
    place: dict[str, int] = {}  # of each picture: the first of its files
    for number, sha in enumerate(hashes):
        place.setdefault(sha, number)
    vectors = _room(len(hashes), backbone, cache.path.parent)
    there: set[str] = set()
    for sha, vector in cache.known(place, backbone.key):
        vectors[place[sha]] = vector
        there.add(sha)
    todo = {sha: paths[number] for sha, number in place.items() if sha not in there}
    total, cached = len(place), len(place) - len(todo)
    done, device = cached, str(backbone.device)

    def tell(seconds: float) -> None:
        rate = (done - cached) / seconds if seconds > 0 else 0.0
        remaining = (total - done) / rate if rate else 0.0
        on_progress(Encoding(done, total, cached, round(rate, 2), round(remaining, 1), backbone.spec, device))

    tell(0.0)
    if todo:
        backbone.load()
        started = time.monotonic()
        bad: dict[str, str] = {}

        def keep(names: list[str], encoded: Callable[[], Tensor]) -> int:
            numbers = encoded().cpu().numpy()
            cache.put(names, backbone.key, numbers)
            vectors[[place[sha] for sha in names]] = numbers
            return len(names)

        storing: deque[Future[int]] = deque()
        with ThreadPoolExecutor(1) as keeper, Encoders(backbone) as encoders:
            # The next batch is worked on while the last one is fetched and stored.
            at_once = 1 if encoders.side_by_side or backbone.device.type == "cuda" else 0
            first = encoders.size if encoders.side_by_side else min(_FIRST_BATCH, encoders.size)
            for names, batch in _batches(todo, backbone, first, encoders.size, bad):
                storing.append(keeper.submit(keep, names, encoders.encode(batch)))
                while len(storing) > at_once:
                    done += storing.popleft().result()
                    tell(time.monotonic() - started)
            for last in storing:
                done += last.result()
                tell(time.monotonic() - started)
        if bad:
            named = zip(paths, hashes, strict=True)
            raise InputError(
                [Fault(str(path), None, bad[sha], "replace the file") for path, sha in named if sha in bad]
            )
    for number, sha in enumerate(hashes):
        if place[sha] != number:
            vectors[number] = vectors[place[sha]]
    return Embeddings(vectors, hashes)


def _room(count: int, backbone: "Backbone", folder: Path) -> npt.NDArray[np.float32 | np.float16]:
    """(count, D) numbers to be filled: in memory, or, where they are many, in a nameless file below `folder`."""
    shape = (count, backbone.dim)
    if np.prod(shape) * 4 <= _MOST_IN_MEMORY:
        return np.empty(shape, dtype=np.float32)
    dtype = np.dtype(np.float16 if backbone.identity.get("normalised") else np.float32)
    with tempfile.TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):  # a full disk is to be an error now, not a crash while it is filled
            os.posix_fallocate(file.fileno(), 0, int(np.prod(shape)) * dtype.itemsize)
        return np.memmap(file, dtype, "w+", shape=shape)


def embed_in_chunks(
    paths: Sequence[Path],
    backbone: "Backbone",
    cache: EmbeddingCache,
    on_progress: Callable[[int], None] = lambda _: None,
    size: int = CHUNK,
) -> Iterator[tuple[int, Embeddings]]:
    """As `embed_files`, for more images than should be in memory at once: `size` at a time, each with its first index.

    A chunk after a faulty image is still encoded, so that all of them are named and nothing is encoded twice, but no
    longer yielded.

    Args:
        on_progress: told how many images are done.

    Raises:
        InputError: images that are missing, before anything is encoded; or, at the end, that can't be decoded.
    """
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise InputError([Fault(str(path), None, "the file does not exist", "correct the path") for path in missing])
    faults: list[Fault] = []

    def progress_from(start: int) -> Callable[[Encoding], None]:
        return lambda event: on_progress(start + event.done)

    for start in range(0, len(paths), size):
        try:
            part = embed_files(paths[start : start + size], backbone, cache, progress_from(start))
        except InputError as error:
            faults.extend(error.faults)
            continue
        if not faults:
            yield start, part
    on_progress(len(paths))
    if faults:
        raise InputError(faults)


def _batches(
    todo: dict[str, Path], backbone: "Backbone", first: int, size: int, bad: dict[str, str]
) -> Iterator[tuple[list[str], Tensor]]:
    """Prepared batches of `size` with their content hashes, decoded ahead of the encoder; growing from `first`.

    What can't be decoded is put into `bad`: the reason, by content hash.
    """
    if worth_processes(len(todo), backbone.device.type, size):
        for names, batch, failed in decoded_by_processes(list(todo.items()), backbone.preparation(), size):
            bad |= failed
            if names:
                yield names, batch
    else:
        yield from _decoded_by_threads(todo, backbone, first, size, bad)


def _decoded_by_threads(
    todo: dict[str, Path], backbone: "Backbone", first: int, size: int, bad: dict[str, str]
) -> Iterator[tuple[list[str], Tensor]]:
    """As `_batches`; at most four batches ahead."""
    fill = first

    def prepare(path: Path) -> Tensor:
        return backbone.prepare(load_rgb(path))

    with ThreadPoolExecutor(_PREPARE_THREADS, initializer=one_thread_each) as pool:
        waiting = iter(todo.items())
        ahead: deque[tuple[str, Path, Future[Tensor]]] = deque()
        names: list[str] = []
        tensors: list[Tensor] = []
        try:
            while True:
                while len(ahead) < 4 * size and (item := next(waiting, None)):
                    ahead.append((*item, pool.submit(prepare, item[1])))
                if not ahead:
                    break
                sha, _, future = ahead.popleft()
                try:
                    tensors.append(future.result())
                    names.append(sha)
                except ValueError as error:
                    bad[sha] = str(error)
                if tensors and (len(tensors) == fill or not ahead):
                    yield names, torch.stack(tensors)
                    names, tensors, fill = [], [], min(2 * fill, size)
        finally:
            for *_, future in ahead:
                future.cancel()
