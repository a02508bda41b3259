"""Each picture is encoded once, ever; bad files are all named; the cache survives what it must."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from reward.backbones.openclip import OpenClipBackbone
from reward.backbones.pixelstats_backbone import PixelStatsBackbone
from reward.embeddings import EmbeddingCache, embed_files
from reward.errors import BackboneError, InputError
from reward.events import Encoding
from tests.reward_inputs import PROJECT, draw


class Counting(PixelStatsBackbone):
    """The real backbone, counting what it is asked to do."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared = 0

    def prepare(self, image: Image.Image) -> Tensor:
        self.prepared += 1
        return super().prepare(image)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    return [draw(tmp_path / f"{i}.png", i) for i in range(10)]


def test_a_second_time_makes_no_backbone_call(tmp_path: Path, pictures: list[Path]) -> None:
    cache, backbone = EmbeddingCache(tmp_path / "cache"), Counting()
    first = embed_files(pictures, backbone, cache)
    assert backbone.prepared == 10
    again = embed_files(pictures, backbone, EmbeddingCache(tmp_path / "cache"))
    assert backbone.prepared == 10
    assert (first.vectors == again.vectors).all()
    assert first.hashes == again.hashes


def test_a_copy_under_another_name_is_the_same_picture(tmp_path: Path, pictures: list[Path]) -> None:
    copy = tmp_path / "copy.png"
    copy.write_bytes(pictures[0].read_bytes())
    backbone = Counting()
    found = embed_files([pictures[0], copy], backbone, EmbeddingCache(tmp_path / "cache"))
    assert backbone.prepared == 1
    assert (found.vectors[0] == found.vectors[1]).all()


def test_a_changed_file_is_a_new_picture(tmp_path: Path, pictures: list[Path]) -> None:
    cache, backbone = EmbeddingCache(tmp_path / "cache"), Counting()
    before = embed_files(pictures[:1], backbone, cache)
    draw(pictures[0], 99)
    after = embed_files(pictures[:1], backbone, cache)
    assert before.hashes != after.hashes
    assert backbone.prepared == 2


def test_another_backbone_has_embeddings_of_its_own(
    tmp_path: Path, pictures: list[Path], openclip_weights: Path
) -> None:
    cache = EmbeddingCache(tmp_path / "cache")
    clip = OpenClipBackbone("ViT-S-32", weights=openclip_weights)
    assert embed_files(pictures, clip, cache).vectors.shape == (10, 384)
    assert embed_files(pictures, PixelStatsBackbone(), cache).vectors.shape != (10, 384)
    assert np.allclose(np.linalg.norm(embed_files(pictures, clip, cache).vectors, axis=1), 1, atol=1e-5)


def test_pictures_that_break_while_encoding_are_all_named_and_the_rest_is_kept(
    tmp_path: Path, pictures: list[Path]
) -> None:
    for path in pictures[3:5]:
        path.write_bytes(path.read_bytes()[:120])
    backbone = Counting()
    with pytest.raises(InputError) as caught:
        embed_files(pictures, backbone, EmbeddingCache(tmp_path / "cache"))
    assert {fault.file for fault in caught.value.faults} == {str(path) for path in pictures[3:5]}
    embed_files(pictures[:3] + pictures[5:], backbone, EmbeddingCache(tmp_path / "cache"))
    assert backbone.prepared == 8


def test_embeddings_too_many_for_memory_are_mapped(
    tmp_path: Path, pictures: list[Path], openclip_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reward.embeddings._MOST_IN_MEMORY", 1000)
    clip, cache = OpenClipBackbone("ViT-S-32", weights=openclip_weights), EmbeddingCache(tmp_path / "cache")
    for backbone, dtype, tolerance in ((clip, np.float16, 1e-3), (PixelStatsBackbone(), np.float32, 0)):
        mapped = embed_files([*pictures, pictures[2]], backbone, cache).vectors
        assert isinstance(mapped, np.memmap)
        assert mapped.dtype == dtype
        monkeypatch.setattr("reward.embeddings._MOST_IN_MEMORY", 2**30)
        assert np.allclose(mapped[:10], embed_files(pictures, backbone, cache).vectors, atol=tolerance)
        assert (mapped[10] == mapped[2]).all()
        monkeypatch.setattr("reward.embeddings._MOST_IN_MEMORY", 1000)
    assert {path.name for path in (tmp_path / "cache").iterdir()} <= {
        "embeddings.db",
        "embeddings.db-wal",
        "embeddings.db-shm",
    }


def test_progress_counts_up_to_all(tmp_path: Path, pictures: list[Path]) -> None:
    seen: list[Encoding] = []
    embed_files(pictures, PixelStatsBackbone(), EmbeddingCache(tmp_path / "cache"), seen.append)
    assert [event.done for event in seen] == sorted(event.done for event in seen)
    assert (seen[0].done, seen[-1].done, seen[-1].total, seen[-1].cached) == (0, 10, 10, 0)
    assert seen[-1].images_per_s > 0


def test_the_encoder_begins_with_the_first_picture(tmp_path: Path, openclip_weights: Path) -> None:
    class Sizes(OpenClipBackbone):
        sizes: ClassVar[list[int]] = []
        threads: ClassVar[set[int]] = set()

        def prepare(self, image: Image.Image) -> Tensor:
            self.threads.add(torch.get_num_threads())
            return super().prepare(image)

        def encode(self, batch: Tensor) -> Tensor:
            self.sizes.append(len(batch))
            return super().encode(batch)

    before = torch.get_num_threads()
    pictures = [draw(tmp_path / f"{i}.png", i) for i in range(20)]
    clip = Sizes("ViT-S-32", weights=openclip_weights)
    together = embed_files(pictures, clip, EmbeddingCache(tmp_path / "cache")).vectors
    assert Sizes.sizes == [1, 2, 4, 8, 5]
    assert Sizes.threads == {1}  # preparing asks for no team of threads; the encoder keeps its own
    assert torch.get_num_threads() == before
    alone = embed_files(pictures[7:8], clip, EmbeddingCache(tmp_path / "other")).vectors
    assert np.allclose(alone[0], together[7], atol=1e-5)


def test_two_processes_share_a_cache(tmp_path: Path, pictures: list[Path]) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from reward.backbones.registry import make_backbone\n"
        "from reward.embeddings import EmbeddingCache, embed_files\n"
        "files = [Path(name) for name in sys.argv[2:]]\n"
        "print(embed_files(files, make_backbone('pixelstats'), EmbeddingCache(Path(sys.argv[1]))).vectors.sum())\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache"), *map(str, pictures)]
    running = [subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert outputs[0] == outputs[1] != ""


def test_what_was_encoded_before_a_kill_stays_and_the_next_run_encodes_the_rest(tmp_path: Path) -> None:
    pictures = [draw(tmp_path / f"{i}.png", i) for i in range(40)]
    code = (
        "import sys, time; from pathlib import Path\n"
        "from reward.backbones.pixelstats_backbone import PixelStatsBackbone\n"
        "from reward.embeddings import EmbeddingCache, embed_files\n"
        "class Slow(PixelStatsBackbone):\n"
        "    def encode(self, batch):\n"
        "        time.sleep(0.3)\n"
        "        return super().encode(batch)\n"
        "files = [Path(name) for name in sys.argv[2:]]\n"
        "tell = lambda event: print(event.done, flush=True)\n"
        "embed_files(files, Slow(), EmbeddingCache(Path(sys.argv[1])), tell)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache"), *map(str, pictures)]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = 0
    while told < 7:
        told = int(process.stdout.readline())
    process.kill()
    process.communicate(timeout=30)
    with closing(sqlite3.connect(tmp_path / "cache" / "embeddings.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (kept,) = db.execute("SELECT count(*) FROM embeddings").fetchone()
    assert told <= kept < 40
    backbone, seen = Counting(), list[Encoding]()
    found = embed_files(pictures, backbone, EmbeddingCache(tmp_path / "cache"), seen.append)
    assert (seen[0].cached, seen[-1].done, backbone.prepared) == (kept, 40, 40 - kept)
    anew = embed_files(pictures, PixelStatsBackbone(), EmbeddingCache(tmp_path / "other"))
    assert (found.vectors == anew.vectors).all()


def test_the_order_of_a_batch_does_not_matter(pictures: list[Path], openclip_weights: Path) -> None:
    clip = OpenClipBackbone("ViT-S-32", weights=openclip_weights)
    batch = torch.stack([clip.prepare(Image.open(path).convert("RGB")) for path in pictures])
    with torch.no_grad():
        together = clip.encode(batch)
        alone = torch.cat([clip.encode(one[None]) for one in batch])
    assert torch.allclose(together, alone, atol=1e-5)


def test_quick_gelu_is_part_of_the_identity(openclip_weights: Path) -> None:
    plain = OpenClipBackbone("ViT-B-32", weights=openclip_weights)
    quick = OpenClipBackbone("ViT-B-32-quickgelu", weights=openclip_weights)
    assert plain.identity["quick_gelu"] is False
    assert quick.identity["quick_gelu"] is True
    assert plain.key != quick.key
    assert OpenClipBackbone("ViT-L-14", tag="openai").identity["quick_gelu"] is True


def test_weights_that_do_not_fit_are_refused_with_the_other_ways(openclip_weights: Path) -> None:
    with pytest.raises(BackboneError) as caught:
        OpenClipBackbone("ViT-B-32", weights=openclip_weights).load()
    assert "can't load openclip:ViT-B-32@" in str(caught.value)
    assert "doesn't hold weights of ViT-B-32" in str(caught.value)
    assert "pixelstats" in str(caught.value)
