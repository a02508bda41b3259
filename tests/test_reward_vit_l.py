"""The real architecture at random weights: ViT-L-14 encodes a picture."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from reward.backbones.registry import make_backbone
from reward.embeddings import EmbeddingCache, embed_files
from tests.reward_inputs import draw


@pytest.mark.slow
def test_vit_l_14_encodes_a_picture(tmp_path: Path) -> None:
    import open_clip

    with torch.random.fork_rng():
        torch.manual_seed(0)
        weights = open_clip.create_model("ViT-L-14").state_dict()
    file = tmp_path / "vit-l-14.safetensors"
    save_file(weights, file)
    del weights
    backbone = make_backbone(f"openclip:ViT-L-14@{file}")
    assert backbone.dim == 768
    found = embed_files([draw(tmp_path / "a.png", 1, size=300)], backbone, EmbeddingCache(tmp_path / "cache"))
    assert found.vectors.shape == (1, 768)
    assert abs(float((found.vectors**2).sum()) - 1) < 1e-5
    file.unlink()
