"""From head scores to one number: combination weights and temperatures, fitted to convergence by L-BFGS."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reward.resampling import resampled_sums

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
        return _softmax(self.logits)


class _Likelihood:
    """The objective of a combination: parameters are K logits and log τ.

    A weak prior, worth one unit of evidence, holds weights in proportion to how far each head tells images apart (the
    SD of its differences) and τ at 1 / SD, so that separable data have a finite answer and a head that knows nothing,
    whose weight the data can't tell, gets little.
    """

    def __init__(self, deltas: Floats, label: Floats, weight: Floats) -> None:
        self.deltas, self.label, self.weight = deltas, label, weight
        self.heads = deltas.shape[1]
        self.start = np.zeros(self.heads + 1)
        spreads = np.sqrt(np.average(deltas**2, axis=0, weights=weight)) + 1e-9
        self.start[:-1] = np.log(spreads / spreads.mean())
        combined = deltas @ _softmax(self.start[:-1])
        self.start[-1] = -np.log(max(float(np.sqrt(np.average(combined**2, weights=weight))), 1e-6))

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        """Negative log-likelihood with prior, and its gradient, both a unit of evidence."""
        z, slope, total = *self._slopes(parameters), float(self.weight.sum())
        nll = np.logaddexp(0, z) - self.label * z
        off = parameters - self.start
        prior = self._prior(parameters)
        gradient = self._chain(parameters, (self.weight * slope) @ self.deltas, (self.weight * slope) @ z) + prior
        return float((self.weight @ nll + prior @ off / 2) / total), gradient / total

    def minimise(self) -> Combination:
        """The fit."""
        from scipy.optimize import minimize

        found = minimize(self, self.start, jac=True, method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-12})
        return Combination(found.x[:-1], float(np.exp(found.x[-1])))

    def by_prompt(self, parameters: Floats, prompt: Ints, prompts: int) -> Floats:
        """(prompts, K + 1) gradients, the prior left out; `prompt` (P,) numbers."""
        z, slope = self._slopes(parameters)
        parts = np.column_stack([self.deltas, z]) * (self.weight * slope)[:, None]
        sums: Floats = np.stack([np.bincount(prompt, part, prompts) for part in parts.T], axis=1).astype(np.float64)
        return self._chain(parameters, sums[:, :-1], sums[:, -1])

    def hessian(self, parameters: Floats) -> Floats:
        """(K + 1, K + 1) second derivatives, not divided by the evidence; central differences of the gradient."""
        step, total = 1e-4, self.weight.sum()
        rows = [(self(parameters + h)[1] - self(parameters - h)[1]) for h in step * np.eye(len(parameters))]
        matrix = np.array(rows) * total / (2 * step)
        return np.asarray((matrix + matrix.T) / 2)

    def _slopes(self, parameters: Floats) -> tuple[Floats, Floats]:
        """(P,) logits and derivatives of the negative log-likelihood by them."""
        z = np.exp(parameters[-1]) * (self.deltas @ _softmax(parameters[:-1]))
        return z, 1 / (1 + np.exp(-np.clip(z, -500, 500))) - self.label

    def _chain(self, parameters: Floats, by_delta: Floats, by_logit: npt.ArrayLike) -> Floats:
        """(…, K + 1) from derivatives by the weighted differences (…, K) and by log τ (…)."""
        w = _softmax(parameters[:-1])
        by_weight = np.exp(parameters[-1]) * by_delta
        by_part = w * (by_weight - (by_weight @ w)[..., None])
        return np.concatenate([by_part, np.asarray(by_logit)[..., None]], axis=-1)

    def _prior(self, parameters: Floats) -> Floats:
        off = parameters - self.start
        return np.append(off[:-1] / 16, off[-1])  # SD 4 on a logit, 1 on log τ


def fit_combination(deltas: Floats, label: Floats, weight: Floats) -> Combination:
    """Weights and temperature that make the preferences most likely; without pairs the weights are equal.

    Args:
        deltas: (P, K) score differences first − second of K heads; out-of-fold, else the head that overfits wins.
        label: (P,) in [0, 1], how surely the first is better.
        weight: (P,) how much each pair counts; its sum is the amount of evidence.
    """
    if not len(deltas):
        return Combination(np.zeros(deltas.shape[1]), 1.0)
    return _Likelihood(deltas, label, weight).minimise()


def weight_draws(deltas: Floats, label: Floats, prompt: Ints, seed: int = 0) -> Floats:
    """(draws, K) weights as data sets with the prompts drawn anew would give them.

    One Newton step from the fit a draw (the one-step bootstrap; Davison and Hinkley 1997, section 2.7): within .01 of
    refitting from 20 prompts on, and it takes one pass over the pairs instead of hundreds.

    Args: as `fit_combination`; prompt: (P,) numbers, each prompt weighs the same.
    """
    likelihood = _Likelihood(deltas, label, prompt_weights(prompt))
    fitted = likelihood.minimise()
    at = np.append(fitted.logits, np.log(fitted.temperature))
    _, number = np.unique(prompt, return_inverse=True)
    by_prompt = likelihood.by_prompt(at, number, int(number.max()) + 1)
    gradients = resampled_sums(by_prompt, seed) - by_prompt.sum(axis=0)
    steps = np.linalg.solve(likelihood.hessian(at), gradients.T).T
    return np.stack([_softmax(logits) for logits in (at - steps)[:, :-1]])


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


def _softmax(logits: Floats) -> Floats:
    shifted = np.exp(logits - logits.max())
    return np.asarray(shifted / shifted.sum())
