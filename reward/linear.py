"""Ridge regressions of targets on every union of folds that is asked for: where a head's linear part starts."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Penalty per row, for inputs and targets of variance 1.
PENALTIES: Final = np.logspace(-2.5, 2.5, 11)
CLAMP: Final = 4.0  # a normalised input further out is an outlier of a small training set, not information
MOST_ROWS: Final = 20_000  # with so many rows a ridge is settled; more would only take time
MOST_INNER: Final = 10  # parts to choose a penalty by; more folds than that are left out several at a time


@dataclass(frozen=True)
class Normaliser:
    """x̂ = (x − mean) / deviation, clipped at ±`CLAMP`; `mean` and `std` (D,)."""

    mean: Floats
    std: Floats

    @classmethod
    def of(cls, x: npt.NDArray[np.floating]) -> "Normaliser":
        """From the rows (N, D) that may be learned from. A constant input carries nothing: it is left at 0."""
        mean, std = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
        constant = std < 1e-6 * max(float(np.abs(mean).max(initial=0)), 1e-12)
        return cls(mean, np.where(constant, 1.0, std))

    def __call__(self, x: npt.NDArray[np.floating]) -> Floats:
        normal: Floats = np.clip((x - self.mean) / self.std, -CLAMP, CLAMP)
        return normal


@dataclass(frozen=True)
class RidgeFit:
    """`coefficients` (D,) on normalised inputs, `intercept`, and the penalty that was chosen."""

    coefficients: Floats
    intercept: float
    penalty: float


class FoldRidge:
    """min ‖y − X̂a − b‖² + n·λ‖a‖² of the rows outside some folds, λ chosen by leaving the others out in turn.

    Fits are remembered: the one that leaves two folds out serves both as their owner's inner fit and as its own.
    """

    def __init__(
        self,
        x: npt.NDArray[np.floating],
        y: Floats,
        prompt: Ints,
        fold: Ints,
        normalisers: "dict[frozenset[int], Normaliser]",
        *,
        intercept: bool = True,
        seed: int = 0,
    ) -> None:
        """Args:
        x: (N, D) rows with a target; y: (N,) or (N, T) targets of about unit variance, each fitted by itself;
        prompt: (N,) which rows are compared with each other; fold: (N,) fold of each row, −1 = in none and never left
        out; normalisers: by folds left out, filled where one is missing; intercept: False for differences, whose
        inputs and targets have no level.
        """
        if len(x) > MOST_ROWS:
            keep = np.random.default_rng(seed).choice(len(x), MOST_ROWS, replace=False)
            x, y, prompt, fold = x[keep], y[keep], prompt[keep], fold[keep]
        self._x, self._y, self._prompt, self._fold = x, y.reshape(len(y), -1), prompt, fold
        self._normalisers, self._intercept = normalisers, intercept
        self._paths: dict[frozenset[int], tuple[Floats, Floats]] = {}

    def fit(self, left_out: frozenset[int], target: int = 0) -> RidgeFit:
        """The fit of a target on all rows but those of `left_out`."""
        others = [fold for fold in np.unique(self._fold).tolist() if fold >= 0 and fold not in left_out]
        inner = [frozenset(others[start::MOST_INNER]) for start in range(min(len(others), MOST_INNER))]
        errors = np.zeros(len(PENALTIES))
        for folds in inner if len(inner) > 1 else []:
            errors += self._errors(left_out | folds, folds, target)
        best = int(errors.argmin()) if errors.any() else len(PENALTIES) // 2
        coefficients, intercepts = self._path(left_out)
        return RidgeFit(coefficients[best, :, target], float(intercepts[best, target]), float(PENALTIES[best]))

    def _errors(self, left_out: frozenset[int], folds: frozenset[int], target: int) -> Floats:
        """(penalties,) squared error of within-prompt differences on the rows of `folds`."""
        coefficients, intercepts = self._path(left_out)
        rows = np.isin(self._fold, list(folds))
        predicted = self._normal(left_out, rows) @ coefficients[:, :, target].T + intercepts[:, target]
        residual = self._y[rows, target, None] - predicted
        if self._intercept:
            residual = _within(residual, self._prompt[rows])
        errors: Floats = (residual**2).sum(axis=0)
        return errors

    def _normal(self, left_out: frozenset[int], rows: Bools) -> Floats:
        if not self._intercept:
            return np.asarray(self._x[rows], dtype=np.float64)  # differences of inputs normalised before
        if left_out not in self._normalisers:
            self._normalisers[left_out] = Normaliser.of(self._x[self._seen(left_out)])
        return self._normalisers[left_out](self._x[rows])

    def _seen(self, left_out: frozenset[int]) -> Bools:
        return ~np.isin(self._fold, list(left_out))

    def _path(self, left_out: frozenset[int]) -> tuple[Floats, Floats]:
        """Coefficients (penalties, D, T) and intercepts (penalties, T) along PENALTIES, from one decomposition."""
        if left_out in self._paths:
            return self._paths[left_out]
        seen = self._seen(left_out)
        if not seen.any():
            shape = (len(PENALTIES), self._x.shape[1], self._y.shape[1])
            none = np.zeros(shape), np.zeros((shape[0], shape[2]))
            return self._paths.setdefault(left_out, none)
        x, y = self._normal(left_out, seen), self._y[seen]
        x_mean = x.mean(axis=0) if self._intercept else np.zeros(x.shape[1])
        y_mean = y.mean(axis=0) if self._intercept else np.zeros(y.shape[1])
        u, s, vt = np.linalg.svd(x - x_mean, full_matrices=False)
        shrunk = s / (s**2 + len(x) * PENALTIES[:, None])  # (penalties, rank)
        coefficients = np.matmul(vt.T, shrunk[:, :, None] * (u.T @ (y - y_mean)))
        return self._paths.setdefault(left_out, (coefficients, y_mean - x_mean @ coefficients))


def _within(values: Floats, prompt: Ints) -> Floats:
    """Each row less the mean of its prompt's rows."""
    _, number = np.unique(prompt, return_inverse=True)
    sums = np.zeros((number.max() + 1, values.shape[1]))
    np.add.at(sums, number, values)
    centred: Floats = values - (sums / np.bincount(number)[:, None])[number]
    return centred
