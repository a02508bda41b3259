"""Every rating, in SQLite: one writing connection behind one lock, a rating acknowledged only when committed.

Rows come from the JSON routes and from edited files; they go to the queue and to the exported files.
Ratings are append-only (triggers see to it); the current one of a person and image is the newest.
"""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TextIO, TypeVar

from sqlite_utils import Database

from annotate.adjudications import (
    Adjudication,
    StoredAdjudication,
    insert_adjudication,
    known_adjudication,
    list_adjudications,
    require_newest,
)
from annotate.catalogue import ImageRow, known_files, list_images, survey_folder, update_catalogue
from annotate.database import connect, now, translated
from annotate.drafts import put_draft
from annotate.errors import NotFoundError
from annotate.export_log import Export, known_exports, note_begun, note_finished
from annotate.files import lock_file
from annotate.full_images import FullImages
from annotate.gold import GoldBand, band_arrays, gold_or_problem
from annotate.history import OwnRating, own_ratings, said_last
from annotate.judgement import Draft, Rating, StoredRating, check_annotator, check_reason
from annotate.leases import end_lease, leave, renew_lease
from annotate.migrations import studio_migrations
from annotate.orders import Orders
from annotate.preference_store import PreferenceStore
from annotate.project import Project
from annotate.queue import Asking, Progress, count_rated, next_images
from annotate.rated import Rated, read_rated
from annotate.repeats import is_of_repeat
from annotate.requests import Request, insert_request, is_open, newest_request
from annotate.rows import current_rating, insert_rating, row_to_rating, select_ratings
from annotate.saving import Saved, keep_rating
from annotate.settings import Campaign, read_campaign
from annotate.tasks import Task, lent, tasks_of

_NO_END = 2**63 - 1
_T = TypeVar("_T")


class Store:
    """The ratings of one project. Thread-safe; use `Store.open`."""

    def __init__(self, project: Project, db: Database, reader: Database, lock: TextIO) -> None:
        self.project = project
        self._unusable: tuple[str, ...] = ()
        self.catalogue_version = 0
        self.gold: tuple[GoldBand, ...] = ()
        self.campaign = read_campaign(project.settings)
        self.importing = threading.Lock()  # held while an import is looked at and taken in
        self.identity = ""  # tells this project from another one at the same address
        self._db = db
        self._reader = reader
        self._folder_lock = lock
        self._writing_lock = threading.RLock()
        self._reading_lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._together = 0  # the thread whose calls make one transaction
        self._untold = False
        self._rated: dict[str, int] = {}
        self._orders = Orders(project, self.campaign)
        self._full = FullImages(self.campaign.ratings_per_image)
        self.preferences = PreferenceStore(self)

    @classmethod
    def open(cls, project: Project) -> "Store":
        """Open (or make) the project's database, bring its tables up to date and take in its images and prompts.

        Raises:
            StorageError: another studio has the folder open, or the database can't be opened or written.
        """
        lock = lock_file(project.root / ".studio.lock")
        try:
            with translated(project.database):
                db = connect(project.database)
                studio_migrations().apply(db)
                reader = connect(project.database)
                reader.execute("PRAGMA query_only = ON")
            store = cls(project, db, reader, lock)
            store.identity = str(db.execute("SELECT id FROM studio").fetchone()[0])
            store.rescan()
        except BaseException:
            lock.close()
            raise
        return store

    def close(self) -> None:
        """Close the connections and let another studio open the folder."""
        with self._writing_lock, self._reading_lock:
            self._reader.close()
            self._db.close()
            self._folder_lock.close()

    @property
    def problems(self) -> tuple[str, ...]:
        """What of the project's files can't be used, one sentence each."""
        return (*self._orders.problems, *self._unusable)

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener` (quick, thread-safe) after every commit that changes what the exported files hold."""
        self._listeners.append(listener)

    def rescan(self) -> tuple[str, ...]:
        """Take in the images and prompts as they lie on disk; returns what can't be used, one sentence each."""
        with self.reading() as reader:
            known = known_files(reader)
        survey = survey_folder(self.project, known)
        with self._writing() as db:
            update_catalogue(db, survey, now())
            self.gold, faults = gold_or_problem(self.project, list_images(db))
            self._unusable = (*survey.problems, *faults)
            self.catalogue_version += 1
            self._rated.clear()
            self._full.forget()
            self._orders.forget()
        self.announce()
        return self._unusable

    def use_campaign(self, campaign: Campaign) -> None:
        """Go by other settings from now on; images that are before somebody stay theirs."""
        with self._writing_lock:
            self.campaign = campaign
            self._orders = Orders(self.project, campaign)
            self._full = FullImages(campaign.ratings_per_image)

    def save_rating(self, rating: Rating, *, only_if_newest: bool = False) -> tuple[StoredRating, bool]:
        """Store a checked rating; returns it as stored, and whether its key had been stored before.

        Args:
            only_if_newest: store it only where `rating.revises` names the person's current rating of the image (None
                where they have none); else it takes the place of whatever is current.

        Raises:
            ConflictError: the key was used for other content.
            RevisedError: the person's current rating isn't the one that was to be revised.
            NotFoundError: there is no such image.
            StorageError: the disk or database refuses; nothing is stored.
        """
        saved, _ = self._save_and(rating, only_if_newest, lambda _db: None)
        return saved.rating, saved.repeated

    def save_and_go_on(
        self, rating: Rating, tab: str, limit: int = 3, *, only_if_newest: bool = False
    ) -> tuple[StoredRating, bool, list[Task]]:
        """As `save_rating` and `next_tasks`, in one transaction: half the work for whoever rates one after another."""
        saved, tasks = self._save_and(
            rating, only_if_newest, lambda db: self._next(db, rating.annotator, rating.image_id, limit, tab, lend=True)
        )
        return saved.rating, saved.repeated, tasks

    def _save_and(self, rating: Rating, only_if_newest: bool, then: Callable[[Database], _T]) -> tuple[Saved, _T]:
        with self._writing_lock:  # held beyond the commit, so that nobody counts between it and the new count
            with self._writing() as db:
                is_lent = self._is_lent(rating.image_id)
                saved = keep_rating(db, self._full.places(db), rating, only_if_newest, is_lent=is_lent)
                result = then(db)
            if saved.first:
                self._full.note_rated(self._db, rating.image_id)
                self._orders.note_rated(rating.image_id)
                if rating.annotator in self._rated:
                    self._rated[rating.annotator] += 1
        if not saved.repeated:
            self.announce()
        return saved, result

    def save_draft(self, draft: Draft) -> bool:
        """Keep what a person has touched; False where they have meanwhile saved a rating that the draft doesn't know.

        Raises:
            NotFoundError: there is no such image.
            StorageError: the disk or database refuses; nothing is stored.
        """
        with self._writing(synced=False) as db:
            self._full.places(db).require(db, draft.image_id)
            current = current_rating(db, draft.image_id, draft.annotator)
            known = draft.revises == (None if current is None else current.key)
            if not known and (current is None or not is_of_repeat(db, draft)):
                return False
            put_draft(db, draft, now())
            renew_lease(db, draft.image_id, draft.annotator, self.campaign.lease_minutes)
            return True

    def save_skip(self, image_id: int, annotator: str, reason: str = "") -> None:
        """Note that a person left an image for later, and why: it comes again after all others."""
        name, why = check_annotator(annotator), check_reason(reason)
        with self._writing() as db:
            self._full.places(db).require(db, image_id)
            db.execute(
                "INSERT INTO skips (image_id, annotator, created, reason) VALUES (?, ?, ?, ?)",
                [image_id, name, now(), why],
            )
            end_lease(db, image_id, name)

    def save_request(self, request: Request) -> bool:
        """Ask for one more rating of an image; False where the same was asked already and is still open.

        Raises:
            NotFoundError: there is no such image.
            StorageError: the disk or database refuses; nothing is stored.
        """
        with self._writing() as db:
            self._full.places(db).require(db, request.image_id)
            if newest_request(db, request.image_id) == request and is_open(db, request.image_id):
                return False
            insert_request(db, request, now())
            return True

    def leave(self, annotator: str, tab: str) -> None:
        """A person left the page: what it had before it is free for others soon."""
        with self._writing(synced=False) as db:
            leave(db, annotator, tab)

    def next_tasks(
        self, annotator: str, after: int | None = None, limit: int = 3, tab: str = "", *, lend: bool = True
    ) -> list[Task]:
        """The next images for a person, those after image `after` first, skipped ones last; the first is theirs now.

        Without `after`, what they were in the midst of comes first; with an `after` that they rated, what the tab has
        before it all the same.
        `tab` tells one page of a person from another: they get different images.

        Args:
            lend: False only looks ahead; the tab keeps what it has.
        """
        with self._writing(synced=False) as db:
            return self._next(db, annotator, after, limit, tab, lend=lend)

    def _next(self, db: Database, annotator: str, after: int | None, limit: int, tab: str, *, lend: bool) -> list[Task]:
        """Within a transaction."""
        gold = tuple(sorted({band.image_id for band in self.gold}))
        wanted = self.campaign.ratings_per_image
        asking = Asking(annotator, tab, after, wanted, gold, self._full.places(db))
        picks = next_images(db, asking, limit, self._orders.of(db, self.identity, annotator, limit))
        if lend:
            picks = lent(db, asking, picks, self.identity, self.campaign)[:limit]
        return tasks_of(db, picks, annotator)

    def _is_lent(self, image_id: int) -> bool:
        """Whether only so many people rate an image, so that each needs a lease."""
        return self.campaign.ratings_per_image > 0 and all(band.image_id != image_id for band in self.gold)

    def own_ratings(
        self, annotator: str, before: int | None = None, limit: int = 50, beside: int | None = None
    ) -> list[OwnRating]:
        """A person's current ratings, newest first, those numbered below `before`; only `beside` an image if given."""
        with self._writing_lock, translated(self.project.database):
            return own_ratings(self._db, annotator, _NO_END if before is None else before, limit, beside)

    def said_last(self, annotator: str, before: str | None = None) -> OwnRating | None:
        """What a person said last, or last before the rating with the key `before`; answers to repeats too."""
        with self._writing_lock, translated(self.project.database):
            return said_last(self._db, annotator, before)

    def rating(self, number: int) -> StoredRating | None:
        """The rating with this number."""
        with self._writing_lock, translated(self.project.database):
            row = self._db.execute(select_ratings("WHERE r.id = ?"), [number]).fetchone()
            return None if row is None else row_to_rating(row)

    def progress(self, annotator: str) -> Progress:
        """How many of the project's images a person has rated."""
        with self._writing_lock, translated(self.project.database):
            if annotator not in self._rated:
                self._rated[annotator] = count_rated(self._db, annotator)
            return Progress(self._rated[annotator], len(self._full.places(self._db).images))

    def count_images(self) -> int:
        """How many images the project has."""
        with self._writing_lock, translated(self.project.database):
            return len(self._full.places(self._db).images)

    def image(self, image_id: int) -> ImageRow:
        """One image of the project.

        Raises:
            NotFoundError: there is none with this number.
        """
        row = self._full.known(image_id)  # without waiting for what is being saved
        if row is None:
            with self._writing_lock, translated(self.project.database):
                row = self._full.places(self._db).image(self._db, image_id)
        if row is None or not row.active:
            raise NotFoundError(f"There is no image {image_id}.")
        return row

    def images(self) -> list[ImageRow]:
        """All images ever seen, in order; those that are gone have `active` False."""
        with self.reading() as reader:
            return list_images(reader)

    def ratings_since(self, last_id: int) -> list[StoredRating]:
        """The ratings after number `last_id`, oldest first. Reads beside the writer, so that no save waits."""
        with self.reading() as reader:
            query = select_ratings("WHERE r.id > ? ORDER BY r.id")
            return [row_to_rating(row) for row in reader.execute(query, [last_id])]

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """The database, to be asked and not to be written, beside the writer: no save waits for it."""
        with self._reading_lock, translated(self.project.database):
            yield self._reader

    def ratings_state(self) -> tuple[int, int, int]:
        """Changes whenever `rated` does: newest rating, newest repeat, catalogue."""
        with self._reading_lock, translated(self.project.database):
            query = "SELECT (SELECT max(id) FROM ratings), (SELECT max(id) FROM repeats)"
            rating, repeat = self._reader.execute(query).fetchone()
        return rating or 0, repeat or 0, self.catalogue_version

    def rated(self) -> Rated:
        """Everybody's current ratings and blind repeats. Reads beside the writer, so that no save waits."""
        with self._reading_lock, translated(self.project.database):
            rated = read_rated(self._reader)
        low, high = band_arrays(self.gold, rated.image_ids)
        return replace(rated, gold_low=low, gold_high=high)

    def adjudications(self, image_id: int | None = None) -> list[StoredAdjudication]:
        """What reviewers decided, of one image or of all, newest first."""
        with self._reading_lock, translated(self.project.database):
            return list_adjudications(self._reader, image_id)

    def adjudicate(
        self, decision: Adjudication, replaces: int | None, *, only_if_newest: bool = False
    ) -> tuple[StoredAdjudication, bool]:
        """Store a checked decision; returns it as stored, and whether just this stood before.

        Raises:
            ConflictError: `only_if_newest`, and the newest decision of this head isn't the one numbered `replaces`.
            BadRequestError: it revokes, and no decision stands.
            NotFoundError: there is no such image.
            StorageError: the disk or database refuses; nothing is stored.
        """
        with self._writing() as db:
            self._full.places(db).require(db, decision.image_id)
            known = known_adjudication(db, decision)
            if known is not None:
                return known, True
            if only_if_newest:
                require_newest(db, decision, replaces)
            stored = insert_adjudication(db, decision, now())
        self.announce()
        return stored, False

    def known_exports(self, name: str) -> list[Export]:
        """The last finished export of a file (an empty one if there was none), then the one begun after it, if any."""
        with self.reading() as reader:
            return known_exports(reader, name)

    def begin_export(self, name: str, sha256: str, last_rating_id: int) -> Export:
        """Note, before the file is replaced, what the studio itself is about to write."""
        export = Export(sha256, last_rating_id, now())
        with self._writing() as db:
            note_begun(db, name, export)
        return export

    def record_export(self, name: str, export: Export) -> None:
        """Note that the file is this export now."""
        with self._writing() as db:
            note_finished(db, name, export)

    def import_ratings(self, ratings: Sequence[Rating], name: str, sha256: str, last_rating_id: int) -> None:
        """Store what an edited file says, and in the same transaction that this file has been taken in."""
        with self._writing() as db:
            created = now()
            for rating in ratings:
                insert_rating(db, replace(rating, key=f"import-{uuid.uuid4().hex}"), created)
            note_finished(db, name, Export(sha256, last_rating_id, created))
            self._rated.clear()
            self._full.forget()
            self._orders.forget()
        self.announce()

    def bring_in(self, work: Callable[[Database], _T]) -> _T:
        """Do `work` in one transaction that may store ratings and preferences of anybody."""
        with self._writing() as db:
            result = work(db)
            self._rated.clear()
            self._full.forget()
        self.announce()
        return result

    def announce(self) -> None:
        """Tell the listeners that what the exported files hold has changed."""
        if self._together == threading.get_ident():
            self._untold = True
            return
        for listener in self._listeners:
            listener()

    def writing(self) -> AbstractContextManager[Database]:
        """One transaction on the writing connection, for the tables that aren't looked after here."""
        return self._writing()

    @contextmanager
    def together(self, *, synced: bool) -> Iterator[None]:
        """One transaction around several calls of this thread, on disk when it ends if `synced`; what one of them did
        is undone where that one raises.

        One that isn't synced outlives the studio's death too, but a power cut may undo it: good enough for what is only
        lent or touched. The next synced one takes it along.

        Raises:
            StorageError: when it ends: the disk or database refuses; nothing of any call is stored.
        """
        with self._writing_lock:
            self._together, self._untold = threading.get_ident(), False
            try:
                with self._writing(synced=synced):
                    yield
            except BaseException:  # what was counted wasn't stored
                self._rated.clear()
                self._full.forget()
                self._orders.forget()
                raise
            finally:
                self._together = 0
            untold = self._untold
        if untold:
            self.announce()

    @contextmanager
    def _writing(self, *, synced: bool = True) -> Iterator[Database]:
        """A transaction, or within `together` a part of that one."""
        with self._writing_lock, translated(self.project.database):
            relaxed = not synced and not self._db.conn.in_transaction
            if relaxed:
                self._db.execute("PRAGMA synchronous = NORMAL")
            try:
                with self._db.atomic():
                    yield self._db
            finally:
                if relaxed:
                    self._db.execute("PRAGMA synchronous = FULL")
