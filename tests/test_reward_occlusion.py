"""Maps of where a score comes from find what was put there."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from reward.backbones.base import Backbone
from reward.backbones.openclip import OpenClipBackbone
from reward.errors import BackboneError
from reward.model import MultiHeadReward
from reward.model_config import ModelConfig
from reward.occlusion import gradient_map, occlusion_maps


def model_on(backbone: Backbone) -> MultiHeadReward:
    """Heads with random weights, of which `spatial` is untrained."""
    torch.manual_seed(0)
    trained = ("icono", "style", "fidelity", "material")
    config = ModelConfig(backbone.dim, {"spec": backbone.spec, "identity": backbone.identity}, trained=trained)
    model = MultiHeadReward(config, backbone)
    for parameter in model.stack.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model


def picture(row: int, column: int, grid: int = 8, size: int = 160) -> Image.Image:
    """Even grey with stripes in one patch."""
    pixels = np.full((size, size, 3), 128, dtype=np.uint8)
    side = size // grid
    patch = pixels[row * side : (row + 1) * side, column * side : (column + 1) * side]
    patch[::4] = (250, 30, 30)
    patch[1::4] = (20, 20, 200)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(("row", "column"), [(2, 5), (7, 0)])
def test_the_map_finds_a_planted_patch(row: int, column: int) -> None:
    from reward.backbones.registry import make_backbone

    steps: list[tuple[int, int]] = []
    maps = occlusion_maps(
        model_on(make_backbone("pixelstats")), picture(row, column), on_progress=lambda *done: steps.append(done)
    )
    assert set(maps) == {"icono", "style", "fidelity", "material", "combined"}
    assert steps[-1] == (64, 64)
    for name, found in maps.items():
        assert np.unravel_index(np.abs(found).argmax(), found.shape) == (row, column), name


def test_the_map_of_openclip_finds_it_too_and_gradients_have_their_size(openclip_weights: Path) -> None:
    model = model_on(OpenClipBackbone("ViT-S-32", weights=openclip_weights))
    found = occlusion_maps(model, picture(1, 2, grid=4), grid=4)["combined"]
    assert np.unravel_index(np.abs(found).argmax(), found.shape) == (1, 2)
    gradients = gradient_map(model, picture(1, 2, grid=4), "style")
    assert gradients.shape == (32, 32)
    assert gradients.min() >= 0
    assert gradients.max() > 0


def test_pixelstats_has_no_gradients_and_says_so() -> None:
    from reward.backbones.registry import make_backbone

    with pytest.raises(BackboneError, match="train with an openclip backbone"):
        gradient_map(model_on(make_backbone("pixelstats")), picture(0, 0), "style")
