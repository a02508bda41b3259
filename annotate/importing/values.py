"""What of an import is new: told from what the project holds already."""

from collections.abc import Iterable
from dataclasses import replace as changed

from annotate.importing.plan import NewRating, Plan
from annotate.judgement import StoredRating
from annotate.snapshot import Snapshot
from annotate.store import Store
from reward.aspects import HEADS


def told_apart(plan: Plan, store: Store, *, replace: bool) -> Plan:
    """The plan with only those ratings that would change something; all others are counted."""
    ids = {image.path: image.id for image in store.images() if image.active}
    snapshot = Snapshot(store.ratings_since(0)) if plan.ratings else Snapshot()
    new = []
    for rating in newest(plan.ratings):
        image_id = ids.get(rating.path)
        current = None if image_id is None else snapshot.people(image_id).get(rating.annotator)
        if current is not None and says_the_same(current, rating):
            plan.same += 1
        elif current is not None and not replace:
            plan.kept += 1
        else:
            new.append(rating)
    return changed(plan, ratings=new)


def newest(ratings: Iterable[NewRating]) -> list[NewRating]:
    """One rating an image and person: the last of them, should several files hold one."""
    return list({(rating.path, rating.annotator): rating for rating in ratings}.values())


def says_the_same(current: StoredRating, rating: NewRating) -> bool:
    """Whether a stored rating says what an imported one says; a CSV can't tell what couldn't be judged."""
    return current.values == rating.values and marks(current, rating) == current.unjudged


def marks(current: StoredRating | None, rating: NewRating) -> tuple[str, ...]:
    """The heads that can't be judged: those of the import, else those of before that it leaves blank."""
    if rating.unjudged or current is None:
        return rating.unjudged
    blank = {head for head, value in zip(HEADS, rating.values, strict=True) if value is None}
    return tuple(head for head in current.unjudged if head in blank)
