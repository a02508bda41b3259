"""Why one image scores higher than another: what each head adds to the difference, and how sure that is."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reward.combination import prompt_weights
from reward.embeddings import EmbeddingCache, default_cache_dir, embed_files
from reward.metrics import FEWEST_PROMPTS
from reward.resampling import resampled_sums

if TYPE_CHECKING:
    from reward.model import MultiHeadReward
    from reward.unseen import Validated

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Contribution:
    """One head's part: `part` = weight × (first − second), in points of the combined score."""

    head: str
    weight: float
    first: float
    second: float

    @property
    def part(self) -> float:
        """What the head adds to the difference."""
        return self.weight * (self.first - self.second)


@dataclass(frozen=True)
class Versus:
    """Two images compared.

    Attributes:
        parts: of the trained heads; none in pairs mode, whose data can't tell heads apart.
        first, second: combined scores. Their difference is the sum of the parts.
        logit: τ_c × difference; NaN where the weights were set by hand.
    """

    parts: tuple[Contribution, ...]
    first: float
    second: float
    logit: float

    @property
    def difference(self) -> float:
        """First less second."""
        return self.first - self.second

    @property
    def probability(self) -> float | None:
        """P(first is preferred) = σ(τ_c Δ) (Bradley and Terry 1952); None where it was never learned."""
        return None if math.isnan(self.logit) else _sigmoid(self.logit)


def compare_images(model: "MultiHeadReward", first: Path, second: Path, cache_dir: Path | None = None) -> Versus:
    """Score two images and take the difference of their combined scores apart, in double precision.

    Raises:
        InputError: a file that can't be decoded.
        BackboneError: the backbone can't be had.
    """
    import torch

    embedded = embed_files([first, second], model.backbone, EmbeddingCache(cache_dir or default_cache_dir()))
    with torch.inference_mode():
        scores = model.head_scores(torch.from_numpy(embedded.vectors).to(model.device)).double().cpu()
        weights = model.weights().double().cpu()
    trained = [number for number, known in enumerate(model.trained.tolist()) if known]
    values = [(model.config.heads[k], float(weights[k]), float(scores[0, k]), float(scores[1, k])) for k in trained]
    multihead = model.config.mode == "multihead"
    one = math.fsum(weight * score for _, weight, score, _ in values)
    other = math.fsum(weight * score for _, weight, _, score in values)
    parts = tuple(Contribution(*value) for value in values) if multihead else ()
    tau = float(model.combined_temperature) if multihead else 1.0  # the score of pairs mode is a logit already
    return Versus(parts, one, other, tau * (one - other))


@dataclass(frozen=True)
class Sureness:
    """By what factor validation says that logits should be multiplied, and as the prompts drawn anew would say."""

    factor: float
    draws: Floats
    pairs: int
    prompts: int

    def of(self, logit: float) -> tuple[float, float, float]:
        """(share, low, high): how often validation pairs with such a logit were in that order, with 95 % interval."""
        low, high = np.quantile([_sigmoid(factor * logit) for factor in self.draws], [0.025, 0.975])
        return _sigmoid(self.factor * logit), float(low), float(high)


def sureness(found: "Validated", seed: int = 0) -> Sureness | None:
    """How far the combined score's probabilities held on the run's validation pairs; None with too few prompts.

    One parameter, log β of P = σ(β · logit) (Platt 1999 without offset), weak prior at β = 1; draws by one Newton step
    a bootstrap sample of prompts (Davison and Hinkley 1997, section 2.7).
    """
    from scipy.optimize import minimize_scalar

    pairs = found.data.combined.inside(found.measured)
    if not found.data.has_preferences:
        pairs = pairs.decided()
    z = found.combined[pairs.first] - found.combined[pairs.second]
    _, number = np.unique(pairs.prompt, return_inverse=True)
    prompts = int(number.max(initial=-1)) + 1
    if prompts < FEWEST_PROMPTS or np.isnan(z).any():
        return None
    weight = prompt_weights(pairs.prompt)

    def objective(log_beta: float) -> float:
        scaled = np.exp(log_beta) * z
        return float(weight @ (np.logaddexp(0, scaled) - pairs.label * scaled) + log_beta**2 / 2)

    at = float(minimize_scalar(objective, bounds=(-6, 6), method="bounded", options={"xatol": 1e-8}).x)
    scaled = np.exp(at) * z
    chance = 1 / (1 + np.exp(-np.clip(scaled, -500, 500)))
    slope = weight * (chance - pairs.label) * scaled
    bend = float(np.sum(weight * chance * (1 - chance) * scaled**2 + slope)) + 1
    by_prompt: Floats = np.bincount(number, weights=slope, minlength=prompts).astype(np.float64)
    drawn = resampled_sums(by_prompt[:, None], seed)[:, 0] - by_prompt.sum()
    draws = np.exp(np.clip(at - drawn / max(bend, 1e-9), -6, 6))
    return Sureness(float(np.exp(at)), draws, len(z), prompts)


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0
