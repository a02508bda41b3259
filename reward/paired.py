"""Two runs on the same pairs: is one better? A paired bootstrap over the prompts that both measured.

That two intervals overlap doesn't tell: prompts that are hard for one run are hard for the other, and comparing prompt
by prompt takes that out (Efron and Tibshirani 1993, An Introduction to the Bootstrap, ch. 16).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reward.aspects import HEADS
from reward.combination import prompt_weights
from reward.evaluation import head_pairs
from reward.metrics import FEWEST_PROMPTS, first_by_hash, hash_numbers
from reward.resampling import resampled_sums
from reward.unseen import Bools, Floats, Validated

if TYPE_CHECKING:
    import pandas as pd

COMBINED = "combined"
ACCURACY, F1, LOSS = "accuracy", "f1", "loss"
FIGURES: Final = (ACCURACY, F1, LOSS)
_RUNS: Final = ("_1", "_2")


@dataclass(frozen=True)
class PairedDifference:
    """How two runs do on the pairs that both were validated on, by models that hadn't seen them.

    Attributes:
        figure: one of `FIGURES`, as `reward.metrics` defines them.
        first, second: the figure of each run on those pairs; NaN without any.
        difference: second less first.
        interval: its 95 % interval, bootstrap over prompts; None with too few of them.
        pairs, prompts: what it stands on.
    """

    figure: str
    first: float
    second: float
    difference: float
    interval: tuple[float, float] | None
    pairs: int
    prompts: int

    @property
    def differs(self) -> bool | None:
        """Whether the interval leaves out 0; None where that can't be told."""
        return None if self.interval is None else not self.interval[0] <= 0 <= self.interval[1]

    @property
    def words(self) -> str:
        """What can be said of the second run against the first."""
        if not self.prompts:
            return "can't be told: they were not validated on the same pairs"
        if self.interval is None:
            return f"can't be told: {self.prompts} prompts in common, at least {FEWEST_PROMPTS} are needed"
        if not self.differs:
            return "no difference can be told"
        return "better" if (self.difference > 0) != (self.figure == LOSS) else "worse"


def paired_differences(
    first: Validated, second: Validated, head: str = COMBINED, seed: int = 0
) -> dict[str, PairedDifference]:
    """Compare two runs on one head, or on their combined score (in pairs mode the overall one), by each of `FIGURES`.

    A pair counts where both runs measured it and give it the same winner; in the loss, which depends on how sure people
    were, where they give it the same label. Pictures are told by their content, prompts by their ids.
    """
    both = _measured(first, head).merge(_measured(second, head), on=["prompt", "winner", "loser"], suffixes=_RUNS)
    decided = both[(both["label_1"] > 0.5) & (both["label_2"] > 0.5)]
    same = both[np.isclose(both["label_1"], both["label_2"])]
    return {
        ACCURACY: _difference(ACCURACY, decided, _of_accuracy(decided), seed),
        F1: _difference(F1, decided, _of_f1(decided), seed),
        LOSS: _difference(LOSS, same, _of_loss(same), seed),
    }


def _difference(figure: str, pairs: "pd.DataFrame", parts: list[tuple[Floats, Floats]], seed: int) -> PairedDifference:
    """A figure that is a ratio of sums over pairs; `parts` has numerators and denominators (P,) of each run."""
    if pairs.empty:
        return PairedDifference(figure, np.nan, np.nan, np.nan, None, 0, 0)
    names, number = np.unique(pairs["prompt"].to_numpy(), return_inverse=True)
    sums: Floats = np.stack([np.bincount(number, weights=part) for run in parts for part in run], axis=1)
    first, second = _ratios(sums.sum(axis=0))
    interval = None
    if len(names) >= FEWEST_PROMPTS:
        of_first, of_second = _ratios(resampled_sums(sums, seed))
        low, high = np.quantile(of_second - of_first, [0.025, 0.975])
        interval = (float(low), float(high))
    values = float(first), float(second), float(second - first)
    return PairedDifference(figure, *values, interval, len(pairs), len(names))


def _ratios(sums: Floats) -> tuple[Floats, Floats]:
    """(…, 4) numerator and denominator of both runs → (…) the figure of each; 0 where there is nothing to divide by."""
    numerator, denominator = sums[..., [0, 2]], sums[..., [1, 3]]
    found = np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
    return found[..., 0], found[..., 1]


def _of_accuracy(pairs: "pd.DataFrame") -> list[tuple[Floats, Floats]]:
    weight = prompt_weights(pairs["prompt"].to_numpy())
    return [(weight * _right(pairs, run), weight) for run in _RUNS]


def _of_f1(pairs: "pd.DataFrame") -> list[tuple[Floats, Floats]]:
    """F1 = 2 TP ÷ (2 TP + FP + FN), positive = "the first of the pair is better"."""
    weight = prompt_weights(pairs["prompt"].to_numpy())
    positive = first_by_hash(*(hash_numbers(pairs[side].tolist()) for side in ("winner", "loser")))
    parts = []
    for run in _RUNS:
        right = _right(pairs, run)
        hits = 2 * weight * (positive & right)
        parts.append((hits, hits + weight * ~right))  # a wrong one is a false positive or a false negative
    return parts


def _of_loss(pairs: "pd.DataFrame") -> list[tuple[Floats, Floats]]:
    label, every = pairs["label_1"].to_numpy(), np.ones(len(pairs))
    logits = (pairs[f"logit{run}"].to_numpy() for run in _RUNS)
    return [(np.logaddexp(0, logit) - label * logit, every) for logit in logits]


def _right(pairs: "pd.DataFrame", run: str) -> Bools:
    right: Bools = pairs[f"logit{run}"].to_numpy() > 0
    return right


def _measured(run: Validated, head: str) -> "pd.DataFrame":
    """A row a pair that was measured: prompt, winner and loser (content sha256), and of the winner against the loser
    how sure people were and the model's logit. Where overall preferences tie, which counts in the loss, the winner is
    the one whose sha256 comes first.
    """
    import pandas as pd

    data = run.data
    pairs = data.combined if head == COMBINED else head_pairs(data, HEADS.index(head))
    if head != COMBINED or not data.has_preferences:
        pairs = pairs.decided()
    score: Floats = run.combined if head == COMBINED else run.logits[:, HEADS.index(head)]
    hashes, names = np.array(run.hashes), np.array(data.prompt_names)
    won = np.where(pairs.label == 0.5, hashes[pairs.first] < hashes[pairs.second], pairs.label > 0.5)
    winner, loser = np.where(won, pairs.first, pairs.second), np.where(won, pairs.second, pairs.first)
    frame = pd.DataFrame(
        {
            "prompt": names[pairs.prompt],
            "winner": hashes[winner],
            "loser": hashes[loser],
            "label": np.where(won, pairs.label, 1 - pairs.label),
            "logit": score[winner] - score[loser],
        }
    )
    return frame[frame["logit"].notna()].drop_duplicates(["prompt", "winner", "loser"])
