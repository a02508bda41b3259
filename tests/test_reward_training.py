"""A whole training: the contract's files, determinism, what is held out, real ratings."""

import json
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from reward.aspects import HEADS
from reward.embeddings import EmbeddingCache
from reward.errors import InputError
from reward.events import Encoding, Epoch, Finished, Split, Warning
from reward.model import MultiHeadReward
from reward.training import train
from reward.unseen import read_validation
from tests.planted import plant
from tests.reward_inputs import config, run_trainer, same, simple_ratings, weights


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


def test_a_share_to_hold_out_takes_the_place_of_folds(ratings: Path, tmp_path: Path) -> None:
    split = next(e for e in train(config(ratings, tmp_path / "a", val_fraction=0.5)) if isinstance(e, Split))
    assert (split.folds, split.train_prompts, split.val_prompts) == (0, 3, 3)


def test_a_model_of_simulated_ratings_says_so(ratings: Path, tmp_path: Path) -> None:
    (ratings.parent / "SAMPLE.txt").write_text("simulated")
    list(train(config(ratings, tmp_path / "a", epochs=1)))
    assert json.loads((tmp_path / "a/config.json").read_text())["simulated"] is True
    assert "The ratings are simulated" in (tmp_path / "a/best/README.md").read_text()
