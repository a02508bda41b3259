"""The multi-head reward model: ratings to pairs, images to embeddings, embeddings to scores.

Importing it is quick: torch loads when a name that needs it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from reward.aspects import ASPECTS, HEADS, Aspect
    from reward.config import TrainConfig
    from reward.errors import BackboneError, CheckpointError, InputError, RewardError
    from reward.guidance import reward_function
    from reward.model import MultiHeadReward
    from reward.model_config import ModelConfig
    from reward.preferences import read_preferences
    from reward.ratings import read_ratings
    from reward.scoring import load_model, score_files
    from reward.training import train

__all__ = [
    "ASPECTS",
    "HEADS",
    "Aspect",
    "BackboneError",
    "CheckpointError",
    "InputError",
    "ModelConfig",
    "MultiHeadReward",
    "RewardError",
    "TrainConfig",
    "load_model",
    "read_preferences",
    "read_ratings",
    "reward_function",
    "score_files",
    "train",
]

_HOME: Final = {
    **dict.fromkeys(("ASPECTS", "HEADS", "Aspect"), "aspects"),
    "TrainConfig": "config",
    **dict.fromkeys(("BackboneError", "CheckpointError", "InputError", "RewardError"), "errors"),
    "ModelConfig": "model_config",
    "MultiHeadReward": "model",
    "read_preferences": "preferences",
    "read_ratings": "ratings",
    "reward_function": "guidance",
    **dict.fromkeys(("load_model", "score_files"), "scoring"),
    "train": "training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'reward' has no attribute {name!r}")
    return getattr(import_module(f"reward.{_HOME[name]}"), name)
