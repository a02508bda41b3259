"""Five heads computed together against five apart: forward, backward and optimizer step.

    python benchmarks/heads.py

"Plain" are five MLPs Linear-GELU-Dropout-Linear of the same width that share one optimizer and one backward pass; the
batched heads do more (they normalise, and have a linear part). "The same" are five of our own, one head each. Pairs of
768-d embeddings, two images a pair, as many threads as training takes.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.ratios import Row, in_turn, main, ratios
from reward.aspects import HEADS
from reward.heads import DROPOUT, HIDDEN, HeadStack
from reward.threads import threads_for

DIM = 768
STEPS = {4: 20, 64: 8, 4096: 1}  # a round, by batch size: short, so that what else the machine does meets all sides
MOST_ROUNDS = {4: 61, 64: 61, 4096: 15}


class Apart(nn.Module):
    """Heads that each compute for themselves."""

    def __init__(self, heads: list[nn.Module]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)

    def forward(self, embeddings: Tensor) -> Tensor:
        return torch.cat([head(embeddings).view(1, len(embeddings), 1) for head in self.heads], dim=2)


def plain() -> nn.Module:
    return nn.Sequential(nn.Linear(DIM, HIDDEN), nn.GELU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, 1))


def training(model: nn.Module, embeddings: Tensor, steps: int) -> Callable[[], None]:
    """Does `steps` optimizer steps on pairs, the first half of the embeddings against the second."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    pairs = len(embeddings) // 2

    def run() -> None:
        for _ in range(steps):
            scores = model(embeddings)
            loss = functional.softplus(scores[:, pairs:] - scores[:, :pairs]).sum() / pairs
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    return run


def products(embeddings: Tensor, steps: int) -> Callable[[], None]:
    """Only the products with the first layer's weights, forward and for their gradient."""
    weights, gradient = torch.randn(DIM, HIDDEN * len(HEADS)), torch.randn(len(embeddings), HIDDEN * len(HEADS))

    def run() -> None:
        for _ in range(steps):
            _ = embeddings @ weights
            _ = embeddings.T @ gradient

    return run


def rows(quick: bool) -> Iterator[Row]:
    torch.manual_seed(0)
    count = len(HEADS)
    for pairs, steps in list(STEPS.items())[: 2 if quick else None]:
        embeddings, steps = torch.randn(2 * pairs, DIM), 1 if quick else steps
        sides = [
            training(HeadStack(1, count, DIM), embeddings, steps),
            training(Apart([plain() for _ in range(count)]), embeddings, steps),
            training(Apart([HeadStack(1, 1, DIM) for _ in range(count)]), embeddings, steps),
            products(embeddings, steps),
        ]
        with threads_for(pairs * DIM * HIDDEN * count):
            for side in sides:
                side()
            measured = in_turn(sides, 1 if quick else MOST_ROUNDS[pairs])
        what = f"heads, batch {pairs}: five apart ÷ together"
        yield Row(f"{what}, plain MLPs", ratios(measured, 1, 0), least=1)
        yield Row(f"{what}, the same heads", ratios(measured, 2, 0), least=1)
        yield Row(f"heads, batch {pairs}: a step ÷ its large matrix products alone", ratios(measured, 0, 3))
        yield Row(f"heads, batch {pairs}: pairs a second", [steps * pairs / seconds[0] for seconds in measured])


if __name__ == "__main__":
    main(rows, __doc__)
