"""The reward as trainers of image generators call it: `(images, prompts, metadata) → (scores, info)`."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reward.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

    from reward.model import MultiHeadReward, Picture

    Batch = Tensor | npt.NDArray[Any] | Sequence[Picture]
    RewardFunction = Callable[[Batch, Sequence[str] | None, Any], tuple[Tensor, dict[str, Tensor]]]

_ROUNDING: Final = 1 / 255  # what resizing and half precision may add at the ends of [0, 1]


def reward_function(model: "MultiHeadReward") -> "RewardFunction":
    """The model as a reward for DDPO-style trainers: ddpo-pytorch's `rewards.py`, TRL's DDPO and AlignProp trainers.

    The function takes (images, prompts, metadata):

    - images: tensor (B, 3, H, W), floats in [0, 1] or uint8; numpy array (B, H, W, 3), either of the two; or a list of
      PIL images or paths. Every backbone takes all of them; sizes need not be the backbone's.
    - prompts: one an image, or None. Counted, not used: the model sees pictures alone.
    - metadata: not used.

    and returns (scores, info): (B,) combined scores, and (B,) scores by head, NaN where a head is untrained, without
    gradients. The combined score has a gradient where the images are a tensor that asks for one.

    The function raises:
        InputError: images of another shape or range, or not as many prompts as images.
        BackboneError: a gradient is asked for, and the backbone (pixelstats) has none to give.
    """

    def reward(
        images: "Batch", prompts: Sequence[str] | None = None, metadata: Any = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        if prompts is not None:
            check_prompts(prompts, len(images))
        wants_gradient = torch.is_grad_enabled() and isinstance(images, Tensor) and images.requires_grad
        with torch.set_grad_enabled(wants_gradient):
            scores = model.head_scores(_embeddings(model, images, wants_gradient))
            return model.combine(scores), model.by_head(scores.detach())

    return reward


def check_prompts(prompts: str | Sequence[str], images: int) -> None:
    """Refuse a list of prompts of another length; one prompt is for all images.

    Raises:
        InputError: names both counts.
    """
    if not isinstance(prompts, str) and len(prompts) != images:
        raise InputError.one("prompts", f"{len(prompts)} for {images} images", "give one prompt, or one for each image")


def _embeddings(model: "MultiHeadReward", images: "Batch", wants_gradient: bool) -> Tensor:
    """(B, D) embeddings of whatever a trainer hands over."""
    if isinstance(images, Tensor):
        pixels = _unit_range(images, 1)
        if model.backbone.takes_pixels or wants_gradient:
            return model.embed(model.preprocess_tensor(pixels))
        return model.embed(_pictures(pixels.permute(0, 2, 3, 1)))
    if isinstance(images, np.ndarray):
        return model.embed(_pictures(_unit_range(torch.tensor(images), 3)))
    return model.embed(images)


def _unit_range(images: Tensor, channel: int) -> Tensor:
    """Images as float32 in [0, 1]; `channel` is the axis of the three colours."""
    if images.ndim != 4 or images.shape[channel] != 3:
        shape = "(B, 3, H, W)" if channel == 1 else "(B, H, W, 3)"
        raise InputError.one("images", f"an array of shape {tuple(images.shape)}", f"give {shape}")
    if images.dtype == torch.uint8:
        return images.float() / 255
    if not images.is_floating_point():
        raise InputError.one("images", f"an array of {images.dtype}", "give uint8, or floats in [0, 1]")
    if images.numel():
        low, high = (float(end) for end in images.detach().aminmax())
        if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
            remedy = "give floats in [0, 1]; of a VAE's output, (x / 2 + 0.5).clamp(0, 1)"
            raise InputError.one("images", f"pixels from {low:.3g} to {high:.3g}", remedy)
    return images.float()


def _pictures(pixels: Tensor) -> "list[Image.Image]":
    """(B, H, W, 3) floats in [0, 1] → 8-bit pictures."""
    from PIL import Image

    eight_bit = (pixels * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
    return [Image.fromarray(picture) for picture in eight_bit]
