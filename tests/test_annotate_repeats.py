"""Blind repeats: a few of one's own images come again, and nothing tells that they do."""

import pytest
from queue_parts import OpenCampaign, age_leases, next_id, rate

from annotate.errors import ConflictError, RevisedError
from annotate.exports import Exporter
from annotate.judgement import StoredRating, check_draft, check_rating
from annotate.leases import moment
from annotate.queue import BEGUN
from annotate.repeats import FIRST_AFTER
from annotate.store import Store
from reward.aspects import HEADS


def test_some_of_ones_own_come_again_unannounced_and_count_nowhere(campaign: OpenCampaign) -> None:
    store = campaign("repeats = 0.2", prompts=8, images=25)
    seen: list[int] = []
    while tasks := store.next_tasks("Ada", seen[-1] if seen else None):
        task = tasks[0]
        if task.image.id in seen:
            assert len(seen) - seen.index(task.image.id) >= FIRST_AFTER
            assert (task.draft, task.current) == (None, None)
            assert store.next_tasks("Ada", seen[-1])[0].image.id == task.image.id  # a reload doesn't help
        rate(store, task.image.id, "Ada", 9.0 if task.image.id in seen else 4.0)
        seen.append(task.image.id)
    again = len(seen) - 200
    assert 20 <= again <= 60
    assert len(store.ratings_since(0)) == 200
    assert {row.values for row in store.ratings_since(0)} == {(4.0,) * 5}
    rows = store._db.execute("SELECT style, of_key FROM repeats").fetchall()
    assert len(rows) == again
    assert {row[0] for row in rows} == {9.0}
    assert {row[1] for row in rows} <= {row.key for row in store.ratings_since(0)}
    assert Exporter(store).flush()
    assert ",9," not in store.project.per_annotator_csv.read_text(encoding="utf-8")
    assert store.progress("Ada").rated == 200
    with pytest.raises(Exception, match="append-only"), store._writing() as db:
        db.execute("DELETE FROM repeats")


def test_a_repeat_is_stored_once_and_a_revision_is_none(campaign: OpenCampaign) -> None:
    store = campaign("repeats = 0.5", prompts=3, images=15)
    last = None
    while True:
        task = store.next_tasks("Ada", last)[0]
        if last is not None and task.image.id < last:
            break
        rate(store, task.image.id, "Ada", 4.0)
        last = task.image.id
    current = store.own_ratings("Ada", limit=200)
    key = next(own.rating.key for own in current if own.rating.image_id == task.image.id)
    again = check_rating(task.image.id, "Ada", dict.fromkeys(HEADS, 6.0), [], 1.0, "key-of-repeat")
    first, repeated = store.save_rating(again, only_if_newest=True)
    assert not repeated
    assert store.save_rating(again, only_if_newest=True) == (first, True)
    revision = check_rating(task.image.id, "Ada", dict.fromkeys(HEADS, 7.0), [], 1.0, "key-of-revision", key)
    assert store.save_rating(revision, only_if_newest=True)[0].revises == key
    assert store._db.execute("SELECT count(*) FROM repeats").fetchone() == (1,)


@pytest.fixture
def repeated(campaign: OpenCampaign) -> tuple[Store, int, int]:
    """A store where a repeat is before Ada's tab b/1; that image, and the one that she rated last."""
    store = campaign("repeats = 0.5", prompts=5, images=15)
    last = None
    for _ in range(60):
        task = store.next_tasks("Ada", last, tab="b/1")[0]
        if last is not None and task.image.id < last:
            return store, task.image.id, last
        rate(store, task.image.id, "Ada", 4.0)
        last = task.image.id
    raise AssertionError("no repeat")


def answer(store: Store, image_id: int, key: str, value: float = 6.0, revises: str | None = None) -> StoredRating:
    """Save as the pad does."""
    rating = check_rating(image_id, "Ada", dict.fromkeys(HEADS, value), [], 1.0, key, revises)
    return store.save_rating(rating, only_if_newest=True)[0]


def repeat_values(store: Store) -> list[float]:
    return [row[0] for row in store._db.execute("SELECT style FROM repeats ORDER BY id")]


def test_a_draft_of_a_repeat_comes_back_as_any_other(repeated: tuple[Store, int, int]) -> None:
    store, image_id, _ = repeated
    with store._writing() as db:
        db.execute("UPDATE leases SET expires = ?", [moment(1)])
    draft = check_draft(image_id, "Ada", {"style": 3}, [], 1.0, None)
    assert store.save_draft(draft)
    (expires,) = store._db.execute("SELECT expires FROM leases").fetchone()
    assert expires > moment(4 * 60)
    for tab in ("b/1", "phone/1"):  # a reload, another browser
        task = store.next_tasks("Ada", tab=tab)[0]
        assert (task.image.id, task.draft, task.current, task.why) == (image_id, draft, None, BEGUN)
    age_leases(store)
    assert store.next_tasks("Ada", tab="b/1")[0].draft == draft
    answer(store, image_id, "key-of-repeat")
    assert repeat_values(store) == [6.0]
    assert not store.save_draft(draft)
    assert store.next_tasks("Ada", tab="b/1")[0].draft is None


def test_two_tabs_get_different_images_where_a_repeat_is_due(repeated: tuple[Store, int, int]) -> None:
    store, image_id, last = repeated
    other = store.next_tasks("Ada", last, tab="b/2")[0]
    assert other.image.id > last  # one repeat at a time
    rate(store, other.image.id, "Ada", 4.0)
    assert next_id(store, "Ada", tab="b/1") == image_id  # it stays though the next draw is another
    store.next_tasks("Ada", other.image.id, tab="b/2")
    revision = answer(store, last, "key-of-revision", 7.0, f"key-number-{last}-Ada-4")
    assert next_id(store, "Ada", revision.image_id, tab="b/1") == image_id


def test_no_save_of_a_repeat_tells_that_it_is_one(repeated: tuple[Store, int, int]) -> None:
    store, image_id, last = repeated
    newest = store.ratings_since(0)[-1].id
    age_leases(store)
    next_id(store, "Ada", last, tab="b/2")  # the same again, or another: b/1 is still open
    first = answer(store, image_id, "key-of-first")
    second = answer(store, image_id, "key-of-second", 7.0)  # 409 in both tabs, were it a first rating
    assert (first.id, second.id) == (newest + 1, newest + 1)
    assert answer(store, image_id, "key-of-first") == first
    with pytest.raises(ConflictError, match="key was used for another"):
        answer(store, image_id, "key-of-first", 1.0)
    assert repeat_values(store) == [6.0, 7.0]
    assert store.rated().repeat_change.tolist() == [[3.0] * 5]  # the newest counts
    with pytest.raises(RevisedError):
        answer(store, last, "key-of-conflict")  # really rated in another tab


def test_going_back_after_a_repeat_opens_it_and_mends_its_answer(repeated: tuple[Store, int, int]) -> None:
    store, image_id, last = repeated
    answer(store, image_id, "key-of-repeat")
    own = store.said_last("Ada")
    assert own is not None
    assert (own.image.id, own.rating.values[0], own.rating.key) == (image_id, 6.0, "key-of-repeat")
    before = store.said_last("Ada", own.rating.key)
    assert before is not None
    assert before.image.id == last
    assert store.save_draft(check_draft(image_id, "Ada", {"style": 8}, [], 1.0, "key-of-repeat"))
    task = store.next_tasks("Ada")[0]
    assert (task.image.id, task.current) == (image_id, own.rating)
    answer(store, image_id, "key-of-mended", 8.0, "key-of-repeat")
    assert repeat_values(store) == [6.0, 8.0]
    assert {row.values[0] for row in store.ratings_since(0)} == {4.0}
    assert store.own_ratings("Ada")[0].rating.image_id == last  # in no list
