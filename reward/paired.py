"""Two runs on the same pairs: does one order them better? A paired bootstrap over the prompts that both measured.

That two intervals overlap doesn't tell: prompts that are hard for one run are hard for the other, and comparing prompt
by prompt takes that out (Efron and Tibshirani 1993, An Introduction to the Bootstrap, ch. 16).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reward.aspects import HEADS
from reward.evaluation import head_pairs
from reward.metrics import FEWEST_PROMPTS, bootstrap_interval
from reward.unseen import Floats, Validated

if TYPE_CHECKING:
    import pandas as pd

COMBINED = "combined"


@dataclass(frozen=True)
class PairedDifference:
    """How two runs order the pairs that both were validated on, by models that hadn't seen them.

    Attributes:
        first, second: mean over those prompts of the share of pairs in the right order; NaN without any.
        difference: second less first.
        interval: its 95 % interval, bootstrap over prompts; None with too few of them.
        pairs, prompts: what it stands on.
    """

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
        return "better" if self.difference > 0 else "worse"


def paired_difference(first: Validated, second: Validated, head: str = COMBINED, seed: int = 0) -> PairedDifference:
    """Compare two runs on one head, or on their combined score (in pairs mode the overall one).

    A pair counts where both runs measured it and give it the same winner. Pictures are told by their content, prompts
    by their ids.
    """
    both = _right(first, head).merge(_right(second, head), on=["prompt", "winner", "loser"], suffixes=("_1", "_2"))
    if both.empty:
        return PairedDifference(np.nan, np.nan, np.nan, None, 0, 0)
    shares = both.groupby("prompt")[["right_1", "right_2"]].mean().to_numpy(dtype=np.float64)
    difference = shares[:, 1] - shares[:, 0]
    mean = shares.mean(axis=0)
    return PairedDifference(
        float(mean[0]),
        float(mean[1]),
        float(difference.mean()),
        bootstrap_interval(difference, seed),
        len(both),
        len(shares),
    )


def _right(run: Validated, head: str) -> "pd.DataFrame":
    """A row a decided pair that was measured: prompt, winner and loser (content sha256), whether it was ordered so."""
    import pandas as pd

    data = run.data
    pairs = (data.combined if head == COMBINED else head_pairs(data, HEADS.index(head))).decided()
    logit: Floats = run.combined if head == COMBINED else run.logits[:, HEADS.index(head)]
    won = pairs.label > 0.5
    winner, loser = np.where(won, pairs.first, pairs.second), np.where(won, pairs.second, pairs.first)
    known = ~(np.isnan(logit[winner]) | np.isnan(logit[loser]))
    hashes, names = np.array(run.hashes), np.array(data.prompt_names)
    frame = pd.DataFrame(
        {
            "prompt": names[pairs.prompt[known]],
            "winner": hashes[winner[known]],
            "loser": hashes[loser[known]],
            "right": (logit[winner] > logit[loser])[known],
        }
    )
    return frame.drop_duplicates(["prompt", "winner", "loser"])
