"""Every error that a user of the reward engine can cause; all else is a bug and propagates.

RewardError                      shown as its message, without a traceback
├── InputError                   bad files or arguments: a list of faults, exit code 2
├── BackboneError                the image encoder can't be had or doesn't fit
├── CacheError                   the embedding cache is damaged, locked or read-only
├── CheckpointError              a saved model is missing, damaged or of a future format
└── InterruptedTrainingError     stopped by a person; `last/` is complete, exit code 130
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class RewardError(Exception):
    """Base of all errors with a message meant for the person at the screen."""


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong with an input: where, what, and what would be right.

    `file` may be a flag's name for a faulty argument; `line` counts from 1, None where no line applies.
    """

    file: str
    line: int | None
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.problem}; {self.remedy}"


class InputError(RewardError):
    """Input that can't be used. Carries every fault found, not just the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    @classmethod
    def one(cls, file: str | Path, problem: str, remedy: str, line: int | None = None) -> "InputError":
        """An InputError with a single fault."""
        return cls([Fault(str(file), line, problem, remedy)])


class BackboneError(RewardError):
    """A backbone's weights can't be had, don't match, or it can't do what was asked."""


class CacheError(RewardError):
    """The embedding cache can't be read or written."""


class CheckpointError(RewardError):
    """A checkpoint folder is missing, damaged, or written by a newer version."""


class InterruptedTrainingError(RewardError):
    """Training was stopped by a person."""


def shown(text: str) -> str:
    """A text from outside as it may stand in a message: quoted and cut to 120 characters."""
    return repr(text if len(text) <= 120 else text[:119] + "…")
