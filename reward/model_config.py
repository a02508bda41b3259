"""What config.json of a checkpoint holds, and which weights its heads may be given."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reward.aspects import HEADS
from reward.config import Mode
from reward.errors import CheckpointError, Fault, InputError
from reward.heads import DROPOUT, HIDDEN
from reward.intact import FORMAT_VERSION

OVERALL: Final = "overall"


@dataclass(frozen=True)
class ModelConfig:
    """What config.json of a checkpoint holds: all that is needed to build the model but its weights.

    Attributes:
        heads: the five aspects, or `overall` alone in pairs mode.
        trained: heads that had ratings; the others score NaN and take no part in the combined score.
        backbone: `spec` (how it was asked for) and `identity` (what the embeddings depend on).
        score_unit: what a combined score counts.
        target: what the combination weights were fitted to.
    """

    embedding_dim: int
    backbone: dict[str, Any]
    mode: Mode = "multihead"
    heads: tuple[str, ...] = HEADS
    trained: tuple[str, ...] = HEADS
    hidden: int = HIDDEN
    dropout: float = DROPOUT
    members: int = 1
    score_unit: str = "rating points, 0–10"
    target: str = "mean of the rated heads"
    format_version: int = FORMAT_VERSION
    lineage: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ModelConfig":
        """From config.json's content.

        Raises:
            CheckpointError: written by a newer version, or something is missing.
        """
        version = values.get("format_version")
        if not isinstance(version, int):
            raise CheckpointError("config.json is not a reward model's: format_version is missing")
        if version > FORMAT_VERSION:
            raise CheckpointError(
                f"the checkpoint has format {version}, this version reads up to {FORMAT_VERSION}: update the studio"
            )
        backbone = values.get("backbone")
        if not isinstance(backbone, dict) or not isinstance(backbone.get("identity"), dict) or "spec" not in backbone:
            raise CheckpointError("config.json is incomplete: backbone needs spec and identity")
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        for name in ("heads", "trained"):
            if name in known:
                known[name] = tuple(known[name])
        try:
            return cls(**known)
        except TypeError as error:
            raise CheckpointError(f"config.json is incomplete: {error}") from error


def check_weights(weights: Mapping[str, float], config: ModelConfig) -> dict[str, float]:
    """The weights as shares of 1.

    Raises:
        InputError: a head that there isn't, that is untrained or left out, a negative weight, or all zero.
    """
    if config.mode == "pairs":
        raise InputError.one("--set-weights", "a model of pairs mode has one score", "reweigh a multihead model")
    faults = []
    for head, weight in weights.items():
        if head not in HEADS:
            faults.append(Fault("--set-weights", None, f"there is no head {head!r}", f"the heads: {', '.join(HEADS)}"))
        elif head not in config.trained and weight != 0:
            faults.append(Fault("--set-weights", None, f"{head} is untrained", "leave it out"))
        elif not (math.isfinite(weight) and weight >= 0):
            faults.append(Fault("--set-weights", None, f"{head} is {weight:g}", "give a number from 0"))
    if missing := [head for head in config.trained if head not in weights]:
        faults.append(Fault("--set-weights", None, f"{', '.join(missing)} missing", "give every trained head a weight"))
    if not faults and sum(weights.values()) <= 0:
        faults.append(Fault("--set-weights", None, "all weights are 0", "give at least one head a weight"))
    if faults:
        raise InputError(faults)
    total = sum(weights[head] for head in config.trained)
    return {head: weights[head] / total for head in config.trained}
