"""Ridge regression for many penalties and folds at once: where the heads' linear part starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Penalty per row, for inputs and targets of variance 1.
PENALTIES: Final = np.logspace(-2.5, 2.5, 11)
_MOST_ROWS: Final = 20_000  # with so many rows a ridge is settled; more would only take time


@dataclass(frozen=True)
class RidgeFit:
    """Fits on all rows and with each fold left out.

    Attributes:
        coefficients: (1 + F, D), first the fit on all rows, then without fold 0 … F−1.
        intercepts: (1 + F,).
        penalty: the one chosen.
    """

    coefficients: Floats
    intercepts: Floats
    penalty: float


def fit_ridge(
    x: Floats, y: Floats, prompt: Ints, fold: Ints, folds: int, *, intercept: bool = True, seed: int = 0
) -> RidgeFit:
    """min ‖y − Xa − b‖² + n·λ‖a‖², λ chosen by the error of within-prompt differences on the folds left out.

    Args:
        x: (N, D) inputs of about unit variance.
        y: (N,) targets of about unit variance.
        prompt: (N,) which rows are compared with each other.
        fold: (N,) fold of each row.
        folds: F; below 2 the middle penalty is taken and only the fit on all rows is made.
    """
    if len(x) > _MOST_ROWS:
        keep = np.random.default_rng(seed).choice(len(x), _MOST_ROWS, replace=False)
        x, y, prompt, fold = x[keep], y[keep], prompt[keep], fold[keep]
    every = _path(x, y, intercept)
    if folds < 2:
        middle = len(PENALTIES) // 2
        coefficients, intercepts = every
        return RidgeFit(coefficients[middle : middle + 1], intercepts[middle : middle + 1], float(PENALTIES[middle]))
    paths, errors = [every], np.zeros(len(PENALTIES))
    for left_out in range(folds):
        out = fold == left_out
        path = _path(x[~out], y[~out], intercept)
        paths.append(path)
        if out.any():
            residual = y[out, None] - x[out] @ path[0].T - path[1]  # (n, penalties)
            if intercept:
                residual = _within(residual, prompt[out])
            errors += (residual**2).sum(axis=0)
    best = int(errors.argmin())
    return RidgeFit(
        np.stack([coefficients[best] for coefficients, _ in paths]),
        np.array([intercepts[best] for _, intercepts in paths]),
        float(PENALTIES[best]),
    )


def _path(x: Floats, y: Floats, intercept: bool) -> tuple[Floats, Floats]:
    """Coefficients (penalties, D) and intercepts (penalties,) along PENALTIES, from one decomposition."""
    if not len(x):
        return np.zeros((len(PENALTIES), x.shape[1])), np.zeros(len(PENALTIES))
    x_mean = x.mean(axis=0) if intercept else np.zeros(x.shape[1])
    y_mean = float(y.mean()) if intercept else 0.0
    u, s, vt = np.linalg.svd(x - x_mean, full_matrices=False)
    shrunk = s / (s**2 + len(x) * PENALTIES[:, None])  # (penalties, rank)
    coefficients = (shrunk * (u.T @ (y - y_mean))) @ vt
    return coefficients, y_mean - coefficients @ x_mean


def _within(values: Floats, prompt: Ints) -> Floats:
    """Each row less the mean of its prompt's rows."""
    _, number = np.unique(prompt, return_inverse=True)
    sums = np.zeros((number.max() + 1, values.shape[1]))
    np.add.at(sums, number, values)
    centred: Floats = values - (sums / np.bincount(number)[:, None])[number]
    return centred


def fold_rows(rows: Bools, fold: Ints, folds: int) -> Sequence[Bools]:
    """Row masks of the fits in a RidgeFit: all rows, then without each fold."""
    return [rows, *(rows & (fold != left_out) for left_out in range(folds if folds >= 2 else 0))]
