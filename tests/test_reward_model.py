"""The model's contract: loading, saving, scoring, gradients, and refusing what is broken."""

import json
import shutil
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from dspo.reward import MultiHeadReward
from reward.aspects import HEADS
from reward.backbones.openclip import OpenClipBackbone
from reward.errors import BackboneError, CheckpointError, InputError
from reward.heads import HeadStack
from reward.linear import CLAMP
from reward.model_config import ModelConfig
from reward.reweigh import main as reweigh
from tests.reward_inputs import draw


def make_model(weights: Path, trained: tuple[str, ...] = HEADS, architecture: str = "ViT-S-32") -> MultiHeadReward:
    backbone = OpenClipBackbone(architecture, weights=weights)
    config = ModelConfig(
        embedding_dim=backbone.dim, backbone={"spec": backbone.spec, "identity": backbone.identity}, trained=trained
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = MultiHeadReward(config, backbone)
        with torch.no_grad():
            model.stack.linear.normal_()
            model.combination_logits.normal_()
    return model


@pytest.fixture
def model(openclip_weights: Path) -> MultiHeadReward:
    return make_model(openclip_weights)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    return [draw(tmp_path / f"{i}.png", i, size=80 + 20 * i) for i in range(5)]


def test_scores_of_paths_images_and_tensors_agree(model: MultiHeadReward, pictures: list[Path]) -> None:
    images = [Image.open(path) for path in pictures]
    tensor = torch.stack([model.preprocess(image) for image in images])
    from_paths = model(pictures)
    assert from_paths.shape == (5,)
    assert torch.allclose(from_paths, model(images), atol=1e-5)
    assert torch.allclose(from_paths, model(tensor), atol=1e-5)
    assert torch.allclose(model(str(pictures[0])), from_paths[:1], atol=1e-5)
    assert torch.allclose(model(images[0]), from_paths[:1], atol=1e-5)


def test_a_batch_and_its_images_one_by_one_agree(model: MultiHeadReward, pictures: list[Path]) -> None:
    together = model(pictures, return_individual=True)
    assert tuple(together) == HEADS
    for number, path in enumerate(pictures):
        alone = model([path], return_individual=True)
        for head in HEADS:
            assert abs(float(together[head][number] - alone[head][0])) <= 1e-5


def test_quick_gelu_survives_saving(pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same weights in an architecture with QuickGELU and in its plain namesake, both made small."""
    vision = {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16, "head_width": 32}
    text = {"context_length": 8, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
    plain = {"embed_dim": 32, "vision_cfg": vision, "text_cfg": text}
    small = {"Small": plain, "Small-quickgelu": plain | {"quick_gelu": True}}
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", open_clip.factory._MODEL_CONFIGS | small)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_file(open_clip.create_model("Small").state_dict(), tmp_path / "small.safetensors")
    scores = {}
    for architecture in small:
        model = make_model(tmp_path / "small.safetensors", architecture=architecture)
        scores[architecture] = model(pictures)
        model.save_pretrained(tmp_path / architecture)
        again = MultiHeadReward.from_pretrained(tmp_path / architecture)
        assert torch.equal(again(pictures), scores[architecture])
        assert again.backbone.identity["quick_gelu"] == (architecture == "Small-quickgelu")
    assert (scores["Small"] - scores["Small-quickgelu"]).abs().max() > 1e-3


def test_scores_do_not_depend_on_train_mode_of_the_caller(model: MultiHeadReward, pictures: list[Path]) -> None:
    before = model(pictures)
    model.train()
    assert not model.backbone.training
    model.eval()
    assert torch.equal(before, model(pictures))


def test_importance_sums_to_one_and_weighs_the_heads(model: MultiHeadReward, pictures: list[Path]) -> None:
    importance = model.get_head_importance()
    assert tuple(importance) == HEADS
    assert sum(importance.values()) == pytest.approx(1, abs=1e-6)
    heads = model(pictures, return_individual=True)
    expected = sum(importance[head] * heads[head] for head in HEADS)
    assert torch.allclose(model(pictures), expected, atol=1e-5)


def test_an_untrained_head_is_nan_and_left_out(openclip_weights: Path, pictures: list[Path]) -> None:
    model = make_model(openclip_weights, trained=("style", "fidelity"))
    scores = model(pictures, return_individual=True)
    assert scores["spatial"].isnan().all()
    assert model.get_head_importance()["spatial"] == 0
    assert sum(model.get_head_importance().values()) == pytest.approx(1)
    assert model(pictures).isfinite().all()


def test_gradients_reach_the_pixels_and_no_parameter_of_the_backbone(model: MultiHeadReward) -> None:
    pixels = torch.rand(2, 3, 150, 200, requires_grad=True)
    model(model.preprocess_tensor(pixels)).sum().backward()
    assert pixels.grad is not None
    assert pixels.grad.abs().sum() > 0
    backbone = list(model.backbone.parameters())
    assert backbone
    assert all(not p.requires_grad and p.grad is None for p in backbone)
    assert model.combination_logits.grad is not None


def test_preprocessing_a_tensor_is_preprocessing_the_picture(model: MultiHeadReward, pictures: list[Path]) -> None:
    image = Image.open(pictures[4])
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 255
    assert torch.allclose(model.preprocess_tensor(pixels)[0], model.preprocess(image), atol=0.05)


def test_pixels_of_another_range_are_refused(model: MultiHeadReward) -> None:
    pixels = torch.rand(1, 3, 64, 64)
    for wrong in (pixels * 2 - 1, pixels * 255):
        with pytest.raises(BackboneError, match=r"expected pixels in \[0, 1\]"):
            model.preprocess_tensor(wrong)
    assert model.preprocess_tensor(pixels * 1.1 - 0.05).isfinite().all()  # as a decoder leaves them


def test_saving_and_loading_gives_the_same_scores(model: MultiHeadReward, pictures: list[Path], tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "saved")
    assert {p.name for p in (tmp_path / "saved").iterdir()} == {"config.json", "model.safetensors", "README.md"}
    again = MultiHeadReward.from_pretrained(tmp_path / "saved")
    assert torch.equal(model(pictures), again(pictures))
    assert not again.training


def test_a_checkpoint_holds_heads_only(model: MultiHeadReward, tmp_path: Path) -> None:
    model(torch.zeros(1, 3, 224, 224))  # loads the backbone
    model.save_pretrained(tmp_path / "saved")
    assert not [name for name in load_file(tmp_path / "saved/model.safetensors") if "backbone" in name]
    config = json.loads((tmp_path / "saved/config.json").read_text())
    assert config["backbone"]["identity"]["weights_sha256"]
    assert config["heads"] == list(HEADS)


def test_a_weights_file_that_moved_is_relocated_and_its_content_checked(
    model: MultiHeadReward, openclip_weights: Path, pictures: list[Path], tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path / "saved")
    moved = tmp_path / "moved.safetensors"
    shutil.copy(openclip_weights, moved)
    config = json.loads((tmp_path / "saved/config.json").read_text())
    config["backbone"]["spec"] = "openclip:ViT-S-32@/gone.safetensors"
    (tmp_path / "saved/config.json").write_text(json.dumps(config))
    with pytest.raises(BackboneError) as caught:
        MultiHeadReward.from_pretrained(tmp_path / "saved")
    assert "/gone.safetensors not found" in str(caught.value)
    again = MultiHeadReward.from_pretrained(tmp_path / "saved", backbone=f"openclip:ViT-S-32@{moved}")
    assert torch.equal(model(pictures), again(pictures))
    state = load_file(moved)
    state["visual.proj"] = state["visual.proj"] + 1
    save_file(state, moved)
    with pytest.raises(BackboneError) as caught:
        MultiHeadReward.from_pretrained(tmp_path / "saved", backbone=f"openclip:ViT-S-32@{moved}")
    assert "weights_sha256" in str(caught.value)
    with pytest.raises(BackboneError) as caught:
        MultiHeadReward.from_pretrained(tmp_path / "saved", backbone="pixelstats")
    assert "not trained on pixelstats" in str(caught.value)


def test_a_checkpoint_from_a_hub_opens_no_path_that_it_names(
    model: MultiHeadReward, openclip_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the hub's client does with a cached repository: files below models--user--name/snapshots/<commit>.
    snapshot = tmp_path / "hub/models--user--model/snapshots/abc"
    model.save_pretrained(snapshot)
    refs = tmp_path / "hub/models--user--model/refs"
    refs.mkdir()
    (refs / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BackboneError) as caught:
        MultiHeadReward.from_pretrained("user/model", cache_dir=tmp_path / "hub", local_files_only=True)
    assert "pass backbone='openclip:ViT-S-32@FILE'" in str(caught.value)
    spec = f"openclip:ViT-S-32@{openclip_weights}"
    again = MultiHeadReward.from_pretrained(
        "user/model", cache_dir=tmp_path / "hub", local_files_only=True, backbone=spec
    )
    assert torch.equal(again.stack.linear, model.stack.linear)


@pytest.mark.parametrize("architecture", ["ViT-B-32@/private/weights", "local-dir:/private", "hf-hub:user/other"])
def test_a_hub_checkpoint_can_not_smuggle_a_path_into_the_architecture(
    model: MultiHeadReward, tmp_path: Path, architecture: str
) -> None:
    snapshot = tmp_path / "hub/models--user--model/snapshots/abc"
    model.save_pretrained(snapshot)
    (tmp_path / "hub/models--user--model/refs").mkdir()
    (tmp_path / "hub/models--user--model/refs/main").write_text("abc")
    config = json.loads((snapshot / "config.json").read_text())
    config["backbone"]["identity"] |= {"architecture": architecture, "pretrained": "w.pt"}
    (snapshot / "config.json").write_text(json.dumps(config))
    with pytest.raises(BackboneError) as caught:
        MultiHeadReward.from_pretrained("user/model", cache_dir=tmp_path / "hub", local_files_only=True)
    assert "open_clip knows no architecture" in str(caught.value)


def test_a_picture_scores_the_same_as_path_and_as_opened_image(model: MultiHeadReward, tmp_path: Path) -> None:
    glass = Image.new("RGBA", (60, 40), (200, 30, 30, 90))
    glass.save(tmp_path / "glass.png")
    turned = Image.radial_gradient("L").resize((90, 40)).convert("RGB")
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    for path in (tmp_path / "glass.png", tmp_path / "turned.png"):
        assert torch.allclose(model(path), model(Image.open(path)), atol=1e-6)


def broken(folder: Path, name: str, content: bytes | None) -> str:
    target = folder / name
    if content is None:
        target.unlink()
    else:
        target.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        MultiHeadReward.from_pretrained(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("config.json", None, "config.json is missing"),
        ("model.safetensors", None, "model.safetensors is missing"),
        ("config.json", b"{", "config.json is damaged"),
        ("config.json", b"{}", "format_version is missing"),
        ("config.json", b'{"format_version": 99}', "the checkpoint has format 99"),
        ("config.json", b'{"format_version": 1}', "config.json is incomplete"),
        ("config.json", b'{"format_version": 1, "embedding_dim": 4, "backbone": {}}', "needs spec and identity"),
        ("metrics.json", b"{", "metrics.json: damaged"),
        ("model.safetensors", b"garbage", "damaged"),
    ],
)
def test_damaged_checkpoints_say_what_is_wrong(
    model: MultiHeadReward, tmp_path: Path, name: str, content: bytes | None, expected: str
) -> None:
    model.metrics = {"epoch": 1}
    model.save_pretrained(tmp_path / "saved")
    assert expected in broken(tmp_path / "saved", name, content)


def test_tensors_must_fit_strictly(model: MultiHeadReward, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "saved")
    file = tmp_path / "saved/model.safetensors"
    state = load_file(file)
    del state["stack.w1"]
    state["extra"] = torch.zeros(1)
    save_file(state, file)
    with pytest.raises(CheckpointError) as caught:
        MultiHeadReward.from_pretrained(tmp_path / "saved")
    assert "doesn't fit its config.json (extra, stack.w1)" in str(caught.value)


def test_names_that_lead_nowhere(tmp_path: Path) -> None:
    for name in (tmp_path / "none", "outputs/none/best", str(tmp_path / "x")):
        with pytest.raises(CheckpointError) as caught:
            MultiHeadReward.from_pretrained(name)
        assert "no such folder" in str(caught.value)


def test_the_hidden_layer_has_a_real_nonlinearity_and_dropout() -> None:
    torch.manual_seed(0)
    stack = HeadStack(1, 2, 6, hidden=16, dropout=0.5).eval()
    with torch.no_grad():
        stack.w2.normal_()
    a, b = torch.randn(1, 6), torch.randn(1, 6)
    middle = stack((a + b) / 2)
    assert not torch.allclose(middle, (stack(a) + stack(b)) / 2, atol=1e-3)
    assert torch.equal(stack(a), stack(a))
    stack.train()
    assert not torch.equal(stack(a), stack(a))


def test_batched_heads_are_separate_mlps() -> None:
    torch.manual_seed(0)
    stack = HeadStack(2, 3, 6, hidden=4, dropout=0.0).eval()
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.normal_()
        stack.input_mean.normal_()
        stack.centre.normal_()
    x = torch.randn(5, 6) * 0.5
    out = stack(x)
    for m in range(2):
        normal = ((x - stack.input_mean[m]) / stack.input_std[m]).clamp(-CLAMP, CLAMP)
        for h in range(3):
            w1 = stack.w1[m].view(6, 3, 4)[:, h]
            hidden = torch.nn.functional.gelu(normal @ w1 + stack.b1[m].view(3, 4)[h])
            score = hidden @ stack.w2[m, h] + normal @ stack.linear[m, :, h] + stack.b2[m, h]
            assert torch.allclose(out[m, :, h], stack.centre[m, h] + stack.scale[m, h] * score, atol=1e-5)
    assert torch.allclose(stack.member(1)(x)[0], out[1])


def test_weights_of_ones_own_keep_the_heads_and_the_lineage(
    model: MultiHeadReward, pictures: list[Path], tmp_path: Path
) -> None:
    weights = {"spatial": 3, "icono": 1, "style": 0, "fidelity": 1, "material": 0}
    model.card = "| Spatial | 0.8 |\n| combined | 0.9 |\n\n## Importance\n\nlearned\n\n## Intended use\n"
    copy = model.with_head_weights(weights)
    copy.save_pretrained(tmp_path / "own")
    again = MultiHeadReward.from_pretrained(tmp_path / "own")
    assert again.get_head_importance() == pytest.approx({head: weight / 5 for head, weight in weights.items()})
    heads = model(pictures, return_individual=True)
    expected = 0.6 * heads["spatial"] + 0.2 * heads["icono"] + 0.2 * heads["fidelity"]
    assert torch.allclose(again(pictures), expected, atol=1e-4)
    assert again.config.lineage["from_sha256"] == model.fingerprint()
    card = (tmp_path / "own/README.md").read_text()
    assert "Weights set by hand" in card
    assert "| Spatial |" in card
    assert "| combined |" not in card  # that figure is of the learned weights
    assert again.combined_temperature.isnan()
    assert again.with_head_weights(weights | {"style": 1}).config.lineage["parent"] == again.config.lineage


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"style": 1, "fidelity": 1, "colour": 1}, "there is no head 'colour'"),
        ({"style": 1, "fidelity": -1}, "fidelity is -1"),
        ({"style": 1, "fidelity": 1, "spatial": 0.5}, "spatial is untrained"),
        ({"style": 1}, "fidelity missing"),
        ({"style": 0, "fidelity": 0}, "all weights are 0"),
    ],
)
def test_weights_that_make_no_sense_are_named(openclip_weights: Path, weights: dict[str, float], expected: str) -> None:
    with pytest.raises(InputError) as caught:
        make_model(openclip_weights, trained=("style", "fidelity")).with_head_weights(weights)
    assert expected in str(caught.value)


def test_reweighing_from_the_shell(model: MultiHeadReward, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model.save_pretrained(tmp_path / "saved")
    text = "spatial=1,icono=1,style=1,fidelity=1,material=1"
    command = ["--model", str(tmp_path / "saved"), "--output", str(tmp_path / "own"), "--set-weights"]
    assert reweigh([*command, "spatial=x"]) == 2
    assert "'spatial=x' is not HEAD=NUMBER" in capsys.readouterr().err
    assert not (tmp_path / "own").exists()
    assert reweigh([*command, text]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "spatial 0.200"
    assert reweigh([*command, text]) == 2
    assert "is not empty" in capsys.readouterr().err
