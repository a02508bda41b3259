"""People with accounts in a real Chromium: signing in and out, a session that ends, and nobody sees another's state."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from accounts_parts import PASSWORD, add_people, open_accounts
from axe_playwright_python.sync_playwright import Axe
from desk_parts import Served
from pad_parts import on_stage, press, shows, status
from playwright.sync_api import Page, expect
from room_parts import fits

from annotate.project import Project
from dashboards.studio import Settings, open_studio

pytestmark = [pytest.mark.browser, pytest.mark.long]

NewPage = Callable[..., Page]


@pytest.fixture
def studio(
    make_project: Callable[..., Project], tmp_path: Path, serve: Callable[[object], Served]
) -> Iterator[tuple[str, Project]]:
    """The whole studio with an admin and three others; its address and project."""
    project = make_project(prompts=2, images=2, size=(640, 480))
    add_people(project.database, Root="admin", Ada="annotator", Bob="annotator", Eva="engineer")
    with open_studio(Settings(project.root, tmp_path / "outputs")) as (app, _):
        yield serve(app).url, project


def sign_in(page: Page, url: str, name: str, password: str = PASSWORD) -> None:
    """Open the studio, be led to the sign-in page, and sign in by keyboard."""
    page.goto(url)
    expect(page).to_have_url(f"{url}/sign-in")
    expect(page.get_by_label("Name")).to_be_focused()
    type_in(page, name, password)


def type_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the form and send it."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def stored(project: Project) -> list[tuple[int, str]]:
    """Image and person of each rating."""
    import sqlite3

    with sqlite3.connect(project.database) as db:
        return db.execute("SELECT image_id, annotator FROM ratings ORDER BY id").fetchall()


def test_two_people_never_see_each_others_state(
    new_page: NewPage, studio: tuple[str, Project], screenshots: Path
) -> None:
    url, project = studio
    ada, bob = new_page(), new_page()
    sign_in(ada, url, "ada")
    shows(ada, 1)
    expect(ada.locator(".pad-account b")).to_have_text("Ada")
    expect(ada.locator(".studio-person")).to_contain_text("Ada")
    expect(ada.get_by_role("tab", name="Train")).to_be_hidden()
    expect(ada.get_by_role("tab", name="Analyse")).to_be_hidden()
    ada.screenshot(path=screenshots / "accounts-rate.png")
    press(ada, "1 2 3 4 5 Enter")
    shows(ada, 2)
    press(ada, "7 7")  # a draft

    sign_in(bob, url, "Bob")
    shows(bob, 1)
    expect(bob.locator(".pad-count")).to_have_text("0 of 4 rated")
    bob.get_by_role("button", name="My ratings").click()
    expect(bob.locator(".pad-mine-words")).to_have_text("Nothing yet.")
    bob.keyboard.press("Escape")
    press(bob, "9 9 9 9 9 Enter")
    shows(bob, 2)
    assert stored(project) == [(1, "Ada"), (1, "Bob")]
    refused = bob.request.get(f"{url}/api/ratings?annotator=Ada")
    assert refused.status == 403


def test_a_rating_outlasts_its_session_and_waits_for_its_own_person(
    new_page: NewPage, studio: tuple[str, Project], screenshots: Path
) -> None:
    url, project = studio
    page = new_page()
    sign_in(page, url, "Ada")
    shows(page, 1)
    page.wait_for_function("performance.getEntriesByType('resource').some((e) => e.name.includes('/images/2?'))")
    accounts = open_accounts(project.database)
    accounts.set_password("Ada", "another horse")  # ends the session
    accounts.close()
    page.wait_for_timeout(700)
    press(page, "1 2 3 4 5 Enter")
    waiting = page.locator(".pad-waiting")
    expect(waiting).to_contain_text("You are signed out. 1 rating not saved yet. Kept in this browser")
    page.screenshot(path=screenshots / "accounts-signed-out.png")
    assert stored(project) == []

    waiting.get_by_role("link", name="Sign in again").click()
    type_in(page, "Bob")
    shows(page, 1)  # Bob's own, and nothing of Ada's
    expect(page.locator(".pad-account b")).to_have_text("Bob")
    expect(waiting).to_be_hidden()
    press(page, "9 9 9 9 9 Enter")
    shows(page, 2)
    assert stored(project) == [(1, "Bob")]
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Name")).to_be_focused()
    type_in(page, "Ada", "another horse")
    on_stage(page, 2)
    expect(page.locator(".pad-count")).to_have_text("1 of 4 rated")
    assert stored(project) == [(1, "Bob"), (1, "Ada")]


def test_a_page_of_one_person_sends_nothing_as_another(new_page: NewPage, studio: tuple[str, Project]) -> None:
    url, project = studio
    page = new_page()
    sign_in(page, url, "Ada")
    shows(page, 1)
    page.wait_for_function("performance.getEntriesByType('resource').some((e) => e.name.includes('/images/2?'))")
    other = page.context.new_page()  # the same browser: its cookie is Bob's from now on
    other.goto(f"{url}/sign-in?again")
    type_in(other, "Bob")
    shows(other, 1)
    press(page, "1 2 3 4 5 Enter")
    waiting = page.locator(".pad-waiting")
    expect(waiting).to_contain_text("You are signed in as Bob, so you can't rate as Ada.")
    assert stored(project) == []
    waiting.get_by_role("link", name="Sign in again").click()
    type_in(page, "Ada")
    expect(page.locator(".pad-count")).to_have_text("1 of 4 rated")
    assert stored(project) == [(1, "Ada")]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_sign_in_page(new_page: NewPage, studio: tuple[str, Project], screenshots: Path, dark: bool) -> None:
    url, _ = studio
    page = new_page(390, 800, dark=dark)
    sign_in(page, url, "Eva", "wrong horse")
    expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    expect(page.get_by_label("Password")).to_be_focused()
    fits(page)
    found = [fault["id"] for fault in Axe().run(page).response["violations"]]
    assert found == []
    page.screenshot(path=screenshots / f"accounts-sign-in-{'dark' if dark else 'light'}.png")
    type_in(page, "Eva")
    shows(page, 1)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    fits(page)
    page.screenshot(path=screenshots / f"accounts-phone-{'dark' if dark else 'light'}.png")


def test_an_engineer_trains_and_a_trouble_free_page_greets_everybody(
    new_page: NewPage, studio: tuple[str, Project]
) -> None:
    url, _ = studio
    for name, tabs in (("Eva", 4), ("Ada", 2)):
        page = new_page()
        said: list[str] = []
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        sign_in(page, url, name)
        shows(page, 1)
        expect(page.locator(".studio-person b")).to_have_text(name)
        expect(page.get_by_role("tab").filter(visible=True)).to_have_count(tabs)
        page.wait_for_timeout(1500)  # a tick of the Train tab's clock
        expect(page.locator(".toast-body")).to_have_count(0)
        assert said == []
        if name == "Eva":
            page.get_by_role("tab", name="Train").click()
            expect(page.locator("#train-device")).to_contain_text("Trains on:")
            expect(page.locator("#train-run")).not_to_be_empty()
            expect(page.locator("#train-data")).not_to_be_empty()  # nobody has rated yet: what to do, and no command


def test_the_first_image_comes_after_a_reload_too(new_page: NewPage, studio: tuple[str, Project]) -> None:
    url, _ = studio
    page = new_page()
    sign_in(page, url, "Ada")
    shows(page, 1)
    press(page, "3 4")
    page.reload()
    on_stage(page, 1)
    status(page, "What you had begun here is back.")
