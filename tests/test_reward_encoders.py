"""Pictures encoded one beside another: the same embeddings in the same order, whatever is left over or goes wrong."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from reward.backbones.base import Backbone
from reward.backbones.openclip import OpenClipBackbone
from reward.backbones.registry import make_backbone
from reward.embeddings import EmbeddingCache, embed_files
from reward.encoders import Encoders
from reward.events import Encoding
from reward.threads import threads_for
from tests.reward_inputs import draw

SMALL = "openclip:ViT-S-32@{}"


@pytest.fixture
def two_cores() -> Iterator[None]:
    torch.get_num_threads()
    with threadpool_limits(2, user_api="openmp"):  # for this thread, as a machine with two would have it
        yield


@pytest.fixture
def backbone(openclip_weights: Path) -> Backbone:
    """A small one, which takes itself for a large one."""
    backbone = make_backbone(SMALL.format(openclip_weights))
    assert not backbone.worth_a_core
    backbone.worth_a_core = True
    return backbone


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [draw(tmp_path / f"{number}.png", number) for number in range(5)]


def test_the_embeddings_are_those_of_whole_batches(
    two_cores: None, backbone: Backbone, files: list[Path], tmp_path: Path
) -> None:
    told: list[int] = []
    beside = embed_files(files, backbone, EmbeddingCache(tmp_path / "a"), lambda event: told.append(event.done))
    assert told == [0, 2, 4, 5]
    with threadpool_limits(1, user_api="openmp"):
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
        with threadpool_limits(cores, user_api="openmp"), Encoders(backbone) as encoders:
            assert (encoders.side_by_side, encoders.size) == (False, 8)
    assert OpenClipBackbone("ViT-L-14", tag="openai").worth_a_core


def test_who_encodes_beside_another_is_one_thread(two_cores: None, backbone: Backbone) -> None:
    threads: list[tuple[int, int]] = []
    with threads_for(1):  # a training before, in the same process
        assert torch.get_num_threads() == 1

    def encode(batch: Tensor) -> Tensor:
        told = re.search(r"mkl_get_max_threads\(\) : (\d+)", torch.__config__.parallel_info())
        threads.append((torch.get_num_threads(), int(told[1]) if told else 0))
        return batch.flatten(1)

    backbone.encode = encode  # type: ignore[method-assign]  # to look at who calls it
    pictures = torch.rand(2, 3, 4, 4)
    with Encoders(backbone) as encoders:
        whole, rest = encoders.encode(pictures), encoders.encode(pictures[:1])
        assert torch.equal(whole(), pictures.flatten(1))
        assert torch.equal(rest(), pictures[:1].flatten(1))
    assert [own for own, _ in threads] == [1, 1, 2]
    assert all(of_mkl <= own for own, of_mkl in threads)


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
