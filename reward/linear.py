"""Ridge regressions of targets on every union of folds that is asked for: where a head's linear part starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_Path = tuple[Floats, Floats]

# Penalty per row, for inputs and targets of variance 1.
PENALTIES: Final = np.logspace(-2.5, 2.5, 11)
CLAMP: Final = 4.0  # a normalised input further out is an outlier of a small training set, not information
MOST_ROWS: Final = 20_000  # with so many rows a ridge is settled; more would only take time
MOST_INNER: Final = 10  # parts to choose a penalty by; more folds than that are left out several at a time
_TALL: Final = 2  # rows an input


def enough_rows(count: int, seed: int) -> Ints:
    """All of `count` row numbers, or `MOST_ROWS` of them, drawn."""
    if count <= MOST_ROWS:
        return np.arange(count)
    return np.random.default_rng(seed).choice(count, MOST_ROWS, replace=False)


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

    Rows are decomposed once for all that is asked of them: leaving two folds out serves both as an inner fit of those
    that leave out one of them, and as a fit of its own.
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
            keep = enough_rows(len(x), seed)
            x, y, prompt, fold = x[keep], y[keep], prompt[keep], fold[keep]
        self._x, self._y, self._prompt, self._fold = x, y.reshape(len(y), -1), prompt, fold
        self._normalisers, self._intercept = normalisers, intercept

    def fit(self, left_out: frozenset[int], target: int = 0) -> RidgeFit:
        """The fit of a target on all rows but those of `left_out`."""
        return self.fit_all([(left_out, target)])[0]

    def fit_all(self, wanted: Sequence[tuple[frozenset[int], int]]) -> list[RidgeFit]:
        """The fits of (folds left out, target), in their order."""
        targets: dict[frozenset[int], set[int]] = {}
        for left_out, target in wanted:
            for folds in (frozenset[int](), *self._inner(left_out)):
                targets.setdefault(left_out | folds, set()).add(target)
        paths = {left_out: self._path(left_out, sorted(needed)) for left_out, needed in targets.items()}
        return [self._choose(left_out, target, paths) for left_out, target in wanted]

    def _inner(self, left_out: frozenset[int]) -> list[frozenset[int]]:
        """What is left out in turn to choose a penalty; nothing where there is but one fold."""
        others = [fold for fold in np.unique(self._fold).tolist() if fold >= 0 and fold not in left_out]
        parts = min(len(others), MOST_INNER)
        return [frozenset(others[start::parts]) for start in range(parts)] if parts > 1 else []

    def _choose(self, left_out: frozenset[int], target: int, paths: dict[frozenset[int], dict[int, _Path]]) -> RidgeFit:
        errors = np.zeros(len(PENALTIES))
        for folds in self._inner(left_out):
            errors += self._errors(left_out | folds, folds, target, paths[left_out | folds][target])
        best = int(errors.argmin()) if errors.any() else len(PENALTIES) // 2
        coefficients, intercepts = paths[left_out][target]
        return RidgeFit(coefficients[best], float(intercepts[best]), float(PENALTIES[best]))

    def _errors(self, left_out: frozenset[int], folds: frozenset[int], target: int, path: _Path) -> Floats:
        """(penalties,) squared error of within-prompt differences on the rows of `folds`."""
        coefficients, intercepts = path
        rows = np.isin(self._fold, list(folds))
        residual = self._y[rows, target, None] - self._normal(left_out, rows) @ coefficients.T - intercepts
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

    def _path(self, left_out: frozenset[int], targets: list[int]) -> dict[int, _Path]:
        """By target, coefficients (penalties, D) and intercepts (penalties,) along PENALTIES: one decomposition."""
        seen = self._seen(left_out)
        if not seen.any():
            none = np.zeros((len(PENALTIES), self._x.shape[1])), np.zeros(len(PENALTIES))
            return dict.fromkeys(targets, none)
        x, y = self._normal(left_out, seen), self._y[seen][:, targets]
        x_mean = x.mean(axis=0) if self._intercept else np.zeros(x.shape[1])
        y_mean = y.mean(axis=0) if self._intercept else np.zeros(y.shape[1])
        x, y = x - x_mean, y - y_mean
        if len(x) > _TALL * x.shape[1]:  # of many rows the products say as much, in a tenth of the time
            squares, v = np.linalg.eigh(x.T @ x)
            onto = v.T @ (x.T @ y)
        else:
            u, s, vt = np.linalg.svd(x, full_matrices=False)
            squares, v, onto = s**2, vt.T, s[:, None] * (u.T @ y)
        shrunk = 1 / (squares.clip(min=0) + len(x) * PENALTIES[:, None])  # (penalties, rank)
        paths = {}
        for target, level, along in zip(targets, y_mean, onto.T, strict=True):
            coefficients = (shrunk * along) @ v.T
            paths[target] = coefficients, level - coefficients @ x_mean
        return paths


def _within(values: Floats, prompt: Ints) -> Floats:
    """Each row less the mean of its prompt's rows."""
    _, number = np.unique(prompt, return_inverse=True)
    sums = np.zeros((number.max() + 1, values.shape[1]))
    np.add.at(sums, number, values)
    centred: Floats = values - (sums / np.bincount(number)[:, None])[number]
    return centred
