"""What a run learned from stays with it: figures, resuming and learning curves when people have gone on rating."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from reward import learning_curve
from reward.config import TrainConfig
from reward.errors import CheckpointError, InputError, InterruptedTrainingError
from reward.events import Encoding, Warning
from reward.inputs import FOLDER, kept_inputs
from reward.training import train
from reward.unseen import read_validation
from tests.planted import plant
from tests.reward_inputs import simple_ratings


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    return simple_ratings(tmp_path, prompts=6, images=4)


def config(
    ratings: Path, output: Path, epochs: int = 2, *, resume: bool = False, pairs: Path | None = None
) -> TrainConfig:
    return TrainConfig(
        ratings=ratings, pairs=pairs, output=output, backbone="pixelstats", epochs=epochs, folds=3, resume=resume
    )


def rate_on(ratings: Path) -> None:
    """As the studio does: a rating is changed, and the file written anew."""
    header, first, *rest = ratings.read_text().splitlines()
    prompt, path, _, *others = first.split(",")
    whole = [header, ",".join([prompt, path, "9.7", *others]), *rest]
    assert whole[1] != first
    ratings.write_text("\n".join(whole) + "\n")


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_runs_validation_is_the_same_when_its_ratings_have_grown_since(tmp_path: Path) -> None:
    planted = plant(tmp_path, prompts=6, images=4)
    (tmp_path / "prompts.csv").write_text(
        "prompt_id,prompt\n" + "".join(f"p{n:03d},a picture of {n}\n" for n in range(6))
    )
    run = tmp_path / "run"
    list(train(config(planted.ratings, run, pairs=planted.pairs)))
    before, files = read_validation(run), sorted((run / FOLDER).iterdir())
    recorded = json.loads((run / "config.json").read_text())["inputs"]
    assert {sha256(file) for file in files} == set(recorded.values())
    assert {file.name.partition("-")[2] for file in files} == {planted.ratings.name, planted.pairs.name, "prompts.csv"}
    rate_on(planted.ratings)
    planted.pairs.unlink()
    (tmp_path / "prompts.csv").write_text("prompt_id,prompt\np000,another\n")
    after = read_validation(run)
    assert after.data.texts == before.data.texts
    for name in ("scores", "logits", "combined"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    np.testing.assert_array_equal(after.data.ratings, before.data.ratings)


def test_prompts_that_a_run_didnt_know_are_not_read_into_it(ratings: Path, tmp_path: Path) -> None:
    list(train(config(ratings, tmp_path / "run")))
    (ratings.parent / "prompts.csv").write_text("no prompts at all")
    assert set(read_validation(tmp_path / "run").data.texts) == {""}


def test_a_run_records_what_it_learned_from_though_people_rate_while_images_are_encoded(
    ratings: Path, tmp_path: Path
) -> None:
    whole = sha256(ratings)

    def watched() -> Iterator[None]:
        for event in train(config(ratings, tmp_path / "run")):
            if isinstance(event, Encoding) and sha256(ratings) == whole:
                rate_on(ratings)
            yield

    list(watched())
    assert sha256(ratings) != whole
    assert json.loads((tmp_path / "run/config.json").read_text())["inputs"] == {str(ratings): whole}
    assert [sha256(file) for file in (tmp_path / "run" / FOLDER).iterdir()] == [whole]


def test_a_stopped_run_goes_on_with_the_ratings_it_began_with_and_says_so(ratings: Path, tmp_path: Path) -> None:
    list(train(config(ratings, tmp_path / "whole")))
    parts = tmp_path / "parts"
    with pytest.raises(InterruptedTrainingError):
        list(train(config(ratings, parts), lambda: (parts / "last").exists()))
    rate_on(ratings)
    events = list(train(config(ratings, parts, resume=True)))
    told = [event.message for event in events if isinstance(event, Warning)]
    assert any(f"{ratings} has changed since the run began" in message for message in told)
    one, other = (load_file(tmp_path / name / "last/model.safetensors") for name in ("whole", "parts"))
    assert all((one[name] == other[name]).all() for name in one)


def test_a_learning_curve_can_be_asked_of_a_run(
    ratings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    list(train(config(ratings, tmp_path / "run")))
    arguments = ["--ratings", ratings, "--backbone", "pixelstats", "--epochs", "1", "--repeats", "1", "--folds", "3"]

    def curves(*more: object) -> str:
        assert learning_curve.main([str(one) for one in (*arguments, *more)]) == 0
        return capsys.readouterr().out

    before = curves()
    rate_on(ratings)
    assert curves("--run", tmp_path / "run") == before
    other = shutil.copy(ratings, tmp_path / "other.csv")
    for wrong, words in (
        (["--ratings", other, "--run", tmp_path / "run"], "learned from other files"),
        (["--run", tmp_path / "none"], "holds no run that was trained"),
    ):
        assert learning_curve.main([str(one) for one in (*arguments, *wrong)]) == 2
        assert words in capsys.readouterr().err


def test_resuming_in_another_mode_says_so(tmp_path: Path) -> None:
    planted, run = plant(tmp_path, prompts=6, images=4), tmp_path / "run"
    begun = config(planted.ratings, run, pairs=planted.pairs)
    list(train(begun))
    with pytest.raises(InputError, match=r"--resume: .*--mode, .* changed since the run began"):
        list(train(replace(begun, mode="pairs", epochs=3, resume=True)))


def test_read_from_another_folder_it_says_where_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    list(train(config(simple_ratings(tmp_path, prompts=6, images=4).relative_to(tmp_path), run)))
    read_validation(run)
    monkeypatch.chdir(run)
    with pytest.raises(InputError, match="start from the folder where the run was started"):
        read_validation(run, may_read=lambda path: path.is_relative_to(tmp_path / "images"))


def test_files_of_long_names_are_kept(ratings: Path, tmp_path: Path) -> None:
    long = ratings.with_name("評" * 80 + ".csv")
    ratings.rename(long)
    list(train(config(long, tmp_path / "run")))
    (copy,) = (tmp_path / "run" / FOLDER).iterdir()
    assert copy.name.endswith("評.csv")
    rate_on(long)
    assert len(read_validation(tmp_path / "run").data.files) == 24


def test_a_checksum_that_is_none_is_named(ratings: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    list(train(config(ratings, run)))
    record = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(record | {"inputs": {str(ratings): None}}))
    with pytest.raises(CheckpointError, match=r"the sha256 of .* is none"):
        read_validation(run)
    assert kept_inputs(run, {str(ratings): None}) == set()  # type: ignore[dict-item]  # as a file may have it


def test_a_damaged_or_missing_copy_is_read_where_it_was_or_named(ratings: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    list(train(config(ratings, run)))
    before = read_validation(run).scores
    (copy,) = (run / FOLDER).iterdir()
    copy.write_bytes(b"rubbish")
    np.testing.assert_array_equal(read_validation(run).scores, before)
    with pytest.raises(InputError, match="outside the folders"):
        read_validation(run, may_read=lambda path: path.suffix != ".csv")
    rate_on(ratings)
    with pytest.raises(InputError, match=r"changed since the run was trained, and the run's copy is damaged"):
        read_validation(run)
    shutil.rmtree(run / FOLDER)
    with pytest.raises(InputError, match=r"of which it keeps no copy; go on with the file as it was, or --overwrite"):
        list(train(config(ratings, run, epochs=3, resume=True)))
    ratings.unlink()
    with pytest.raises(InputError, match="the file does not exist"):
        read_validation(run)


def test_copies_that_cant_be_written_are_told_in_a_line(
    ratings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    real = Path.mkdir

    def full(self: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        if self.name == FOLDER:
            raise OSError(28, "No space left on device")
        real(self, mode, parents, exist_ok)

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(CheckpointError, match=r"input files can't be kept .*No space left"):
        list(train(config(ratings, run)))
