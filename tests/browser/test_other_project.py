"""A page that stays open while another project takes its place: nothing of it is stored there, and nothing is lost."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pad_parts import draft_is_stored, free_port, numbers, on_stage, press, send_now, serving, shows
from playwright.sync_api import Page, Request, expect

from annotate.pair_tab import build_pair_tab
from annotate.project import Project
from annotate.store import Store

pytestmark = pytest.mark.browser

NewPage = Callable[..., Page]
READY = '.pad[data-state="rating"] [data-choice="tie"][aria-disabled="false"]'


@pytest.fixture
def projects(make_project: Callable[..., Project], tmp_path: Path) -> tuple[Project, Project]:
    """Two projects, of the same images, which have the same numbers."""
    first = make_project(prompts=1, images=4)
    shutil.copytree(first.root, tmp_path / "other")
    return first, Project(tmp_path / "other", base=tmp_path)


def enter(page: Page, port: int) -> None:
    """Open the page and give a name."""
    page.goto(f"http://127.0.0.1:{port}")
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")


def rated(store: Store) -> list[tuple[int, tuple[float | None, ...]]]:
    return [(row.image_id, row.values) for row in store.ratings_since(0)]


def holds_nothing(store: Store) -> bool:
    """Whether neither a rating nor a choice, a draft or a lease is stored."""
    return not any(
        store._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("ratings", "preferences", "drafts", "skips", "leases")
    )


def says_so(page: Page) -> None:
    """Wait until the page says that another project is served."""
    expect(page.get_by_role("heading", name="Another project is served here now")).to_be_visible()


def reload(page: Page) -> None:
    page.get_by_role("button", name="Reload the page").click()


def test_what_waits_and_what_is_begun_stay_with_their_own_project(
    new_page: NewPage, projects: tuple[Project, Project]
) -> None:
    port = free_port()
    page = new_page()
    unnamed: list[str] = []

    def look(request: Request) -> None:
        if "/api/" in request.url and not (request.headers.get("x-studio") or "studio=" in request.url):
            unnamed.append(request.url.split("/api/")[1])

    page.on("request", look)
    with serving(projects[0], port):
        enter(page, port)
        shows(page, 1)
        page.wait_for_function("performance.getEntriesByType('resource').some((e) => e.name.includes('/images/3?'))")
    press(page, "1 2 3 4 5 Enter")
    shows(page, 2)
    press(page, "7 3")
    with serving(projects[1], port) as store:
        send_now(page)
        says_so(page)
        expect(page.locator(".pad-message-text")).to_contain_text("1 rating not saved yet: kept in this browser")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        press(page, "9 Enter b")
        page.evaluate("dispatchEvent(new Event('online'))")
        page.wait_for_timeout(1500)  # by now it would have tried again
        assert [url for url in asked if "/api/" in url] == []
        says_so(page)
        assert holds_nothing(store)
        assert unnamed == ["desk"]
        reload(page)
        shows(page, 1)
        expect(page.locator(".pad-waiting")).to_be_hidden()
        press(page, "9 9 9 9 9 Enter")
        shows(page, 2)
        assert rated(store) == [(1, (9, 9, 9, 9, 9))]
    with serving(projects[0], port) as store:
        page.reload()
        on_stage(page, 2)
        expect(page.locator(".pad-waiting")).to_be_hidden()
        assert numbers(page)[:2] == ["7.0", "3.0"]
        assert rated(store) == [(1, (1, 2, 3, 4, 5))]


def test_a_rating_saved_by_a_page_of_another_project_is_not_stored(
    new_page: NewPage, projects: tuple[Project, Project]
) -> None:
    port = free_port()
    page = new_page()
    with serving(projects[0], port) as store:
        enter(page, port)
        shows(page, 1)
        press(page, "1 2 3 4 5")
        draft_is_stored(store, "Ada", 1, 1, 2, 3, 4, 5)
    with serving(projects[1], port) as store:
        press(page, "Enter")
        says_so(page)
        assert holds_nothing(store)
    with serving(projects[0], port) as store:
        reload(page)
        shows(page, 2)
        assert rated(store) == [(1, (1, 2, 3, 4, 5))]


def test_leaving_the_page_tells_the_other_project_nothing(new_page: NewPage, projects: tuple[Project, Project]) -> None:
    port = free_port()
    page = new_page()
    with serving(projects[0], port):
        enter(page, port)
        shows(page, 1)
    press(page, "7 3")
    page.wait_for_timeout(500)  # it was tried by now
    with serving(projects[1], port) as store:
        page.goto(f"http://127.0.0.1:{port}/openapi.json")
        page.wait_for_timeout(500)
        assert holds_nothing(store)
    with serving(projects[0], port):
        page.goto(f"http://127.0.0.1:{port}")
        on_stage(page, 1)
        assert numbers(page)[:2] == ["7.0", "3.0"]


def test_a_choice_between_two_images_stays_with_its_own_project(
    new_page: NewPage, projects: tuple[Project, Project]
) -> None:
    port = free_port()
    page = new_page()
    with serving(projects[0], port, build_pair_tab):
        enter(page, port)
        page.wait_for_selector(READY)
    with serving(projects[1], port, build_pair_tab) as store:
        press(page, "ArrowLeft")
        says_so(page)
        expect(page.locator(".pad-message-text")).to_contain_text("1 choice not saved yet: kept in this browser")
        press(page, "ArrowLeft b")
        says_so(page)
        assert holds_nothing(store)
        reload(page)
        page.wait_for_selector(READY)
        press(page, "t")
        expect(page.locator(".pad-status")).to_contain_text("Saved: a tie. 1 of 6 judged.")
        assert [row.shown_choice for row in store.preferences.since(0)] == ["tie"]
    with serving(projects[0], port, build_pair_tab) as store:
        page.reload()
        page.wait_for_selector(READY)
        expect(page.locator(".pad-count")).to_have_text("1 of 6 judged")
        assert [row.shown_choice for row in store.preferences.since(0)] == ["left"]
