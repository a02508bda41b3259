"""Where in a picture a score comes from: patches covered one by one; pixel gradients where there are any."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch
    from PIL import Image

    from reward.model import MultiHeadReward

Floats = npt.NDArray[np.float64]

GRID: Final = 8
_LARGEST: Final = 512  # pixels of the longer side; a map of an 8 × 8 grid gains nothing from more
_BATCH: Final = 16
COMBINED: Final = "combined"


def occlusion_maps(
    model: "MultiHeadReward",
    image: "Image.Image",
    grid: int = GRID,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Floats]:
    """Score lost when a patch is covered (Zeiler and Fergus 2014, section 2.1): works on every backbone.

    A patch is covered by its own mean colour, which changes the picture less than a grey square would.

    Args:
        image: RGB; reduced to 512 pixels at most.
        grid: patches a side.

    Returns:
        (grid, grid) for each trained head and `combined`, in score points: above 0 the patch raises the score.

    Raises:
        BackboneError: the backbone can't be had.
    """
    import torch

    small = image.copy()
    small.thumbnail((_LARGEST, _LARGEST))
    boxes = _boxes(small.size, grid)
    scores: list[torch.Tensor] = []
    with torch.no_grad():
        whole = _scores(model, [small])
        for start in range(0, len(boxes), _BATCH):
            scores.append(_scores(model, [_covered(small, box) for box in boxes[start : start + _BATCH]]))
            on_progress(min(start + _BATCH, len(boxes)), len(boxes))
    lost = (whole - torch.cat(scores)).cpu().numpy().astype(np.float64)
    names = [*model.config.heads, COMBINED]
    kept = [k for k, name in enumerate(names) if name == COMBINED or name in model.config.trained]
    return {names[k]: lost[:, k].reshape(grid, grid) for k in kept}


def gradient_map(model: "MultiHeadReward", image: "Image.Image", head: str, grid: int = 4 * GRID) -> Floats:
    """(grid, grid) mean size of the score's gradient by the pixels (0–1, colours summed) of a patch, in score points.

    Raises:
        BackboneError: the backbone (pixelstats) has no gradients.
    """
    import torch
    from torchvision.transforms.functional import to_tensor

    small = image.copy()
    small.thumbnail((_LARGEST, _LARGEST))
    pixels = to_tensor(small)[None].to(model.device).requires_grad_()
    heads = model.head_scores(model.embed(model.preprocess_tensor(pixels)))
    score = model.combine(heads) if head == COMBINED else heads[:, model.config.heads.index(head)]
    (gradient,) = torch.autograd.grad(score.sum(), pixels)
    sizes = torch.nn.functional.adaptive_avg_pool2d(gradient.abs().sum(dim=1, keepdim=True), grid)[0, 0]
    found: Floats = sizes.cpu().numpy().astype(np.float64)
    return found


def _scores(model: "MultiHeadReward", images: "list[Image.Image]") -> "torch.Tensor":
    """(B, H + 1): the heads, then combined."""
    import torch

    heads = model.head_scores(model.embed(images))
    return torch.cat([heads, model.combine(heads)[:, None]], dim=1)


def _boxes(size: tuple[int, int], grid: int) -> list[tuple[int, int, int, int]]:
    """(left, top, right, bottom) of each patch, row by row."""
    across, down = (np.linspace(0, side, grid + 1).round().astype(int).tolist() for side in size)
    return [
        (across[x], down[y], max(across[x + 1], across[x] + 1), max(down[y + 1], down[y] + 1))
        for y in range(grid)
        for x in range(grid)
    ]


def _covered(image: "Image.Image", box: tuple[int, int, int, int]) -> "Image.Image":
    """The picture with a patch in its mean colour."""
    covered = image.copy()
    mean = np.asarray(image.crop(box)).reshape(-1, 3).mean(axis=0).round().astype(int).tolist()
    covered.paste((mean[0], mean[1], mean[2]), box)
    return covered
