"""Decoding for an encoder that is quicker than threads can be: on a GPU, worker processes fill pinned batches.

Threads that decode keep Python's lock from the thread that launches the GPU's work (docs/benchmarks.md).
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from reward.images import load_rgb

if TYPE_CHECKING:
    from PIL import Image

Batch = tuple[list[str], Tensor, dict[str, str]]

_MOST_WORKERS: Final = 32
_WORTH_BATCHES: Final = 4  # fewer are decoded before the workers have started


def worth_processes(images: int, device: str, size: int) -> bool:
    """Whether that many images for a device, in batches of `size`, are worth processes.

    Only in a program's main thread: starting processes beside other threads at work isn't safe.
    """
    enough = images >= _WORTH_BATCHES * size
    return device == "cuda" and enough and threading.current_thread() is threading.main_thread()


def decoded_by_processes(
    files: Sequence[tuple[str, Path]],
    prepare: "Callable[[Image.Image], Tensor]",
    size: int,
    workers: int | None = None,
) -> Iterator[Batch]:
    """Named image files, in their order → batches of `size`: names, prepared pixels, and the unreadable ones' reasons.

    Batches lie in pinned memory where there is a GPU.
    """
    from torch.utils.data import DataLoader

    loader: DataLoader[Batch] = DataLoader(
        _Pictures(files, prepare),  # type: ignore[arg-type]  # DataLoader takes what has __len__ and __getitem__
        batch_size=size,
        num_workers=min(_MOST_WORKERS, workers or os.cpu_count() or 1, -(-len(files) // size)),
        collate_fn=_batch_of,
        pin_memory=torch.cuda.is_available(),
    )
    yield from loader


class _Pictures:
    def __init__(self, files: Sequence[tuple[str, Path]], prepare: "Callable[[Image.Image], Tensor]") -> None:
        self._files = files
        self._prepare = prepare

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, number: int) -> tuple[str, Tensor | str]:
        name, path = self._files[number]
        try:
            return name, self._prepare(load_rgb(path))
        except ValueError as error:
            return name, str(error)


def _batch_of(items: Sequence[tuple[str, Tensor | str]]) -> Batch:
    sound = [(name, made) for name, made in items if isinstance(made, Tensor)]
    failed = {name: made for name, made in items if isinstance(made, str)}
    pixels = torch.stack([made for _, made in sound]) if sound else torch.empty(0)
    return [name for name, _ in sound], pixels, failed
