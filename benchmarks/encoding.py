"""Encoding image files end to end against the bare forward pass of the same tensors.

    python benchmarks/encoding.py [--quick] [--device cuda]

End to end is what training does: hash each file, decode, prepare, encode, keep in the cache. The bare forward has the
prepared tensors in memory, in the largest batch that training uses. ViT-L-14 with random weights (as fast as trained
ones), six files a kind. On a GPU: throughput of 768 files, and what TF32 and bfloat16 do to scores and memory; give
trained weights by --backbone where there are some, since random ones tell pictures apart less than they round.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.encoder import QUICK, REAL, draw_photographs, random_backbone
from benchmarks.ratios import ROUNDS, Row, in_turn, ratios, table
from reward.backbones.base import Backbone
from reward.backbones.openclip import PRECISIONS, OpenClipBackbone
from reward.backbones.registry import make_backbone
from reward.embeddings import EmbeddingCache, embed_files
from reward.images import load_rgb
from reward.threads import one_thread_each

FILES, FILES_ON_GPU, BATCH = 6, 768, {"cpu": 8, "cuda": 64}
SIZES = {1: (1152, 896), 12: (4000, 3000)}  # by megapixels
MOST = {1: 1.05, 12: 1.2}
COMPARED = 64  # pictures whose scores are compared


def end_to_end(files: list[Path], backbone: Backbone) -> Callable[[], None]:
    """Encodes the files into an empty cache."""

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            embed_files(files, backbone, EmbeddingCache(Path(folder)))

    return run


def prepared(files: list[Path], backbone: Backbone) -> list[Tensor]:
    """Decoded and prepared by as many threads as there are cores."""
    with ThreadPoolExecutor(os.cpu_count(), initializer=one_thread_each) as pool:
        return list(pool.map(lambda file: backbone.prepare(load_rgb(file)), files))


def bare(files: list[Path], backbone: Backbone) -> Callable[[], None]:
    """Encodes their tensors, which lie where the encoder computes."""
    batches = torch.stack(prepared(files, backbone)).to(backbone.device).split(BATCH[backbone.device.type])

    def run() -> None:
        with torch.inference_mode():
            for batch in batches:
                backbone.encode(batch).cpu()

    return run


def rows(quick: bool) -> Iterator[Row]:
    """On the CPU."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        architecture, count, rounds = (QUICK, 2, 1) if quick else (REAL, FILES, ROUNDS)
        backbone = random_backbone(folder, architecture)
        for megapixels, size in SIZES.items():
            for suffix in ("jpg", "png"):
                files = draw_photographs(folder / f"{megapixels}{suffix}", suffix, size, count)
                measured = in_turn([end_to_end(files, backbone), bare(files, backbone)], rounds)
                kind = "JPEG" if suffix == "jpg" else "PNG"
                what = (
                    f"encoding {count} {kind} files of {megapixels} MP with {architecture}: end to end ÷ bare forward"
                )
                yield Row(what, ratios(measured), most=MOST[megapixels])
        yield Row("the bare forward: seconds an image", [seconds[1] / count for seconds in measured], unit=" s")


def rows_on_gpu(quick: bool, device: str, spec: str | None) -> Iterator[Row]:
    """Throughput in three precisions, and what each does to scores and memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count, rounds = (8, 1) if quick else (FILES_ON_GPU, ROUNDS)
        if spec:
            backbone = make_backbone(spec)
            backbone.load()
        else:
            backbone = random_backbone(folder, QUICK if quick else REAL)
        assert isinstance(backbone, OpenClipBackbone)
        files = draw_photographs(folder / "jpg", "jpg", SIZES[1], count)
        on_cpu = embeddings(files[:COMPARED], backbone)
        backbone = backbone.to(device)
        for precision in PRECISIONS:
            backbone.precision = precision
            yield from _rows_of_precision(f"{precision} on {device}", backbone, files, rounds, on_cpu)
        measured = in_turn([lambda: prepared(files, backbone)], rounds)
        yield Row("decoding and preparing alone: images a second", [count / seconds[0] for seconds in measured])


def _rows_of_precision(
    where: str, backbone: OpenClipBackbone, files: list[Path], rounds: int, on_cpu: Tensor
) -> Iterator[Row]:
    bare(files[: 2 * BATCH["cuda"]], backbone)()  # the first batches choose kernels
    measured = in_turn([bare(files, backbone), end_to_end(files, backbone)], rounds)
    what = f"{len(files)} JPEG files of 1 MP in {where}"
    yield Row(f"{what}: images a second, bare forward", [len(files) / seconds[0] for seconds in measured])
    yield Row(f"{what}: images a second, end to end", [len(files) / seconds[1] for seconds in measured])
    yield Row(f"{what}: end to end ÷ bare forward, in images a second", ratios(measured), least=0.9)
    heads = scores_from(on_cpu)
    apart = (heads(embeddings(files[:COMPARED], backbone)) - heads(on_cpu)).abs()
    yield Row(f"{where} against float32 on the CPU: largest difference of a score", [float(apart.max())], most=0.05,
              unit=" points")  # fmt: skip
    if backbone.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        bare(files[: 2 * BATCH["cuda"]], backbone)()
        yield Row(f"{where}: peak memory", [torch.cuda.max_memory_allocated() / 1e9], unit=" GB")


def embeddings(files: list[Path], backbone: Backbone) -> Tensor:
    """(N, D) of the files' pictures, on the CPU."""
    batches = torch.stack(prepared(files, backbone)).split(BATCH["cpu"])
    with torch.inference_mode():
        return torch.cat([backbone.encode(batch).double().cpu() for batch in batches])


def scores_from(found: Tensor) -> Callable[[Tensor], Tensor]:
    """Five random linear heads: (N, D) embeddings → (N, 5) scores.

    On the embeddings given, each head's scores have a standard deviation of one point, about that of people's means.
    """
    weights = torch.randn(found.shape[1], 5, dtype=found.dtype, generator=torch.Generator().manual_seed(0))
    weights /= (found @ weights).std(0)
    return lambda embedded: embedded @ weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small encoder, one round: only to see that it runs")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda for what is asked of a GPU")
    parser.add_argument("--half", action="store_true", help="the GPU's rows on another device, to see that they run")
    parser.add_argument("--backbone", metavar="SPEC", help="trained weights for the GPU's rows")
    given = parser.parse_args()
    on_gpu = given.half or given.device != "cpu"
    for line in table(rows_on_gpu(given.quick, given.device, given.backbone) if on_gpu else rows(given.quick)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
