"""The preferences of a project, on the database of a `Store`: saves them, hands out pairs, counts them."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlite_utils import Database

from annotate.catalogue import ImageRow, list_images, one_image
from annotate.errors import BadRequestError, ConflictError, NotFoundError, PairRevisedError
from annotate.leases import moment
from annotate.preference_queue import PairAsking, PairProgress, Plan, count_pairs, next_pairs
from annotate.preferences import (
    Preference,
    StoredPreference,
    Votes,
    insert_preference,
    own_preferences,
    preference_by_key,
    preferences_since,
    same_preference,
)
from reward.aspects import HEADS

if TYPE_CHECKING:
    from annotate.store import Store

_NO_END = 2**63 - 1
_MEANS = (
    f"SELECT r.image_id, {', '.join(f'avg(r.{head})' for head in HEADS)} FROM ratings r "
    "WHERE r.image_id IN (SELECT value FROM json_each(?)) AND NOT r.withdrawn "
    "AND r.source <> 'correction' AND r.id = (SELECT max(n.id) FROM ratings n WHERE n.image_id = r.image_id "
    "AND n.annotator = r.annotator) GROUP BY r.image_id"
)


@dataclass(frozen=True)
class PairTask:
    """Two images of a prompt as a person gets them: from left to right, why, and what they say of them so far."""

    left: ImageRow
    right: ImageRow
    why: str = ""
    current: StoredPreference | None = None


class PreferenceStore:
    """The preferences of one store. Thread-safe: each method is one transaction of the store."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._votes = Votes()
        self._plan = Plan({})
        self._images: dict[int, ImageRow] = {}
        self._version = -1

    def save(self, preference: Preference, *, only_if_newest: bool = False) -> tuple[StoredPreference, bool]:
        """Store a checked preference; returns it as stored, and whether its key had been stored before.

        Args:
            only_if_newest: store it only where `preference.revises` names what the person says of the pair now (None
                where that is nothing); else it takes the place of whatever is current.

        Raises:
            ConflictError: the key was used for other content.
            PairRevisedError: the person said something else of the pair meanwhile.
            NotFoundError: an image isn't there.
            BadRequestError: the images belong to different prompts.
            StorageError: the disk or database refuses; nothing is stored.
        """
        with self._store.writing() as db:
            self._refresh(db)
            earlier = preference_by_key(db, preference.key)
            if earlier is not None:
                if not same_preference(earlier, preference):
                    raise ConflictError("This key was used for another preference; make a new key for each.")
                return earlier, True
            _require_pair(db, preference)
            current = self._votes.said_by(preference.annotator).get(preference.pair)
            newest = None if current is None else current.key
            if only_if_newest and preference.revises != newest:
                raise PairRevisedError(
                    "You judged this pair meanwhile, in another tab or browser. Choose again to put this in its place.",
                    current,
                )
            stored = insert_preference(db, replace(preference, revises=newest), moment())
        self._store.announce()
        return stored, False

    def next_tasks(self, annotator: str, limit: int = 3) -> list[PairTask]:
        """The next pairs for a person."""
        with self._store.writing() as db:
            self._refresh(db)
            picks = next_pairs(
                self._plan, self._votes, self._asking(annotator), lambda images: _means(db, images), limit
            )
            return [PairTask(self._images[pick.left], self._images[pick.right], pick.why) for pick in picks]

    def progress(self, annotator: str) -> PairProgress:
        """How many pairs a person has judged, of how many."""
        with self._store.writing() as db:
            self._refresh(db)
            return count_pairs(self._plan, self._votes, self._asking(annotator))

    def own(self, annotator: str, before: int | None = None, limit: int = 50) -> list[PairTask]:
        """What a person says of pairs now, skips too, newest first, those numbered below `before`."""
        with self._store.writing() as db:
            rows = own_preferences(db, annotator, _NO_END if before is None else before, limit)
            return [task for row in rows if (task := _task_of(db, row)) is not None]

    def since(self, last_id: int) -> list[StoredPreference]:
        """The rows after number `last_id`, oldest first. Reads beside the writer, so that no save waits."""
        with self._store.reading() as db:
            return preferences_since(db, last_id)

    def _asking(self, annotator: str) -> PairAsking:
        campaign = self._store.campaign
        return PairAsking(self._store.identity, annotator, campaign.votes_per_pair, campaign.order == "random")

    def _refresh(self, db: Database) -> None:
        """Bring votes and plan up to what is committed; called before this transaction writes anything."""
        self._votes.add(preferences_since(db, self._votes.last_id))
        version = self._store.catalogue_version
        if version == self._version:
            return
        self._images = {image.id: image for image in list_images(db) if image.active}
        self._plan = Plan({image.id: image.prompt_id for image in self._images.values()})
        self._version = version


def said_of(row: StoredPreference) -> dict[str, Any]:
    """A stored preference as the person gave it: left, right, choice, and the rest of the row."""
    left, right = row.shown
    kept = {name: value for name, value in asdict(row).items() if name in {"id", "key", "seconds", "created"}}
    return {**kept, "left": left, "right": right, "choice": row.shown_choice}


def _require_pair(db: Database, preference: Preference) -> None:
    prompts = set()
    for number in preference.pair:
        image = one_image(db, number)
        if image is None or not image.active:
            raise NotFoundError(f"There is no image {number}; it may have been removed. Reload the page.")
        prompts.add(image.prompt_id)
    if len(prompts) > 1:
        raise BadRequestError(f"Images {preference.first} and {preference.second} belong to different prompts.")


def _task_of(db: Database, row: StoredPreference) -> PairTask | None:
    left, right = (one_image(db, number) for number in row.shown)
    return None if left is None or right is None else PairTask(left, right, current=row)


def _means(db: Database, images: Iterable[int]) -> dict[int, float]:
    """Mean rating over people and heads, of those images that are rated on all five."""
    rows = db.execute(_MEANS, [json.dumps([*images])]).fetchall()
    return {int(row[0]): sum(row[1:]) / len(HEADS) for row in rows if None not in row}
