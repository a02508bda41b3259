"""AdamW as torch computes it, without `torch.optim.Optimizer`.

That class imports torch's compiler the first time it is used, a second and more that every training would wait for.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from torch.optim.adamw import adamw


class AdamW:
    """Decoupled weight decay with torch's defaults, fused into one kernel.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.
    """

    def __init__(self, parameters: Iterable[Tensor], *, learning_rate: float, weight_decay: float) -> None:
        """Steps go to `parameters` as long as they lie where they lie now."""
        self._parameters = list(parameters)
        self._learning_rate, self._weight_decay = learning_rate, weight_decay
        self._state = {
            "step": [torch.zeros((), device=one.device) for one in self._parameters],
            "exp_avg": [torch.zeros_like(one) for one in self._parameters],
            "exp_avg_sq": [torch.zeros_like(one) for one in self._parameters],
        }

    @torch.no_grad()
    def step(self) -> None:
        """Follow the gradients that the parameters have, and let go of them."""
        moved = [number for number, one in enumerate(self._parameters) if one.grad is not None]
        adamw(
            [self._parameters[number] for number in moved],
            [one.grad for one in self._parameters if one.grad is not None],
            [self._state["exp_avg"][number] for number in moved],
            [self._state["exp_avg_sq"][number] for number in moved],
            [],
            [self._state["step"][number] for number in moved],
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self._learning_rate,
            weight_decay=self._weight_decay,
            eps=1e-8,
            maximize=False,
        )
        for one in self._parameters:
            one.grad = None

    def state(self) -> dict[str, Tensor]:
        """What a continuation needs, by parameter and moment: `0.exp_avg`."""
        return {f"{number}.{name}": kept[number] for name, kept in self._state.items() for number in range(len(kept))}

    @torch.no_grad()
    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Put `state`'s tensors back; what it lacks begins anew, as everything does before the first step."""
        for name, kept in self.state().items():
            if name in state:
                kept.copy_(state[name])
