"""The forecast of a training as HTML: what `reward.forecast` found, in sentences."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from dashboards import cards
from dashboards.background import Answer
from dashboards.markup import behind, notes
from dashboards.progress import duration
from dashboards.runs import number

WAITING: Final = "studio-looking"
UNMEASURED: Final = "studio-unmeasured"
_GOOD: Final = ("built in", "cached", "file")


def waiting(words: str) -> str:
    """While the answer is on its way."""
    return f'<div class="studio-detail {WAITING}" role="status">{escape(words)}</div>'


def weights_line(found: Mapping[str, Any]) -> str:
    """Where a backbone's weights are; said with more weight where they can't be had."""
    words = str(found.get("words") or "")
    if found.get("state") in ("unknown", "unreachable"):
        return cards.warning("This backbone can't be used here as it stands", words)
    return cards.detail(words)


def forecast_card(answer: Answer) -> str:
    """What would be encoded anew and how long it takes; what is wrong where it couldn't be found out."""
    if answer.problem:
        return cards.problem("What is to be encoded could not be found out", answer.problem)
    found = answer.found
    told = f"<p>{escape(_encoding(found))}</p>"
    mark = (
        f" {UNMEASURED}"
        if _whole(found, "new") and not found.get("images_per_s") and weights_here(found.get("backbone"))
        else ""
    )
    lists = behind(("Missing file",), [[str(name)] for name in _list(found, "missing")], "The missing files")
    lists += behind(("Duplicate",), [[str(name)] for name in _list(found, "duplicates")], "The duplicate files")
    return f'<div class="studio-forecast{mark}">{told}</div>{notes(_warnings(found))}{lists}'


def _encoding(found: Mapping[str, Any]) -> str:
    new, cached, probed = (_whole(found, key) for key in ("new", "cached", "probed"))
    images = _whole(found, "images")
    where = f"on {found.get('device') or 'this device'}"
    if not new:
        return f"All {images:,} different images are encoded already: training starts at once."
    before = f"{cached + probed:,} of {images:,} images are encoded already; " if cached + probed else ""
    rest = f"{new:,} {'image is' if new == 1 else 'images are'} to be encoded {where}"
    rate, seconds = number(found.get("images_per_s")), number(found.get("remaining_s"))
    if rate and seconds is not None:
        return f"{before}{rest}: about {duration(seconds)}, at the {rate:.3g} images/s just measured."
    why = "" if weights_here(found.get("backbone")) else ", and can't be before its weights are here"
    return f"{before}{rest}. How long that takes is not measured yet{why}."


def weights_here(backbone: Any) -> bool:
    """Whether a backbone's weights are on this machine; of its `Availability` as JSON."""
    return isinstance(backbone, dict) and backbone.get("state") in _GOOD


def _warnings(found: Mapping[str, Any]) -> list[str]:
    told = []
    if missing := _whole(found, "missing_count"):
        files = "1 image file is" if missing == 1 else f"{missing:,} image files are"
        told.append(f"{files} not there: the training will refuse to start until they are.")
    if twice := _whole(found, "duplicate_count"):
        files = "1 file is" if twice == 1 else f"{twice:,} files are"
        told.append(
            f"{files} byte for byte another one. Each picture is encoded once, and prompts that share one "
            "are never split between training and validation."
        )
    return told


def _list(found: Mapping[str, Any], key: str) -> list[Any]:
    value = found.get(key)
    return value if isinstance(value, list) else []


def _whole(found: Mapping[str, Any], key: str) -> int:
    return int(number(found.get(key)) or 0)
