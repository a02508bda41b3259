"""The optimizer: torch's own numbers, bit for bit, also after a continuation, and none of torch's compiler."""

import subprocess
import sys
from pathlib import Path

import torch
from torch import Tensor

from reward.adamw import AdamW
from tests.reward_inputs import PROJECT, simple_ratings


def made() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator).requires_grad_() for shape in ((3, 4), (5,), (2, 2))]


def follow(parameters: list[Tensor], step: int) -> None:
    """Give gradients to all of them but the last, which learns nothing."""
    for one in parameters[:-1]:
        one.grad = torch.sin(one.detach() * (step + 1))


def test_its_steps_are_those_of_torch() -> None:
    own, theirs = made(), made()
    optimizer = AdamW(own, learning_rate=0.01, weight_decay=0.1)
    reference = torch.optim.AdamW(theirs, lr=0.01, weight_decay=0.1, fused=True)
    before = own[-1].detach().clone()
    for step in range(7):
        follow(own, step)
        follow(theirs, step)
        optimizer.step()
        reference.step()
        assert all(one.grad is None for one in own)
    assert all(torch.equal(a, b) for a, b in zip(own, theirs, strict=True))
    assert torch.equal(own[-1], before)


def test_it_goes_on_where_it_was() -> None:
    whole, parts = made(), made()
    through = AdamW(whole, learning_rate=0.01, weight_decay=0.1)
    first = AdamW(parts, learning_rate=0.01, weight_decay=0.1)
    for step in range(6):
        if step == 3:
            state = {name: kept.clone() for name, kept in first.state().items()}
            first = AdamW(parts, learning_rate=0.01, weight_decay=0.1)
            first.load_state(state)
        for parameters, optimizer in ((whole, through), (parts, first)):
            follow(parameters, step)
            optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(whole, parts, strict=True))
    assert int(through.state()["0.step"]) == 6
    assert int(through.state()["2.step"]) == 0


def test_a_training_loads_no_compiler(tmp_path: Path) -> None:
    ratings = simple_ratings(tmp_path, prompts=5, images=3)
    arguments = ["--ratings", ratings, "--output", tmp_path / "out", "--backbone", "pixelstats", "--epochs", "1"]
    code = (
        "import sys; from reward.cli import main; assert main(sys.argv[1:]) == 0; print('torch._dynamo' in sys.modules)"
    )
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.splitlines()[-1] == "False"
