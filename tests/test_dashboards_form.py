"""From the form's values to the trainer's arguments."""

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from dashboards_helpers import make_project

from dashboards import form
from dashboards.form import DEFAULT_BACKBONE, FORM_FLAGS, arguments, config_of, faults_of, free_name, shell_command
from dashboards.presets import PRESET_FIELDS, PRESETS, Preset, preset_values
from dashboards.roots import RefusedPathError, Roots
from reward.config import FLAGS
from reward.errors import InputError


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    make_project(tmp_path / "data")
    return Roots.of(tmp_path / "data", tmp_path / "outputs")


def values(roots: Roots, **changes: Any) -> dict[str, Any]:
    given = {flag.field: None if flag.kind is Path else flag.default for flag in FORM_FLAGS}
    given |= {
        "ratings": str(roots.data / "annotations/multihead_ratings.csv"),
        "output": "first",
        "backbone": "pixelstats",
    }
    return given | changes


def test_the_form_has_every_flag_but_those_that_the_studio_sets() -> None:
    assert {flag.field for flag in FLAGS} - {flag.field for flag in FORM_FLAGS} == {
        "events",
        "resume",
    }


def test_defaults_are_left_out_of_the_arguments(roots: Roots) -> None:
    ratings = str(roots.data / "annotations/multihead_ratings.csv")
    assert arguments(config_of(values(roots), roots)) == [
        *("--mode", "multihead", "--ratings", ratings),
        *("--output", str(roots.outputs / "first"), "--backbone", "pixelstats"),
    ]


def test_what_differs_from_the_defaults_is_told(roots: Roots) -> None:
    config = config_of(values(roots, epochs=3.0, learning_rate=0.00025, seed=7, image_root=str(roots.data)), roots)
    told = arguments(config)
    assert told[told.index("--epochs") + 1] == "3"
    assert told[told.index("--learning-rate") + 1] == "0.00025"
    assert told[told.index("--image-root") + 1] == str(roots.data)


def test_nothing_in_the_folds_is_not_zero_folds(roots: Roots) -> None:
    assert config_of(values(roots, folds=""), roots).folds is None
    assert config_of(values(roots, folds="0"), roots).folds == 0
    assert config_of(values(roots, folds=" 5 "), roots).folds == 5


def test_pairs_mode_leaves_out_what_is_for_ratings(roots: Roots) -> None:
    pairs = roots.data / "annotations" / "pairs.jsonl"
    pairs.write_text("{}\n")
    told = arguments(config_of(values(roots, mode="pairs", pairs=str(pairs), min_rating_diff=2.0), roots))
    assert "--ratings" not in told
    assert "--min-rating-diff" not in told
    assert told[told.index("--pairs") + 1] == str(pairs)


def test_the_shell_command_splits_into_the_same_arguments(roots: Roots, tmp_path: Path) -> None:
    odd = roots.data / "my ratings; rm -rf $HOME.csv"
    odd.write_text("x")
    config = config_of(values(roots, ratings=str(odd)), roots)
    command = shell_command(config, tmp_path / "train_reward.py")
    python, *rest = shlex.split(command)
    assert Path(python).absolute() == Path(sys.executable)
    assert rest == [str(tmp_path / "train_reward.py"), *arguments(config)]


def test_paths_below_the_working_directory_are_written_as_in_the_published_command(
    roots: Roots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python"))
    command = shell_command(config_of(values(roots), roots), tmp_path / "train_reward.py")
    assert command == (
        ".venv/bin/python train_reward.py --mode multihead --ratings data/annotations/multihead_ratings.csv "
        "--output outputs/first --backbone pixelstats"
    )


@pytest.mark.parametrize(
    ("field", "value", "flag"),
    [
        ("epochs", 0, "--epochs"),
        ("epochs", 1.5, "--epochs"),
        ("epochs", "many", "--epochs"),
        ("batch_size", True, "--batch-size"),
        ("learning_rate", -1, "--learning-rate"),
        ("min_rating_diff", 11, "--min-rating-diff"),
        ("val_fraction", 1, "--val-fraction"),
        ("seed", -1, "--seed"),
        ("seed", float("nan"), "--seed"),
        ("folds", "some", "--folds"),
        ("folds", "2", "--folds"),
        ("mode", "both", "--mode"),
        ("ratings", None, "--ratings"),
        ("device", ["cpu"], "--device"),
        ("backbone", " ", "--backbone"),
    ],
)
def test_a_faulty_value_names_its_flag(roots: Roots, field: str, value: Any, flag: str) -> None:
    with pytest.raises(InputError) as refused:
        config_of(values(roots, **{field: value}), roots)
    assert [fault.file for fault in refused.value.faults] == [flag]


@pytest.mark.parametrize("field", ["ratings", "pairs", "prompts", "image_root", "cache_dir"])
def test_a_path_outside_the_folders_is_refused(roots: Roots, field: str) -> None:
    with pytest.raises(RefusedPathError, match="--allow"):
        config_of(values(roots, **{field: "/etc/hostname"}), roots)


def test_weights_of_a_backbone_come_from_the_same_folders(roots: Roots) -> None:
    with pytest.raises(RefusedPathError, match="--allow"):
        config_of(values(roots, backbone="openclip:ViT-B-32@/etc/hostname"), roots)
    weights = roots.data / "small.safetensors"
    weights.write_bytes(b"x")
    config = config_of(values(roots, backbone="openclip:ViT-S-32@small.safetensors"), roots)
    assert config.backbone == f"openclip:ViT-S-32@{weights}"
    assert config_of(values(roots, backbone=DEFAULT_BACKBONE), roots).backbone == DEFAULT_BACKBONE


def test_what_is_wrong_is_told_beside_its_field_all_at_once(roots: Roots) -> None:
    (roots.outputs / "taken").mkdir(parents=True)
    wrong = values(roots, ratings="/etc/hostname", epochs="many", seed=-1, output="taken", backbone="x@nowhere.pt")
    found = faults_of(wrong, roots)
    assert sorted(found) == ["backbone", "epochs", "output", "ratings", "seed"]
    assert "--allow" in found["ratings"]
    assert found["epochs"] == "'many' is not a number; correct it"
    assert found["seed"].startswith("-1 is out of range; a whole number from 0")
    assert found["output"].startswith("there is a run of this name already")
    assert faults_of(values(roots, output="taken", overwrite=True), roots) == {}
    assert faults_of(values(roots), roots) == {}
    assert list(faults_of(values(roots, output="../up"), roots)) == ["output"]
    assert faults_of(values(roots, output=""), roots) == {"output": "give the run a name"}


def test_a_tracker_that_is_not_installed_is_named_in_time(roots: Roots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "find_spec", lambda name: object() if name == "tensorboard" else None)
    assert faults_of(values(roots, log_to="tensorboard"), roots) == {}
    assert faults_of(values(roots, log_to="tensorboard,wandb"), roots) == {
        "log_to": "wandb is not installed here; pip install wandb"
    }
    told = arguments(config_of(values(roots, log_to="tensorboard"), roots))
    assert told[told.index("--log-to") + 1] == "tensorboard"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
@pytest.mark.parametrize("mode", ["multihead", "pairs"])
def test_each_preset_fills_in_what_can_be_started(roots: Roots, preset: Preset, mode: str) -> None:
    pairs = roots.data / "annotations" / "pairs.jsonl"
    pairs.write_text("{}\n")
    for prompts, here in ((6, False), (30, True)):
        filled = preset_values(preset.name, mode, prompts=prompts, openclip_here=here)
        assert set(filled) == set(PRESET_FIELDS)
        changes = {name: value for name, value in filled.items() if value is not None}
        config = config_of(values(roots, mode=mode, pairs=str(pairs), **changes), roots)
        assert config.folds == {"look": 0, "standard": None, "thorough": 10 if prompts == 30 else None}[preset.name]
        assert (config.backbone == DEFAULT_BACKBONE) == (here and preset.name != "look")


def test_a_run_without_a_name_is_refused(roots: Roots) -> None:
    with pytest.raises(RefusedPathError, match="Give the run a name"):
        config_of(values(roots, output="  "), roots)


def test_free_names_are_counted_up(tmp_path: Path) -> None:
    assert free_name(tmp_path) == "multihead_reward_model"
    (tmp_path / "multihead_reward_model").mkdir()
    assert free_name(tmp_path) == "multihead_reward_model_2"
    assert free_name(tmp_path, "multihead_reward_model_2") == "multihead_reward_model_3"
    assert free_name(tmp_path, "avt") == "avt_2"
