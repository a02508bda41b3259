"""What a training would have to encode, with real images, a real cache and the real probe."""

import json
import shutil
from pathlib import Path

import pytest
from dashboards_helpers import make_project

from reward.backbones.availability import availability
from reward.config import TrainConfig
from reward.forecast import forecast, main


def config(tmp_path: Path, ratings: Path, **more: object) -> TrainConfig:
    return TrainConfig(ratings=ratings, backbone="pixelstats", cache_dir=tmp_path / "cache", device="cpu", **more)  # type: ignore[arg-type]  # fields by name


def test_looking_and_measuring_until_nothing_is_new(tmp_path: Path) -> None:
    ratings = make_project(tmp_path / "data")
    copied = tmp_path / "data/images/p00/1.png"
    shutil.copyfile(tmp_path / "data/images/p00/0.png", copied)
    looked = forecast(config(tmp_path, ratings), seconds=0)
    assert (looked.images, looked.cached, looked.new, looked.images_per_s) == (23, 0, 23, 0.0)
    assert (looked.duplicate_count, looked.missing_count, looked.remaining_s) == (1, 0, None)
    assert looked.duplicates == (f"{copied} = {tmp_path / 'data/images/p00/0.png'}",)
    assert looked.backbone.state == "built in"
    measured = forecast(config(tmp_path, ratings), seconds=0.001)
    assert measured.probed == 2
    assert measured.new == 21
    assert measured.images_per_s > 0
    assert measured.remaining_s == pytest.approx(21 / measured.images_per_s, rel=0.1, abs=0.1)
    again = forecast(config(tmp_path, ratings), seconds=60)
    assert (again.cached, again.probed, again.new, again.remaining_s) == (2, 21, 0, 0.0)
    done = forecast(config(tmp_path, ratings))
    assert (done.cached, done.probed, done.remaining_s) == (23, 0, 0.0)


def test_missing_images_are_named_and_the_rest_is_counted(tmp_path: Path) -> None:
    ratings = make_project(tmp_path / "data")
    gone = tmp_path / "data/images/p01/2.png"
    gone.unlink()
    found = forecast(config(tmp_path, ratings), seconds=0)
    assert (found.images, found.missing_count, found.missing) == (23, 1, (str(gone),))


def test_the_command_prints_json_and_refuses_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ratings = make_project(tmp_path / "data")
    told = ["--ratings", str(ratings), "--backbone", "pixelstats", "--cache-dir", str(tmp_path / "cache")]
    assert main([*told, "--probe", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["new"] == 24
    assert main([*told, "--probe", "-1"]) == 2
    assert main([*told[2:], "--ratings", str(tmp_path / "none.csv")]) == 2
    assert "none.csv" in capsys.readouterr().err


def test_weights_are_looked_for_and_nothing_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, openclip_weights: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert availability("pixelstats").here
    file = availability(f"openclip:ViT-S-32@{openclip_weights}")
    assert (file.state, file.here, file.size) == ("file", True, openclip_weights.stat().st_size)
    assert availability("openclip:ViT-S-32@/nowhere/x.pt").state == "unknown"
    unknown = availability("openclip:ViT-L-14/nobody")
    assert unknown.state == "unknown"
    assert "has no pretrained tag 'nobody'" in unknown.words
    assert availability("rubbish").state == "unknown"
    away = availability("openclip:ViT-B-32/laion2b_s34b_b79k")
    assert away.state in ("downloadable", "cached")
