"""Disagreements as the page shows them: pairs that the model gets wrong, with images, ratings, scores and a reason."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from annotate.requests import check_request
from dashboards import cards, markup
from dashboards.chartstyle import label_of
from dashboards.context import Context
from dashboards.desk import image_name
from dashboards.runs import COMBINED
from dashboards.sureness import chance
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
    "agreement unknown": "at least a point apart, but too few are known to have rated both to say that people agree",
}


@dataclass(frozen=True)
class Disputes:
    """What the room shows, and the files of the images on it, each once."""

    card: str
    files: tuple[Path, ...] = ()


def disputes(context: Context, name: str | None, head: str, reason: str = "") -> Disputes:
    """The pairs with the largest margin as cards; `reason` keeps those of one reason. What is wrong is said instead."""
    from reward.disagreements import disagreements

    try:
        run = context.run(name or "")
        found = context.desk.validated(run)
        if run.weighed_by_hand and head == COMBINED:
            words = "These weights were set by hand: how sure they are of a pair can't be told. Choose a head."
            return Disputes(cards.empty("No disagreements of the combined score", words))
        told, wrong = disagreements(found, head, most=10_000)
    except RewardError as error:
        return Disputes(cards.problem("The disagreements can't be shown", str(error)))
    except KeyError:
        no_head = f"This model has no head called {shown(head)}."
        return Disputes(cards.problem("The disagreements can't be shown", no_head))
    if not told:
        return Disputes(cards.empty("No disagreement", f"{label_of(head)} orders every validation pair as people do."))
    counts = Counter(str(one.reason) for one in told)
    words = [f"{label_of(head)} gets {wrong:,} validation pairs wrong."]
    words += [f"{count:,} where {why}: {REMEDIES[why]}." for why, count in counts.most_common()]
    kept = [one for one in told if not reason or one.reason == reason][:MOST_SHOWN]
    blocks = "".join(_block(one, found.data.files, head) for one in kept)
    shown_words = f"The {len(kept)} largest margins" + (f" where {reason}" if reason in REMEDIES else "")
    files = dict.fromkeys(found.data.files[number] for one in kept for number in (one.better, one.worse))
    return Disputes(markup.notes(words) + cards.detail(shown_words) + blocks, tuple(files))


def to_ask_for(context: Context, files: Sequence[Path]) -> list[str]:
    """Those of the files that are this project's images, as paths below its images folder."""
    images = context.project.images.resolve()
    inside = [file.resolve() for file in files]
    return [file.relative_to(images).as_posix() for file in inside if file.is_relative_to(images)]


def send_back(context: Context, image: str | None, head: str, note: str, by: str) -> str:
    """Ask people to rate an image once more; returns a card that says so, or what is wrong."""
    try:
        if context.store is None:
            raise RewardError("This studio has no rating queue.")
        known = next((one for one in context.store.images() if one.active and one.path == image), None)
        if known is None:
            raise RewardError("This image isn't one of this project's, so nobody can be asked to rate it here.")
        about = None if head == "combined" else head
        asked = context.store.save_request(check_request(known.id, about, str(note or ""), str(by or "")))
    except RewardError as error:
        return cards.problem("The image was not sent back", str(error))
    if not asked:
        return cards.warning("It is in the queue already", f"Nobody has rated {image} since the same was asked.")
    told = "It goes first, with your note, to people who haven't rated it, until one more rating has come."
    return cards.done(f"{image} is in the rating queue. {told}")


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
    facts = [f"The model is {chance(1 - one.probability)} sure of the wrong order"]
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
