"""What tests of the queue share: a project under settings, and people who rate as the pad does."""

from collections.abc import Callable

from annotate.judgement import check_rating
from annotate.leases import moment
from annotate.store import Store
from reward.aspects import HEADS

OpenCampaign = Callable[..., Store]


def rate(store: Store, image_id: int, name: str, value: float = 5.0, **more: object) -> bool:
    """Rate as the pad does: a first rating, which anything current refuses. Returns whether it was marked late."""
    key = f"key-number-{image_id}-{name.replace(' ', '-')}-{int(value)}"
    rating = check_rating(image_id, name, dict.fromkeys(HEADS, value), [], 1.0, key)
    return store.save_rating(rating, only_if_newest=True)[0].late


def age_leases(store: Store) -> None:
    """As if every lease had ended a minute ago."""
    with store._writing() as db:
        db.execute("UPDATE leases SET expires = ?", [moment(-60)])


def next_id(store: Store, name: str, after: int | None = None, tab: str = "") -> int | None:
    tasks = store.next_tasks(name, after, tab=tab)
    return tasks[0].image.id if tasks else None
