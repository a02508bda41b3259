"""What people differ on most, as cards to adjudicate; `adjudication.js` sends what a reviewer decides."""

from collections.abc import Iterable
from html import escape
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Final

from annotate.adjudications import LONGEST_NOTE, StoredAdjudication
from annotate.agreement_desk import AgreementDesk
from annotate.answers import image_facts
from annotate.disputed import Disputed
from annotate.errors import NotFoundError
from dashboards import cards, markup
from reward.aspects import ASPECTS, BY_NAME, MAX_RATING, MIN_RATING, RATING_STEP

MOST_SHOWN: Final = 12
OPEN: Final = "open"
SETTLED: Final = "adjudicated"
HEAD_CHOICES: Final = (("Any", ""), *((aspect.label, aspect.name) for aspect in ASPECTS))
SCRIPT: Final = Path(__file__).with_name("adjudication.js")
# Run by the browser when the room opens: the name that decided here before, else the one that rates, stands in the box.
NAME_KEPT: Final = """(head, which, name) => {
  const kept = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  return [head, which, name || kept("reward-studio-reviewer") || kept("reward-studio-annotator") || ""];
}"""
_MOST_NAMES: Final = 4


def disputed_cards(desk: AgreementDesk, head: str | None, which: str) -> str:
    """The cards of what is open or of what is adjudicated, of one head or of any."""
    wanted = head if head in BY_NAME else None
    if which == SETTLED:
        shown = _settled(desk, wanted)
        nothing = ("Nothing is adjudicated", "What you decide stands here, and can be revoked.")
    else:
        shown = [(one, _newest(desk, one)) for one in desk.open_disputes(wanted, MOST_SHOWN)]
        nothing = ("People agree", "No image has different ratings that nobody has adjudicated.")
    blocks = [block for one, decision in shown if (block := _card(desk, one, decision))]
    return f'<div class="studio-disputed">{"".join(blocks)}</div>' if blocks else cards.empty(*nothing)


def _settled(desk: AgreementDesk, head: str | None) -> list[tuple[Disputed, StoredAdjudication | None]]:
    found: list[tuple[Disputed, StoredAdjudication | None]] = []
    for decision in desk.settled(head)[:MOST_SHOWN]:
        said = desk.said(decision.image_id, decision.head)
        found.append((said or Disputed(decision.image_id, decision.head, (), None), decision))
    return found


def _newest(desk: AgreementDesk, one: Disputed) -> StoredAdjudication | None:
    return next((said for said in desk.store.adjudications(one.image_id) if said.head == one.head), None)


def _card(desk: AgreementDesk, one: Disputed, decision: StoredAdjudication | None) -> str:
    try:
        image = image_facts(desk.store.image(one.image_id))
    except NotFoundError:
        return ""
    aspect = BY_NAME[one.head]
    stands = decision is not None and decision.stands and decision.value is not None
    spread = "" if one.spread is None else f"{one.low:g} to {one.high:g}, standard deviation {one.spread:.1f}"
    newest = "" if decision is None else decision.id
    picture = f'<img loading="lazy" alt="{escape(image["prompt"])}" src="{image["screen_url"] or image["url"]}">'
    return (
        f'<article class="studio-case studio-head-{one.head}" data-image="{one.image_id}" data-head="{one.head}" '
        f'data-newest="{newest}" '
        f'data-stands="{str(stands).lower()}" data-studio="{escape(desk.store.identity)}" '
        f'aria-label="{escape(aspect.label)} of image {one.image_id}">'
        f'<a href="{image["url"]}" target="_blank" rel="noopener">{picture}</a>'
        f"<h3>{markup.dot(aspect.colour)}{escape(aspect.label)}</h3><p>{escape(image['prompt'])}</p>"
        f'<p class="studio-detail">{spread}</p>{_choices(one)}{_own_value(one, decision)}'
        f'<p class="studio-decided" role="status">{escape(decided_words(decision))}</p></article>'
    )


def _choices(one: Disputed) -> str:
    """A button a value that somebody gave, and the mean and the median: one click decides."""
    if not one.ratings:
        return ""
    said = [
        (value, [name for name, _ in people]) for value, people in groupby(one.ratings, key=lambda rating: rating[1])
    ]
    buttons = [_choice(value, _names(names), ", ".join(names)) for value, names in said]
    if len(one.ratings) > 1:
        buttons.append(_choice(round(one.mean, 1), "mean", "mean of all"))
        buttons.append(_choice(round(median(value for _, value in one.ratings), 1), "median", "median of all"))
    return f'<div class="studio-choices">{"".join(buttons)}</div>'


def _choice(value: float, who: str, everybody: str) -> str:
    words = f"Adjudicate {value:g}: {everybody}"
    return (
        f'<button type="button" data-decide="{value:g}" title="{escape(words)}">'
        f"<b>{value:g}</b> <span>{escape(who)}</span></button>"
    )


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _MOST_NAMES
    return ", ".join(listed[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _own_value(one: Disputed, decision: StoredAdjudication | None) -> str:
    value = decision.value if decision is not None and decision.value is not None else None
    if value is None:
        value = round(one.mean, 1) if one.ratings else (MIN_RATING + MAX_RATING) / 2
    scale = f'min="{MIN_RATING:g}" max="{MAX_RATING:g}" step="{RATING_STEP:g}" value="{value:g}"'
    return (
        f'<label class="studio-slide"><span>Another value</span><input type="range" {scale}>'
        f"<output>{value:g}</output></label>"
        f'<input type="text" class="studio-note" maxlength="{LONGEST_NOTE}" placeholder="Why (optional)" '
        'aria-label="Why (optional)"><div class="studio-case-buttons">'
        '<button type="button" data-decide="slider">Adjudicate</button>'
        '<button type="button" data-decide="revoke">Revoke</button></div>'
    )


def decided_words(decision: StoredAdjudication | None) -> str:
    """What was decided last, in a sentence; nothing where nothing was."""
    if decision is None:
        return ""
    why = f": {decision.note}" if decision.note else ""
    if decision.value is None:
        return f"{decision.reviewer} revoked the adjudicated value{why}"
    if not decision.stands:
        return f"{decision.reviewer} adjudicated {decision.value:g}, but an edited ratings CSV has the last word{why}"
    return f"Adjudicated {decision.value:g} by {decision.reviewer}{why}"
