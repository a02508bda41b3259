"""Preferences between two images: which pairs are asked, what is stored, and what pairs.jsonl says of them."""

import json
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from desk_parts import draw_picture
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.errors import ConflictError, PairRevisedError
from annotate.exports import Exporter
from annotate.judgement import check_rating
from annotate.pairs_file import holds_votes
from annotate.preference_queue import PairAsking, Plan, next_pairs, pair_design, sides
from annotate.preferences import StoredPreference, Votes, check_preference
from annotate.project import Project
from annotate.sample import make_sample
from annotate.store import Store
from reward.aspects import HEADS

MakeProject = Callable[..., Project]
OpenStore = Callable[[Project], Store]
_keys = (f"test-key-{number}" for number in count())


def choose(store: Store, left: int, right: int, choice: str, name: str = "Ada") -> StoredPreference:
    said = check_preference(left, right, name, choice, 1.5, next(_keys))
    return store.preferences.save(said)[0]


def rate(store: Store, image_id: int, value: float, name: str = "Ada") -> None:
    store.save_rating(check_rating(image_id, name, dict.fromkeys(HEADS, value), [], 1.0, next(_keys)))


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def store(make_project: MakeProject, open_store: OpenStore) -> Store:
    """Two prompts of three images."""
    return open_store(make_project(prompts=2, images=3))


# Which pairs are asked


@given(st.sets(st.integers(1, 10_000), min_size=2, max_size=60))
def test_the_design_joins_all_images_and_asks_of_each_a_few_times(images: set[int]) -> None:
    pairs = pair_design(tuple(sorted(images)))
    number = len(images)
    assert len(pairs) == len(set(pairs))
    assert 0 <= min(number * (number - 1) // 2, 3 * number) - len(pairs) <= 2
    assert all(first < second and {first, second} <= images for first, second in pairs)
    times = Counter(image for pair in pairs for image in pair)
    assert min(times.values()) >= min(4, number - 1)
    reached, before = {min(images)}, 0
    steps = 0
    while len(reached) > before:
        before, steps = len(reached), steps + 1
        reached |= {image for pair in pairs if reached & {*pair} for image in pair}
    assert reached == images
    assert steps <= 6


def test_a_new_image_leaves_most_pairs_as_they_are() -> None:
    before, after = set(pair_design(tuple(range(1, 101)))), set(pair_design(tuple(range(1, 102))))
    assert len(before & after) > 0.95 * len(before)


def test_fewest_votes_come_first_then_close_ones_that_are_rated() -> None:
    plan = Plan(dict.fromkeys((1, 2, 3, 4), "p"))
    row = StoredPreference(1, 2, "Bob", "first", "left", id=1)
    means = {1: 5.0, 2: 5.0, 3: 9.0, 4: 8.6}
    picks = next_pairs(plan, Votes([row]), PairAsking("s", "Ada"), lambda _: means, 10)
    order = [tuple(sorted((pick.left, pick.right))) for pick in picks]
    assert order[0] == (3, 4)
    assert order[-1] == (1, 2)
    assert picks[0].why == "Nobody has compared these two yet; their mean ratings lie 0.4 apart."
    assert picks[-1].why.startswith("Compared by 1 person so far;")
    unrated = next_pairs(plan, Votes(), PairAsking("s", "Ada"), lambda _: {1: 2.0, 4: 9.0}, 1)[0]
    assert {unrated.left, unrated.right} == {1, 4}


def test_a_person_meets_each_pair_once_prompt_by_prompt_and_nothing_after(store: Store) -> None:
    seen = []
    while tasks := store.preferences.next_tasks("Ada"):
        task = tasks[0]
        assert task.left.prompt_id == task.right.prompt_id
        seen.append((task.left.prompt_id, *sorted((task.left.id, task.right.id))))
        choose(store, task.left.id, task.right.id, "skip" if len(seen) == 2 else "left")
    assert sorted(seen) == [
        ("p01", 1, 2), ("p01", 1, 3), ("p01", 2, 3), ("p02", 4, 5), ("p02", 4, 6), ("p02", 5, 6)]  # fmt: skip
    assert [prompt for prompt, *_ in seen] == ["p01"] * 3 + ["p02"] * 3
    progress = store.preferences.progress("Ada")
    assert (progress.judged, progress.total) == (5, 5)
    assert store.preferences.progress("Bob").total == 6


def test_sides_are_a_coin_but_the_same_each_time(store: Store) -> None:
    first = [(task.left.id, task.right.id) for task in store.preferences.next_tasks("Ada", 6)]
    assert first == [(task.left.id, task.right.id) for task in store.preferences.next_tasks("Ada", 6)]
    fallen = Counter(sides("s", f"Person {n}", (1, 2)) for n in range(1000))
    assert 400 < fallen[1, 2] < 600
    assert fallen[1, 2] + fallen[2, 1] == 1000


def test_a_pair_goes_to_as_many_people_as_are_wanted(make_project: MakeProject, open_store: OpenStore) -> None:
    project = make_project(prompts=1, images=3)
    project.settings.write_text("votes_per_pair = 1\n")
    store = open_store(project)
    choose(store, 1, 2, "left", "Ada")
    choose(store, 1, 3, "skip", "Ada")
    left = {frozenset((task.left.id, task.right.id)) for task in store.preferences.next_tasks("Bob")}
    assert left == {frozenset((1, 3)), frozenset((2, 3))}
    assert store.preferences.progress("Bob").total == 2


# What is stored


def test_a_choice_is_stored_as_shown_and_the_newest_counts(store: Store) -> None:
    said = check_preference(2, 1, "Ada", "left", 3.25, "a-key-of-its-own")
    stored, repeated = store.preferences.save(said, only_if_newest=True)
    assert (stored.pair, stored.choice, stored.first_side, stored.seconds, repeated) == (
        (1, 2), "second", "right", 3.25, False)  # fmt: skip
    assert store.preferences.save(said, only_if_newest=True) == (stored, True)
    with pytest.raises(ConflictError, match="used for another"):
        store.preferences.save(check_preference(2, 1, "Ada", "right", 3.25, "a-key-of-its-own"))
    with pytest.raises(PairRevisedError) as refused:
        store.preferences.save(check_preference(2, 1, "Ada", "tie", 1, next(_keys)), only_if_newest=True)
    assert refused.value.current == stored
    again = check_preference(2, 1, "Ada", "tie", 1, next(_keys), revises=stored.key)
    assert store.preferences.save(again, only_if_newest=True)[0].revises == stored.key
    assert [task.current.choice for task in store.preferences.own("Ada") if task.current] == ["tie"]
    assert [row.choice for row in store.preferences.since(0)] == ["second", "tie"]


def test_preferences_can_be_neither_changed_nor_deleted(store: Store) -> None:
    choose(store, 1, 2, "tie")
    with sqlite3.connect(store.project.database) as db:
        for change in ("UPDATE preferences SET choice = 'first'", "DELETE FROM preferences"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(change)
    db.close()


def test_many_people_at_once_lose_and_double_nothing(store: Store) -> None:
    def work(person: int) -> None:
        while tasks := store.preferences.next_tasks(f"Person {person}"):
            choose(store, tasks[0].left.id, tasks[0].right.id, "left", f"Person {person}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    rows = store.preferences.since(0)
    assert len({(row.annotator, row.pair) for row in rows}) == len(rows) == 8 * 6


# pairs.jsonl

_choices = st.lists(
    st.tuples(st.sampled_from("ABC"), st.permutations([1, 2, 3, 4]), st.sampled_from(["left", "right", "tie", "skip"])),
    max_size=14,
)


@settings(max_examples=20, deadline=None)
@given(_choices)
def test_a_line_is_the_mean_of_what_people_say_now(said: list[tuple[str, list[int], str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "data", base=Path(folder))
        for number in range(1, 5):
            draw_picture(project.images / "p" / f"{number}.png", number, (4, 4))
        store = Store.open(project)
        rate(store, 1, 9.0)
        rate(store, 2, 1.0)
        newest: dict[tuple[frozenset[int], str], tuple[int, str]] = {}
        for name, (left, right, *_), choice in said:
            choose(store, left, right, choice, name)
            newest[frozenset((left, right)), name] = (left, choice)
        exporter = Exporter(store)
        assert exporter.flush()
        found = lines(project.pairs_jsonl)
        store.close()
    expected: dict[tuple[int, int], list[float]] = {}
    for (pair, _), (left, choice) in newest.items():
        if choice != "skip":
            worth = 0.5 if choice == "tie" else float((choice == "left") == (left == min(pair)))
            expected.setdefault((min(pair), max(pair)), []).append(worth)
    if not expected:  # nobody was asked: what the ratings say
        assert [(line["label"], "votes" in line) for line in found] == [(1.0, False)]
        return
    assert {tuple(int(str(line[key])[-5]) for key in ("img_pos", "img_neg")): line["label"] for line in found} == {
        pair: round(sum(worths) / len(worths), 4) for pair, worths in expected.items()
    }
    assert {line["votes"] for line in found} <= {1, 2, 3}
    assert len(found) == len(expected)


def test_direct_votes_take_over_and_give_back_when_they_are_withdrawn(store: Store) -> None:
    exporter, path = Exporter(store), store.project.pairs_jsonl
    for image_id, value in ((1, 9.0), (2, 2.0), (3, 5.0)):
        rate(store, image_id, value)
    assert exporter.flush()
    assert len(lines(path)) == 3
    assert not holds_votes(path)
    choose(store, 1, 2, "right")
    assert exporter.flush()
    assert lines(path) == [
        {
            "prompt": "Picture number 1, with a disc",
            "img_pos": "data/images/p01/1.png",
            "img_neg": "data/images/p01/2.png",
            "label": 0.0,
            "votes": 1,
        }
    ]
    assert holds_votes(path)
    rate(store, 1, 1.0)
    assert exporter.flush()
    assert len(lines(path)) == 1
    choose(store, 1, 2, "skip")
    assert exporter.flush()
    assert len(lines(path)) == 3
    assert exporter.problems == ()


def test_edited_pairs_are_never_overwritten_by_votes(store: Store) -> None:
    exporter, path = Exporter(store), store.project.pairs_jsonl
    choose(store, 1, 2, "left")
    assert exporter.flush()
    text = path.read_text().replace("1.0", "0.9")
    path.write_text(text)
    choose(store, 1, 3, "left")
    exporter.flush()
    assert path.read_text() == text
    assert "Someone edited pairs.jsonl: the studio leaves it alone" in exporter.problems[0]
    path.unlink()
    assert exporter.flush()
    assert len(lines(path)) == 2
    assert exporter.problems == ()


def test_a_reopened_studio_knows_its_own_file(make_project: MakeProject) -> None:
    project = make_project(prompts=1, images=3)
    for choice in ("left", "tie"):
        store = Store.open(project)
        exporter = Exporter(store)
        choose(store, 1, 2, choice)
        assert exporter.flush()
        assert exporter.problems == ()
        store.close()
    assert [line["label"] for line in lines(project.pairs_jsonl)] == [0.5]


def test_the_trainer_learns_from_what_was_chosen(tmp_path: Path) -> None:
    """The sample's simulated ratings, and a person who goes by fidelity alone: the head that then weighs most."""
    project = Project(tmp_path / "sample", base=tmp_path)
    make_sample(project.root)
    store = Store.open(project)
    exporter = Exporter(store)
    assert exporter.flush()
    truth = (project.root / "simulated_truth.csv").read_text().splitlines()
    column = truth[0].split(",").index("fidelity_quality")
    quality = {row.split(",")[1]: float(row.split(",")[column]) for row in truth[1:]}
    fidelity = {image.id: quality[f"images/{image.path}"] for image in store.images()}
    while tasks := store.preferences.next_tasks("Ada"):
        left, right = tasks[0].left.id, tasks[0].right.id
        choose(store, left, right, "left" if fidelity[left] > fidelity[right] else "right")
    assert exporter.flush()
    pairs = project.own_annotations / "pairs.jsonl"
    assert len(lines(pairs)) == 80
    assert holds_votes(pairs)
    assert not holds_votes(project.pairs_jsonl)
    store.close()
    program = Path(__file__).parents[1] / "train_reward.py"
    command = [sys.executable, program, "--ratings", project.ratings_csv, "--pairs", pairs, "--backbone", "pixelstats"]
    done = subprocess.run(
        [*command, "--output", tmp_path / "run", "--cache-dir", tmp_path / "cache", "--epochs", "3"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    best = json.loads((tmp_path / "run/best/metrics.json").read_text())
    assert max(best["importance"], key=best["importance"].get) == "fidelity"
