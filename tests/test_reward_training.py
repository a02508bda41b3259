"""Training from the shell: the contract's files, exit codes and messages, determinism, resuming, real ratings."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.torch import load_file, save_file

from reward.aspects import HEADS
from reward.checkpoints import RunFolder
from reward.claim import is_claimed
from reward.config import TrainConfig
from reward.embeddings import EmbeddingCache
from reward.errors import CheckpointError, InputError, InterruptedTrainingError
from reward.events import Encoding, Epoch, Finished, Reading, Split, Warning
from reward.model import MultiHeadReward
from reward.training import train
from reward.unseen import read_validation
from tests.planted import plant
from tests.reward_inputs import config, draw, run_trainer, same, simple_ratings, weights


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    return simple_ratings(tmp_path, prompts=6, images=4)


def test_the_real_ratings_train_with_the_published_defaults(avt: Path, tmp_path: Path) -> None:
    output = tmp_path / "avt"
    done = run_trainer(
        "--mode", "multihead", "--ratings", avt / "multihead_ratings.csv", "--pairs", avt / "pairs.jsonl",
        "--backbone", "pixelstats", "--output", output,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    names = {"config.json", "metrics.jsonl", "inputs", "best", "last", "checkpoints"}
    assert {path.name for path in output.iterdir()} == names
    for link in ("best", "last"):
        names = {path.name for path in (output / link).iterdir()}
        assert {"config.json", "model.safetensors", "metrics.json", "README.md"} <= names
    assert (output / "last/training_state.safetensors").is_file()
    lines = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, 16))
    best = json.loads((output / "best/metrics.json").read_text())
    assert best["combined"]["prompts"] == 20
    for values in [*(best["heads"][head] for head in HEADS[1:]), best["combined"]]:
        assert {"accuracy", "f1", "loss", "pairs", "ties"} <= values.keys()
        assert values["pairs"] > 0
        assert values["evaluation"] == "out-of-fold"
        assert values["accuracy_interval"][0] <= values["accuracy"] <= values["accuracy_interval"][1]
    assert best["heads"]["spatial"] == {"trained": False, "reason": "no ratings"}
    assert best["combined"]["target"] == "overall preferences"
    assert best["heads"]["fidelity"]["accuracy"] > 0.60
    assert best["heads"]["style"]["accuracy"] > 0.60
    assert sum(best["importance"].values()) == pytest.approx(1)
    record = json.loads((output / "config.json").read_text())
    assert record["arguments"]["min_rating_diff"] == 0.5
    assert len(record["inputs"]) == 3  # the prompts.csv beside the ratings decides the split too
    style = best["heads"]["style"]
    shown = " to ".join(f"{bound:.3f}" for bound in style["accuracy_interval"])
    row = ["style", f"{style['accuracy']:.3f}", *shown.split(), f"{style['f1']:.3f}"]
    row += [f"{best['importance']['style']:.3f}", str(style["pairs"])]
    table = [line.split() for line in done.stdout.splitlines()]
    assert row in table
    assert ["spatial", "no", "ratings"] in table
    card = (output / "best/README.md").read_text()
    assert "pixelstats" in card
    assert "| Spatial | no ratings |" in card
    low, high = best["importance_interval"]["style"]
    assert 0 < low < best["importance"]["style"] < high < 1
    assert f"| {low:.3f} to {high:.3f} |" in card
    assert "5-fold cross-validation: each of 20 prompts" in card
    assert "Can't be told from guessing on this data: Iconographic." in card


def test_the_pairs_mode_on_real_preferences(avt: Path, tmp_path: Path) -> None:
    output = tmp_path / "pairs"
    done = run_trainer(
        "--mode", "pairs", "--pairs", avt / "pairs.jsonl", "--backbone", "pixelstats", "--output", output
    )
    assert done.returncode == 0, done.stderr
    best = json.loads((output / "best/metrics.json").read_text())
    assert len((output / "metrics.jsonl").read_text().splitlines()) == 10
    assert {"accuracy", "f1", "loss", "pairs", "ties"} <= best["overall"].keys()
    assert best["overall"]["accuracy"] > 0.6
    assert best["importance"] is None
    assert f"overall      {best['overall']['accuracy']:.3f}" in done.stdout
    assert "return_individual" not in (output / "best/README.md").read_text()
    model = MultiHeadReward.from_pretrained(output / "best")
    files = sorted((avt / "images").rglob("*.jpg"))
    combined = model(files)
    assert combined.isfinite().all()
    assert abs(float(combined.mean())) < 2  # centred on the training images
    assert all(scores.isnan().all() for scores in model(files[:2], return_individual=True).values())
    assert all(value != value for value in model.get_head_importance().values())


def test_overall_preferences_without_a_winner_are_refused(tmp_path: Path) -> None:
    planted = plant(tmp_path, prompts=6, images=3)
    rows = [json.loads(line) | {"label": 0.5} for line in planted.pairs.read_text().splitlines()]
    planted.pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match="every label is ½, a tie"):
        list(train(config(planted.ratings, tmp_path / "a", pairs=planted.pairs)))


def test_a_small_real_openclip_model_trains_and_reloads(ratings: Path, tmp_path: Path, openclip_weights: Path) -> None:
    output = tmp_path / "clip"
    spec = f"openclip:ViT-S-32@{openclip_weights}"
    done = run_trainer("--ratings", ratings, "--backbone", spec, "--output", output, "--epochs", "2")
    assert done.returncode == 0, done.stderr
    model = MultiHeadReward.from_pretrained(output / "best")
    assert model.config.backbone["identity"]["architecture"] == "ViT-S-32"
    assert model(sorted((ratings.parent / "images").rglob("*.png"))[:3]).isfinite().all()


def test_same_seed_same_weights_bit_for_bit(ratings: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert isinstance(list(train(config(ratings, tmp_path / name, seed=seed)))[-1], Finished)
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


def test_a_second_training_encodes_nothing(ratings: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = [e for e in train(config(ratings, tmp_path / "a", cache_dir=cache)) if isinstance(e, Encoding)]
    assert (first[0].cached, first[-1].done) == (0, 24)
    again = [e for e in train(config(ratings, tmp_path / "b", cache_dir=cache)) if isinstance(e, Encoding)]
    assert [(e.cached, e.done) for e in again] == [(24, 24)]
    assert EmbeddingCache(cache).path.is_file()


def test_the_heads_learn_and_none_is_dead(ratings: Path, tmp_path: Path) -> None:
    epochs = [e for e in train(config(ratings, tmp_path / "a", epochs=15)) if isinstance(e, Epoch)]
    losses = epochs[-1].metrics["heads"]
    first = epochs[0].metrics["heads"]
    assert all(losses[head]["train_loss"] < first[head]["train_loss"] for head in HEADS)
    scores = MultiHeadReward.from_pretrained(tmp_path / "a/last")(
        sorted((ratings.parent / "images").rglob("*.png")), return_individual=True
    )
    assert all(values.std() > 0 for values in scores.values())


def test_a_head_that_can_not_learn_is_named(tmp_path: Path) -> None:
    ratings = simple_ratings(tmp_path, prompts=4, images=3)
    for file in sorted((tmp_path / "images").rglob("*.png")):  # all alike to the eye, not to the hash
        Image.new("RGB", (64, 64), (90, 90, 90)).save(file, pnginfo=_named(str(file)))
    warnings = [e.message for e in train(config(ratings, tmp_path / "a")) if isinstance(e, Warning)]
    assert warnings == [
        f"{head}: gives every picture the same score; the pictures' embeddings tell it nothing" for head in HEADS
    ]


def _named(text: str) -> PngInfo:
    info = PngInfo()
    info.add_text("name", text)
    return info


def test_no_prompt_is_on_both_sides_of_a_holdout(ratings: Path, tmp_path: Path) -> None:
    events = list(train(config(ratings, tmp_path / "a", folds=0)))
    split = next(e for e in events if isinstance(e, Split))
    assert (split.train_prompts, split.val_prompts, split.folds) == (5, 1, 0)
    assert (split.train_images, split.val_images) == (20, 4)
    lines = [e.metrics for e in events if isinstance(e, Epoch)]
    best = json.loads((tmp_path / "a/best/metrics.json").read_text())
    assert best | {"accuracy_lost_without": {}} in lines
    assert best["accuracy_lost_without"].keys() == set(HEADS)
    assert best["evaluation"] == "held-out"
    assert best["epoch"] == next(e for e in events if isinstance(e, Finished)).best_epoch


def test_the_prompts_held_out_have_no_say_in_the_model_or_when_to_stop(ratings: Path, tmp_path: Path) -> None:
    """With every rating of theirs turned upside down, the same epoch is best and the same weights are saved."""
    told = {"epochs": 8, "val_fraction": 0.4, "learning_rate": 3e-3}
    list(train(config(ratings, tmp_path / "a", **told)))
    found = read_validation(tmp_path / "a")
    measured = {str(file) for file, is_measured in zip(found.data.files, found.measured, strict=True) if is_measured}
    assert len(measured) == 8
    header, *rows = [line.split(",") for line in ratings.read_text().splitlines()]
    for row in rows:
        if str((ratings.parent / row[1]).resolve()) in {str(Path(file).resolve()) for file in measured}:
            row[2:] = [f"{10 - float(cell):.1f}" for cell in row[2:]]
    ratings.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n")
    list(train(config(ratings, tmp_path / "b", **told)))
    best = [json.loads((tmp_path / name / "best/metrics.json").read_text()) for name in "ab"]
    assert best[0]["epoch"] == best[1]["epoch"] < 8
    assert best[0]["primary"] != best[1]["primary"]
    assert same(weights(tmp_path / "a", "best"), weights(tmp_path / "b", "best"))


def test_without_inner_folds_to_watch_the_last_epoch_is_taken(tmp_path: Path) -> None:
    events = list(train(config(simple_ratings(tmp_path, prompts=2, images=4), tmp_path / "a", folds=0, epochs=4)))
    assert next(e for e in events if isinstance(e, Finished)).best_epoch == 4


def test_under_fifty_prompts_every_prompt_is_measured_out_of_fold(ratings: Path, tmp_path: Path) -> None:
    events = list(train(config(ratings, tmp_path / "a")))
    split = next(e for e in events if isinstance(e, Split))
    assert (split.train_prompts, split.val_prompts, split.folds) == (6, 6, 5)
    best = json.loads((tmp_path / "a/best/metrics.json").read_text())
    assert best["evaluation"] == "out-of-fold"
    assert best["combined"]["prompts"] == 6
    assert best["epoch"] == next(e for e in events if isinstance(e, Finished)).best_epoch


def test_more_folds_than_prompts_are_refused(ratings: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        list(train(config(ratings, tmp_path / "a", folds=7)))
    assert "7 folds, but only 6 prompts have pairs" in str(caught.value)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("folds", [0, 3])
def test_stopping_leaves_last_whole_and_resuming_gives_the_same_weights(
    ratings: Path, tmp_path: Path, folds: int
) -> None:
    list(train(config(ratings, tmp_path / "whole", epochs=4, folds=folds)))
    calls = 0

    def stop_in_the_third_epoch() -> bool:
        nonlocal calls
        calls += 1
        return calls > 2 * 10 + 5

    stopped = train(config(ratings, tmp_path / "parts", epochs=4, batch_size=4, folds=folds), stop_in_the_third_epoch)
    with pytest.raises(InterruptedTrainingError):
        list(stopped)
    before = len((tmp_path / "parts/metrics.jsonl").read_text().splitlines())
    assert 1 <= before < 4
    MultiHeadReward.from_pretrained(tmp_path / "parts/last")
    list(train(config(ratings, tmp_path / "parts", epochs=4, resume=True, folds=folds)))
    assert same(weights(tmp_path / "whole", "best"), weights(tmp_path / "parts", "best"))
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))
    lines = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("whole", "parts")]
    assert lines[0] == lines[1]


def test_stopping_before_the_first_epoch_leaves_a_last_too(ratings: Path, tmp_path: Path) -> None:
    events = train(config(ratings, tmp_path / "a"), lambda: (tmp_path / "a/last").exists())
    with pytest.raises(InterruptedTrainingError):
        list(events)
    assert MultiHeadReward.from_pretrained(tmp_path / "a/last").metrics["epoch"] == 0  # type: ignore[index]  # saved with the model


def test_resuming_another_run_is_refused(ratings: Path, tmp_path: Path) -> None:
    list(train(config(ratings, tmp_path / "a")))
    with pytest.raises(InputError) as caught:
        list(train(config(ratings, tmp_path / "a", epochs=5, resume=True, learning_rate=0.01)))
    assert "--learning-rate changed since the run began" in str(caught.value)
    events = train(config(ratings, tmp_path / "a", epochs=5, resume=True, seed=1, cache_dir=tmp_path / "cache"))
    with pytest.raises(InputError, match="--seed changed since the run began"):
        next(events)  # before anything is encoded
    ratings.write_text(ratings.read_text().replace("p0/0.png,", "p0/0.png,9.9").replace("9.9", "", 1))
    with pytest.raises(InputError) as caught:
        list(train(config(ratings, tmp_path / "b", resume=True)))
    assert "holds no last/" in str(caught.value)


def test_a_run_that_is_replaced_while_another_resumes_it_is_left_alone(ratings: Path, tmp_path: Path) -> None:
    list(train(config(ratings, tmp_path / "a", epochs=1)))
    late = train(config(ratings, tmp_path / "a", epochs=3, resume=True))
    while not isinstance(next(late), Split):  # it has looked, and encoded
        pass
    list(train(config(ratings, tmp_path / "a", epochs=1, overwrite=True, seed=7)))
    before = weights(tmp_path / "a")
    with pytest.raises(InputError, match="--seed changed since the run began"):
        list(late)
    assert same(before, weights(tmp_path / "a"))


def test_a_run_of_folds_that_was_given_a_share_too_stays_usable(ratings: Path, tmp_path: Path) -> None:
    list(train(config(ratings, tmp_path / "a", epochs=1, folds=3)))
    record = json.loads((tmp_path / "a/config.json").read_text())
    record["arguments"]["val_fraction"] = 0.2  # as it once could be
    (tmp_path / "a/config.json").write_text(json.dumps(record))
    assert read_validation(tmp_path / "a").data.ratings.shape[1] == len(HEADS)
    list(train(config(ratings, tmp_path / "a", epochs=2, folds=3, val_fraction=0.2, resume=True)))
    assert len((tmp_path / "a/metrics.jsonl").read_text().splitlines()) == 2


def test_a_state_that_is_damaged_is_told_before_anything_is_encoded(ratings: Path, tmp_path: Path) -> None:
    list(train(config(ratings, tmp_path / "a", epochs=1)))
    (tmp_path / "a/last/training_state.safetensors").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="can't be resumed from"):
        next(train(config(ratings, tmp_path / "a", epochs=2, resume=True)))


def test_resuming_with_other_prompts_images_or_weights_is_refused(
    ratings: Path, tmp_path: Path, openclip_weights: Path
) -> None:
    weights_file = tmp_path / "weights.safetensors"
    shutil.copy(openclip_weights, weights_file)
    clip = TrainConfig(
        ratings=ratings, output=tmp_path / "clip", backbone=f"openclip:ViT-S-32@{weights_file}", epochs=1
    )
    list(train(clip))
    list(train(config(ratings, tmp_path / "a", epochs=1)))

    def refusal(before: TrainConfig) -> str:
        with pytest.raises(InputError) as caught:
            list(train(replace(before, epochs=2, resume=True)))
        return str(caught.value)

    state = load_file(weights_file)
    save_file({name: value + 1 if name == "visual.proj" else value for name, value in state.items()}, weights_file)
    assert "the backbone changed" in refusal(clip)
    prompts = ratings.parent / "prompts.csv"
    prompts.write_text("prompt_id,prompt\np0,a cat\np1,a cat\n")
    assert "--prompts, " in refusal(config(ratings, tmp_path / "a", prompts=prompts))
    prompts.unlink()
    draw(ratings.parent / "images/p0/0.png", 99)
    assert "the images changed" in refusal(config(ratings, tmp_path / "a"))


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


def test_a_share_to_hold_out_takes_the_place_of_folds(ratings: Path, tmp_path: Path) -> None:
    split = next(e for e in train(config(ratings, tmp_path / "a", val_fraction=0.5)) if isinstance(e, Split))
    assert (split.folds, split.train_prompts, split.val_prompts) == (0, 3, 3)


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


def test_a_model_of_simulated_ratings_says_so(ratings: Path, tmp_path: Path) -> None:
    (ratings.parent / "SAMPLE.txt").write_text("simulated")
    list(train(config(ratings, tmp_path / "a", epochs=1)))
    assert json.loads((tmp_path / "a/config.json").read_text())["simulated"] is True
    assert "The ratings are simulated" in (tmp_path / "a/best/README.md").read_text()
