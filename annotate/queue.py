"""Which images a person may see next, in which order and why, and how far they are. Reads the database."""

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from sqlite_utils import Database

from annotate.catalogue import ImageRow, row_to_image, select_images
from annotate.drafts import drafted_images, one_draft
from annotate.full_images import Places
from annotate.leases import moment
from annotate.ranking import Ranking
from annotate.repeats import is_of_repeat
from annotate.requests import FREE, OPEN, newest_request
from annotate.rows import current_rating

_RATED = (
    "COALESCE((SELECT 1 - r.withdrawn FROM ratings r WHERE r.annotator = :annotator AND r.image_id = i.id "
    "ORDER BY r.id DESC LIMIT 1), 0)"
)
_SKIPPED = "(SELECT max(s.id) FROM skips s WHERE s.annotator = :annotator AND s.image_id = i.id)"


# Fewer people than are wanted have rated it or have it before them. Gold images want everybody.
_WANTED = """
(:wanted = 0 OR i.id IN (SELECT value FROM json_each(:gold)) OR :wanted > (SELECT count(*) FROM (
    SELECT annotator FROM (SELECT r.annotator, r.withdrawn, max(r.id) FROM ratings r
        WHERE r.image_id = i.id AND r.source <> 'correction' GROUP BY r.annotator) WHERE NOT withdrawn
    UNION SELECT l.annotator FROM leases l WHERE l.image_id = i.id AND l.kind = 'first' AND l.expires > :now
        AND l.annotator <> :annotator)))
"""
# The person has it in another tab (of any browser, or of this one alone: what comes before the stroke).
_ELSEWHERE = (
    "EXISTS (SELECT 1 FROM leases l WHERE l.image_id = i.id AND l.annotator = :annotator AND l.tab <> :tab "
    "AND l.expires > :now{})"
)
_OF_THIS_BROWSER = " AND substr(l.tab, 1, instr(l.tab, '/')) = substr(:tab, 1, instr(:tab, '/'))"
_HERE = f"NOT {_ELSEWHERE.format('')}"
_FREE = f"{_HERE} AND {_WANTED}"
_WITH_OTHERS = (
    "SELECT l.image_id FROM leases l WHERE l.kind = 'first' AND l.annotator <> :annotator AND l.expires > :now"
)
_FIRST_LOOK, _LARGEST_LOOK = 128, 8192  # images a query: most often the first do, but not for who has rated most
BEGUN = "You had begun this one."
HELD = "You were at this one."
BY_LOT = "This one came by lot, so that evaluation stays fair."
NEW = "This one is new: no model has ranked it yet."


@dataclass(frozen=True)
class Progress:
    """Images that a person has rated, and images there are."""

    rated: int
    total: int


@dataclass(frozen=True)
class Asking:
    """A person's tab that wants an image: behind image `after`, or where they left off; `wanted` raters an image, but
    everybody for the `gold` ones. Of the `places` the images known to be full need no look."""

    annotator: str
    tab: str = ""
    after: int | None = None
    wanted: int = 0
    gold: tuple[int, ...] = ()
    places: Places = field(default_factory=Places)

    def values(self) -> dict[str, Any]:
        """What the queries need."""
        gold = json.dumps(self.gold)
        return {"annotator": self.annotator, "tab": self.tab, "wanted": self.wanted, "gold": gold, "now": moment()}


@dataclass(frozen=True)
class Pick:
    """An image for a person, and why it comes, in words; `again` as a blind repeat."""

    image: ImageRow
    why: str
    again: bool = False


@dataclass(frozen=True)
class Order:
    """A person's order of images other than prompt by prompt.

    Attributes:
        shuffled: all images, by number, in this person's own order.
        why: what to say of those that come in it.
        ranking: images that come before, where they are ranked.
        lots: of the next images, which ones come from `shuffled` all the same.
    """

    shuffled: Sequence[int]
    why: str
    ranking: Ranking | None = None
    lots: Sequence[bool] = ()


def next_images(db: Database, asking: Asking, limit: int, order: Order | None = None) -> list[Pick]:
    """Up to `limit` images that this person hasn't rated and that still want raters: in order from behind `after`, then
    from the start, then the skipped ones, longest skipped first.

    Without `after` (a person comes, or comes back), the image that they were in the midst of is the first.

    Args:
        order: this person's; None goes prompt by prompt.
    """
    begun = _begun(db, asking) if asking.after is None else []
    fresh = _by_prompt(db, asking, limit) if order is None else _by_order(db, asking, limit, order)
    fresh += _skipped(db, asking, limit - len(fresh))
    picks: dict[int, Pick] = {}
    for pick in (*begun, *_requested(db, asking, limit), *fresh):
        picks.setdefault(pick.image.id, pick)
    return list(picks.values())[:limit]


def _requested(db: Database, asking: Asking, limit: int) -> list[Pick]:
    """Images that somebody sent back, for people who haven't rated them, however many have; see `annotate.requests`."""
    fresh = f"AND NOT {_RATED} AND {_SKIPPED} IS NULL AND {_HERE} AND {FREE}"
    rest = f"AND i.id IN (SELECT image_id FROM requests) AND {OPEN} {fresh} ORDER BY i.position LIMIT :limit"
    found = _select(db, rest, {**asking.values(), "limit": limit})
    return [Pick(image, request.why) for image in found if (request := newest_request(db, image.id)) is not None]


def _begun(db: Database, asking: Asking) -> list[Pick]:
    """The image of the person's newest draft, as a list of one or none."""
    for image_id in drafted_images(db, asking.annotator):
        current = current_rating(db, image_id, asking.annotator)
        draft = one_draft(db, image_id, asking.annotator)
        if draft is None:
            continue
        repeat = current is not None and draft.revises != current.key
        if draft.revises != (current.key if current else None) and not (repeat and is_of_repeat(db, draft)):
            continue
        free = f"AND NOT {_ELSEWHERE.format(_OF_THIS_BROWSER)}" + ("" if current else f" AND {_WANTED}")
        found = _select(db, f"AND i.id = :id {free}", {**asking.values(), "id": image_id})
        if found:
            return [Pick(found[0], BEGUN, repeat and draft.revises is None)]
    return []


def _by_prompt(db: Database, asking: Asking, limit: int) -> list[Pick]:
    before = None if asking.after is None else asking.places.image(db, asking.after)
    images = asking.places.images
    start = 0 if before is None else bisect_right(asking.places.positions, before.position)
    turned = chain(islice(images, start, None), islice(images, start))
    found = islice(_fresh(db, asking, turned), limit)
    picks = []
    for image in found:
        same = before is not None and before.prompt_id == image.prompt_id
        words = "Another image of the same prompt." if same else "Images come prompt by prompt; this begins another."
        picks.append(Pick(image, words))
        before = image
    return picks


def _by_order(db: Database, asking: Asking, limit: int, order: Order) -> list[Pick]:
    if order.ranking is not None:
        return _by_ranking(db, asking, order.ranking, order)[:limit]
    start = order.shuffled.index(asking.after) + 1 if asking.after in order.shuffled else 0
    turned = [*order.shuffled[start:], *order.shuffled[:start]]
    return [Pick(image, order.why) for image in islice(_fresh(db, asking, turned), limit)]


def _by_ranking(db: Database, asking: Asking, ranking: Ranking, order: Order) -> list[Pick]:
    """From the top each time, as many as there are lots: what was ranked lower may have come to the top since."""
    ranked = _pick_ranked(db, asking, ranking, order)
    drawn = (Pick(image, BY_LOT) for image in _fresh(db, asking, order.shuffled))
    picks: dict[int, Pick] = {}
    for by_lot in order.lots:
        taken = {asking.after, *picks}
        pick = next((pick for pick in (drawn if by_lot else ranked) if pick.image.id not in taken), None)
        if pick is None:
            break
        picks[pick.image.id] = pick
    return list(picks.values())


def _pick_ranked(db: Database, asking: Asking, ranking: Ranking, order: Order) -> Iterator[Pick]:
    """First those that nobody has rated or has before them since the ranking was made, so that people spread out."""
    taken = ranking.covered | {int(row[0]) for row in db.execute(_WITH_OTHERS, asking.values())}
    free = _fresh(db, asking, [number for number in ranking.order if number not in taken])
    rest = _fresh(db, asking, [number for number in ranking.order if number in taken])
    yield from (Pick(image, ranking.reasons[image.id]) for image in chain(free, rest))
    unranked = [number for number in order.shuffled if number not in ranking.reasons]
    yield from (Pick(image, NEW) for image in _fresh(db, asking, unranked))


def _fresh(db: Database, asking: Asking, order: Iterable[int]) -> Iterator[ImageRow]:
    """Of images by number, in their order, those that want raters and that this person hasn't rated or skipped."""
    # In the order of the numbers, a row looked at only when it is asked for: hence the join from them, and no LIMIT.
    query = (
        "SELECT i.id FROM json_each(:ids) j CROSS JOIN images i ON i.id = j.value "
        f"WHERE i.active = 1 AND NOT {_RATED} AND {_SKIPPED} IS NULL AND {_FREE}"
    )
    gold, full = set(asking.gold), asking.places.full
    maybe = (image for image in order if image not in full or image in gold)
    size = _FIRST_LOOK
    while chunk := list(islice(maybe, size)):
        for row in db.execute(query, {**asking.values(), "ids": json.dumps(chunk)}):
            image = asking.places.image(db, int(row[0]))
            if image is not None:
                yield image
        size = min(4 * size, _LARGEST_LOOK)


def _skipped(db: Database, asking: Asking, limit: int) -> list[Pick]:
    if limit <= 0:
        return []
    own = "AND i.id IN (SELECT image_id FROM skips WHERE annotator = :annotator)"
    rest = f"{own} AND NOT {_RATED} AND {_FREE} ORDER BY {_SKIPPED} LIMIT :limit"
    found = _select(db, rest, {**asking.values(), "limit": limit})
    return [Pick(image, "You skipped this one; it comes again at the end.") for image in found]


def _select(db: Database, rest: str, values: dict[str, Any]) -> list[ImageRow]:
    # The plus keeps SQLite from going through all images there are, instead of the few that `rest` is about.
    return [row_to_image(row) for row in db.execute(select_images(f"WHERE +i.active = 1 {rest}"), values)]


def count_rated(db: Database, annotator: str) -> int:
    """Those of them that a person has rated."""
    query = f"SELECT count(*) FROM images i WHERE i.active = 1 AND {_RATED} = 1"
    return int(db.execute(query, {"annotator": annotator}).fetchone()[0])
