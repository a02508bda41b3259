"""Worker processes give the batches that threads give, and name what they can't read."""

from pathlib import Path

import torch

from reward.backbones.openclip import OpenClipBackbone
from reward.decoding import decoded_by_processes, worth_processes
from reward.images import load_rgb
from tests.reward_inputs import draw


def test_processes_prepare_what_the_backbone_prepares(tmp_path: Path, openclip_weights: Path) -> None:
    backbone = OpenClipBackbone("ViT-S-32", weights=openclip_weights)
    files = [(f"n{number}", draw(tmp_path / f"{number}.png", number)) for number in range(5)]
    files[3][1].write_bytes(files[3][1].read_bytes()[:100])
    batches = list(decoded_by_processes(files, backbone.preparation(), size=2, workers=2))
    assert [names for names, _, _ in batches] == [["n0", "n1"], ["n2"], ["n4"]]
    assert [list(failed) for *_, failed in batches] == [[], ["n3"], []]
    expected = torch.stack([backbone.prepare(load_rgb(path)) for name, path in files if name != "n3"])
    assert torch.equal(torch.cat([pixels for _, pixels, _ in batches]), expected)


def test_a_batch_of_nothing_but_broken_files_is_empty(tmp_path: Path, openclip_weights: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG")
    transform = OpenClipBackbone("ViT-S-32", weights=openclip_weights).preparation()
    [(names, pixels, failed)] = decoded_by_processes([("x", broken)], transform, size=2)
    assert (names, pixels.numel(), list(failed)) == ([], 0, ["x"])


def test_processes_are_for_many_images_on_a_gpu() -> None:
    assert worth_processes(256, "cuda", 64)
    assert not worth_processes(255, "cuda", 64)
    assert not worth_processes(10_000, "cpu", 8)
