"""The heads: several small MLPs on one embedding, computed together as one batched product."""

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from reward.linear import CLAMP

HIDDEN: Final = 128
DROPOUT: Final = 0.1


class HeadStack(nn.Module):
    """M members of H heads: score = centre + scale · (x̂·a + w₂·gelu(W₁x̂ + b₁) + b₂), x̂ = (x − mean) / deviation.

    The linear part `a` starts from a ridge fit, the hidden layer (width `hidden`, GELU, dropout) near zero. Members
    are independent copies that are trained side by side: a run's model and those of its inner folds.
    """

    def __init__(self, members: int, heads: int, dim: int, hidden: int = HIDDEN, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.members, self.heads, self.dim, self.hidden, self.dropout = members, heads, dim, hidden, dropout
        self.linear = nn.Parameter(torch.zeros(members, dim, heads))
        self.w1 = nn.Parameter(torch.empty(members, dim, heads * hidden))
        self.b1 = nn.Parameter(torch.zeros(members, heads * hidden))
        self.w2 = nn.Parameter(torch.empty(members, heads, hidden))
        self.b2 = nn.Parameter(torch.zeros(members, heads))
        self.register_buffer("input_mean", torch.zeros(members, dim))
        self.register_buffer("input_std", torch.ones(members, dim))
        self.register_buffer("centre", torch.zeros(members, heads))
        self.register_buffer("scale", torch.ones(members, heads))
        self.reset_hidden()

    input_mean: Tensor
    input_std: Tensor
    centre: Tensor
    scale: Tensor

    @torch.no_grad()
    def reset_hidden(self) -> None:
        """Random hidden layers (He et al. 2015); a small second layer, so that the start is the linear part's."""
        self.w1.normal_(0, math.sqrt(2 / self.dim))
        self.w2.normal_(0, 0.1 / math.sqrt(self.hidden))

    def forward(self, embeddings: Tensor) -> Tensor:
        """(B, D) embeddings → (M, B, H) scores in rating units."""
        x = (embeddings - self.input_mean[:, None]).div_(self.input_std[:, None]).clamp_(-CLAMP, CLAMP)  # (M, B, D)
        hidden = functional.gelu(torch.baddbmm(self.b1[:, None], x, self.w1))
        hidden = functional.dropout(hidden, self.dropout, self.training)
        grouped = hidden.view(self.members, -1, self.heads, self.hidden)
        # Turned round, the gradient of this narrow product takes an eighth of the time.
        linear = torch.baddbmm(self.b2[..., None], self.linear.mT, x.mT).mT
        return torch.addcmul(self.centre[:, None], self.scale[:, None], (grouped * self.w2[:, None]).sum(-1) + linear)

    def member(self, index: int) -> "HeadStack":
        """A stack of that member alone, with copies of its tensors."""
        single = HeadStack(1, self.heads, self.dim, self.hidden, self.dropout)
        single.load_state_dict({name: value[index : index + 1].clone() for name, value in self.state_dict().items()})
        return single
