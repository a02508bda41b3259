"""The `pixelstats` backbone: statistics of the pixels instead of a network. No download, milliseconds an image."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from reward.backbones.base import Backbone
from reward.backbones.pixelstats import DIM, VERSION, pixel_statistics
from reward.errors import BackboneError

if TYPE_CHECKING:
    from PIL import Image


class PixelStatsBackbone(Backbone):
    """Wraps `pixel_statistics`; all work happens in `prepare`, `encode` hands it on."""

    def __init__(self) -> None:
        super().__init__()
        self.spec = "pixelstats"
        self.identity = {"library": "pixelstats", "version": VERSION, "dim": DIM}
        self.dim = DIM
        self.takes_pixels = False

    def prepare(self, image: "Image.Image") -> Tensor:
        """(D,) float32."""
        return torch.from_numpy(pixel_statistics(image))

    def encode(self, batch: Tensor) -> Tensor:
        """(B, D) unchanged.

        Raises:
            BackboneError: the tensor holds pixels.
        """
        if batch.ndim != 2 or batch.shape[1] != self.dim:
            self.preprocess_tensor(batch)
            raise BackboneError(f"expected (B, {self.dim}) statistics, got {tuple(batch.shape)}")
        return batch.float()
