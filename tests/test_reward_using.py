"""The examples of docs/using.md do what they say, on a small OpenCLIP model."""

import re
import shlex
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from reward.aspects import HEADS
from reward.config import TrainConfig
from reward.embeddings import CHUNK
from reward.training import train
from tests.hub_server import Hub
from tests.reward_inputs import PROJECT, draw, simple_ratings

TEXT = (PROJECT / "docs/using.md").read_text(encoding="utf-8").replace("ViT-L-14", "ViT-S-32")


def section(heading: str) -> str:
    return TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def example(heading: str, without: str = "\0") -> str:
    """The Python of a section, in order, but for blocks that hold `without`."""
    blocks = re.findall(r"```python\n(.*?)```", section(heading), re.DOTALL)
    return "\n".join(block for block in blocks if without not in block)


def commands(heading: str) -> list[list[str]]:
    """The commands of a section, in words."""
    return [shlex.split(line) for line in section(heading).splitlines() if line.startswith("    python -m ")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, openclip_weights: Path) -> Path:
    """What the examples stand on: a run, its weights file, pictures and ratings."""
    root = tmp_path_factory.mktemp("using")
    (root / "weights").mkdir()
    (root / "weights/open_clip_model.safetensors").symlink_to(openclip_weights)
    for number in range(3):
        draw(root / f"photos/{number}.png", number)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        ratings = simple_ratings(Path("data"))
        written = Path("data/annotations/multihead_ratings.csv")
        written.parent.mkdir()
        written.write_text(ratings.read_text().replace(",images/", ",data/images/"))
        spec = "openclip:ViT-S-32@weights/open_clip_model.safetensors"
        output = Path("outputs/multihead_reward_model")
        list(train(TrainConfig(ratings=written, output=output, backbone=spec, epochs=1)))
    return root


@pytest.fixture(scope="module")
def loaded(project: Path) -> dict[str, Any]:
    """The names that the first section leaves behind."""
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        exec(example("Scores as others call them"), names)
    return names


@pytest.fixture
def here(project: Path, loaded: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Those names, and the project's folder as the working directory."""
    monkeypatch.chdir(project)
    return dict(loaded)


def test_the_best_of_several_takes(here: dict[str, Any]) -> None:
    scores = here["model"](here["takes"]).tolist()
    assert here["best"] == here["takes"][scores.index(max(scores))]


def test_a_data_set_at_a_time(here: dict[str, Any]) -> None:
    told = commands("A data set at a time")
    assert [words[2] for words in told] == ["reward.score", "reward.embed", "reward.embed"]
    for _, _, module, *arguments in told:
        assert import_module(module).main(arguments) == 0
    exec(example("A data set at a time", without="datasets"), here)
    assert here["scores"]["combined"].tolist() == pytest.approx(here["model"](here["takes"]).tolist(), abs=1e-4)
    assert here["vectors"].shape == (12, 234)
    assert len(here["table"]) == 12
    assert here["about"]["model_sha256"] == here["model"].fingerprint()
    assert f"{CHUNK:,} at a time" in section("A data set at a time")


def test_the_data_sets_library_reads_the_embeddings(
    here: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    assert import_module("reward.embed").main(commands("A data set at a time")[2][3:]) == 0
    (block,) = [b for b in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "load_dataset" in b]
    exec(block, here)
    assert here["vectors"].shape == (12, 234)


def test_a_reward_for_a_trainer(here: dict[str, Any]) -> None:
    here |= {"images": torch.rand(2, 3, 40, 60), "prompts": ("a", "b"), "metadata": ({}, {})}
    exec(example("A reward for a trainer"), here)
    assert here["scores"].shape == (2,)
    assert tuple(here["info"]) == HEADS


class _Decoder(torch.nn.Module):
    """The part of a diffusers VAE that the example calls."""

    config = SimpleNamespace(scaling_factor=0.18)

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.ConvTranspose2d(4, 3, 8, stride=8)

    def decode(self, latents: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(sample=torch.tanh(self.layer(latents)))


def test_gradients_reach_the_latents_and_not_the_backbone(here: dict[str, Any]) -> None:
    torch.manual_seed(0)
    latents = torch.randn(2, 4, 12, 16, requires_grad=True)
    exec(example("Gradients"), here | {"vae": _Decoder(), "latents": latents})
    assert latents.grad is not None
    assert latents.grad.abs().sum(dim=(1, 2, 3)).min() > 0
    assert all(parameter.grad is None for parameter in here["model"].backbone.parameters())


def test_sharing_a_model(here: dict[str, Any], hub: Hub) -> None:
    exec(example("Sharing a model"), here)
    picture = Image.open("photos/0.png")
    assert here["again"].score("a cat", picture) == here["model"].score("a cat", picture)
    card = hub.files["your-name/photo-aspects"]["README.md"].decode()
    for line in ("license: other", "license_name: to-be-chosen"):
        assert line in card.splitlines()
        assert f"`{line}`" in TEXT
