"""How far a device and its reduced precisions move the scores of a trained model, in rating points.

    python benchmarks/device_scores.py --ratings multihead_ratings.csv --device cuda [--backbone openclip:ARCH@FILE]

Trains with the published defaults on the device, then scores images of the ratings on the CPU in float32 and on the
device in each precision, in a batch and the first one alone. Without --backbone, on ViT-L-14 with random weights.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.encoder import QUICK, REAL, random_backbone
from reward.aspects import HEADS
from reward.backbones.openclip import PRECISIONS, OpenClipBackbone
from reward.config import TrainConfig
from reward.dataset import read_dataset
from reward.model import MultiHeadReward
from reward.training import train

IMAGES = 40


def scored(model: MultiHeadReward, files: list[Path]) -> torch.Tensor:
    """(H, N) on the CPU; NaN for untrained heads."""
    with torch.no_grad():
        found = model([str(file) for file in files], return_individual=True)
    assert isinstance(found, dict)
    return torch.stack([found[head].cpu() for head in HEADS])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratings", type=Path, required=True, help="ratings CSV")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--backbone", metavar="SPEC", help="an OpenCLIP backbone; else random weights")
    parser.add_argument("--quick", action="store_true", help="a small encoder, one epoch: only to see that it runs")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = given.backbone or random_backbone(folder, QUICK if given.quick else REAL).spec
        config = TrainConfig(
            ratings=given.ratings, backbone=spec, device=given.device, epochs=1 if given.quick else None,
            output=folder / "run", cache_dir=folder / "cache",
        )  # fmt: skip
        list(train(config))
        files = list(read_dataset(config).files[:IMAGES])
        model = MultiHeadReward.from_pretrained(str(folder / "run" / "best"))
        backbone = model.backbone
        assert isinstance(backbone, OpenClipBackbone)
        on_cpu = scored(model, files)
        model = model.to(given.device)
        print("| precision | " + " | ".join(HEADS) + " | alone against in a batch |")
        print("|---" * (len(HEADS) + 2) + "|")
        print("| spread of the scores (SD) | " + " | ".join(f"{value:.2f}" for value in on_cpu.std(1)) + " | |")
        for precision in PRECISIONS:
            backbone.precision = precision
            found = scored(model, files)
            apart = (found - on_cpu).abs().amax(1)
            alone = (scored(model, files[:1]) - found[:, :1]).abs().nan_to_num().max()
            print(f"| {precision} | " + " | ".join(f"{value:.5f}" for value in apart) + f" | {alone:.5f} |", flush=True)


if __name__ == "__main__":
    main()
