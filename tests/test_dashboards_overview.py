"""The overview room's words, and that nothing from outside becomes markup."""

from collections.abc import Callable

from annotate.judgement import check_rating
from annotate.project import Project
from annotate.store import Store
from dashboards.overview import MOST_PROBLEMS, pace_words, show_images, show_overview, unusable
from reward.aspects import HEADS

EVIL = "<img src=x onerror=alert(1)>"


def test_names_prompts_and_file_names_are_shown_as_text(
    make_project: Callable[..., Project], open_store: Callable[[Project], Store]
) -> None:
    project = make_project(prompts=1, images=2)
    project.prompts_csv.write_text(f'prompt_id,prompt\np01,"{EVIL}"\n', encoding="utf-8")
    (project.images / "p01" / "<b>bold</b>.svg".replace("/", "_")).write_text(
        "<svg onload='alert(1)'/>", encoding="utf-8"
    )
    store = open_store(project)
    name = f'O\'Brien "{EVIL}"'
    store.save_rating(check_rating(1, name, dict.fromkeys(HEADS, 5.0), [], 3.0, "key-00000001"))
    page = show_overview(store)
    assert "<img" not in page
    assert "<svg" not in page
    assert "<b>bold" not in page
    assert "O&#x27;Brien &quot;&lt;img src=x onerror=alert(1)&gt;&quot;" in page
    assert "browsers can&#x27;t show this format safely" in page
    assert "<b>2</b><span>images</span>" in page
    assert "<b>3.0 s</b><span>median time a rating</span>" in page
    assert "<b>1</b><span>done</span>" in page
    assert "1 of 2 images are done (50 %): everybody is to rate each image, so far 1 person." in page
    images, number = show_images(store, "", "any", None)
    assert number == 1
    assert "Images 1–2 of 2; page 1 of 1." in images
    assert "<img" not in images
    assert "&lt;img src=x" in images


def test_an_unrated_project_says_what_to_do(
    make_project: Callable[..., Project], open_store: Callable[[Project], Store]
) -> None:
    assert "Nobody has rated yet" in show_overview(open_store(make_project(prompts=1, images=1)))


def test_many_problems_are_cut_with_their_number() -> None:
    told = unusable([f"images/p/{number}.png: is cut off" for number in range(40)])
    assert "40 files of the project can't be used" in told
    assert told.count("is cut off") == MOST_PROBLEMS
    assert "and 28 more" in told
    assert unusable([]) == ""


def test_a_target_is_told_with_how_far_it_is(
    make_project: Callable[..., Project], open_store: Callable[[Project], Store]
) -> None:
    project = make_project(prompts=2, images=2)
    project.settings.write_text("ratings_per_image = 2\n", encoding="utf-8")
    store = open_store(project)
    for number, name in enumerate(("Ada", "Bob")):
        store.save_rating(check_rating(1, name, dict.fromkeys(HEADS, 5.0), [], 3.0, f"key-0000000{number}"))
    store.save_rating(check_rating(3, "Ada", dict.fromkeys(HEADS, 5.0), [], 3.0, "key-00000009"))
    page = show_overview(store)
    assert "1 of 4 images are done (25 %): 2 different people are to rate each image." in page
    assert "pauses of five minutes and more are left out" in page
    row = (
        '<span title="Picture number 2, with a disc">p02</span></th><td>2</td><td>0</td><td>1</td><td>1</td><td>1</td>'
    )
    assert row in page
    begun, _ = show_images(store, "", "begun", 7)
    assert "p02/1.png" in begun
    assert "Images 1–1 of 1; page 1 of 1." in begun
    assert "Nothing in this project is like that" in show_images(store, "nowhere", "any", 1)[0]


def test_a_pace_is_said_in_words() -> None:
    assert [pace_words(pace) for pace in (None, 359.6, 1234.0)] == ["–", "360 an hour", "1,234 an hour"]
