"""Which image comes next: as many raters as wanted, leases, orders and words."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from queue_parts import OpenCampaign, age_leases, next_id, rate

from annotate.exports import Exporter
from annotate.judgement import check_draft, check_rating
from annotate.leases import moment
from annotate.settings import Campaign, read_campaign
from annotate.store import Store
from reward.aspects import HEADS
from reward.errors import InputError


@pytest.fixture(params=["prompt", "random", "informative", "ranked"])
def any_order(request: pytest.FixtureRequest, campaign: OpenCampaign) -> OpenCampaign:
    """As `campaign`, in each order; `ranked` is informative with a ranking, which is the images' own order."""

    def start(settings: str, prompts: int = 2, images: int = 3) -> Store:
        order = "informative" if request.param == "ranked" else request.param
        store = campaign(f'{settings}\norder = "{order}"', prompts, images)
        if request.param == "ranked":
            lines = [f"{image.path},0.1,0,For a reason." for image in store.images()]
            store.project.priorities.write_text("\n".join(["image,teaches,people,reason", *lines]) + "\n")
        return store

    return start


# As many as wanted


def test_an_image_goes_to_as_many_people_as_are_wanted(campaign: OpenCampaign) -> None:
    store = campaign("ratings_per_image = 2")
    assert [next_id(store, name) for name in ("Ada", "Bob", "Cy", "Di", "Eve")] == [1, 1, 2, 2, 3]
    rate(store, 1, "Ada")
    assert next_id(store, "Fay") == 3  # one has rated image 1, one is at it
    store.save_skip(1, "Bob")
    assert next_id(store, "Gus") == 1


def test_fifty_people_at_once_assign_nothing_twice_too_often(any_order: OpenCampaign) -> None:
    wanted, images = 3, 40
    store = any_order(f"ratings_per_image = {wanted}\nrepeats = 0", prompts=4, images=10)
    over: list[int] = []
    stop = threading.Event()

    def watch() -> None:
        query = (
            "SELECT image_id, count(*) FROM (SELECT image_id, annotator FROM ratings UNION "
            "SELECT image_id, annotator FROM leases WHERE expires > ?) GROUP BY image_id HAVING count(*) > ?"
        )
        while not stop.is_set():
            with store._reading_lock:
                over.extend(row[0] for row in store._reader.execute(query, [moment(), wanted]))

    def work(person: int) -> int:
        done, after, skipped = 0, None, set[int]()
        while (image_id := next_id(store, f"Person {person}", after)) is not None:
            if (person + done) % 11 == 10 and image_id not in skipped:
                skipped.add(image_id)
                store.save_skip(image_id, f"Person {person}")
            else:
                assert not rate(store, image_id, f"Person {person}")
                done += 1
            after = image_id
        return done

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(50) as pool:
        total = sum(pool.map(work, range(50)))
    stop.set()
    watcher.join()
    assert over == []
    counts = Counter(row.image_id for row in store.ratings_since(0))
    assert counts.total() == total
    assert max(counts.values()) <= wanted
    for person in range(50, 54):  # whoever comes later finishes what was left
        work(person)
    counts = Counter(row.image_id for row in store.ratings_since(0))
    assert counts == dict.fromkeys(range(1, images + 1), wanted)


def test_leases_tabs_and_skips_hold_in_every_order(any_order: OpenCampaign) -> None:
    store = any_order("ratings_per_image = 1\nrepeats = 0")
    first, second = next_id(store, "Ada", tab="b/1"), next_id(store, "Bob", tab="c/1")
    assert next_id(store, "Ada", tab="b/1") == first  # a reload
    other = next_id(store, "Ada", tab="b/2")
    assert len({first, second, other}) == 3
    assert first is not None
    assert other is not None
    store.save_draft(check_draft(first, "Ada", {"style": 3}, [], 1.0, None))
    assert store.next_tasks("Ada", tab="phone/1")[0].why == "You had begun this one."
    store.save_skip(first, "Ada")
    rate(store, other, "Ada")
    seen = [first, second, other]
    while (image_id := next_id(store, "Cy", seen[-1])) is not None:
        assert image_id not in seen[1:]
        rate(store, image_id, "Cy")
        seen.append(image_id)
    assert sorted(seen[3:]) == sorted({*range(1, 7)} - {second, other})
    age_leases(store)
    assert next_id(store, "Di") == second  # all others have their rating


def test_a_skipped_image_comes_again_at_the_end_of_every_order(any_order: OpenCampaign) -> None:
    store = any_order("repeats = 0")
    first = next_id(store, "Ada")
    assert first is not None
    store.save_skip(first, "Ada")
    seen = [first]
    while (image_id := next_id(store, "Ada", seen[-1])) is not None:
        rate(store, image_id, "Ada")
        seen.append(image_id)
    assert seen[-1] == first
    assert sorted(seen[1:]) == [1, 2, 3, 4, 5, 6]


def test_a_lease_ends_by_itself_and_a_save_after_it_is_marked(campaign: OpenCampaign) -> None:
    store = campaign("ratings_per_image = 1\nlease_minutes = 5")
    assert next_id(store, "Ada") == 1
    assert next_id(store, "Bob") == 2
    age_leases(store)
    assert next_id(store, "Cy") == 1
    assert not rate(store, 1, "Cy")
    assert rate(store, 1, "Ada")  # stored all the same, beyond what is wanted
    assert rate(store, 3, "Dora")  # she never asked for it
    assert [(row.annotator, row.late) for row in store.ratings_since(0)] == [
        ("Cy", False),
        ("Ada", True),
        ("Dora", True),
    ]


def test_a_first_rating_without_a_lease_is_late_where_images_are_lent(campaign: OpenCampaign) -> None:
    store = campaign("ratings_per_image = 1")
    assert [task.image.id for task in store.next_tasks("Ada", tab="b/1")] == [1, 2, 3]
    store.next_tasks("Ada", 1, tab="b/1")  # the tab moved on
    assert rate(store, 1, "Ada")
    assert not rate(store, 2, "Ada")
    revision = check_rating(1, "Ada", dict.fromkeys(HEADS, 2.0), [], 1.0, "key-of-revision", "key-number-1-Ada-5")
    assert not store.save_rating(revision, only_if_newest=True)[0].late


def test_who_rates_what_everybody_may_rate_is_late_only_after_a_lease_that_ended(campaign: OpenCampaign) -> None:
    store = campaign("ratings_per_image = 0")
    assert next_id(store, "Ada") == 1
    assert not rate(store, 2, "Ada")
    age_leases(store)
    assert rate(store, 1, "Ada")  # say, it waited in the browser while the studio was away


def test_ratings_that_waited_get_their_leases_in_their_order(campaign: OpenCampaign) -> None:
    store = campaign("ratings_per_image = 1\nrepeats = 0")
    assert [task.image.id for task in store.next_tasks("Ada", tab="b/1")] == [1, 2, 3]
    assert next_id(store, "Bob") == 2  # while Ada, cut off, rates 1, 2, 3
    late = []
    for image_id in (1, 2, 3):
        late.append(rate(store, image_id, "Ada"))
        store.next_tasks("Ada", image_id, tab="b/1")  # in the answer to each
    assert late == [False, True, False]


def test_looking_ahead_and_revising_leave_the_tab_its_image(campaign: OpenCampaign) -> None:
    store = campaign("ratings_per_image = 1\nrepeats = 0")
    next_id(store, "Ada", tab="b/1")
    rate(store, 1, "Ada")
    assert next_id(store, "Ada", 1, tab="b/1") == 2
    assert [task.image.id for task in store.next_tasks("Ada", 2, tab="b/1", lend=False)][:1] == [3]
    revision = check_rating(1, "Ada", dict.fromkeys(HEADS, 2.0), [], 1.0, "key-of-revision", "key-number-1-Ada-5")
    store.save_rating(revision, only_if_newest=True)
    assert next_id(store, "Ada", 1, tab="b/1") == 2
    assert next_id(store, "Bob") == 3
    assert not rate(store, 2, "Ada")


def test_touching_a_head_renews_the_lease(campaign: OpenCampaign) -> None:
    store = campaign("ratings_per_image = 1\nlease_minutes = 5")
    next_id(store, "Ada")
    with store._writing() as db:
        db.execute("UPDATE leases SET expires = ?", [moment(1)])
    store.save_draft(check_draft(1, "Ada", {"style": 3}, [], 1.0, None))
    (expires,) = store._db.execute("SELECT expires FROM leases").fetchone()
    assert expires > moment(4 * 60)


def test_leaving_frees_the_image_soon_but_not_at_once(campaign: OpenCampaign) -> None:
    store = campaign("ratings_per_image = 1")
    next_id(store, "Ada", tab="b/1")
    store.leave("Ada", "b/1")
    assert next_id(store, "Bob") == 2  # she may only be reloading
    (expires,) = store._db.execute("SELECT expires FROM leases WHERE annotator = 'Ada'").fetchone()
    assert moment(20) < expires < moment(40)
    assert next_id(store, "Ada", tab="b/1") == 1


def test_tabs_of_one_person_get_different_images(campaign: OpenCampaign) -> None:
    store = campaign("")
    assert [next_id(store, "Ada", tab=tab) for tab in ("b/1", "b/2", "b/1")] == [1, 2, 1]
    assert next_id(store, "Bob", tab="c/1") == 1
    store.save_draft(check_draft(2, "Ada", {"style": 3}, [], 1.0, None))
    assert next_id(store, "Ada", tab="b/1") == 1  # the draft is in the other tab's hands
    assert next_id(store, "Ada", tab="phone/1") == 2  # but moves with the person to another browser


def test_a_full_image_is_not_given_out_for_a_draft(campaign: OpenCampaign) -> None:
    store = campaign("ratings_per_image = 1")
    assert next_id(store, "Ada") == 1
    store.save_draft(check_draft(1, "Ada", {"style": 3}, [], 1.0, None))
    age_leases(store)
    assert next_id(store, "Bob") == 1
    rate(store, 1, "Bob")
    assert next_id(store, "Ada") == 2


# Orders and words


def test_the_words_say_why_an_image_comes(campaign: OpenCampaign) -> None:
    store = campaign("")
    tasks = store.next_tasks("Ada", limit=4)
    assert [task.why for task in tasks] == [
        "Images come prompt by prompt; this begins another.", "Another image of the same prompt.",
        "Another image of the same prompt.", "Images come prompt by prompt; this begins another."]  # fmt: skip
    store.save_draft(check_draft(5, "Ada", {"style": 3}, [], 1.0, None))
    assert store.next_tasks("Ada")[0].why == "You had begun this one."
    store.save_skip(2, "Ada")
    for image_id in (1, 3, 4, 5, 6):
        rate(store, image_id, "Ada")
    assert [task.why for task in store.next_tasks("Ada")] == ["You skipped this one; it comes again at the end."]


def test_random_order_is_each_persons_own_and_complete(campaign: OpenCampaign) -> None:
    store = campaign('order = "random"\nrepeats = 0', prompts=5, images=8)

    def walk(name: str) -> list[int]:
        seen: list[int] = []
        after = None
        while tasks := store.next_tasks(name, after):
            after = tasks[0].image.id
            seen.append(after)
            if len(tasks) > 1:
                upcoming = tasks[1].image.id
                assert upcoming not in seen
            rate(store, after, name)
        return seen

    ada, bob = walk("Ada"), walk("Bob")
    assert sorted(ada) == sorted(bob) == list(range(1, 41))
    assert ada != bob
    assert sum(abs(a - b) == 1 for a, b in pairwise(ada)) < 12
    assert store.next_tasks("Cy")[0].why == "Images come in random order."


# Settings


def test_settings_are_read_and_defaults_stand_without_a_file(tmp_path: Path) -> None:
    path = tmp_path / "studio.toml"
    assert read_campaign(path) == Campaign(0, "prompt", 0.05, 15.0)
    path.write_text('ratings_per_image = 3\norder = "random"\nrepeats = 0\nlease_minutes = 2.5\n')
    assert read_campaign(path) == Campaign(3, "random", 0, 2.5)
    shown = {}
    for strip in ("auto", "on", "off"):
        for order in ("prompt", "random"):
            path.write_text(f'strip = "{strip}"\norder = "{order}"\n')
            shown[strip, order] = read_campaign(path).shows_strip
    assert [pair for pair, on in shown.items() if on] == [("auto", "prompt"), ("on", "prompt"), ("on", "random")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ratings_per_image = -1", "ratings_per_image is -1; a whole number from 0 to 1000"),
        ("ratings_per_image = 2.5", "a whole number from 0 to 1000"),
        ("ratings_per_image = true", "a whole number"),
        ("strip = true", "strip is True; one of auto, on, off"),
        ('order = "best"', "order is 'best'; one of prompt, random, informative"),
        ("repeats = 0.9", "repeats is 0.9; a number from 0 to 0.5"),
        ("repeats = nan", "a number from 0 to 0.5"),
        ("lease_minutes = 0", "a number from 0.1 to 1440"),
        ("speed = 1", "'speed' is no setting; one of ratings_per_image, order, repeats, lease_minutes"),
        ("order = prompt", "studio.toml: can't be read"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "studio.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_campaign(path)
    assert message in str(caught.value)


# Full images are left out without a look


def first_of(store: Store, name: str) -> int | None:
    tasks = store.next_tasks(name, tab=name)
    return tasks[0].image.id if tasks else None


def test_what_is_full_opens_again_with_other_settings_or_ratings_taken_back(any_order: OpenCampaign) -> None:
    store = any_order("ratings_per_image = 1\nrepeats = 0", prompts=2, images=2)
    images = [image.id for image in store.images()]
    exporter = Exporter(store)
    for image in images:
        rate(store, image, "Ada")
        assert first_of(store, "Bo") != image
    assert first_of(store, "Bo") is None
    store.use_campaign(Campaign(ratings_per_image=2, repeats=0))
    assert first_of(store, "Bo") == images[0]
    store.use_campaign(Campaign(ratings_per_image=1, repeats=0))
    assert first_of(store, "Bo") is None
    exporter.flush()
    lines = store.project.per_annotator_csv.read_text(encoding="utf-8").splitlines()
    store.project.per_annotator_csv.write_text("\n".join(lines[:1] + lines[2:]) + "\n", encoding="utf-8")
    exporter.flush()
    assert first_of(store, "Bo") == images[0]
