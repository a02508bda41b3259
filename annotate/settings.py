"""How a project is rated: `studio.toml` in its folder, read when the studio starts; written by `settings_file`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from reward.errors import Fault, InputError

ORDERS: Final = ("prompt", "random", "informative")
STRIPS: Final = ("auto", "on", "off")
CHOICES: Final = {"order": ORDERS, "strip": STRIPS}


def _setting(default: Any, low: float | None, high: float | None, words: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "help": words})


@dataclass(frozen=True)
class Campaign:
    """What a project asks of its raters. Each field is a key of `studio.toml`."""

    ratings_per_image: int = _setting(0, 0, 1000, "different people who rate an image; 0: everybody rates all of them")
    order: str = _setting(
        "prompt", None, None, "prompt: one after another; random: shuffled, for each in their own way; "
        "informative: first what a trained model would learn most from",
    )  # fmt: skip
    repeats: float = _setting(0.05, 0, 0.5, "share of a person's own images that come again unannounced")
    lease_minutes: float = _setting(15.0, 0.1, 1440, "how long an image is kept for somebody who does nothing")
    votes_per_pair: int = _setting(0, 0, 1000, "different people who compare a pair of images; 0: everybody, all pairs")
    strip: str = _setting(
        "auto",
        None,
        None,
        "one's own ratings of the same prompt beside the image: on, off, or auto (on if order is prompt)",
    )

    @property
    def shows_strip(self) -> bool:
        """Whether a person sees how they rated the prompt's other images; not by itself where images come shuffled."""
        return self.strip == "on" or (self.strip == "auto" and self.order == "prompt")


def read_campaign(path: Path) -> Campaign:
    """The settings in a file; the defaults where there is none.

    Raises:
        InputError: what is wrong, and what would be right.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Campaign()
    except (OSError, ValueError) as error:  # TOML's and UTF-8's errors are ValueErrors
        raise InputError.one(path, f"can't be read ({error})", 'write lines such as: order = "random"') from error
    return check_campaign(path, given)


def check_campaign(path: Path, given: Mapping[str, Any]) -> Campaign:
    """The settings `given`, of the file at `path`; the defaults for those that are left out.

    Raises:
        InputError: what is wrong, and what would be right.
    """
    known = {setting.name: setting for setting in fields(Campaign)}
    faults = []
    for name, value in given.items():
        if name not in known:
            faults.append(Fault(str(path), None, f"{name!r} is no setting", f"one of {', '.join(known)}"))
        elif wrong := _wrong(known[name], value):
            faults.append(Fault(str(path), None, f"{name} is {value!r}", wrong))
    if faults:
        raise InputError(faults)
    return Campaign(**given)


def _wrong(setting: Any, value: object) -> str:
    """What would be right, where the value isn't."""
    if choices := CHOICES.get(setting.name):
        return "" if value in choices else f"one of {', '.join(choices)}"
    low, high = setting.metadata["low"], setting.metadata["high"]
    whole = isinstance(setting.default, int)
    fits = not isinstance(value, bool) and isinstance(value, int if whole else int | float) and low <= value <= high
    return "" if fits else f"a {'whole ' if whole else ''}number from {low:g} to {high:g}"
