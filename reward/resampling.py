"""The bootstrap over prompts: sums over prompts drawn anew, whether there are ten of them or a million."""

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BOOTSTRAP_ROUNDS: Final = 2000
_MANY: Final = 5000


def resampled_sums(rows: Floats, seed: int = 0) -> Floats:
    """(B, K) sums over N prompts drawn with replacement from N (Efron 1979), each with its row of `rows` (N, K);
    B = `BOOTSTRAP_ROUNDS`.

    Beyond 5,000 prompts the sums are drawn from their normal limit, which no quantile of 2,000 draws can tell from
    them: how often each of 200,000 prompts is drawn would take 3 GB.
    """
    random, count = np.random.default_rng(seed), len(rows)
    if count <= _MANY:
        return np.asarray(random.multinomial(count, np.full(count, 1 / count), BOOTSTRAP_ROUNDS) @ rows)
    root = np.linalg.qr(rows - rows.mean(axis=0), mode="r")  # rootᵀ root is the covariance of such a sum
    return np.asarray(rows.sum(axis=0) + random.standard_normal((BOOTSTRAP_ROUNDS, len(root))) @ root)
