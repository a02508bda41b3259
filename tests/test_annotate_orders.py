"""The informative order: ranked images first, a tenth by lot; without a ranking or with a damaged one, random."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from annotate import orders
from annotate.exports import Exporter
from annotate.judgement import check_rating
from annotate.project import Project
from annotate.queue import BY_LOT, NEW
from annotate.store import Store
from reward.aspects import HEADS

MakeProject = Callable[..., Project]
OpenStore = Callable[[Project], Store]
HEADER = "image,teaches,people,reason\n"
SURE = "The model is least sure of pictures like this one."
UNRANKED = "No trained model has ranked the images yet, so they come in random order."


@pytest.fixture
def informative(make_project: MakeProject, open_store: OpenStore) -> Callable[..., Store]:
    def start(prompts: int = 2, images: int = 3, settings: str = "") -> Store:
        project = make_project(prompts=prompts, images=images, size=(16, 16))
        project.settings.write_text(f'order = "informative"\nrepeats = 0\n{settings}', encoding="utf-8")
        return open_store(project)

    return start


@pytest.fixture
def no_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "LOT", 0.0)


def rank(store: Store, ids: Sequence[int], people: int = 0) -> None:
    """Write a ranking of these images, in this order, as the command does: over the old one."""
    path = {image.id: image.path for image in store.images()}
    new = store.project.priorities.with_suffix(".new")
    new.write_text(HEADER + "".join(f"{path[n]},0.1,{people},{SURE}\n" for n in ids), encoding="utf-8")
    new.replace(store.project.priorities)


def rate(store: Store, image_id: int, name: str) -> None:
    rating = check_rating(image_id, name, dict.fromkeys(HEADS, 5.0), [], 1.0, f"key-of-{image_id}-{name}")
    store.save_rating(rating, only_if_newest=True)


def walk(store: Store, name: str) -> list[tuple[int, str]]:
    """Everything that a person gets, with its reason."""
    seen: list[tuple[int, str]] = []
    while tasks := store.next_tasks(name, seen[-1][0] if seen else None):
        seen.append((tasks[0].image.id, tasks[0].why))
        rate(store, tasks[0].image.id, name)
    return seen


@pytest.mark.usefixtures("no_lots")
def test_ranked_images_come_in_their_order_then_the_new_ones(informative: Callable[..., Store]) -> None:
    store = informative()
    rank(store, [5, 2, 6, 1])
    seen = walk(store, "Ada")
    assert seen[:4] == [(5, SURE), (2, SURE), (6, SURE), (1, SURE)]
    assert sorted(seen[4:]) == [(3, NEW), (4, NEW)]


@pytest.mark.usefixtures("no_lots")
def test_people_spread_over_the_ranked_images_before_any_gets_a_second_rating(
    informative: Callable[..., Store],
) -> None:
    store = informative()
    rank(store, [6, 5, 4, 3, 2, 1])
    assert store.next_tasks("Ada")[0].image.id == 6
    assert store.next_tasks("Bob")[0].image.id == 5  # Ada is at 6
    rate(store, 6, "Ada")
    rate(store, 5, "Bob")
    assert [store.next_tasks(name)[0].image.id for name in ("Cy", "Di", "Eve", "Fay")] == [4, 3, 2, 1]
    assert store.next_tasks("Gus")[0].image.id == 6
    rank(store, [6, 5, 4, 3, 2, 1], people=1)  # made anew, knowing of those ratings
    assert store.next_tasks("Hal")[0].image.id == 5  # Gus is at 6


@pytest.mark.usefixtures("no_lots")
def test_who_rated_since_the_ranking_is_known_after_a_restart_and_from_a_file(
    informative: Callable[..., Store], open_store: OpenStore
) -> None:
    store = informative()
    rank(store, [6, 5, 4, 3, 2, 1])
    rate(store, 6, "Ada")
    rate(store, 5, "Bob")
    assert Exporter(store).flush()
    store.close()
    store = open_store(store.project)
    assert store.next_tasks("Cy")[0].image.id == 4
    people = store.project.per_annotator_csv
    people.write_text(people.read_text() + "p02,data/images/p02/1.png,Eve,5,5,5,5,5\n")
    assert Exporter(store).flush()  # takes in the edited file first
    assert store.next_tasks("Cy")[0].image.id == 3


def test_a_tenth_comes_by_lot_and_says_so(informative: Callable[..., Store]) -> None:
    store = informative(prompts=10, images=10)
    ranked = list(range(100, 0, -1))
    rank(store, ranked)
    by_lot, seen = 0, set[int]()
    for name in ("Ada", "Bob", "Cy", "Di"):
        mine: list[int] = []
        for _ in range(30):
            task = store.next_tasks(name, mine[-1] if mine else None)[0]
            assert store.next_tasks(name)[0].image.id == task.image.id  # a reload doesn't change the lot
            by_lot += task.why == BY_LOT
            assert task.why in (BY_LOT, SURE)
            if task.why == SURE:
                untouched = [n for n in ranked if n not in seen]
                left = untouched or [n for n in ranked if n not in mine]
                assert task.image.id == left[0]
            rate(store, task.image.id, name)
            mine.append(task.image.id)
            seen.add(task.image.id)
    assert 2 <= by_lot <= 25  # of 120, with odds of a thousand to one


def test_what_was_announced_is_what_comes(informative: Callable[..., Store]) -> None:
    store = informative(prompts=4, images=10)
    rank(store, list(range(40, 0, -1)))
    tasks = store.next_tasks("Ada")
    for _ in range(30):
        announced = [task.image.id for task in tasks[1:]]
        rate(store, tasks[0].image.id, "Ada")
        tasks = store.next_tasks("Ada", tasks[0].image.id)
        assert [task.image.id for task in tasks[:2]] == announced


def test_lots_are_a_persons_own_and_one_in_ten(informative: Callable[..., Store]) -> None:
    store = informative()
    rank(store, [1, 2, 3])
    drawn = {name: store._orders.of(store._db, "studio", name, 5000) for name in ("Ada", "Bob")}
    lots = {name: order.lots for name, order in drawn.items() if order is not None}
    assert lots["Ada"] != lots["Bob"]
    for own in lots.values():
        assert sum(own) / len(own) == pytest.approx(0.1, abs=0.02)


def test_without_a_ranking_images_come_at_random_and_the_pad_says_why(informative: Callable[..., Store]) -> None:
    store = informative(prompts=4, images=5)
    first = store.next_tasks("Ada")[0]
    assert first.why == UNRANKED
    assert store.problems == ()
    rank(store, [7, 8, 9])
    orders_seen = {task.why for task in store.next_tasks("Ada", limit=3)}
    assert SURE in orders_seen  # taken up without a restart
    store.project.priorities.unlink()
    assert store.next_tasks("Ada")[0].why == UNRANKED


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "its first line should be image,teaches,people,reason"),
        ("image;teaches\n", "its first line should be"),
        (HEADER + "p01/1.png,0.1,two,Because.\n", "line 2 should read"),
        (HEADER + "p01/1.png,0.1,2,Because.\np01/2.png,0.1\n", "line 3 should read"),
        (HEADER + "p01/1.png,0.1,2,\xff\n", "can't decode"),
        (HEADER + 'p01/1.png,0.1,2,"' + 200_000 * "x" + "\n", "field larger than"),
    ],
)
def test_a_damaged_ranking_is_named_and_left_aside(
    informative: Callable[..., Store], content: str, message: str
) -> None:
    store = informative()
    store.project.priorities.write_bytes(content.encode("latin-1"))
    assert store.next_tasks("Ada")[0].why == UNRANKED
    (problem,) = store.problems
    assert problem.startswith("priorities.csv can't be used (")
    assert message in problem
    assert problem.endswith("Images come in random order until it is made anew.")
    rank(store, [4, 5, 6])
    assert {task.why for task in store.next_tasks("Ada")} & {SURE}
    assert store.problems == ()


@pytest.mark.usefixtures("no_lots")
def test_a_ranking_of_other_images_is_none_and_double_lines_count_once(informative: Callable[..., Store]) -> None:
    store = informative()
    store.project.priorities.write_text(HEADER + f"../p01/1.png,0.1,0,{SURE}\np99/1.png,0.1,0,{SURE}\n")
    assert store.next_tasks("Ada")[0].why == UNRANKED
    rank(store, [4, 4, 2])
    assert [image_id for image_id, why in walk(store, "Ada") if why == SURE] == [4, 2]


@pytest.mark.usefixtures("no_lots")
def test_a_ranking_is_read_once_until_it_changes_and_again_after_a_rescan(
    informative: Callable[..., Store], tmp_path: Path
) -> None:
    store = informative()
    rank(store, [4])
    file = store.project.priorities
    assert store.next_tasks("Ada")[0].image.id == 4
    before = store._orders._file.current(store._db)
    assert store._orders._file.current(store._db) is before
    (store.project.images / "p02" / "1.png").rename(tmp_path / "gone.png")
    store.rescan()
    assert store.next_tasks("Ada")[0].why == UNRANKED  # image 4 was the only one ranked
    (tmp_path / "gone.png").rename(store.project.images / "p02" / "1.png")
    store.rescan()
    assert store.next_tasks("Ada")[0].image.id == 4
    stat = file.stat()
    file.write_text(file.read_text().replace("p02/1", "p02/2"))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert store.next_tasks("Ada")[0].image.id == 5
