"""Encoding image files end to end against the bare forward pass of the same tensors.

    python benchmarks/encoding.py [--quick] [--device cuda]

End to end is what training does: hash each file, decode, prepare, encode, keep in the cache. The bare forward has the
prepared tensors in memory, in the largest batch that training uses. ViT-L-14 with random weights (as fast as trained
ones), six files a kind. On a GPU: throughput of 1,024 files, and what half precision (bfloat16) does to scores and
memory; for scores that mean something there give trained weights by --backbone.
"""

import argparse
import copy
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.encoder import QUICK, REAL, draw_photographs, random_backbone
from benchmarks.ratios import ROUNDS, Row, in_turn, ratios, table
from reward.backbones.base import Backbone
from reward.backbones.registry import make_backbone
from reward.embeddings import EmbeddingCache, embed_files
from reward.heads import HeadStack
from reward.images import load_rgb

FILES, FILES_ON_GPU, BATCH = 6, 1024, {"cpu": 8, "cuda": 64}
SIZES = {1: (1152, 896), 12: (4000, 3000)}  # by megapixels
MOST = {1: 1.05, 12: 1.2}


def end_to_end(files: list[Path], backbone: Backbone) -> Callable[[], None]:
    """Encodes the files into an empty cache."""

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            embed_files(files, backbone, EmbeddingCache(Path(folder)))

    return run


def bare(files: list[Path], backbone: Backbone) -> Callable[[], None]:
    """Encodes their tensors."""
    batches = torch.stack([backbone.prepare(load_rgb(file)) for file in files]).split(BATCH[backbone.device.type])

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
    """Throughput, and half precision against single."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count, rounds = (8, 1) if quick else (FILES_ON_GPU, ROUNDS)
        if spec:
            backbone = make_backbone(spec).to(device)
            backbone.load()
        else:
            backbone = random_backbone(folder, QUICK if quick else REAL, device)
        files = draw_photographs(folder / "jpg", "jpg", SIZES[1], count)
        half = copy.deepcopy(backbone).to(torch.bfloat16)
        for precision, encoder in (("float32", backbone), ("bfloat16", half)):
            measured = in_turn([bare(files, encoder), end_to_end(files, encoder)], rounds)
            what = f"encoding {count} JPEG files of 1 MP on {device} in {precision}"
            yield Row(f"{what}: images a second end to end ÷ bare forward", ratios(measured), least=0.9)
            yield Row(f"{what}: images a second", [count / seconds[1] for seconds in measured])
            if encoder.device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
                bare(files[:128], encoder)()
                yield Row(f"{what}: peak memory", [torch.cuda.max_memory_allocated() / 1e9], unit=" GB")
        apart = float((scores(files[:64], half) - scores(files[:64], backbone)).abs().max())
        yield Row("bfloat16 against float32: largest difference of a score", [apart], most=0.05, unit=" points")


def scores(files: list[Path], backbone: Backbone) -> Tensor:
    """(N, 5) by the same random heads for every backbone of that width, in units of a rating point or so."""
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)
        heads = HeadStack(1, 5, backbone.dim).eval()
        heads.linear.normal_()  # of inputs of length 1: scores that differ by about a point between unlike pictures
        batches = torch.stack([backbone.prepare(load_rgb(file)) for file in files]).split(BATCH["cpu"])
        embeddings = torch.cat([backbone.encode(batch).float().cpu() for batch in batches])
        return heads(embeddings)[0]


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
