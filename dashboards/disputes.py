"""Disagreements as the page shows them: pairs that the model gets wrong, with images, ratings, scores and a reason."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashboards import cards, markup
from dashboards.analysis import find_run
from dashboards.chartstyle import label_of
from dashboards.context import Context
from dashboards.desk import image_name
from reward.aspects import ASPECTS
from reward.errors import RewardError, shown

if TYPE_CHECKING:
    from reward.disagreements import Disagreement

MOST_SHOWN: Final = 12
PICTURE_PIXELS: Final = 320
HEAD_CHOICES: Final = (("Combined", "combined"), *((aspect.label, aspect.name) for aspect in ASPECTS))
REMEDIES: Final = {
    "people differ": "their ratings don't settle it: more people, or a clearer rubric",
    "a rater is shifted": "without each person's bias the ratings don't order them so",
    "ratings are close": "less than a point apart: close to a tie",
    "the model is wrong": "people agree; the model misses what they see",
}


def disputes(context: Context, name: str | None, head: str, reason: str = "") -> str:
    """The pairs with the largest margin as cards; `reason` keeps those of one reason. What is wrong is said instead."""
    from reward.disagreements import disagreements

    try:
        run = find_run(context, name or "")
        found = context.desk.validated(run)
        told, wrong = disagreements(found, head, most=10_000)
    except RewardError as error:
        return cards.problem("The disagreements can't be shown", str(error))
    except KeyError:
        return cards.problem("The disagreements can't be shown", f"This model has no head called {shown(head)}.")
    if not told:
        return cards.empty("No disagreement", f"{label_of(head)} orders every validation pair as people do.")
    counts = Counter(str(one.reason) for one in told)
    words = [f"{label_of(head)} gets {wrong:,} validation pairs wrong."]
    words += [f"{count:,} where {why}: {REMEDIES[why]}." for why, count in counts.most_common()]
    kept = [one for one in told if not reason or one.reason == reason][:MOST_SHOWN]
    blocks = "".join(_block(one, found.data.files, head) for one in kept)
    shown_words = f"The {len(kept)} largest margins" + (f" where {reason}" if reason in REMEDIES else "")
    return markup.notes(words) + cards.detail(shown_words) + blocks


def _block(one: "Disagreement", files: Sequence[Path], head: str) -> str:
    sides = zip(
        ("People prefer", "The model prefers"),
        (files[one.better], files[one.worse]),
        one.scores,
        one.ratings or (None, None),
        strict=True,
    )
    unit = "logit" if head == "combined" else "score"
    pictures = "".join(
        f"<figure>{_picture(file)}<figcaption><strong>{side}</strong> {escape(image_name(file))}<br>"
        f"{unit} {score:.2f}{'' if rating is None else f', rated {rating:.2f}'}</figcaption></figure>"
        for side, file, score, rating in sides
    )
    facts = [f"The model is {1 - one.probability:.0%} sure of the wrong order"]
    if one.said:
        for_it, against = sum(a > b for a, b in one.said), sum(a < b for a, b in one.said)
        facts.append(f"of {len(one.said)} people {for_it} order them as the mean does, {against} the other way round")
    mark = f'<span class="studio-verdict studio-weak">{escape(str(one.reason))}</span>'
    words = f"<p>{mark} {escape('; '.join(facts))}.</p>"
    return f'<div class="studio-dispute">{words}<div class="studio-sides">{pictures}</div></div>'


def _picture(file: Path) -> str:
    try:
        return cards.picture(file, PICTURE_PIXELS, image_name(file))
    except ValueError as error:
        return f'<span class="studio-bad">{escape(str(error))}</span>'
