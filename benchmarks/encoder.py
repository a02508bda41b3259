"""What two benchmarks encode with: a real image encoder with random weights, and pictures to give to it."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image
from safetensors.torch import save_file
from skimage import data

from reward.backbones.base import Backbone
from reward.backbones.registry import make_backbone

REAL, QUICK = "ViT-L-14", "ViT-S-32"  # the default backbone's architecture, and a small one


def random_backbone(folder: Path, architecture: str, device: str = "cpu") -> Backbone:
    """The backbone on a weights file of random numbers: as fast as with trained ones. Loaded and used once."""
    logging.disable(logging.WARNING)  # open_clip warns that the weights are random
    file = folder / f"{architecture}.safetensors"
    torch.manual_seed(0)
    save_file(open_clip.create_model(architecture).state_dict(), file)
    backbone = make_backbone(f"openclip:{architecture}@{file}").to(device)
    backbone.load()
    with torch.inference_mode():
        backbone.encode(torch.zeros(1, 3, 224, 224))
    return backbone


def draw_photographs(folder: Path, suffix: str, size: tuple[int, int], count: int) -> list[Path]:
    """Photograph files of that width and height, all different: one picture, turned, with a camera's noise."""
    folder.mkdir(parents=True, exist_ok=True)
    source = Image.fromarray(data.astronaut())

    def draw(number: int) -> Path:
        random = np.random.default_rng(number)
        picture = np.asarray(source.rotate(number).resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
        noisy = picture + random.normal(0, 3, picture.shape).astype(np.float32)
        file = folder / f"{number}.{suffix}"
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, quality=92)
        return file

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(draw, range(count)))
