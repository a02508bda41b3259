"""The folder of a run: one training at a time, replaced by a whole run only, and safe against a kill."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from reward.checkpoints import RunFolder
from reward.claim import is_claimed
from reward.errors import CheckpointError, InputError, InterruptedTrainingError
from reward.events import Epoch, Reading, Split
from reward.model import MultiHeadReward
from reward.training import train
from tests.reward_inputs import config, run_trainer, same, simple_ratings, weights


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    return simple_ratings(tmp_path, prompts=6, images=4)


def test_of_two_runs_into_one_folder_the_second_leaves_the_first_alone(ratings: Path, tmp_path: Path) -> None:
    first, second = (train(config(ratings, tmp_path / "a", seed=seed)) for seed in (1, 2))
    for events in (first, second):  # both have looked at the folder before either has made it
        assert isinstance(next(events), Reading)
    list(first)
    before = weights(tmp_path / "a")
    with pytest.raises(InputError) as caught:
        list(second)
    assert "another run has begun" in str(caught.value)
    assert same(before, weights(tmp_path / "a"))


def test_a_run_is_held_by_its_training_alone_and_until_it_ends(ratings: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    training = train(config(ratings, output, epochs=3))
    assert not is_claimed(output)
    while not isinstance(next(training), Epoch):
        pass
    assert is_claimed(output)
    for more in ("resume", "overwrite"):
        with pytest.raises(InputError, match="another training is at work on"):
            list(train(config(ratings, output, epochs=3, **{more: True})))
    training.close()
    assert not is_claimed(output)
    list(train(config(ratings, output, epochs=3, resume=True)))
    assert not is_claimed(output)


def test_an_output_that_holds_a_run_is_refused_and_can_be_replaced(ratings: Path, tmp_path: Path) -> None:
    list(train(config(ratings, tmp_path / "a")))
    done = run_trainer("--ratings", ratings, "--backbone", "pixelstats", "--output", tmp_path / "a")
    assert done.returncode == 2
    assert "--resume goes on with it, --overwrite replaces it" in done.stderr
    list(train(config(ratings, tmp_path / "a", overwrite=True, epochs=1)))
    assert len((tmp_path / "a/metrics.jsonl").read_text().splitlines()) == 1
    (tmp_path / "b").mkdir()
    (tmp_path / "b/mine.txt").write_text("x")
    with pytest.raises(InputError) as caught:
        list(train(config(ratings, tmp_path / "b", overwrite=True)))
    assert "holds other files" in str(caught.value)
    assert (tmp_path / "b/mine.txt").exists()


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_is_replaced_only_once_the_new_one_has_a_best(ratings: Path, tmp_path: Path) -> None:
    list(train(config(ratings, tmp_path / "a", epochs=1)))
    before = weights(tmp_path / "a", "best")
    for event in train(config(ratings, tmp_path / "a", overwrite=True, seed=1)):
        if isinstance(event, Split):
            assert same(before, weights(tmp_path / "a", "best"))
        elif isinstance(event, Epoch) and event.epoch == 1:
            assert hidden(tmp_path) == []
    assert not same(before, weights(tmp_path / "a", "best"))


def test_a_new_run_that_fails_before_its_best_gives_the_old_one_back(
    ratings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(train(config(ratings, tmp_path / "a", epochs=1)))
    before = files_below(tmp_path / "a")

    def full(*_: object) -> None:
        assert len(hidden(tmp_path)) == 1
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("reward.checkpoints._write", full)
        with pytest.raises(CheckpointError, match=r"No space left.*was to replace is left as it was"):
            list(train(config(ratings, tmp_path / "a", overwrite=True, seed=1)))
    assert files_below(tmp_path / "a") == before
    assert hidden(tmp_path) == []
    stopped = train(config(ratings, tmp_path / "a", overwrite=True, seed=1), lambda: len(hidden(tmp_path)) > 0)
    with pytest.raises(InterruptedTrainingError):
        list(stopped)
    assert json.loads((tmp_path / "a/config.json").read_text())["arguments"]["seed"] == 1  # a wish, not a failure
    list(train(config(ratings, tmp_path / "a", resume=True, seed=1)))
    assert hidden(tmp_path) == []


def test_what_a_killed_writer_set_aside_comes_back_or_goes(ratings: Path, tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    aside = tmp_path / f".a.old-{gone.pid}.0"
    for name in (f".a.old-{os.getppid()}.0", ".a.old-mine", f".b.old-{gone.pid}.0"):  # not ours to touch
        (tmp_path / name).mkdir()
    others = hidden(tmp_path)
    list(train(config(ratings, tmp_path / "a", epochs=1)))
    before = weights(tmp_path / "a", "best")
    (tmp_path / "a").rename(aside)  # killed before the new folder was there
    with pytest.raises(InputError, match="already holds a run"):
        list(train(config(ratings, tmp_path / "a", epochs=1)))
    assert same(before, weights(tmp_path / "a", "best"))
    shutil.copytree(tmp_path / "a", aside)  # killed while it was being removed
    with pytest.raises(InputError, match="already holds a run"):
        list(train(config(ratings, tmp_path / "a", epochs=1)))
    assert hidden(tmp_path) == others
    aside.mkdir()  # killed when a part of it was removed already, and then the new run was removed by hand
    (tmp_path / "a").rename(tmp_path / "kept")
    run = RunFolder(tmp_path / "a")
    run.tidy()
    assert not run.path.exists()
    aside.rmdir()
    (tmp_path / "kept").rename(aside)  # killed before the first epoch was done, twice, and then failed
    run.create({}, {}, overwrite=False)
    for _ in range(2):
        run = RunFolder(tmp_path / "a")
        run.tidy()
        run.create({}, {}, overwrite=True)
    assert not (tmp_path / "a/best").exists()
    run.failed()
    assert same(before, weights(tmp_path / "a", "best"))


def test_names_are_on_disk_before_they_are_built_on(
    ratings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint's folder before a link leads there, and the link before what it led to is removed."""
    list(train(config(ratings, tmp_path / "a", epochs=1)))
    model, run = MultiHeadReward.from_pretrained(tmp_path / "a/best"), RunFolder(tmp_path / "a")
    steps: list[str] = []
    numbers = {path.stat().st_ino: path.name for path in (tmp_path / "a", tmp_path / "a/checkpoints")}
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if (name := numbers.get(os.fstat(descriptor).st_ino)) is not None:
            steps.append(f"{name}: {(tmp_path / 'a/checkpoints/7').exists()}, {(tmp_path / 'a/best').readlink()}")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    (tmp_path / "a/.best.tmp-1").symlink_to("checkpoints/1")  # left by a kill
    run.save(7, model, ("best",))
    assert steps == ["checkpoints: True, checkpoints/1", "a: True, checkpoints/7"]
    assert hidden(tmp_path / "a") == []


def test_a_run_killed_before_its_first_checkpoint_is_begun_anew(ratings: Path, tmp_path: Path) -> None:
    RunFolder(tmp_path / "a").create({}, {}, overwrite=False)  # and no further
    for more in ({}, {"resume": True}):
        with pytest.raises(InputError) as caught:
            list(train(config(ratings, tmp_path / "a", **more)))
        assert "--overwrite begins it anew" in str(caught.value)
    list(train(config(ratings, tmp_path / "a", overwrite=True, epochs=1)))
    assert (tmp_path / "a/last").is_dir()
    assert hidden(tmp_path) == []
