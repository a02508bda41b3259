"""From head scores to one number: combination weights and temperatures, fitted to convergence by L-BFGS."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Combination:
    """`logits` (K,), whose softmax is the weights, and the temperature τ: P(i ≻ j) = σ(τ Σ w_k Δs_k)."""

    logits: Floats
    temperature: float

    @property
    def weights(self) -> Floats:
        """(K,) positive, sum 1."""
        shifted = np.exp(self.logits - self.logits.max())
        weights: Floats = shifted / shifted.sum()
        return weights


def fit_combination(deltas: Floats, label: Floats, weight: Floats) -> Combination:
    """Weights and temperature that make the preferences most likely.

    Args:
        deltas: (P, K) score differences first − second of K heads; out-of-fold, else the head that overfits wins.
        label: (P,) in [0, 1], how surely the first is better.
        weight: (P,) how much each pair counts; its sum is the amount of evidence.

    A weak prior, worth one unit of evidence, holds weights in proportion to how far each head tells images apart (the
    SD of its differences) and τ at 1 / SD, so that separable data have a finite answer and a head that knows nothing,
    whose weight the data can't tell, gets little. Without pairs the weights are equal.
    """
    from scipy.optimize import minimize

    heads = deltas.shape[1]
    start = np.zeros(heads + 1)
    if not len(deltas):
        return Combination(start[:heads], 1.0)
    spreads = np.sqrt(np.average(deltas**2, axis=0, weights=weight)) + 1e-9
    start[:heads] = np.log(spreads / spreads.mean())
    combined_spread = np.sqrt(np.average((deltas @ Combination(start[:heads], 1.0).weights) ** 2, weights=weight))
    start[heads] = -np.log(max(float(combined_spread), 1e-6))
    total = float(weight.sum())

    def objective(parameters: Floats) -> tuple[float, Floats]:
        logits, log_tau = parameters[:heads], parameters[heads]
        w, tau = Combination(logits, 1.0).weights, np.exp(log_tau)
        combined = deltas @ w
        z = tau * combined
        nll = np.logaddexp(0, z) - label * z
        slope = weight * (1 / (1 + np.exp(-np.clip(z, -500, 500))) - label)
        by_weight = tau * (slope @ deltas)
        off = parameters - start
        prior = np.append(off[:heads] / 4, off[heads])  # SD 2 on a logit, 1 on log τ
        gradient = np.append(w * (by_weight - w @ by_weight), slope @ z) + prior
        return float((weight @ nll + prior @ off / 2) / total), gradient / total

    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-12})
    return Combination(found.x[:heads], float(np.exp(found.x[heads])))


def fit_temperature(delta: Floats, label: Floats, weight: Floats) -> float:
    """τ of P(i ≻ j) = σ(τ Δs) for one score, under the same prior; arguments as for `fit_combination`, `delta` (P,)."""
    from scipy.optimize import minimize_scalar

    if not len(delta):
        return 1.0
    start = -np.log(max(float(np.sqrt(np.average(delta**2, weights=weight))), 1e-9))

    def objective(log_tau: float) -> float:
        z = np.exp(log_tau) * delta
        return float(weight @ (np.logaddexp(0, z) - label * z) + (log_tau - start) ** 2 / 2)

    found = minimize_scalar(objective, bounds=(start - 8, start + 8), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def prompt_weights(prompt: Ints) -> Floats:
    """(P,) weights that sum to 1 over each prompt's pairs: every prompt counts the same."""
    _, number, counts = np.unique(prompt, return_inverse=True, return_counts=True)
    weights: Floats = 1.0 / counts[number]
    return weights
