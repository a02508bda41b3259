"""The exported files: true soon after a save, whole at every moment, and never written over what someone edited."""

import contextlib
import csv
import json
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from desk_parts import draw_picture
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.errors import BadRequestError
from annotate.exports import Exporter
from annotate.judgement import check_annotator, check_rating
from annotate.project import SAMPLE_MARKER, Project
from annotate.store import Store
from reward.aspects import HEADS, RATING_COLUMNS
from reward.preferences import read_preferences
from reward.ratings import read_ratings

MakeProject = Callable[..., Project]
OpenStore = Callable[[Project], Store]
Desk = tuple[Store, Exporter]
HEADER = "prompt_id,image_path,spatial_rating,icono_rating,style_rating,fidelity_rating,material_rating\n"


def rate(store: Store, image_id: int, name: str = "Ada", *values: float | None) -> None:
    """Rate an image: one value for all heads, or five, None = can't judge."""
    five = values * 5 if len(values) == 1 else values
    ratings = dict(zip(HEADS, five, strict=True))
    marks = [head for head, value in ratings.items() if value is None]
    store.save_rating(check_rating(image_id, name, ratings, marks, 1.0, f"key-{time.perf_counter_ns()}"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cell(path: Path, image: str, head: str = "spatial", name: str | None = None) -> str:
    found = [row for row in rows(path) if row["image_path"].endswith(image) and row.get("annotator") == name]
    assert len(found) == 1, found
    return found[0][f"{head}_rating"]


def wait_until(done: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def holds(path: Path, text: str) -> bool:
    return text in path.read_text(encoding="utf-8")


@pytest.fixture
def desk(make_project: MakeProject, open_store: OpenStore) -> Desk:
    """A store with an exporter that works when asked (`flush`), on two prompts of three images."""
    store = open_store(make_project(prompts=2, images=3))
    return store, Exporter(store)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# What is written


def test_the_files_are_what_the_contract_says(desk: Desk) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", 7, 3, None, 10, 4.9)
    rate(store, 1, "Bob", 8, 4, None, 9.5, 5)
    rate(store, 2, "Ada", 1.0)
    assert exporter.flush()
    assert store.project.ratings_csv.read_text(encoding="utf-8") == (
        HEADER + "p01,data/images/p01/1.png,7.5,3.5,,9.75,4.95\np01,data/images/p01/2.png,1,1,1,1,1\n"
    )
    assert rows(store.project.per_annotator_csv)[1] == {
        "prompt_id": "p01", "image_path": "data/images/p01/1.png", "annotator": "Bob", "spatial_rating": "8",
        "icono_rating": "4", "style_rating": "", "fidelity_rating": "9.5", "material_rating": "5"}  # fmt: skip
    lines = store.project.pairs_jsonl.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "prompt": "Picture number 1, with a disc",
            "img_pos": "data/images/p01/1.png",
            "img_neg": "data/images/p01/2.png",
            "label": 1.0,
        }
    ]
    assert exporter.problems == ()


def test_means_are_rounded_to_three_decimals(desk: Desk) -> None:
    store, exporter = desk
    for name, value in (("A", 7.0), ("B", 7.0), ("C", 8.0)):
        rate(store, 1, name, value)
    exporter.flush()
    assert cell(store.project.ratings_csv, "p01/1.png") == "7.333"


def test_the_newest_rating_of_a_person_counts(desk: Desk) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", 2.0)
    exporter.flush()
    rate(store, 1, "Ada", 8.0)
    exporter.flush()
    assert cell(store.project.ratings_csv, "p01/1.png") == "8"
    assert len(store.ratings_since(0)) == 2


def test_an_image_that_nobody_could_judge_has_no_row(desk: Desk) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", None)
    rate(store, 2, "Ada", 3.0)
    exporter.flush()
    assert [row["image_path"] for row in rows(store.project.ratings_csv)] == ["data/images/p01/2.png"]
    assert store.progress("Ada").rated == 2


def test_nothing_is_written_before_the_first_rating(desk: Desk) -> None:
    store, exporter = desk
    assert exporter.flush()
    assert not store.project.annotations.exists() or not list(store.project.annotations.iterdir())


def test_labels_are_means_over_people_with_ties_half(desk: Desk) -> None:
    store, exporter = desk
    for name, first, second in (("A", 9.0, 2.0), ("B", 5.0, 5.0), ("C", 1.0, 2.0), ("D", 8.0, 2.0)):
        rate(store, 1, name, first)
        rate(store, 2, name, second)
    rate(store, 3, "E", 5.0)
    exporter.flush()
    labels = {
        (line["img_pos"][-5:], line["img_neg"][-5:]): line["label"]
        for line in map(json.loads, store.project.pairs_jsonl.read_text().splitlines())
    }
    assert labels == {("1.png", "2.png"): 0.625}  # nobody rated 3 and another one


def test_the_engine_reads_what_the_studio_writes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    store, exporter = desk
    for image_id in range(1, 7):
        rate(store, image_id, "Ada", image_id + 0.5)
    exporter.flush()
    assert store.project.base is not None
    monkeypatch.chdir(store.project.base)
    table = read_ratings(store.project.ratings_csv)
    assert table.frame["spatial_rating"].tolist() == [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    assert read_ratings(store.project.per_annotator_csv).has_annotators
    assert read_preferences(store.project.pairs_jsonl) is not None


def test_pairs_are_one_a_line_for_every_reader_and_none_has_a_blank_prompt(
    make_project: MakeProject, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(prompts=2, images=2)
    prompt = "one\u2028two\u2029three\x85four\x0bfive\x1csix, naïve 日本"
    project.prompts_csv.write_text(f'prompt_id,prompt\np01,"{prompt}"\np02,\n', encoding="utf-8")
    store = open_store(project)
    assert [image.prompt for image in store.images()] == [prompt, prompt, "p02", "p02"]
    for image_id in range(1, 5):
        rate(store, image_id, "Ada", float(image_id))
    assert Exporter(store).flush()
    text = project.pairs_jsonl.read_text(encoding="utf-8")
    assert [json.loads(line)["prompt"] for line in text.splitlines()] == [prompt, "p02"]
    assert "naïve 日本" in text
    assert project.base is not None
    monkeypatch.chdir(project.base)
    assert read_preferences(project.pairs_jsonl) is not None


def test_many_saves_at_once_are_all_in_the_files(desk: Desk) -> None:
    store, exporter = desk
    exporter.start()
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda n: rate(store, 1 + n % 6, f"Person {n // 6}", float(n % 10)), range(300)))
    assert exporter.flush()
    assert len(rows(store.project.per_annotator_csv)) == 300
    assert len(rows(store.project.ratings_csv)) == 6
    exporter.stop()
    assert sorted(path.name for path in store.project.annotations.iterdir()) == [
        "multihead_ratings.csv", "pairs.jsonl", "ratings_per_annotator.csv"]  # fmt: skip


def test_a_reader_never_meets_half_a_file(desk: Desk) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", 5.0)
    exporter.flush()
    exporter.start()
    ending = threading.Event()
    seen: list[bytes] = []

    def read() -> None:
        while not ending.is_set():
            seen.append(store.project.ratings_csv.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    deadline, n = time.monotonic() + 60, 0
    while n < 60 or len(set(seen)) <= 2:
        assert time.monotonic() < deadline
        rate(store, 1 + n % 6, "Ada", float(n % 10))
        time.sleep(0.005)
        n += 1
    exporter.stop()
    ending.set()
    reader.join()
    for text in set(seen):
        assert text.startswith(HEADER.encode())
        assert text.endswith(b"\n")
        assert all(line.count(b",") == 6 for line in text.splitlines())


def test_a_save_shows_in_the_files_by_itself(desk: Desk) -> None:
    store, exporter = desk
    exporter.start()
    rate(store, 1, "Ada", 5.0)
    wait_until(store.project.ratings_csv.exists)
    rate(store, 2, "Ada", 6.0)
    wait_until(lambda: len(rows(store.project.ratings_csv)) == 2)
    exporter.stop()


def test_a_save_shows_in_both_files_of_ten_thousand_images(tmp_path: Path, open_store: OpenStore) -> None:
    project = Project(tmp_path / "data", base=tmp_path)
    draw_picture(tmp_path / "small.png", 1, (4, 4))
    picture = (tmp_path / "small.png").read_bytes()
    lines = [HEADER.replace("path,", "path,annotator,")]
    for prompt in range(100):
        folder = project.images / f"p{prompt:02d}"
        folder.mkdir(parents=True)
        for image in range(100):
            (folder / f"{image:02d}.png").write_bytes(picture)
            lines.append(f"p{prompt:02d},data/images/p{prompt:02d}/{image:02d}.png,Ada,1,2,3,4,{image % 10}\n")
    project.annotations.mkdir()
    project.per_annotator_csv.write_text("".join(lines), encoding="utf-8")
    store = open_store(project)
    exporter = Exporter(store)
    exporter.start()
    wait_until(lambda: project.ratings_csv.exists() and len(rows(project.ratings_csv)) == 10_000, 120)
    for image_id, value in ((1, 8), (5000, 9), (10_000, 10)):
        image = store.image(image_id)
        start = f"{image.prompt_id},data/images/{image.path},"
        rate(store, image_id, "Bob", float(value))
        wait_until(partial(holds, project.ratings_csv, f"{start}{(value + 1) / 2:g},"))
        wait_until(partial(holds, project.per_annotator_csv, f"{start}Bob,{value},"))
    exporter.stop()
    assert len(rows(project.per_annotator_csv)) == 10_003


def test_an_export_outstanding_at_the_end_is_made_at_the_next_start(
    make_project: MakeProject, open_store: OpenStore
) -> None:
    project = make_project()
    store = Store.open(project)
    rate(store, 1, "Ada", 5.0)
    store.close()
    store = open_store(project)
    exporter = Exporter(store)
    exporter.start()
    wait_until(project.ratings_csv.exists)
    exporter.stop()


def test_a_removed_image_leaves_the_files_and_returns_with_its_ratings(desk: Desk) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", 5.0)
    rate(store, 2, "Ada", 6.0)
    exporter.flush()
    file = store.project.images / "p01" / "1.png"
    file.rename(store.project.root / "aside.png")
    store.rescan()
    exporter.flush()
    assert [row["image_path"] for row in rows(store.project.ratings_csv)] == ["data/images/p01/2.png"]
    (store.project.root / "aside.png").rename(file)
    store.rescan()
    edit(store.project.ratings_csv, "6,6,6,6,6", "6,6,6,6,7")  # an edit made while the image was away
    exporter.flush()
    assert cell(store.project.ratings_csv, "1.png") == "5"
    assert cell(store.project.ratings_csv, "2.png", "material") == "7"


def test_a_folder_that_can_not_be_written_is_said_and_comes_right(desk: Desk) -> None:
    store, exporter = desk
    store.project.annotations.write_text("a file where the folder should be")
    rate(store, 1, "Ada", 5.0)
    assert not exporter.flush()
    assert "can't be written" in exporter.problems[0]
    assert "All ratings are safe in the database" in exporter.problems[0]
    store.project.annotations.unlink()
    assert exporter.flush()
    assert exporter.problems == ()
    assert cell(store.project.ratings_csv, "1.png") == "5"


def test_people_and_simulated_people_share_no_file_in_the_sample(
    make_project: MakeProject, open_store: OpenStore
) -> None:
    project = make_project(prompts=1, images=3)
    store = open_store(project)
    own = project.own_annotations
    for image_id, simulated, real in ((1, 2.0, 9.0), (2, 3.0, 8.0)):
        rate(store, image_id, "simulated-1", simulated)
        rate(store, image_id, "Ada", real)
    assert Exporter(store).flush()  # as a sample's files were before they were kept apart
    assert len(rows(project.per_annotator_csv)) == 4
    (project.root / SAMPLE_MARKER).write_text("simulated")
    exporter = Exporter(store)
    assert exporter.flush()
    assert exporter.problems == ()
    for folder, name, values, label in ((project.annotations, "simulated-1", "23", 0.0), (own, "Ada", "98", 1.0)):
        found = rows(folder / "ratings_per_annotator.csv")
        assert [(row["annotator"], row["spatial_rating"]) for row in found] == [(name, value) for value in values]
        assert [row["spatial_rating"] for row in rows(folder / "multihead_ratings.csv")] == list(values)
        assert json.loads((folder / "pairs.jsonl").read_text())["label"] == label
    edit(project.ratings_csv, "2,2,2,2,2", "1,2,2,2,2")
    edit(own / "multihead_ratings.csv", "9,9,9,9,9", "10,9,9,9,9")
    edit(own / "ratings_per_annotator.csv", "Ada,8,", "Ada,7,")
    (own / "pairs.jsonl").write_text("mine\n")
    rate(store, 3, "Ada", 6.0)
    assert exporter.flush()
    assert [row["spatial_rating"] for row in rows(project.ratings_csv)] == ["1", "3"]
    assert [row["spatial_rating"] for row in rows(own / "multihead_ratings.csv")] == ["10", "7", "6"]
    assert len(store.ratings_since(0)) == 8
    assert "Someone edited own/pairs.jsonl" in exporter.problems[0]
    assert len(exporter.problems) == 1


def test_a_sample_that_nobody_rated_has_no_files_of_ones_own(make_project: MakeProject, open_store: OpenStore) -> None:
    project = make_project()
    (project.root / SAMPLE_MARKER).write_text("simulated")
    store = open_store(project)
    rate(store, 1, "simulated-1", 5.0)
    assert Exporter(store).flush()
    assert project.ratings_csv.exists()
    assert not project.own_annotations.exists()


# What someone edited


def test_an_edited_row_of_a_person_becomes_a_rating(desk: Desk) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", 5.0)
    rate(store, 2, "Ada", 6.0)
    exporter.flush()
    edit(store.project.per_annotator_csv, "Ada,5,5,5,5,5", "Ada,5,5,,5,9.25")
    exporter.flush()
    assert cell(store.project.per_annotator_csv, "1.png", "material", "Ada") == "9.25"
    assert cell(store.project.ratings_csv, "1.png", "material") == "9.25"
    assert cell(store.project.ratings_csv, "1.png", "style") == ""
    assert [row.source for row in store.ratings_since(0)] == ["pad", "pad", "import"]


def test_added_and_removed_rows_are_taken_in(desk: Desk) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", 5.0)
    rate(store, 2, "Ada", 6.0)
    exporter.flush()
    edit(store.project.per_annotator_csv, "p01,data/images/p01/1.png,Ada,5,5,5,5,5",
         'p01,data/images/p01/2.png,"Bob, the other",1,2,3,4,5')  # fmt: skip
    exporter.flush()
    assert [(row["image_path"][-5:], row["annotator"]) for row in rows(store.project.per_annotator_csv)] == [
        ("2.png", "Ada"), ("2.png", "Bob, the other")]  # fmt: skip
    assert cell(store.project.ratings_csv, "2.png", "material") == "5.5"
    assert store.next_tasks("Ada")[0].image.id == 1  # Ada's removed rating is wanted again
    assert store.progress("Ada").rated == 1


def test_an_edited_mean_stands_and_counts_for_those_who_had_rated(desk: Desk) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", 4.0)
    rate(store, 1, "Bob", 6.0)
    exporter.flush()
    edit(store.project.ratings_csv, "5,5,5,5,5", "8,5,,5,5")
    exporter.flush()
    assert cell(store.project.ratings_csv, "1.png") == "8"
    assert cell(store.project.ratings_csv, "1.png", "style") == ""
    assert cell(store.project.per_annotator_csv, "1.png", "spatial", "Ada") == "4"  # nobody's words are changed
    rate(store, 1, "Cleo", 2.0)
    exporter.flush()
    assert cell(store.project.ratings_csv, "1.png") == "6"  # (8 + 8 + 2) / 3: Ada, Bob and Cleo
    assert cell(store.project.ratings_csv, "1.png", "style") == "2"
    assert cell(store.project.ratings_csv, "1.png", "icono") == "4"


def test_a_rating_saved_between_export_and_edit_is_not_taken_for_an_edit(desk: Desk) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", 4.0)
    rate(store, 2, "Ada", 4.0)
    exporter.flush()
    for path in (store.project.ratings_csv, store.project.per_annotator_csv):
        edit(path, "4,4,4,4,4\n", "9,4,4,4,4\n")
    rate(store, 3, "Ada", 7.0)
    rate(store, 2, "Ada", 5.0)
    exporter.flush()
    for path, name in ((store.project.ratings_csv, None), (store.project.per_annotator_csv, "Ada")):
        assert cell(path, "1.png", "spatial", name) == "9"
        assert cell(path, "2.png", "spatial", name) == "9"
        assert cell(path, "2.png", "icono", name) == "5"
        assert cell(path, "3.png", "spatial", name) == "7"


def test_an_edit_made_while_the_studio_was_stopped_is_taken_in_at_start(
    make_project: MakeProject, open_store: OpenStore
) -> None:
    project = make_project()
    store = Store.open(project)
    rate(store, 1, "Ada", 5.0)
    Exporter(store).flush()
    store.close()
    edit(project.ratings_csv, "5,5,5,5,5", "6,5,5,5,5")
    store = open_store(project)
    exporter = Exporter(store)
    exporter.start()
    wait_until(lambda: len(store.ratings_since(0)) == 2)
    assert exporter.flush()
    assert cell(project.ratings_csv, "1.png") == "6"
    exporter.stop()
    assert len(store.ratings_since(0)) == 2


def end_between_writing_and_noting(project: Project, name: str) -> None:
    """As if killed there: Ada's 2 is exported, her 4 is in the file `name` but not noted, her 6 is only stored."""
    store = Store.open(project)
    exporter = Exporter(store)
    rate(store, 1, "Ada", 2.0)
    rate(store, 2, "Ada", 3.0)
    rate(store, 3, "Ada", 5.0)
    assert exporter.flush()
    rate(store, 1, "Ada", 4.0)
    with contextlib.closing(sqlite3.connect(project.database, isolation_level=None)) as other:
        other.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT ON exports WHEN NEW.name = '{name}' "
            "BEGIN SELECT RAISE(ABORT, 'killed here'); END"
        )
        assert not exporter.flush()
        rate(store, 1, "Ada", 6.0)
        store.close()
        other.execute("DROP TRIGGER refuse")


@pytest.mark.parametrize("name", ["multihead_ratings.csv", "ratings_per_annotator.csv", "pairs.jsonl"])
def test_a_file_written_when_the_studio_was_killed_is_its_own(
    make_project: MakeProject, open_store: OpenStore, name: str
) -> None:
    project = make_project()
    end_between_writing_and_noting(project, name)
    text = (project.annotations / name).read_text()
    assert '"label": 1.0' in text if name == "pairs.jsonl" else "4,4,4,4,4" in text
    store = open_store(project)
    exporter = Exporter(store)
    assert exporter.flush()
    assert exporter.problems == ()
    assert [row.source for row in store.ratings_since(0)] == ["pad"] * 5
    assert cell(project.ratings_csv, "1.png") == "6"
    assert cell(project.per_annotator_csv, "1.png", name="Ada") == "6"
    edit(project.ratings_csv, "6,6,6,6,6", "7,6,6,6,6")  # from then on an edit is one again
    exporter.flush()
    assert cell(project.ratings_csv, "1.png") == "7"


@pytest.mark.parametrize("renamed", [True, False], ids=["after the file was replaced", "before it was"])
@pytest.mark.parametrize("name", ["multihead_ratings.csv", "ratings_per_annotator.csv"])
def test_an_edit_after_a_kill_while_writing_is_only_what_was_edited(
    make_project: MakeProject, open_store: OpenStore, name: str, renamed: bool
) -> None:
    project = make_project()
    end_between_writing_and_noting(project, name)
    path = project.annotations / name
    if not renamed:
        edit(path, "4,4,4,4,4", "2,2,2,2,2")
    edit(path, "3,3,3,3,3", "9,3,3,3,3")
    store = open_store(project)
    assert Exporter(store).flush()
    assert len(store.ratings_since(0)) == 6
    assert [cell(project.ratings_csv, f"{n}.png") for n in (1, 2)] == ["6", "9"]
    assert cell(project.per_annotator_csv, "1.png", name="Ada") == "6"


def test_a_running_studio_notices_an_edit(desk: Desk) -> None:
    store, exporter = desk
    exporter.start()
    rate(store, 1, "Ada", 5.0)
    exporter.flush()
    edit(store.project.per_annotator_csv, "Ada,5,", "Ada,6,")
    wait_until(lambda: cell(store.project.ratings_csv, "1.png") == "6")
    exporter.stop()


def test_files_that_were_there_before_the_database_are_taken_in(
    make_project: MakeProject, open_store: OpenStore
) -> None:
    project = make_project()
    project.annotations.mkdir()
    line = "p01,data/images/p01/1.png"
    project.ratings_csv.write_text(f"\ufeff{HEADER}{line},7.123,,1,2,3\r\n", encoding="utf-8")
    project.per_annotator_csv.write_text(
        HEADER.replace("path,", "path,annotator,") + f"{line},Ada,8,,1,2,3\n", encoding="utf-8"
    )
    store = open_store(project)
    exporter = Exporter(store)
    exporter.flush()
    assert exporter.problems == ()
    assert cell(project.ratings_csv, "1.png") == "7.562"  # the mean of what both files say
    assert cell(project.per_annotator_csv, "1.png", "spatial", "Ada") == "8"


FAULTS = [
    ("5,5,5,5,5", "11,5,5,5,5", ":2: spatial_rating is 11, outside 0–10; rate from 0 (worst) to 10 (best)"),
    ("5,5,5,5,5", "five,5,5,5,5", ":2: spatial_rating is 'five', not a number"),
    ("5,5,5,5,5", "5,5,5,5", ":2: 6 cells where the header has 7"),
    ("p01/1.png", "p01/gone.png", ":2: data/images/p01/gone.png is no image of this studio; correct or remove the row"),
    ("p01,data", "p02,data", ":2: data/images/p01/1.png belongs to prompt 'p01', not 'p02'; write p01"),
    ("prompt_id,", "prompt,", ":1: column 'prompt_id' is missing"),
    ("material_rating\n", "material_rating,notes\n", ":1: column 'notes' is none that the studio keeps"),
    ("p01,data/images/p01/1.png,5,5,5,5,5\n", "", "there is a header but no row; delete the file"),
    ("5,5,5,5,5\n", "5,5,5,5,5\np01,data/images/p01/1.png,6,6,6,6,6\n", ":3: data/images/p01/1.png stands twice"),
]


@pytest.mark.parametrize(("old", "new", "message"), FAULTS)
def test_a_faulty_edit_is_left_alone_with_a_message(desk: Desk, old: str, new: str, message: str) -> None:
    store, exporter = desk
    path = store.project.ratings_csv
    rate(store, 1, "Ada", 5.0)
    exporter.flush()
    right = path.read_text(encoding="utf-8")
    edit(path, old, new)
    if new.endswith("notes\n"):
        edit(path, "5,5,5,5,5", "5,5,5,5,5,hello")
    faulty = path.read_text(encoding="utf-8")
    exporter.flush()
    assert message in exporter.problems[0]
    assert "The studio doesn't touch the edited file until this is mended." in exporter.problems[0]
    rate(store, 2, "Ada", 6.0)
    exporter.flush()
    assert path.read_text(encoding="utf-8") == faulty
    assert len(rows(store.project.per_annotator_csv)) == 2  # the other file goes on
    path.write_text(right, encoding="utf-8")
    exporter.flush()
    assert exporter.problems == ()
    assert [cell(path, "1.png"), cell(path, "2.png")] == ["5", "6"]


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02", b"\xff\xfe\x00", b"\n\n"])
def test_a_file_that_is_no_text_is_left_alone(desk: Desk, data: bytes) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", 5.0)
    exporter.flush()
    store.project.ratings_csv.write_bytes(data)
    rate(store, 2, "Ada", 5.0)
    exporter.flush()
    assert store.project.ratings_csv.read_bytes() == data
    assert "multihead_ratings.csv" in exporter.problems[0]


def test_a_name_that_can_not_be_stored_is_refused_in_a_file_too(desk: Desk) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", 5.0)
    exporter.flush()
    edit(store.project.per_annotator_csv, "Ada", "=cmd()")
    exporter.flush()
    assert ":2: annotator '=cmd()' can't be used" in exporter.problems[0]
    assert "=cmd()" in store.project.per_annotator_csv.read_text()


def test_edited_pairs_are_left_alone(desk: Desk) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", 5.0)
    rate(store, 2, "Ada", 6.0)
    exporter.flush()
    path = store.project.pairs_jsonl
    path.write_text("mine\n")
    rate(store, 3, "Ada", 7.0)
    exporter.flush()
    assert path.read_text() == "mine\n"
    assert "Someone edited pairs.jsonl: the studio leaves it alone" in exporter.problems[0]
    path.unlink()
    exporter.flush()
    assert len(path.read_text().splitlines()) == 3
    assert exporter.problems == ()


def test_a_deleted_file_is_written_anew(desk: Desk) -> None:
    store, exporter = desk
    rate(store, 1, "Ada", 5.0)
    exporter.flush()
    for path in (store.project.ratings_csv, store.project.per_annotator_csv):
        path.unlink()
    exporter.flush()
    assert cell(store.project.ratings_csv, "1.png") == "5"
    assert len(store.ratings_since(0)) == 1


# Round trip


def _is_name(text: str) -> bool:
    try:
        return check_annotator(text) == text
    except BadRequestError:
        return False


_values = st.one_of(st.none(), st.integers(0, 100).map(lambda tenth: tenth / 10))
_names = st.text(min_size=1, max_size=12).filter(_is_name)
_ratings = st.lists(st.tuples(st.integers(1, 4), _names, st.tuples(*[_values] * 5)), min_size=1, max_size=12)
_prompt_ids = st.sampled_from(["p01", "=1+1", "a,b", 'q"uote', "über", "x;y", "NA"])


@settings(max_examples=25, deadline=None)
@given(ratings=_ratings, prompt_id=_prompt_ids)
def test_what_is_exported_comes_back_the_same(
    ratings: list[tuple[int, str, tuple[float | None, ...]]], prompt_id: str
) -> None:
    """Ratings → CSV → an empty database → CSV gives the same files, byte for byte."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        project = Project(base / "data", base=base)
        for number in range(4):
            draw_picture(project.images / prompt_id / f"{number}.png", number, (4, 4))
        store = Store.open(project)
        for image_id, name, values in ratings:
            rate(store, image_id, name, *values)
        Exporter(store).flush()
        store.close()
        newest = {(image_id, name): values for image_id, name, values in ratings}
        if not project.per_annotator_csv.exists():
            assert all(value is None for values in newest.values() for value in values)
            return
        said = {
            (row["image_path"], row["annotator"]): tuple(float(row[c]) if row[c] else None for c in RATING_COLUMNS)
            for row in rows(project.per_annotator_csv)
        }
        assert said == {
            (f"data/images/{prompt_id}/{image_id - 1}.png", name): values
            for (image_id, name), values in newest.items()
            if any(value is not None for value in values)
        }
        before = project.per_annotator_csv.read_bytes(), project.ratings_csv.read_bytes()
        for file in base.glob("data/studio.db*"):
            file.unlink()
        store = Store.open(project)
        exporter = Exporter(store)
        exporter.flush()
        store.close()
        assert exporter.problems == ()
        assert (project.per_annotator_csv.read_bytes(), project.ratings_csv.read_bytes()) == before
