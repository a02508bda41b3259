"""What goes out: the routes, the command, and the forms that other programs read."""

import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
from desk_parts import Served
from exchange_parts import export, plain_project, rate
from PIL import Image

from annotate.api import build_api
from annotate.exporting.__main__ import build_parser, main
from annotate.exporting.current import take_current
from annotate.exporting.formats import FORMATS
from annotate.exporting.label_studio import labelling_config
from annotate.exports import Exporter
from annotate.judgement import Rating
from annotate.preferences import check_preference
from annotate.project import SAMPLE_MARKER, Project
from annotate.store import Store
from reward.aspects import HEADS, RATING_COLUMNS
from reward.raters import PersonRatings, RaterModel
from reward.ratings import read_ratings

OpenStore = Callable[[Project], Store]


@pytest.fixture
def store(tmp_path: Path, open_store: OpenStore) -> Store:
    """Two prompts of two images; Ada rates high, Bob low, and each can't judge one head once."""
    store = open_store(plain_project(tmp_path / "data"))
    for image_id in (1, 2, 3, 4):
        rate(store, image_id, "Ada", (8.0, 7.5, 9.0, 6.0 + image_id, None if image_id == 1 else 5.0), 4.5)
        rate(store, image_id, "Bob", (5.0, 4.5, 6.0, 3.0 + image_id, 2.0))
    return store


@pytest.mark.parametrize(
    ("form", "name"),
    [("csv", "multihead_ratings.csv"), ("per-annotator", "ratings_per_annotator.csv"), ("pairs", "pairs.jsonl")],
)
def test_a_download_holds_what_the_studio_keeps_on_disk(
    store: Store, serve: Callable[[object], Served], form: str, name: str
) -> None:
    exporter = Exporter(store)
    url = serve(build_api(store.project, store, exporter)).url
    answer = httpx.get(f"{url}/api/export/{form}", timeout=60)
    assert exporter.flush()
    assert answer.status_code == 200
    assert answer.content == (store.project.annotations / name).read_bytes()
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_can_t_be_exported_is_said(
    tmp_path: Path, open_store: OpenStore, serve: Callable[[object], Served]
) -> None:
    store = open_store(plain_project(tmp_path / "data"))
    url = serve(build_api(store.project, store, Exporter(store))).url
    assert "Nobody has rated an image yet" in httpx.get(f"{url}/api/export/csv", timeout=60).json()["detail"]
    wrong = httpx.get(f"{url}/api/export/exe", timeout=60)
    assert wrong.status_code == 404
    assert "the formats are csv, csv-corrected" in wrong.json()["detail"]
    assert httpx.get(f"{url}/api/export/csv?simulated=true", timeout=60).status_code == 422
    paths = httpx.get(f"{url}/openapi.json", timeout=60).json()["paths"]
    assert "/api/export/{form}" in paths
    template = httpx.get(f"{url}/api/export/label-studio-template", timeout=60)
    assert template.text == labelling_config()


def test_corrected_ratings_are_those_of_the_rater_model(store: Store, tmp_path: Path) -> None:
    file = export(store, "csv-corrected", tmp_path / "corrected.csv")
    got = read_ratings(file, tmp_path).frame
    values = [[8, 7.5, 9, 6 + i, np.nan if i == 1 else 5] for i in (1, 2, 3, 4)]
    values += [[5, 4.5, 6, 3 + i, 2] for i in (1, 2, 3, 4)]
    people = PersonRatings(np.array([0, 1, 2, 3] * 2), np.array([0] * 4 + [1] * 4), np.array(values), ["Ada", "Bob"])
    wanted = np.clip(RaterModel.of(people, 4).corrected, 0, 10)
    np.testing.assert_allclose(got[list(RATING_COLUMNS)].to_numpy(), wanted, atol=6e-4)
    plain = read_ratings(export(store, "csv", tmp_path / "plain.csv"), tmp_path).frame
    # Ada left image 1 out on the last head: its plain mean is Bob's alone, and too low.
    assert plain["material_rating"].iloc[0] == 2.0
    assert got["material_rating"].iloc[0] == pytest.approx(3.5, abs=0.01)


def test_images_that_only_an_edited_file_speaks_of_keep_its_means(store: Store, tmp_path: Path) -> None:
    (store.project.images / "p01" / "3.png").write_bytes((store.project.images / "p01" / "1.png").read_bytes())
    store.rescan()
    number = next(image.id for image in store.images() if image.path == "p01/3.png")
    correction = Rating(number, "edited-csv", (1.5, None, None, None, 2.5), source="correction", covers=0)
    store.import_ratings([correction], "multihead_ratings.csv", "0" * 64, 0)
    for form in ("csv", "csv-corrected"):
        assert "p01/3.png,1.5,,,,2.5\n" in export(store, form, tmp_path / form).read_text(encoding="utf-8")
    assert "p01/3.png" not in export(store, "label-studio", tmp_path / "tasks.json").read_text(encoding="utf-8")


def test_parquet_holds_the_files_own_bytes_and_tells_datasets_so(store: Store, tmp_path: Path) -> None:
    file = export(store, "parquet", tmp_path / "ratings.parquet")
    schema = pq.read_schema(file)
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features == {"image": {"_type": "Image"}}
    assert str(schema.field("image").type) == "struct<bytes: binary, path: string>"
    rows = pq.read_table(file).to_pylist()
    assert [row["image_path"] for row in rows] == [
        "data/images/p01/1.png", "data/images/p01/2.png", "data/images/p02/1.png", "data/images/p02/2.png",
    ]  # fmt: skip
    first = rows[0]
    assert first["image"]["bytes"] == (store.project.images / "p01" / "1.png").read_bytes()
    assert Image.open(io.BytesIO(first["image"]["bytes"])).size == (40, 30)
    assert [first[column] for column in RATING_COLUMNS] == [6.5, 6.0, 7.5, 5.5, 2.0]
    assert first["ratings"][0] == {
        "annotator": "Ada", "spatial": 8.0, "icono": 7.5, "style": 9.0, "fidelity": 7.0, "material": None,
        "cannot_judge": ["material"], "seconds": 4.5,
    }  # fmt: skip


def test_the_data_sets_library_loads_parquet_with_pictures_and_ratings(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    import datasets

    file = export(store, "parquet", tmp_path / "ratings.parquet")
    loaded = datasets.load_dataset("parquet", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.num_rows == 4
    first = loaded[0]
    own = Image.open(store.project.images / "p01" / "1.png")
    assert isinstance(first["image"], Image.Image)
    np.testing.assert_array_equal(np.asarray(first["image"]), np.asarray(own))
    assert (first["prompt_id"], first["image_path"]) == ("p01", "data/images/p01/1.png")
    assert [first[column] for column in RATING_COLUMNS] == [6.5, 6.0, 7.5, 5.5, 2.0]
    assert [(said["annotator"], said["spatial"], said["cannot_judge"]) for said in first["ratings"]] == [
        ("Ada", 8.0, ["material"]),
        ("Bob", 5.0, []),
    ]


def test_parquet_is_made_in_parts(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotate.exporting.parquet._GROUP_ROWS", 3)
    file = export(store, "parquet", tmp_path / "ratings.parquet")
    assert pq.ParquetFile(file).num_row_groups == 2
    assert pq.read_table(file).num_rows == 4


def test_the_template_has_a_control_an_aspect(store: Store, tmp_path: Path) -> None:
    view = ElementTree.fromstring(labelling_config())
    assert [number.get("name") for number in view.iter("Number")] == list(HEADS)
    controls = {control.get("name") for control in view}
    tasks = json.loads(export(store, "label-studio", tmp_path / "tasks.json").read_text(encoding="utf-8"))
    results = [result for task in tasks for one in task["annotations"] for result in one["result"]]
    assert {result["from_name"] for result in results} <= controls
    assert {result["to_name"] for result in results} == {"image"}
    assert tasks[0]["data"]["image"] == "/data/local-files/?d=data/images/p01/1.png"


def test_the_sample_s_simulated_people_never_share_a_file_with_real_ones(tmp_path: Path, open_store: OpenStore) -> None:
    project = plain_project(tmp_path / "data")
    (project.root / SAMPLE_MARKER).touch()
    store = open_store(project)
    for name in ("simulated-1", "Ada"):
        rate(store, 1, name, (5.0,) * 5)
    for form in ("per-annotator", "label-studio", "parquet"):
        real = export(store, form, tmp_path / "real").read_bytes()
        simulated = export(store, form, tmp_path / "simulated", simulated=True).read_bytes()
        assert (b"Ada" in real, b"simulated-1" in real) == (True, False)
        assert (b"Ada" in simulated, b"simulated-1" in simulated) == (False, True)


def test_the_command_writes_a_file_once_and_not_beside_a_studio(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["--data", str(store.project.root), "--format", "csv", "--output", str(tmp_path / "out.csv")]
    assert main(told) == 1
    assert "Another studio has" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()
    wanted = b"".join(FORMATS["csv"].pieces(take_current(store)))
    store.close()
    done = subprocess.run(
        [sys.executable, "-m", "annotate.exporting", "--data", "data", *told[2:]],
        cwd=tmp_path, env={"PYTHONPATH": str(Path(__file__).parents[1])}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "4 rated images of 4" in done.stdout
    assert (tmp_path / "out.csv").read_bytes() == wanted
    assert main(told) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--data", "nowhere", "--output", "x"], "holds no studio.db"),
        (["--output", "nowhere/x"], "there is no folder nowhere"),
    ],
)
def test_the_command_says_what_is_wrong(
    tmp_path: Path, open_store: OpenStore, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    open_store(plain_project(tmp_path / "data")).close()
    assert main(["--data", str(tmp_path / "data"), "--format", "csv", *more]) == 2
    assert words in capsys.readouterr().err


def test_every_format_and_option_is_documented() -> None:
    text = (Path(__file__).parents[1] / "docs" / "exchange.md").read_text(encoding="utf-8")
    for form in FORMATS.values():
        assert f"`{form.name}`" in text
    for action in build_parser()._actions:
        assert all(
            f"`{option}" in text for option in action.option_strings if option.startswith("--") and option != "--help"
        )


def test_where_people_were_asked_which_they_prefer_the_pairs_are_that(store: Store, tmp_path: Path) -> None:
    store.preferences.save(check_preference(2, 1, "Ada", "left", 3.0, "key-00000001"))
    got = export(store, "pairs", tmp_path / "pairs.jsonl").read_bytes()
    assert Exporter(store).flush()
    assert got == store.project.pairs_jsonl.read_bytes()
    (row,) = (json.loads(line) for line in got.splitlines())
    assert (row["img_pos"], row["img_neg"], row["label"]) == ("data/images/p01/1.png", "data/images/p01/2.png", 0.0)
