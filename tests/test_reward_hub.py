"""Pushing a model to a hub and loading it from there, against a small real HTTP server."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from dspo.reward import MultiHeadReward
from reward.aspects import HEADS, RATING_COLUMNS
from reward.config import TrainConfig
from reward.errors import BackboneError, CheckpointError
from reward.training import train
from tests.hub_server import Hub, card_problem
from tests.reward_inputs import draw_prompts

PEOPLE = ("Wilhelmina-Q", "zbigniew@example.org")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, openclip_weights: Path) -> Path:
    """A folder with the runs `pixelstats` and `openclip`, trained on what two people of known names rated."""
    root = tmp_path_factory.mktemp("home-of-somebody")
    random = np.random.default_rng(0)
    lines = [",".join(["prompt_id", "image_path", "annotator", *RATING_COLUMNS])]
    for prompt, image in draw_prompts(root, 4, 3):
        for person in PEOPLE:
            ratings = random.uniform(0, 10, len(HEADS)).round(1)
            lines.append(",".join([prompt, image, person, *map(str, ratings)]))
    (root / "ratings.csv").write_text("\n".join(lines) + "\n")
    for name, spec in (("pixelstats", "pixelstats"), ("openclip", f"openclip:ViT-S-32@{openclip_weights}")):
        list(train(TrainConfig(ratings=root / "ratings.csv", output=root / name, backbone=spec, epochs=1)))
    return root


@pytest.mark.parametrize("backbone", ["pixelstats", "openclip"])
def test_a_push_uploads_four_files_without_weights_folders_or_names(
    hub: Hub, runs: Path, openclip_weights: Path, backbone: str
) -> None:
    model = MultiHeadReward.from_pretrained(runs / backbone / "best")
    model(sorted((runs / "images").rglob("*.png"))[:1])  # loads the backbone's weights
    address = model.push_to_hub("tester/aspects", private=True)
    assert address.startswith(f"{hub.endpoint}/tester/aspects/commit/")
    pushed = hub.files["tester/aspects"]
    assert set(pushed) == {"config.json", "model.safetensors", "metrics.json", "README.md"}
    heads = sum(tensor.numel() * tensor.element_size() for tensor in model.head_state().values())
    assert len(pushed["model.safetensors"]) < heads + 4096
    everything = b"\n".join(pushed.values())
    for secret in (*PEOPLE, str(runs), runs.name, str(openclip_weights.parent)):
        assert secret.encode() not in everything, secret
    assert card_problem(pushed["README.md"].decode()) is None
    if backbone == "openclip":
        spec = json.loads(pushed["config.json"])["backbone"]["spec"]
        assert spec == f"openclip:ViT-S-32@{openclip_weights.name}"
        assert model.config.backbone["spec"] == f"openclip:ViT-S-32@{openclip_weights}"


def test_what_was_pushed_loads_by_its_id(hub: Hub, runs: Path, tmp_path: Path) -> None:
    model = MultiHeadReward.from_pretrained(runs / "pixelstats/best")
    assert model.save_pretrained(tmp_path / "copy", push_to_hub=True, repo_id="tester/aspects")
    again = MultiHeadReward.from_pretrained("tester/aspects")
    files = sorted((runs / "images").rglob("*.png"))
    assert torch.equal(again(files), model(files))
    assert again.metrics == model.metrics
    assert again.card == model.card
    again.save_pretrained(tmp_path / "again")
    assert (tmp_path / "again/metrics.json").is_file()
    hub.files.clear()
    offline = MultiHeadReward.from_pretrained("tester/aspects", local_files_only=True)
    assert offline.fingerprint() == model.fingerprint()


def test_a_pushed_model_on_a_weights_file_takes_the_callers_copy(hub: Hub, runs: Path, openclip_weights: Path) -> None:
    model = MultiHeadReward.from_pretrained(runs / "openclip/best")
    model.push_to_hub("tester/aspects")
    with pytest.raises(BackboneError) as caught:
        MultiHeadReward.from_pretrained("tester/aspects")
    assert "pass backbone='openclip:ViT-S-32@FILE' with your copy of it" in str(caught.value)
    again = MultiHeadReward.from_pretrained("tester/aspects", backbone=f"openclip:ViT-S-32@{openclip_weights}")
    assert again.fingerprint() == model.fingerprint()


def test_what_a_hub_does_not_have_is_one_line(hub: Hub, runs: Path) -> None:
    def refusal() -> str:
        with pytest.raises(CheckpointError) as caught:
            MultiHeadReward.from_pretrained("tester/aspects")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "tester/aspects: can't be loaded (404" in refusal()
    MultiHeadReward.from_pretrained(runs / "pixelstats/best").push_to_hub("tester/aspects")
    del hub.files["tester/aspects"]["model.safetensors"]
    assert "model.safetensors is missing" in refusal()
    hub.files["tester/aspects"]["model.safetensors"] = b"garbage"
    assert "damaged" in refusal()


# The hub client leaves its temporary folder to the garbage collector when a push fails.
@pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")
def test_a_push_that_is_refused_is_one_line(hub: Hub, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = MultiHeadReward.from_pretrained(runs / "pixelstats/best")

    def refusal() -> str:
        with pytest.raises(CheckpointError) as caught:
            model.push_to_hub("tester/aspects")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert model.card is not None
    model.card = model.card.replace("license_name: to-be-chosen\n", "")
    assert "needs a license_name" in refusal()
    monkeypatch.setenv("HF_TOKEN", "hf_of-somebody-else")
    assert "tester/aspects: can't be pushed (" in refusal()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")  # nothing listens there
    assert "Connection refused" in refusal()


def test_a_reweighed_card_keeps_what_a_hub_needs(runs: Path) -> None:
    model = MultiHeadReward.from_pretrained(runs / "pixelstats/best")
    own = model.with_head_weights(dict.fromkeys(HEADS, 1))
    assert own.card is not None
    assert card_problem(own.card) is None
    assert own.card.count("## Importance") == 1
    assert "Weights set by hand, not learned: spatial 0.200" in own.card
    assert "| Spatial | 0." in own.card.split("## Importance")[0]
    assert "## Licence" in own.card
