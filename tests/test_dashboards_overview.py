"""The overview room's words, and that nothing from outside becomes markup."""

from collections.abc import Callable

from annotate.judgement import check_rating
from annotate.project import Project
from annotate.store import Store
from dashboards.overview import MOST_PROBLEMS, show_overview, unusable
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
