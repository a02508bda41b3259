"""The store: keys stored once, rows never changed, nothing acknowledged is lost, whoever writes and however it ends."""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import pytest
from sqlite_utils import Database

from annotate.errors import BadRequestError, ConflictError, NotFoundError, StorageError
from annotate.exports import Exporter
from annotate.judgement import Rating, check_rating
from annotate.migrations import studio_migrations
from annotate.project import Project
from annotate.store import Store
from reward.aspects import HEADS

MakeProject = Callable[..., Project]
OpenStore = Callable[[Project], Store]
REPOSITORY = Path(__file__).parents[1]


def rating(image_id: int, annotator: str = "Ada", value: float = 5.0, key: str = "") -> Rating:
    key = key or hashlib.sha256(f"{image_id} {annotator} {value}".encode()).hexdigest()
    return check_rating(image_id, annotator, dict.fromkeys(HEADS, value), [], 2.5, key)


@pytest.fixture
def store(make_project: MakeProject, open_store: OpenStore) -> Store:
    return open_store(make_project(prompts=2, images=3))


def test_the_tables_know_every_head(tmp_path: Path) -> None:
    db = Database(sqlite3.connect(tmp_path / "x.db"))
    studio_migrations().apply(db)
    assert set(HEADS) <= set(db["ratings"].columns_dict)
    assert not studio_migrations().pending(db)
    db.close()


def test_a_rating_is_stored_whole(store: Store) -> None:
    sent = check_rating(
        1, "  Ada ", {"spatial": 7, "icono": 0, "style": 9.9, "fidelity": 10}, ["material"], 3.25, "k" * 8
    )
    stored, repeated = store.save_rating(sent)
    assert not repeated
    assert store.ratings_since(0) == [stored]
    assert stored.values == (7.0, 0.0, 9.9, 10.0, None)
    assert (stored.annotator, stored.unjudged, stored.seconds, stored.source) == ("Ada", ("material",), 3.25, "pad")
    assert stored.created.endswith("+00:00")


def test_a_count_made_in_the_midst_of_a_save_is_right_afterwards(store: Store) -> None:
    """At each line of a save in turn another thread counts anew; where the save holds the lock it has to wait."""

    def count_anew(name: str) -> None:
        store.rescan()
        store.progress(name)

    def save(name: str, line: int, counters: list[threading.Thread]) -> None:
        lines = iter(range(1000))

        def at_each_line(frame: FrameType, event: str, _argument: object) -> Callable[..., object] | None:
            if frame.f_code is not Store._save_and.__code__:
                return None
            if event == "line" and next(lines) == line:
                counters.append(threading.Thread(target=count_anew, args=[name]))
                counters[0].start()
                counters[0].join(0.2)
            return at_each_line

        sys.settrace(at_each_line)
        store.save_rating(rating(1, name))

    for line in range(1000):
        name, counters = f"Person {line}", list[threading.Thread]()
        assert store.progress(name).rated == 0
        saver = threading.Thread(target=save, args=[name, line, counters])
        saver.start()
        saver.join()
        for counter in counters:
            counter.join()
        assert store.progress(name).rated == 1
        if not counters:  # past the last line
            break
    assert line > 5


def test_a_repeated_key_stores_once(store: Store) -> None:
    first, _ = store.save_rating(rating(1))
    again, repeated = store.save_rating(rating(1))
    assert repeated
    assert again == first
    assert len(store.ratings_since(0)) == 1


def test_a_key_with_other_content_is_refused(store: Store) -> None:
    store.save_rating(rating(1, key="same-key"))
    for other in (rating(2, key="same-key"), rating(1, "Bob", key="same-key"), rating(1, value=6.0, key="same-key")):
        with pytest.raises(ConflictError) as caught:
            store.save_rating(other)
        assert "key was used for another rating" in str(caught.value)
    assert len(store.ratings_since(0)) == 1


def test_an_unknown_image_is_refused(store: Store) -> None:
    with pytest.raises(NotFoundError) as caught:
        store.save_rating(rating(99))
    assert "There is no image 99" in str(caught.value)
    with pytest.raises(NotFoundError):
        store.save_skip(99, "Ada")
    assert store.ratings_since(0) == []


def test_ratings_and_skips_can_be_neither_changed_nor_deleted(store: Store) -> None:
    store.save_rating(rating(1))
    store.save_skip(2, "Ada")
    with sqlite3.connect(store.project.database) as other:
        for statement in ("UPDATE ratings SET style = 1", "DELETE FROM ratings", "DELETE FROM skips"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                other.execute(statement)
    other.close()


def test_the_database_itself_refuses_what_is_no_rating(store: Store) -> None:
    with sqlite3.connect(store.project.database) as other:
        other.execute("PRAGMA foreign_keys = ON")
        insert = "INSERT INTO ratings (image_id, annotator, style, unjudged, key, source, withdrawn, created) VALUES "
        for values in ("(1, 'A', 10.1, '', 'k1', 'pad', 0, '')", "(99, 'A', 1, '', 'k2', 'pad', 0, '')",
                       "(1, 'A', 'seven', '', 'k3', 'pad', 0, '')"):  # fmt: skip
            with pytest.raises(sqlite3.IntegrityError):
                other.execute(insert + values)
    other.close()


def test_many_threads_lose_and_double_nothing(store: Store) -> None:
    jobs = [(image_id, f"Person {p}") for image_id in range(1, 7) for p in range(20)] * 2
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda job: store.save_rating(rating(*job)), jobs))
    assert sum(not repeated for _, repeated in answers) == 120
    rows = store.ratings_since(0)
    assert len(rows) == 120
    assert {(row.image_id, row.annotator) for row in rows} == set(jobs)
    assert {row.id for row, _ in answers} == {row.id for row in rows}


def test_the_queue_goes_by_prompt_and_ends_with_the_skipped(store: Store) -> None:
    paths = {image.id: image.path for image in store.images()}
    store.save_skip(1, "Ada")
    seen, after = [], 1
    while tasks := store.next_tasks("Ada", after):
        after = tasks[0].image.id
        seen.append(paths[after])
        store.save_rating(rating(after))
    assert seen == ["p01/2.png", "p01/3.png", "p02/1.png", "p02/2.png", "p02/3.png", "p01/1.png"]
    assert store.progress("Ada").rated == store.progress("Ada").total == 6
    assert store.next_tasks("Bob")[0].image.id == 1


def test_the_queue_comes_back_to_what_lies_before(store: Store) -> None:
    ids = [image.id for image in store.images()]
    store.save_rating(rating(ids[-1]))
    assert [task.image.id for task in store.next_tasks("Ada", after=ids[-1], limit=2)] == ids[:2]
    assert [task.image.id for task in store.next_tasks("Ada", after=12345, limit=2)] == ids[:2]


def test_a_skipped_image_that_is_the_last_comes_again(store: Store) -> None:
    *most, last = [image.id for image in store.images()]
    for image_id in most:
        store.save_rating(rating(image_id))
    store.save_skip(last, "Ada")
    assert [task.image.id for task in store.next_tasks("Ada", after=last, limit=2)] == [last]


def test_progress_counts_an_image_once(store: Store) -> None:
    assert store.progress("Ada").rated == 0
    store.save_rating(rating(1, value=3.0))
    store.save_rating(rating(1, value=4.0))
    store.save_rating(rating(2, "Bob"))
    assert (store.progress("Ada").rated, store.progress("Bob").rated) == (1, 1)


def test_images_that_go_and_come_back_keep_their_ratings(store: Store) -> None:
    store.save_rating(rating(1))
    file = store.project.images / "p01" / "1.png"
    aside = store.project.root / "aside.png"
    file.rename(aside)
    store.rescan()
    assert (store.progress("Ada").rated, store.progress("Ada").total) == (0, 5)
    with pytest.raises(NotFoundError):
        store.image(1)
    aside.rename(file)
    store.rescan()
    assert (store.progress("Ada").rated, store.progress("Ada").total) == (1, 6)
    assert store.image(1).path == "p01/1.png"


def test_a_look_at_an_unchanged_folder_writes_no_image(store: Store) -> None:
    told: list[str] = []
    store._db.conn.set_trace_callback(told.append)
    store.rescan()
    assert not [text for text in told if "images" in text and not text.startswith("SELECT")]
    (store.project.images / "p02" / "2.png").unlink()
    store.rescan()
    store._db.conn.set_trace_callback(None)
    assert len([text for text in told if text.startswith("UPDATE images SET active = 0")]) == 1


def test_prompts_come_from_the_csv_in_its_order(make_project: MakeProject, open_store: OpenStore) -> None:
    project = make_project(prompts=3, images=1)
    project.prompts_csv.write_text('prompt_id,prompt\np03,"Last, first"\np01,<b>bold</b>\n', encoding="utf-8")
    store = open_store(project)
    assert [(image.prompt_id, image.prompt) for image in store.images()] == [
        ("p03", "Last, first"), ("p01", "<b>bold</b>"), ("p02", "p02")]  # fmt: skip


def test_a_faulty_prompts_file_is_named_and_the_studio_opens_all_the_same(
    make_project: MakeProject, open_store: OpenStore
) -> None:
    project = make_project()
    project.prompts_csv.write_text("id,text\n1,x\n", encoding="utf-8")
    store = open_store(project)
    assert "prompts.csv:1: column 'prompt_id' is missing" in store.problems[0]
    assert len(store.next_tasks("Ada", limit=2)) == 2


def test_two_studios_do_not_share_a_folder(store: Store) -> None:
    with pytest.raises(StorageError) as caught:
        Store.open(store.project)
    assert "Another studio has" in str(caught.value)


def test_a_damaged_database_is_named(make_project: MakeProject) -> None:
    project = make_project()
    project.database.write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError) as caught:
        Store.open(project)
    assert "studio.db can't be used (file is not a database)" in str(caught.value)


def test_a_full_disk_is_said_and_nothing_is_acknowledged(store: Store) -> None:
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own way to run out of space
    jobs = (rating(1, f"Person {number}") for number in range(10_000))
    stored = []
    with pytest.raises(StorageError) as caught:
        stored.extend(store.save_rating(job)[0] for job in jobs)
    assert "full" in str(caught.value)
    assert "nothing was stored" in str(caught.value)
    assert store.ratings_since(0) == stored
    store._db.execute(f"PRAGMA max_page_count = {pages * 100}")
    assert not store.save_rating(rating(2))[1]


def test_a_reserved_name_can_not_be_taken(store: Store) -> None:
    with pytest.raises(BadRequestError):
        store.save_skip(1, "edited-CSV")


WRITER = """
import sys
from pathlib import Path
from annotate.exports import Exporter
from annotate.judgement import check_rating
from annotate.project import Project
from annotate.store import Store
from reward.aspects import HEADS
store = Store.open(Project(Path(sys.argv[1]), base=Path(sys.argv[1]).parent))
Exporter(store).start()
for number in range(1_000_000):
    ratings = dict.fromkeys(HEADS, number % 101 / 10)
    store.save_rating(check_rating(1 + number % 6, f"Person {number}", ratings, [], 1.0, f"key-{number:08d}"))
    print(number, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 40, 333])
def test_killed_in_the_midst_every_acknowledged_rating_is_there(
    make_project: MakeProject, open_store: OpenStore, acknowledged: int
) -> None:
    project = make_project(prompts=2, images=3)
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(project.root)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert process.stdout is not None
    last = -1
    for line in process.stdout:
        last = int(line)
        if last + 1 >= acknowledged:
            os.kill(process.pid, signal.SIGKILL)
            break
    # What was still in the pipe was acknowledged too.
    last = max([last, *(int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n"))])
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()

    store = open_store(project)
    keys = [row.key for row in store.ratings_since(0)]
    assert keys[: last + 1] == [f"key-{number:08d}" for number in range(last + 1)]
    value = last % 101 / 10
    retried, repeated = store.save_rating(
        check_rating(1 + last % 6, f"Person {last}", dict.fromkeys(HEADS, value), [], 1.0, f"key-{last:08d}")
    )
    assert repeated
    assert retried.key == f"key-{last:08d}"

    assert Exporter(store).flush()
    exported = project.per_annotator_csv.read_text(encoding="utf-8").splitlines()[1:]
    assert {line.split(",")[2] for line in exported} == {f"Person {number}" for number in range(len(keys))}
    assert [path.name for path in project.annotations.iterdir() if path.name.startswith(".")] == []
