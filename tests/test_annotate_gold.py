"""Gold images: the file and its faults, everybody gets them, and whose ratings lie in the band."""

from collections.abc import Callable

import pytest

from annotate.judgement import Rating
from annotate.project import Project
from annotate.raters import person_reports
from annotate.store import Store
from reward.aspects import HEADS

HEADER = "prompt_id,image_path,head,low,high\n"


@pytest.fixture
def start(make_project: Callable[..., Project], open_store: Callable[[Project], Store]) -> Callable[..., Store]:
    def start(gold: str, settings: str = "repeats = 0\nratings_per_image = 1\n") -> Store:
        project = make_project(prompts=2, images=2, size=(16, 16))
        project.settings.write_text(settings, encoding="utf-8")
        project.gold_csv.write_text(gold, encoding="utf-8")
        return open_store(project)

    return start


def rate(store: Store, image_id: int, annotator: str, value: float) -> None:
    values = (value,) * len(HEADS)
    store.save_rating(Rating(image_id, annotator, values, key=f"{annotator}-{image_id}-number"))


def test_everybody_gets_gold_images_in_their_place(start: Callable[..., Store]) -> None:
    store = start(HEADER + "p02,images/p02/1.png,fidelity,0,3\n")
    assert store.problems == ()
    for image_id in (1, 2, 3, 4):
        rate(store, image_id, "Ada", 2)
    assert [task.image.id for task in store.next_tasks("Bo")] == [3]
    rate(store, 3, "Bo", 2)
    assert store.next_tasks("Bo") == []
    assert [task.image.id for task in store.next_tasks("Cy")] == [3]


def test_the_share_within_the_band(start: Callable[..., Store]) -> None:
    store = start(
        HEADER + "p01,images/p01/1.png,style,0,3\np01,images/p01/1.png,icono,2,5\np02,images/p02/2.png,style,4,4\n"
    )
    rate(store, 1, "Ada", 3)
    rate(store, 4, "Ada", 3.9)
    rate(store, 1, "Bo", 9)
    rate(store, 2, "Cy", 9)
    found = [(one.name, one.gold, one.gold_within) for one in person_reports(store.rated())]
    assert found == [("Ada", 3, pytest.approx(2 / 3)), ("Bo", 2, 0), ("Cy", 0, None)]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("p01,images/p01/9.png,style,0,3", "gold.csv:2: images/p01/9.png is no image of this studio"),
        ("p01,,style,0,3", "a blank path is no image"),
        ("p02,images/p01/1.png,style,0,3", "belongs to prompt 'p01'"),
        ("p01,images/p01/1.png,beauty,0,3", "there is no head 'beauty'"),
        ("p01,images/p01/1.png,style,4,3", "no band of 0–10"),
        ("p01,images/p01/1.png,style,,3", "no band of 0–10"),
        ("p01,images/p01/1.png,style,0,11", "no band of 0–10"),
        ("p01,images/p01/1.png,style,low,3", "'low', not a number"),
        ("p01,images/p01/1.png,style,0,3\np01,images/p01/1.png,style,0,4", "gold.csv:3"),
        ("p01,images/p01/1.png,style,0", "4 cells where the header has 5"),
    ],
)
def test_faults_are_told_and_no_image_is_gold(start: Callable[..., Store], row: str, words: str) -> None:
    store = start(HEADER + row + "\n")
    assert store.gold == ()
    assert len(store.problems) == 1
    assert words in store.problems[0]
    assert store.problems[0].endswith("No image is gold until this is mended.")
    assert len(store.next_tasks("Bo")) > 0
