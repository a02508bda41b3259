"""What a person gets before them: which of the images that may come is theirs now, and what they said of it already."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from annotate.catalogue import ImageRow
from annotate.drafts import drafts_of
from annotate.judgement import Draft, StoredRating
from annotate.leases import held_lease, take_lease
from annotate.queue import BEGUN, HELD, Asking, Pick
from annotate.repeats import answered_repeat, due_repeat, note_offer
from annotate.rows import current_rating
from annotate.settings import Campaign


@dataclass(frozen=True)
class Task:
    """An image as a person gets it: with what they began to say of it, and what they say of it so far."""

    image: ImageRow
    draft: Draft | None = None
    current: StoredRating | None = None
    why: str = ""


def lent(db: Database, asking: Asking, picks: Sequence[Pick], studio: str, campaign: Campaign) -> list[Pick]:
    """The picks with what the tab has before it, or a repeat that is due, as the first; the first is the tab's now.

    Args:
        studio: the project's identity, by which repeats are drawn.
    """
    found = list(picks)
    if not (found and found[0].why == BEGUN):
        first = _held(db, asking, found) or _due(db, asking, found, studio, campaign.repeats)
        rest = [pick for pick in found if first is None or pick.image.id != first.image.id]
        found = [*([] if first is None else [first]), *rest]
    if found:
        kind = "repeat" if found[0].again else "first"
        take_lease(db, found[0].image.id, asking.annotator, asking.tab, kind, campaign.lease_minutes)
        if found[0].again:
            note_offer(db, found[0].image.id, asking.annotator)
    return found


def tasks_of(db: Database, picks: Sequence[Pick], annotator: str) -> list[Task]:
    """The images with what the person began to say of them, and says so far."""
    drafts = drafts_of(db, [pick.image.id for pick in picks], annotator)
    return [_task_of(db, pick, annotator, drafts.get(pick.image.id)) for pick in picks]


def _task_of(db: Database, pick: Pick, annotator: str, draft: Draft | None) -> Task:
    """With the person's draft and current rating; a repeat as if it came for the first time."""
    image = pick.image
    # Only what a person is in the midst of may be rated already: everything else comes because they haven't.
    current = current_rating(db, image.id, annotator) if pick.why == BEGUN and not pick.again else None
    if current is not None and draft is not None and draft.revises not in (None, current.key):
        current = answered_repeat(db, image.id, annotator, draft.revises) or current
    if draft is not None and draft.revises != (None if current is None else current.key):
        draft = None  # from before a rating that was saved elsewhere
    return Task(image, draft, current, pick.why)


def _held(db: Database, asking: Asking, picks: Sequence[Pick]) -> Pick | None:
    """What the tab has before it: a save of another image, say of a revision, doesn't take that away.

    Nor does a reload take a repeat away.
    """
    image_id, kind = held_lease(db, asking.annotator, asking.tab) or (0, "")
    again = kind == "repeat"
    image = None if image_id == asking.after else asking.places.image(db, image_id)
    if image is None or not image.active:
        return None
    if again == (current_rating(db, image.id, asking.annotator) is None):
        return None  # rated, or withdrawn, meanwhile
    if not again and (asking.after is None or current_rating(db, asking.after, asking.annotator) is None):
        return None
    same = picks[:1] if again else [pick for pick in picks if pick.image.id == image.id]
    return Pick(image, same[0].why if same else HELD, again)


def _due(db: Database, asking: Asking, picks: Sequence[Pick], studio: str, share: float) -> Pick | None:
    """A blind repeat, as if it came for the first time."""
    repeat = due_repeat(db, studio, asking.annotator, share) if picks else None
    image = None if repeat is None else asking.places.image(db, repeat)
    return None if image is None else Pick(image, picks[0].why, again=True)
