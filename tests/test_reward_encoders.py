"""Pictures encoded one beside another: the same embeddings in the same order, whatever is left over or goes wrong."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from reward.backbones.base import Backbone
from reward.backbones.registry import make_backbone
from reward.embeddings import EmbeddingCache, embed_files
from reward.encoders import Encoders
from reward.events import Encoding
from tests.reward_inputs import draw

SMALL = "openclip:ViT-S-32@{}"


@pytest.fixture
def two_cores() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def backbone(openclip_weights: Path) -> Backbone:
    return make_backbone(SMALL.format(openclip_weights))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [draw(tmp_path / f"{number}.png", number) for number in range(5)]


def test_the_embeddings_are_those_of_whole_batches(
    two_cores: None, backbone: Backbone, files: list[Path], tmp_path: Path
) -> None:
    told: list[int] = []
    beside = embed_files(files, backbone, EmbeddingCache(tmp_path / "a"), lambda event: told.append(event.done))
    assert told == [0, 2, 4, 5]
    torch.set_num_threads(1)
    batch = embed_files(files, backbone, EmbeddingCache(tmp_path / "b"))
    assert beside.hashes == batch.hashes
    np.testing.assert_allclose(beside.vectors, batch.vectors, atol=1e-6)
    assert np.ptp(beside.vectors, axis=0).max() > 1e-4  # of five pictures, not of one


def test_which_work_is_shared_out(two_cores: None, backbone: Backbone) -> None:
    with Encoders(backbone) as encoders:
        assert (encoders.side_by_side, encoders.size) == (True, 2)
    with Encoders(make_backbone("pixelstats")) as encoders:
        assert (encoders.side_by_side, encoders.size) == (False, 8)
    for cores in (1, 16):
        torch.set_num_threads(cores)
        with Encoders(backbone) as encoders:
            assert (encoders.side_by_side, encoders.size) == (False, 8)


def test_who_encodes_beside_another_is_one_thread(two_cores: None, backbone: Backbone) -> None:
    threads: list[int] = []

    def encode(batch: Tensor) -> Tensor:
        threads.append(torch.get_num_threads())
        return batch.flatten(1)

    backbone.encode = encode  # type: ignore[method-assign]  # to look at who calls it
    pictures = torch.rand(2, 3, 4, 4)
    with Encoders(backbone) as encoders:
        whole, rest = encoders.encode(pictures), encoders.encode(pictures[:1])
        assert torch.equal(whole(), pictures.flatten(1))
        assert torch.equal(rest(), pictures[:1].flatten(1))
    assert threads == [1, 1, 2]


def test_what_fails_is_told_and_what_was_done_is_kept(
    two_cores: None, backbone: Backbone, files: list[Path], tmp_path: Path
) -> None:
    cache = EmbeddingCache(tmp_path / "cache")

    def stop(event: Encoding) -> None:
        if event.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_files(files, backbone, cache, stop)
    assert len(list(cache.known(cache.hashes(files), backbone.key))) >= 2
    backbone.encode = lambda batch: 1 / 0  # type: ignore[assignment,method-assign,return-value]  # it breaks down
    with pytest.raises(ZeroDivisionError):
        embed_files(files, backbone, EmbeddingCache(tmp_path / "other"))
