"""Embeddings and scores of a data set as Parquet and CSV: what the files hold, and that they are whole or not there."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reward.aspects import HEADS
from reward.backbones.registry import make_backbone
from reward.cli import report
from reward.config import TrainConfig
from reward.correct import main as correct
from reward.embed import main as embed
from reward.embeddings import EmbeddingCache, embed_in_chunks
from reward.errors import InputError
from reward.images import content_sha256
from reward.informative import main as informative
from reward.learning_curve import main as learning_curve
from reward.outputs import METADATA, check_output, csv_rows, parquet_rows
from reward.score import main as score
from reward.scoring import load_model, score_files
from reward.training import train
from tests.reward_inputs import PROJECT, draw, simple_ratings


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images/, ratings.csv (none for `material`) and a run/."""
    root = tmp_path_factory.mktemp("outputs")
    ratings = simple_ratings(root, prompts=4, images=3, heads=HEADS[:-1])
    list(train(TrainConfig(ratings=ratings, output=root / "run", backbone="pixelstats", epochs=1)))
    return root


def about(file: Path) -> dict[str, object]:
    told: dict[str, object] = json.loads(pq.read_schema(file).metadata[METADATA.encode()])
    return told


def test_a_ratings_csv_becomes_embeddings_with_their_prompts(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "e.parquet"
    assert embed(["--ratings", str(data / "ratings.csv"), "--backbone", "pixelstats", "--parquet", str(out)]) == 0
    table, backbone = pd.read_parquet(out), make_backbone("pixelstats")
    rows = pd.read_csv(data / "ratings.csv")
    assert table["image"].tolist() == rows["image_path"].tolist()
    assert table["prompt_id"].tolist() == rows["prompt_id"].tolist()
    assert table["sha256"].tolist() == [content_sha256(data / name) for name in rows["image_path"]]
    assert set(table["backbone"]) == {"pixelstats"}
    expected = load_model(data / "run/best").embed([data / name for name in rows["image_path"]])
    assert np.array_equal(np.stack(table["embedding"]), expected.numpy())
    assert pq.read_schema(out).field("embedding").type == pa.list_(pa.float32(), backbone.dim)
    assert about(out) == {"backbone": backbone.identity}
    assert {path.name for path in tmp_path.iterdir()} == {"e.parquet"}


def test_several_people_a_picture_are_one_row(data: Path, tmp_path: Path) -> None:
    rows = (data / "ratings.csv").read_text().splitlines()
    people = [rows[0] + ",annotator"] + [f"{row},{person}" for row in rows[1:] for person in ("a", "b")]
    (data / "people.csv").write_text("\n".join(people) + "\n")
    out = tmp_path / "e.parquet"
    assert embed(["--ratings", str(data / "people.csv"), "--backbone", "pixelstats", "--parquet", str(out)]) == 0
    assert len(pd.read_parquet(out)) == 12


def test_a_folder_becomes_embeddings_without_prompts(data: Path, tmp_path: Path, openclip_weights: Path) -> None:
    out, spec = tmp_path / "e.parquet", f"openclip:ViT-S-32@{openclip_weights}"
    assert embed([str(data / "images/p0"), "--backbone", spec, "--parquet", str(out)]) == 0
    table = pd.read_parquet(out)
    assert table["image"].tolist() == [str(data / f"images/p0/{number}.png") for number in range(3)]
    assert table["prompt_id"].isna().all()
    assert set(table["backbone"]) == {f"openclip:ViT-S-32@{openclip_weights.name}"}
    assert np.linalg.norm(np.stack(table["embedding"]), axis=1) == pytest.approx(1, abs=1e-5)


def test_scores_as_parquet_and_csv_agree_with_the_model(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.parquet"
    command = ["--model", str(data / "run/best"), str(data / "images")]
    assert score([*command, "--parquet", str(out), "--csv", str(tmp_path / "s.csv")]) == 0
    model = load_model(data / "run/best")
    files = sorted((data / "images").rglob("*.png"))
    expected = score_files(model, files)
    table = pd.read_parquet(out)
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "s.csv"), expected, check_dtype=False)
    assert table["material"].isna().all()
    assert pq.read_table(out)["material"].null_count == len(files)  # "no score", not a number that isn't one
    told = about(out)
    assert told["model_sha256"] == model.fingerprint()
    assert told["backbone"] == model.config.backbone["identity"]
    assert told["importance"] == pytest.approx(model.get_head_importance())
    assert {path.name for path in tmp_path.iterdir()} == {"s.parquet", "s.csv"}


@pytest.mark.parametrize("command", ["embed", "score"])
def test_bad_input_is_a_line_each_and_leaves_no_file(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    def refusal(*images: object, to: Path = tmp_path / "out.parquet") -> list[str]:
        chosen = ["--backbone", "pixelstats"] if command == "embed" else ["--model", str(data / "run/best")]
        run = embed if command == "embed" else score
        assert run([*map(str, images), *chosen, "--parquet", str(to)]) == 2
        return capsys.readouterr().err.splitlines()

    for name in ("a.png", "b.png"):
        (tmp_path / name).write_text("no picture")
    before = set(tmp_path.iterdir())
    bad = [tmp_path / "a.png", data / "images", tmp_path / "b.png"]
    faults = [f"{tmp_path / name}: not an image that Pillow can read; replace the file" for name in ("a.png", "b.png")]
    assert refusal(*bad) == faults
    gone = [tmp_path / "none.png", tmp_path / "nowhere.png"]
    assert refusal(*gone, *bad) == [f"{path}: the file does not exist; correct the path" for path in gone]
    assert "there is no folder" in refusal(data / "images", to=tmp_path / "no/out.parquet")[0]
    assert "is a folder; name a file" in refusal(data / "images", to=tmp_path)[0]
    (tmp_path / "empty").mkdir()
    assert "no image in there" in refusal(tmp_path / "empty")[0]
    (tmp_path / "empty").rmdir()
    assert set(tmp_path.iterdir()) == before


def test_faults_of_a_ratings_csv_come_with_their_lines(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ratings = data / "faulty.csv"
    ratings.write_text((data / "ratings.csv").read_text() + "p9,gone.png,1,2,3,4,5\np9,lost.png,1,2,3,4,5\n")
    out = tmp_path / "e.parquet"
    assert embed(["--ratings", str(ratings), "--backbone", "pixelstats", "--parquet", str(out)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": image")[0] for line in lines] == [f"{ratings}:14", f"{ratings}:15"]
    for both in ([str(data / "images"), "--ratings", str(ratings)], []):
        assert embed([*both, "--parquet", str(out)]) == 2
        assert "give either images or folders, or --ratings CSV" in capsys.readouterr().err
    assert embed([str(data / "images"), "--backbone", "none", "--parquet", str(out)]) == 1
    assert "unknown backbone 'none'" in capsys.readouterr().err
    assert not out.exists()


def test_a_chunk_at_a_time(data: Path, tmp_path: Path) -> None:
    files = sorted((data / "images").rglob("*.png"))
    backbone, cache = make_backbone("pixelstats"), EmbeddingCache(tmp_path / "cache")
    told: list[int] = []
    parts = list(embed_in_chunks(files, backbone, cache, told.append, size=5))
    assert [(start, len(part.hashes)) for start, part in parts] == [(0, 5), (5, 5), (10, 2)]
    assert told == sorted(told)
    assert told[-1] == 12
    assert [sha for _, part in parts for sha in part.hashes] == [content_sha256(file) for file in files]


def test_faults_of_all_chunks_come_together_and_the_rest_is_encoded(data: Path, tmp_path: Path) -> None:
    good = [draw(tmp_path / f"{number}.png", number) for number in range(4)]
    bad = [tmp_path / "x.png", tmp_path / "y.png"]
    for path in bad:
        path.write_text(path.name)
    cache, backbone = EmbeddingCache(tmp_path / "cache"), make_backbone("pixelstats")
    files = [good[0], good[1], bad[0], good[2], bad[1], good[3]]
    found = []
    with pytest.raises(InputError) as caught:
        found.extend(start for start, _ in embed_in_chunks(files, backbone, cache, size=2))
    assert found == [0]
    assert [fault.file for fault in caught.value.faults] == [str(path) for path in bad]
    assert len(dict(cache.known(cache.hashes(good), backbone.key))) == 4


def test_each_part_is_a_row_group_and_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    schema, out = pa.schema([pa.field("n", pa.int64())]), tmp_path / "n.parquet"
    with parquet_rows(out, schema, {}) as append:
        for part in ([1, 2], [3]):
            append(pa.table({"n": part}, schema=schema))
    assert pq.ParquetFile(out).num_row_groups == 2
    before = out.read_bytes()

    def fail_halfway() -> None:
        with parquet_rows(out, schema, {}) as append, csv_rows(tmp_path / "n.csv") as write:
            append(pa.table({"n": [4]}, schema=schema))
            write(pd.DataFrame({"n": [4]}))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]
    check_output("--csv", None)


def test_help_loads_nothing_heavy() -> None:
    for module in ("reward.embed", "reward.score"):
        code = f"import sys, {module} as m\ntry: m.main(['--help'])\nexcept SystemExit: pass\n"
        heavy = "print([name for name in ('torch', 'pandas', 'pyarrow') if name in sys.modules])"
        done = subprocess.run(
            [sys.executable, "-c", code + heavy], cwd=PROJECT, capture_output=True, text=True, timeout=300, check=True
        )
        assert done.stdout.splitlines()[-1] == "[]"


def test_no_output_takes_the_place_of_what_is_read(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ratings, picture = data / "ratings.csv", next((data / "images").rglob("*.png"))
    before = ratings.read_bytes(), picture.read_bytes()
    commands = (
        (embed, ["--ratings", ratings, "--backbone", "pixelstats", "--parquet", ratings]),
        (correct, ["--ratings", ratings, "--csv", ratings]),
        (score, ["--model", data, picture, "--csv", picture]),
        (informative, ["--model", data, "--images", data / "images", "--ratings", ratings, "--output", ratings]),
        (learning_curve, ["--ratings", ratings, "--backbone", "pixelstats", "--csv", ratings]),
    )
    for command, arguments in commands:
        assert command([str(one) for one in arguments]) == 2
        assert "is read here, and would be replaced" in capsys.readouterr().err
    assert (ratings.read_bytes(), picture.read_bytes()) == before


def test_an_interrupted_command_says_so_in_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    assert report(interrupted) == 130
    assert capsys.readouterr().err == "interrupted\n"
