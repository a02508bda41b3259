"""Encoding pictures one beside another: on a few CPU cores each takes a picture of its own.

A product of matrices that several cores share makes them wait for each other, hundreds of times a picture: ViT-L-14
takes a tenth less time where each of two cores has its own (docs/benchmarks.md). Each has the weights to itself in its
cache then, so that on many cores memory would be what they wait for; these, and GPUs, get whole batches.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from reward.threads import one_thread_each

if TYPE_CHECKING:
    from reward.backbones.base import Backbone

_MOST_CORES: Final = 4
_BATCH: Final = {"cpu": 8, "cuda": 64, "mps": 16}


class Encoders:
    """Encodes batches with a loaded backbone; a context manager.

    Attributes:
        size: how many pictures a batch is to have.
        side_by_side: whether they are encoded one beside another, so that the next batch may be given meanwhile.
    """

    def __init__(self, backbone: "Backbone") -> None:
        """Begins nothing yet."""
        self._backbone = backbone
        device, cores = backbone.device.type, torch.get_num_threads()
        self.side_by_side = device == "cpu" and backbone.worth_a_core and 1 < cores <= _MOST_CORES
        self.size = cores if self.side_by_side else _BATCH.get(device, 8)
        self._pool = ThreadPoolExecutor(cores, thread_name_prefix="encoder", initializer=one_thread_each)
        self._begun: list[Future[Tensor]] = []

    def __enter__(self) -> "Encoders":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def encode(self, batch: Tensor) -> Callable[[], Tensor]:
        """Begin a prepared batch of B pictures; returns what waits for their (B, D) embeddings."""
        if self.side_by_side and len(batch) == self.size:
            futures = self._begun = [self._pool.submit(self._encode, picture) for picture in torch.split(batch, 1)]
            return lambda: torch.cat([future.result() for future in futures])
        wait(self._begun)  # too few for all cores: they share these
        encoded = self._encode(batch)
        return lambda: encoded

    @torch.inference_mode()
    def _encode(self, batch: Tensor) -> Tensor:
        return self._backbone.encode(batch)
