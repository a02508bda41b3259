"""Three ways to fill the training form; each field may still be changed afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dashboards.form import PIXELSTATS, mode_defaults
from reward.config import DEFAULT_BACKBONE, FLAGS

_DEFAULT: Final = {flag.field: flag.default for flag in FLAGS}
# What a preset sets; all else stays as it is.
PRESET_FIELDS: Final = ("backbone", "epochs", "batch_size", "learning_rate", "folds", "val_fraction")
_ENOUGH_FOR_TEN: Final = 20


@dataclass(frozen=True)
class Preset:
    """One way to train: `label` on its button, `words` once it is chosen."""

    name: str
    label: str
    words: str


PRESETS: Final = (
    Preset(
        "look",
        "First look",
        "Pixel statistics, five epochs, one split: tells within a minute whether there is anything to learn.",
    ),
    Preset(
        "standard",
        "Standard",
        "The published settings; with fewer than 50 prompts each is validated on once, in folds.",
    ),
    Preset("thorough", "Thorough", "Forty epochs and, where there are prompts enough, ten folds: surer, and slower."),
)


def preset_values(name: str, mode: str, *, prompts: int = 0, openclip_here: bool = False) -> Mapping[str, Any]:
    """The values of `PRESET_FIELDS`; None = leave it as it is, an empty text = automatic.

    Args:
        prompts: how many prompts have pairs; ten folds are for twenty and more.
        openclip_here: the default backbone's weights are on this machine, so nothing is downloaded unasked.
    """
    usual = mode_defaults(mode)
    values: dict[str, Any] = {
        "backbone": DEFAULT_BACKBONE if openclip_here else None,
        **usual,
        "learning_rate": _DEFAULT["learning_rate"],
        "folds": "",
        "val_fraction": "",
    }
    if name == "look":
        values |= {"backbone": PIXELSTATS, "epochs": 5, "folds": "0"}
    if name == "thorough":
        values |= {"epochs": 40, "folds": "10" if prompts >= _ENOUGH_FOR_TEN else ""}
    return values
