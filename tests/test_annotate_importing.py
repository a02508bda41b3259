"""What comes in: images from files, folders and zips, prompts, ratings of every kind; looked at first, whole or not."""

import csv
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from exchange_parts import bring, faults_of, look_at, picture, plain_project, png_bytes, rate, said

from annotate.errors import ConflictError
from annotate.exports import Exporter
from annotate.importing.__main__ import build_parser, main
from annotate.importing.look import look
from annotate.importing.plan import Options, Source
from annotate.importing.take_in import take_in
from annotate.importing.target import import_target
from annotate.project import SAMPLE_MARKER, Project
from annotate.store import Store
from reward.aspects import HEADS, RATING_COLUMNS
from reward.preferences import read_preferences

OpenStore = Callable[[Project], Store]
HEADER = ",".join(("prompt_id", "image_path", *RATING_COLUMNS))


@pytest.fixture
def store(tmp_path: Path, open_store: OpenStore) -> Store:
    return open_store(plain_project(tmp_path / "data"))


def paths(store: Store) -> list[str]:
    return [image.path for image in store.images() if image.active]


def table(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def pack(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


# Images


def test_a_folder_comes_in_by_prompt_and_twice_adds_nothing(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "export"
    picture(source / "images" / "p03" / "a.png", (1, 2, 3))
    picture(source / "images" / "p03" / "deep" / "b.jpg", (200, 100, 0))
    picture(source / "other" / "c.webp", (9, 9, 200))
    (source / "notes.txt").write_text("no image")
    (source / "other" / "link.png").symlink_to("/etc/hostname")
    plan, taken = bring(store, source)
    assert {"other/c.webp", "p03/a.png", "p03/b.jpg"} < set(paths(store))
    assert taken.images == 3
    assert plan.notes == [
        "export: links that were not followed: 1.",
        "export: other files than images that were left: 1; name them singly.",
    ]
    again, nothing = bring(store, source)
    assert (again.duplicates, nothing.images, again.adds) == (3, 0, False)
    assert not (store.project.root / ".incoming").exists()


def test_a_zip_comes_in_and_a_picture_that_is_there_under_another_name_does_not(store: Store, tmp_path: Path) -> None:
    known = (store.project.images / "p01" / "1.png").read_bytes()
    archive = pack(
        tmp_path / "some.zip",
        {
            "x/p01/copy.png": known,
            "x/p01/1.png": png_bytes((7, 7, 7)),
            "x/p02/copy.png": known,
            "__MACOSX/p01/1.png": b"x",
        },
    )
    plan, _ = bring(store, archive)
    assert plan.duplicates == 1
    # The same name with other content gets a number; the same content in another prompt is another image.
    assert sorted(paths(store)) == ["p01/1-2.png", "p01/1.png", "p01/2.png", "p02/1.png", "p02/2.png", "p02/copy.png"]
    assert (store.project.images / "p01" / "1.png").read_bytes() == known
    assert (store.project.images / "p01" / "1-2.png").read_bytes() == png_bytes((7, 7, 7))


def test_uploads_go_into_the_prompt_that_is_named(store: Store, tmp_path: Path) -> None:
    one, two = picture(tmp_path / "u" / "a.png", (1, 1, 1)), picture(tmp_path / "v" / "a.png", (2, 2, 2))
    assert "belongs to no prompt" in faults_of(look_at(store, one))
    bring(store, one, two, options=Options(prompt="p09"))
    assert {path for path in paths(store) if path.startswith("p09")} == {"p09/a.png", "p09/a-2.png"}


@pytest.mark.parametrize("prompt", ["../out", "a/b", ".hidden", "=1+1", " p", "p\n", "a\\b", "x" * 300])
def test_a_prompt_id_that_is_no_plain_name_is_refused(store: Store, tmp_path: Path, prompt: str) -> None:
    plan = look_at(store, picture(tmp_path / "a.png"), options=Options(prompt=prompt))
    assert "prompt id" in faults_of(plan)
    assert not plan.adds


def test_strange_file_names_become_plain(store: Store, tmp_path: Path) -> None:
    before = set(paths(store))
    names = [" a .png", "b\n.png", "---.png"]
    bring(store, pack(tmp_path / "s.zip", {f"p01/{name}": png_bytes((n, 1, 1)) for n, name in enumerate(names)}))
    new = set(paths(store)) - before
    assert len(new) == 3
    assert all(path.isprintable() and path == path.strip() and len(path) == len("p01/.png") + 16 for path in new)


def test_one_bad_image_keeps_all_others_out(store: Store, tmp_path: Path) -> None:
    good, bad = picture(tmp_path / "in" / "p05" / "good.png"), tmp_path / "in" / "p05" / "bad.png"
    bad.write_bytes(good.read_bytes()[:60])
    plan = look_at(store, tmp_path / "in")
    assert "in/p05/bad.png: is cut off: its end is missing; replace it" in faults_of(plan)
    with pytest.raises(Exception, match="is cut off"), look(store, [Source.of(tmp_path / "in")], Options()) as seen:
        take_in(store, seen, Options())
    assert not (store.project.images / "p05").exists()


def test_a_file_that_came_meanwhile_is_not_overwritten_and_nothing_stays(store: Store, tmp_path: Path) -> None:
    for name in ("a", "b"):
        picture(tmp_path / "in" / "p05" / f"{name}.png", (1, 1, ord(name)))
    with look(store, [Source.of(tmp_path / "in")], Options()) as plan:
        theirs = picture(store.project.images / "p05" / "b.png", (250, 0, 0)).read_bytes()
        with pytest.raises(ConflictError, match=r"images/p05/b.png came meanwhile; nothing was taken in"):
            take_in(store, plan, Options())
    assert [file.name for file in (store.project.images / "p05").iterdir()] == ["b.png"]
    assert (store.project.images / "p05" / "b.png").read_bytes() == theirs


def test_a_database_that_refuses_leaves_no_image_and_no_prompt(store: Store, tmp_path: Path) -> None:
    with sqlite3.connect(store.project.database) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON ratings BEGIN SELECT RAISE(FAIL, 'full'); END")
    other.close()
    picture(tmp_path / "in" / "p05" / "a.png", (1, 1, 1))
    ratings = table(tmp_path / "r.csv", "p05,p05/a.png,1,2,3,4,5")
    prompts = table(tmp_path / "prompts.csv", "p05,new", header="prompt_id,prompt")
    with pytest.raises(sqlite3.DatabaseError, match="full"):
        bring(store, tmp_path / "in", ratings, prompts)
    assert paths(store) == ["p01/1.png", "p01/2.png", "p02/1.png", "p02/2.png"]
    assert not (store.project.images / "p05" / "a.png").exists()
    assert not store.project.prompts_csv.exists()


def test_two_images_of_one_name_can_t_be_told_apart_by_a_table(store: Store, tmp_path: Path) -> None:
    for number, folder in enumerate(("p05", "p05/deep")):
        picture(tmp_path / "images" / folder / "a.png", (number, 1, 1))
    ratings = table(tmp_path / "r.csv", "p05,p05/a.png,1,2,3,4,5")
    assert "could be each of several images" in faults_of(look_at(store, tmp_path / "images", ratings))


# Prompts


def test_prompts_join_the_file_and_keep_its_other_columns(store: Store, tmp_path: Path) -> None:
    store.project.prompts_csv.write_text("prompt_id;note;prompt\np01;mine;one, two\n", encoding="utf-8")
    store.rescan()
    incoming = table(tmp_path / "prompts.csv", 'p02,"=cmd|x, <b>"', 'p01,"one, two"', header="prompt_id,prompt")
    plan, taken = bring(store, incoming)
    assert (taken.prompts, plan.prompts) == (1, {"p02": "=cmd|x, <b>"})
    assert store.project.prompts_csv.read_text(encoding="utf-8") == (
        "prompt_id;note;prompt\np01;mine;one, two\np02;;=cmd|x, <b>\n"
    )
    assert {image.prompt_id: image.prompt for image in store.images()} == {"p01": "one, two", "p02": "=cmd|x, <b>"}
    other = table(tmp_path / "other.csv", "p01,else", header="prompt_id,prompt")
    assert "prompt 'p01' has another text here" in faults_of(look_at(store, other))
    bring(store, other, options=Options(replace=True))
    assert store.images()[0].prompt == "else"


# Ratings


def test_images_and_their_ratings_come_in_together_though_names_collide(store: Store, tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", {"p01/1.png": png_bytes((7, 7, 7))})
    ratings = table(tmp_path / "r.csv", "p01,somewhere/p01/1.png,1,2,3,4,5,Ada", header=f"{HEADER},annotator")
    _, taken = bring(store, ratings, archive)
    assert (taken.images, taken.ratings) == (1, 1)
    assert said(store) == {("p01/1-2.png", "Ada"): ((1, 2, 3, 4, 5), (), None)}


def test_a_csv_on_disk_brings_the_images_it_names(store: Store, tmp_path: Path) -> None:
    place = tmp_path / "other"
    picture(place / "images" / "q1" / "a.png", (3, 3, 3))
    ratings = table(place / "r.csv", "q1,images/q1/a.png,1,,3,4,5", f"p01,{store.project.images}/p01/1.png,9,9,9,9,9")
    assert "is no image of this project" in faults_of(look_at(store, ratings))
    plan, taken = bring(store, ratings, options=Options(may_read=lambda path: True))
    assert (taken.images, taken.ratings, plan.duplicates) == (1, 2, 0)
    assert said(store)["q1/a.png", "imported"][0] == (1, None, 3, 4, 5)


def test_unknown_images_are_listed_or_left_out(store: Store, tmp_path: Path) -> None:
    ratings = table(
        tmp_path / "r.csv",
        "p01,p01/1.png,1,2,3,4,5",
        "p01,p01/9.png,1,2,3,4,5",
        "p02,p01/1.png,1,2,3,4,5",
        "p02,data/images/p01/1.png,1,2,3,4,5",
        "p01,https://example.org/p01/1.png,1,2,3,4,5",
        "p01,../../etc/passwd,1,2,3,4,5",
    )
    plan = look_at(store, ratings)
    assert plan.unknown == 5
    told = faults_of(plan)
    assert "r.csv:3: p01/9.png is no image of this project" in told
    assert "r.csv:4: p01/1.png belongs to prompt 'p01', not 'p02'" in told
    assert "r.csv:5: data/images/p01/1.png belongs to prompt 'p01', not 'p02'" in told
    assert "r.csv:6: https://example.org/p01/1.png is an address, and the studio fetches nothing" in told
    _, taken = bring(store, ratings, options=Options(skip_unknown=True))
    assert taken.ratings == 1
    assert set(said(store)) == {("p01/1.png", "imported")}
    # What was left out comes in when its image is there.
    picture(store.project.images / "p01" / "9.png", (5, 5, 5))
    store.rescan()
    assert bring(store, ratings, options=Options(skip_unknown=True))[1].ratings == 1


def test_every_fault_is_told_and_nothing_is_stored(store: Store, tmp_path: Path) -> None:
    ratings = table(
        tmp_path / "r.csv",
        "p01,p01/1.png,11,2,3,4,5,Ada",
        "p01,p01/1.png,x,2,3,4,5,Bob",
        "p01,p01/2.png,1,2,3,4,5,=HYPERLINK(1)",
        "p01,p01/2.png,1,2,3,4,5,Ada",
        "p01,./p01/2.png,1,2,3,4,6,Ada",
        "p02,,1,2,3,4,5,Ada",
        "p02,p02/1.png,1,2,3,4,5,simulated-1",
        header=f"{HEADER},annotator",
    )
    told = faults_of(look_at(store, ratings))
    for line, words in (
        (2, "spatial_rating is 11, outside 0–10"),
        (3, "spatial_rating is 'x', not a number"),
        (4, "annotator '=HYPERLINK(1)' can't be used; A name can't begin with ="),
        (6, "./p01/2.png is a duplicate of line 5"),
        (7, "image_path is blank"),
        (8, "are kept for the sample"),
    ):
        assert f"r.csv:{line}: " in told
        assert words in told
    assert said(store) == {}


def test_a_file_that_was_taken_in_adds_nothing_even_after_a_revision(store: Store, tmp_path: Path) -> None:
    ratings = table(tmp_path / "r.csv", "p01,p01/1.png,1,2,3,4,5,Ada", header=f"{HEADER},annotator")
    bring(store, ratings, options=Options(replace=True))
    rate(store, 1, "Ada", (9.0,) * 5)
    plan, taken = bring(store, ratings, options=Options(replace=True))
    assert taken.ratings == 0
    assert "adds nothing again" in plan.notes[0]
    assert said(store)["p01/1.png", "Ada"][0] == (9.0,) * 5


def test_excel_s_semicolons_and_decimal_commas_are_read(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_bytes(b"\xef\xbb\xbf" + (HEADER.replace(",", ";") + "\r\np01;p01\\1.png;1,5;2;3;4;\r\n").encode())
    bring(store, file)
    assert said(store)["p01/1.png", "imported"][0] == (1.5, 2, 3, 4, None)


# Single ratings of old


def test_single_ratings_become_preferences_and_images_to_rate(store: Store, tmp_path: Path) -> None:
    place = tmp_path / "old"
    for number in range(3):
        picture(place / "q1" / f"{number}.png", (number, 50, 50))
    rows = [f"q1,q1/{number}.png,{rating}" for number, rating in enumerate(("3", "5", "3"))]
    old = table(place / "old.csv", *rows, header="prompt_id,image_path,rating")
    options = Options(annotator="the old study", may_read=lambda path: True)
    plan, taken = bring(store, old, options=options)
    assert (taken.images, taken.ratings, taken.preferences) == (3, 0, 2)
    assert {(one.better, one.worse) for one in plan.preferences} == {("q1/1.png", "q1/0.png"), ("q1/1.png", "q1/2.png")}
    exporter = Exporter(store)
    assert exporter.flush()
    frame = read_preferences(store.project.pairs_jsonl, tmp_path).frame
    names = [(Path(row.img_pos).name, Path(row.img_neg).name, row.label) for row in frame.itertuples()]
    assert sorted(names) == [("0.png", "1.png", 0.0), ("1.png", "2.png", 1.0)]
    waiting = [task.image.path for task in store.next_tasks("Ada", limit=10)]
    assert {"q1/0.png", "q1/1.png", "q1/2.png"} <= set(waiting)
    assert bring(store, old, options=options)[1].preferences == 0


def test_single_ratings_of_several_people_are_each_their_own(store: Store, tmp_path: Path) -> None:
    rows = [
        "p01,p01/1.png,1,Ada",
        "p01,p01/2.png,100,Ada",
        "p01,p01/1.png,2,Bob",
        "p01,p01/2.png,1,Bob",
        "p02,p02/1.png,,Bob",
    ]
    old = table(tmp_path / "old.csv", *rows, header="prompt_id,image_path,rating,annotator")
    bring(store, old)
    Exporter(store).flush()
    lines = store.project.pairs_jsonl.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["label"] for line in lines] == [0.5]


# Label Studio


def task(image: str, *annotations: dict, **data: str) -> dict:
    return {"id": 1, "data": {"image": image, **data}, "annotations": list(annotations)}


def annotation(values: dict[str, float], kind: str = "number", **more: object) -> dict:
    results = [{"from_name": h, "to_name": "image", "type": kind, "value": {kind: v}} for h, v in values.items()]
    return {"result": results, **more}


def test_label_studio_s_own_export_is_read(store: Store, tmp_path: Path) -> None:
    five = dict.fromkeys(HEADS, 7)
    local, ones = "/data/local-files/?d=anywhere", dict.fromkeys(HEADS, 1)
    upload = "/data/upload/3/0a1b2c3d-"
    old, new = (
        annotation(said, completed_by=5, created_at=day) for said, day in ((ones, "2024-01"), (five, "2024-02"))
    )
    tasks = [
        task(f"{local}/p01/1.png", annotation(five, "rating", completed_by={"id": 3, "email": "ada@example.org"})),
        task(f"{upload}2.png", annotation(five, completed_by=5, lead_time=4.25), prompt_id="p01"),
        task(f"http://localhost:8080{upload}1.png", annotation({"spatial": 1.5}, completed_by=5), prompt_id="p02"),
        task(f"{local}/p02/2.png", annotation(ones, was_cancelled=True, completed_by=5)),
        task(f"{local}/p02/2.png", new, old),
    ]
    file = tmp_path / "project.json"
    file.write_text(json.dumps(tasks), encoding="utf-8")
    bring(store, file)
    seven = (7.0,) * 5
    assert said(store) == {
        ("p01/1.png", "ada@example.org"): (seven, (), None),
        ("p01/2.png", "annotator-5"): (seven, (), 4.25),
        ("p02/1.png", "annotator-5"): ((1.5, None, None, None, None), (), None),
        ("p02/2.png", "annotator-5"): (seven, (), None),
    }


def test_tasks_that_can_t_be_resolved_are_listed_and_nothing_is_fetched(store: Store, tmp_path: Path) -> None:
    five = annotation(dict.fromkeys(HEADS, 7))
    tasks = [
        task("https://example.org/p01/1.png", five),
        task("s3://bucket/p01/1.png", five),
        task("/data/upload/3/0a1b2c3d-1.png", five),
        task("/data/local-files/?d=../../../../etc/passwd", five),
        task("/data/local-files/?d=p01/1.png", annotation({"spatial": 99})),
        task("/data/local-files/?d=p01/1.png", annotation({"spatial": float("nan")})),
        task("/data/local-files/?d=p01/1.png", annotation({"spatial": 5}, completed_by={"email": "=evil()"})),
        {"image": "p01/1.png", "spatial": 3},
        "rubbish",
        task("", five),
    ]
    file = tmp_path / "project.json"
    file.write_text(json.dumps(tasks), encoding="utf-8")
    told = faults_of(look_at(store, file)).splitlines()
    assert len(told) == len(tasks)
    for line, words in zip(
        told,
        ["fetches nothing", "fetches nothing", "could be each of p01/1.png, p02/1.png", "is no image", "is 99, outside",
         "not a number", "can't be used", "not as JSON-MIN", "not as JSON-MIN", "data tells no image"],
        strict=True,
    ):  # fmt: skip
        assert words in line


@pytest.mark.parametrize("text", ["{}", "[", "[" * 100_000, "", "\0", "[1e999999, {}]"])
def test_what_is_no_export_of_label_studio_is_said(store: Store, tmp_path: Path, text: str) -> None:
    file = tmp_path / "project.json"
    file.write_text(text, encoding="utf-8")
    plan = look_at(store, file)
    assert plan.faults
    assert "project.json" in faults_of(plan)


# Where it goes


def test_the_sample_takes_nothing_in_but_the_project_beside_it_does(tmp_path: Path, open_store: OpenStore) -> None:
    sample = plain_project(tmp_path / "data" / "sample")
    (sample.root / SAMPLE_MARKER).touch()
    store = open_store(sample)
    source = picture(tmp_path / "in" / "p05" / "a.png")
    with import_target(store) as target:
        bring(target, tmp_path / "in")
    assert (tmp_path / "data" / "images" / "p05" / "a.png").read_bytes() == source.read_bytes()
    assert not (sample.images / "p05").exists()
    assert [image.path for image in open_store(Project(tmp_path / "data")).images()] == ["p05/a.png"]


def test_the_command_looks_first_and_takes_in_then(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, source = str(tmp_path / "data"), str(tmp_path / "in")
    picture(tmp_path / "in" / "p05" / "a.png")
    assert main(["--data", data, "--dry-run", source]) == 0
    assert capsys.readouterr().out == "1 new images\nnothing was changed\n"
    assert not (tmp_path / "data" / "images").exists()
    assert main(["--data", data, source]) == 0
    assert capsys.readouterr().out == "1 new images\ntaken in\n"
    assert main(["--data", data, source]) == 0
    assert capsys.readouterr().out == "1 images there already\nnothing new\n"
    (tmp_path / "in" / "p05" / "b.png").write_text("no image")
    assert main(["--data", data, source]) == 2
    assert "b.png: is no readable image; replace or remove it" in capsys.readouterr().err
    assert main(["--data", data, "--annotator", "=x", source]) == 2
    assert "--annotator" in capsys.readouterr().err
    store = Store.open(Project(tmp_path / "data"))
    assert main(["--data", data, source]) == 1
    store.close()
    assert "Another studio has" in capsys.readouterr().err


def test_the_mission_s_real_ratings_come_in_whole(avt: Path, tmp_path: Path, open_store: OpenStore) -> None:
    folder = tmp_path / "avt"
    for prompt in ("p01", "p02"):
        shutil.copytree(avt / "images" / prompt, folder / "images" / prompt)
    with (avt / "ratings_per_annotator.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["prompt_id"] in ("p01", "p02")]
    with (folder / "ratings.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    store = open_store(Project(tmp_path / "data"))
    _, taken = bring(store, folder, folder / "ratings.csv", avt / "prompts.csv")
    assert taken.images == 10
    assert taken.prompts == 20
    assert taken.ratings == len(rows)


def test_every_option_is_documented() -> None:
    text = (Path(__file__).parents[1] / "docs" / "exchange.md").read_text(encoding="utf-8")
    options = {option for action in build_parser()._actions for option in action.option_strings}
    for option in options - {"-h", "--help"}:
        assert f"`{option}" in text
