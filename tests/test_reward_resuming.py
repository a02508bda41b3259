"""A training that was stopped goes on as if it hadn't been, and only as the run that it was."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from reward.aspects import HEADS
from reward.config import TrainConfig
from reward.errors import CheckpointError, InputError, InterruptedTrainingError
from reward.events import Split
from reward.model import MultiHeadReward
from reward.training import train
from reward.unseen import read_validation
from tests.reward_inputs import config, draw, same, simple_ratings, weights


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    return simple_ratings(tmp_path, prompts=6, images=4)


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
