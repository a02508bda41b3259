"""What every backbone can do: turn a picture into what the encoder takes, and that into an embedding."""

import hashlib
import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from reward.errors import BackboneError

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image


class Backbone(nn.Module, ABC):
    """A frozen image encoder. Always in eval mode, no parameter ever asks for a gradient.

    Attributes:
        spec: how it was asked for.
        identity: everything its numbers depend on, JSON-able; equal identities give equal embeddings.
        dim: length D of an embedding.
        takes_pixels: whether `encode_pixels` and `preprocess_tensor` work.
        worth_a_core: whether `encode` is so much work that each CPU core may well take a picture of its own.
    """

    spec: str
    identity: dict[str, Any]
    dim: int
    takes_pixels: bool
    worth_a_core: bool = False

    @property
    def key(self) -> str:
        """A short hash of `identity`: the embedding cache's second key."""
        canonical = json.dumps(self.identity, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def load(self) -> None:
        """Bring the weights into memory; `encode` does it where it wasn't done.

        Raises:
            BackboneError: the weights can't be had or don't fit.
        """

    @abstractmethod
    def prepare(self, image: "Image.Image") -> Tensor:
        """One RGB picture as `encode` takes it, without a batch dimension. Safe to call from several threads."""

    def preparation(self) -> "Callable[[Image.Image], Tensor]":
        """What `prepare` does, as a function that other processes can be given: without the encoder's weights."""
        return self.prepare

    @abstractmethod
    def encode(self, batch: Tensor) -> Tensor:
        """(B, …) as `prepare` makes them, stacked → (B, D) float32 embeddings, on the backbone's device.

        Differentiable where the backbone takes pixels; wrap in `torch.no_grad()` where that isn't wanted.
        """

    def preprocess_tensor(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) pixels in [0, 1], any size → what `encode` takes, differentiably.

        Raises:
            BackboneError: this backbone works on image files only.
        """
        raise BackboneError(
            f"the {self.spec} backbone takes image files and PIL images, not tensors; "
            "train with an openclip backbone to score tensors"
        )

    def train(self, mode: bool = True) -> "Backbone":
        """Stays in eval mode: a frozen encoder has no other."""
        return super().train(False)

    @property
    def device(self) -> torch.device:
        """Where `encode` computes."""
        return torch.device("cpu")
