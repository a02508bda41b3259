"""The reward as other tools call it: prompts and images to floats, and a trainer's batch to scores with a gradient."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dspo.reward import MultiHeadReward, reward_function
from reward.aspects import HEADS
from reward.backbones.registry import make_backbone
from reward.errors import BackboneError, InputError
from reward.model_config import ModelConfig
from tests.reward_inputs import draw


def make_model(spec: str, trained: tuple[str, ...] = HEADS) -> MultiHeadReward:
    backbone = make_backbone(spec)
    record = {"spec": backbone.spec, "identity": backbone.identity}
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = MultiHeadReward(ModelConfig(backbone.dim, record, trained=trained), backbone)
        with torch.no_grad():
            model.stack.linear.normal_()
            model.combination_logits.normal_()
    return model


@pytest.fixture(params=["openclip", "pixelstats"])
def model(request: pytest.FixtureRequest, openclip_weights: Path) -> MultiHeadReward:
    return make_model(f"openclip:ViT-S-32@{openclip_weights}" if request.param == "openclip" else "pixelstats")


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    return [draw(tmp_path / f"{i}.png", i, size=224) for i in range(3)]


@pytest.fixture
def pixels(pictures: list[Path]) -> np.ndarray:
    """(3, 224, 224, 3) uint8: the pictures, of the backbones' own size so that no resizing blurs the comparison."""
    return np.stack([np.asarray(Image.open(path)) for path in pictures])


def test_one_picture_gives_a_float_and_a_list_gives_floats(model: MultiHeadReward, pictures: list[Path]) -> None:
    expected = model(pictures).tolist()
    one = model.score("a cat", pictures[0])
    assert isinstance(one, float)
    assert one == pytest.approx(expected[0], abs=1e-4)
    assert model.score("a cat", str(pictures[0])) == one
    assert model.score("a cat", Image.open(pictures[0])) == one
    assert model.score("a cat", pictures) == pytest.approx(expected, abs=1e-4)
    assert model.score(["a cat", "a dog", "a hat"], pictures) == model.score("a cat", pictures)
    assert model.score(["a cat"], pictures[:1]) == [one]
    assert model.score("a cat", []) == []


@pytest.mark.parametrize(("prompts", "count"), [(["a", "b"], 3), (["a", "b", "c"], 1), ([], 1)])
def test_prompts_and_images_of_other_lengths_are_refused(
    model: MultiHeadReward, pictures: list[Path], prompts: list[str], count: int
) -> None:
    images = pictures if count > 1 else pictures[0]
    with pytest.raises(InputError) as caught:
        model.score(prompts, images)
    assert f"prompts: {len(prompts)} for {count} images; give one prompt, or one for each image" in str(caught.value)


def test_every_kind_of_batch_scores_like_the_files(
    model: MultiHeadReward, pictures: list[Path], pixels: np.ndarray
) -> None:
    reward = reward_function(model)
    expected = model(pictures)
    nchw = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    batches = {
        "float tensor": nchw / 255,
        "half tensor": (nchw / 255).to(torch.float16),
        "uint8 tensor": nchw,
        "uint8 array": pixels,
        "float array": pixels / 255,
        "PIL images": [Image.fromarray(picture) for picture in pixels],
        "paths": pictures,
    }
    for kind, batch in batches.items():
        scores, info = reward(batch, ("a", "b", "c"), ({}, {}, {}))
        assert torch.as_tensor(scores, device="cpu").shape == (3,)
        assert torch.allclose(scores, expected, atol=2e-2 if kind == "half tensor" else 2e-4), kind
        assert not scores.requires_grad
        assert tuple(info) == HEADS
        weighted = sum(share * info[head] for head, share in model.get_head_importance().items())
        assert torch.allclose(weighted, scores, atol=1e-4), kind


def test_a_read_only_array_is_taken(pixels: np.ndarray) -> None:
    pixels.setflags(write=False)
    scores, _ = reward_function(make_model("pixelstats"))(pixels, None, None)
    assert scores.isfinite().all()


def test_an_untrained_head_is_nan_in_the_info(pixels: np.ndarray) -> None:
    scores, info = reward_function(make_model("pixelstats", trained=("style",)))(pixels, None, None)
    assert scores.isfinite().all()
    assert info["spatial"].isnan().all()


def test_a_gradient_reaches_the_pixels_of_a_decoded_batch(openclip_weights: Path) -> None:
    model = make_model(f"openclip:ViT-S-32@{openclip_weights}")
    images = torch.rand(2, 3, 96, 128, requires_grad=True)
    scores, info = reward_function(model)(images, ["a", "b"], None)
    assert not any(values.requires_grad for values in info.values())
    scores.sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum(dim=(1, 2, 3)).min() > 0
    step = images + 0.02 * images.grad / images.grad.abs().amax()
    after, _ = reward_function(model)(step.detach().clamp(0, 1), ["a", "b"], None)
    assert (after > scores).all()
    with torch.no_grad():
        assert not reward_function(model)(images, None, None)[0].requires_grad


def test_pixel_statistics_have_no_gradient_and_say_so() -> None:
    reward = reward_function(make_model("pixelstats"))
    with pytest.raises(BackboneError) as caught:
        reward(torch.rand(1, 3, 64, 64, requires_grad=True), None, None)
    assert "train with an openclip backbone" in str(caught.value)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (torch.full((1, 3, 8, 8), -1.0), "pixels from -1 to -1; give floats in [0, 1]"),
        (torch.full((1, 3, 8, 8), 200.0), "pixels from 200 to 200"),
        (torch.full((1, 3, 8, 8), float("nan")), "pixels from nan to nan"),
        (torch.zeros(3, 8, 8), "an array of shape (3, 8, 8); give (B, 3, H, W)"),
        (torch.zeros(1, 4, 8, 8), "an array of shape (1, 4, 8, 8); give (B, 3, H, W)"),
        (np.zeros((1, 3, 8, 8), np.uint8), "an array of shape (1, 3, 8, 8); give (B, H, W, 3)"),
        (np.zeros((1, 8, 8, 3), np.int64), "an array of torch.int64; give uint8, or floats in [0, 1]"),
    ],
)
def test_batches_that_are_none_are_refused(images: torch.Tensor | np.ndarray, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        reward_function(make_model("pixelstats"))(images, None, None)
    assert expected in str(caught.value)


def test_a_trainers_batch_needs_a_prompt_an_image(pixels: np.ndarray) -> None:
    with pytest.raises(InputError) as caught:
        reward_function(make_model("pixelstats"))(pixels, ["a", "b"], None)
    assert "prompts: 2 for 3 images" in str(caught.value)
