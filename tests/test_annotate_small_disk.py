"""A disk that is full, and one that became read-only: a small tmpfs. Where it can't be mounted these are skipped."""

import csv
import errno
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from desk_parts import draw_picture
from fastapi.testclient import TestClient

from annotate.api import build_api
from annotate.errors import StorageError
from annotate.exports import Exporter
from annotate.judgement import check_rating
from annotate.project import Project
from annotate.store import Store
from reward.aspects import HEADS

_numbers = count()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk can't be mounted: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@contextmanager
def desk(disk: Path) -> Iterator[tuple[TestClient, Store, Exporter]]:
    project = Project(disk / "data", base=disk)
    store = Store.open(project)
    exporter = Exporter(store)
    try:
        with TestClient(build_api(project, store, exporter), base_url="http://localhost") as client:
            yield client, store, exporter
    finally:
        store.close()


def save(client: TestClient, image_id: int) -> Any:
    body = {"key": f"key-{next(_numbers):06d}", "annotator": "Ada", "image_id": image_id,
            "ratings": dict.fromkeys(HEADS, 5.0)}  # fmt: skip
    return body["key"], client.post("/api/ratings", json=body)


def fill(disk: Path) -> Path:
    """A file that takes all the room that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return filler


def test_a_full_disk_is_told_and_holds_all_that_was_acknowledged(small_disk: Path) -> None:
    for number in range(4):
        draw_picture(small_disk / f"data/images/p1/{number}.png", number, (32, 24))
    acknowledged = []
    with desk(small_disk) as (client, store, exporter):
        acknowledged.append(save(client, 1)[0])
        assert exporter.flush()
        filler = fill(small_disk)
        for _ in range(2000):  # the write-ahead log has a little room left
            key, answer = save(client, 2)
            if answer.status_code != 200:
                break
            acknowledged.append(key)
        assert answer.status_code == 503
        assert "nothing was stored" in answer.json()["detail"]
        assert "disk space" in answer.json()["detail"]
        assert [row.key for row in store.ratings_since(0)] == acknowledged
        filler.unlink()
        assert save(client, 3)[1].status_code == 200
        assert exporter.flush()
        assert exporter.problems == ()
        rated = {row.image_id for row in store.ratings_since(0)}
    assert {1, 3} <= rated
    with Project(small_disk / "data", base=small_disk).per_annotator_csv.open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(rated)


def test_csv_files_wait_for_room_and_are_never_cut_short(small_disk: Path) -> None:
    for number in range(4):
        draw_picture(small_disk / f"data/images/p1/{number}.png", number, (32, 24))
    store = Store.open(Project(small_disk / "data", base=small_disk))
    exporter = Exporter(store)  # never started: `flush` does the work here and now
    try:
        store.save_rating(check_rating(1, "Ada", dict.fromkeys(HEADS, 5.0), [], 1.0, "key-0001"))
        assert exporter.flush()
        before = store.project.ratings_csv.read_bytes()
        store.save_rating(check_rating(2, "Ada", dict.fromkeys(HEADS, 7.0), [], 1.0, "key-0002"))
        filler = fill(small_disk)
        assert not exporter.flush()
        assert exporter.problems
        assert store.project.ratings_csv.read_bytes() == before
        filler.unlink()
        assert exporter.flush()
        assert exporter.problems == ()
        assert len(store.project.ratings_csv.read_bytes().splitlines()) == 3
    finally:
        store.close()


@pytest.fixture
def protect(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Makes all of a test's folder read-only ("+i"), files that are open too, or writable again ("-i").

    Remounting can't do that: Linux refuses it while the studio has its database open. The database's shared memory is
    left out: whoever writes to mapped memory of a read-only file is killed by Linux.
    """

    def change(how: str) -> None:
        files = [str(path) for path in (tmp_path, *tmp_path.rglob("*")) if not path.name.endswith("-shm")]
        subprocess.run(["chattr", how, *files], capture_output=True, check=True)

    try:
        with (tmp_path / "probe").open("wb", buffering=0) as file:
            change("+i")
            try:
                file.write(b"x")
                pytest.skip("open files can't be made read-only here")
            except PermissionError:
                change("-i")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"files can't be made read-only: {error}")
    try:
        yield change
    finally:
        change("-i")


def test_a_folder_that_becomes_read_only_under_the_studio_is_told_and_saves_go_on_after(
    tmp_path: Path, protect: Callable[[str], None]
) -> None:
    for number in range(4):
        draw_picture(tmp_path / f"data/images/p1/{number}.png", number, (32, 24))
    with desk(tmp_path) as (client, store, exporter):
        acknowledged = [save(client, 1)[0]]
        assert exporter.flush()
        protect("+i")
        for image_id in (1, 2):
            _, answer = save(client, image_id)
            assert answer.status_code == 503
            assert "nothing was stored. Check disk space and permissions." in answer.json()["detail"]
        assert client.get("/api/progress", params={"annotator": "Ada"}).json()["rated"] == 1
        protect("-i")
        for image_id in (2, 3):
            key, answer = save(client, image_id)
            assert answer.status_code == 200
            acknowledged.append(key)
        assert [row.key for row in store.ratings_since(0)] == acknowledged
        assert exporter.flush()
        assert exporter.problems == ()
    store = Store.open(Project(tmp_path / "data", base=tmp_path))
    assert [row.key for row in store.ratings_since(0)] == acknowledged
    store.close()


def test_a_folder_that_became_read_only_is_told(small_disk: Path) -> None:
    draw_picture(small_disk / "data/images/p1/0.png", 0, (32, 24))
    Store.open(Project(small_disk / "data", base=small_disk)).close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StorageError, match="can't be written") as caught:
        Store.open(Project(small_disk / "data", base=small_disk))
    assert "permissions" in str(caught.value)
