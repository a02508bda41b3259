"""No rating is lost in a real Chromium: outbox, drafts, going back, two tabs, and one person's apart from another's."""

import json
import time
from collections.abc import Callable

import pytest
from pad_parts import (
    Desk,
    draft_is_stored,
    enter,
    free_port,
    numbers,
    on_stage,
    press,
    send_now,
    serving,
    shows,
    skip,
    status,
    values,
)
from playwright.sync_api import Page, Route, expect

from annotate.project import Project

pytestmark = pytest.mark.browser

NewPage = Callable[..., Page]


def stored(desk: Desk) -> list[tuple[int, str, tuple[float | None, ...]]]:
    return [(row.image_id, row.annotator, row.values) for row in desk.store.ratings_since(0)]


def lose_the_answer(route: Route) -> None:
    """The server does what it is asked, but the page never hears of it."""
    route.fetch()
    route.abort()


def away_for_ada(route: Route) -> None:
    if '"Ada"' in (route.request.post_data or ""):
        route.abort()
    else:
        route.continue_()


# The outbox


def test_ratings_wait_while_the_studio_is_away_and_go_out_when_it_is_back(new_page: NewPage, desk: Desk) -> None:
    page = new_page(routed=True)
    enter(page, desk)
    page.wait_for_function("performance.getEntriesByType('resource').some((e) => e.name.includes('/images/3?'))")
    page.route("**/api/**", lambda route: route.abort())
    press(page, "1 2 3 4 5 Enter")
    shows(page, 2)  # which was loaded already
    waiting = page.locator(".pad-waiting")
    expect(waiting).to_contain_text("1 rating not saved yet: The studio can’t be reached.")
    expect(waiting).not_to_contain_text("Keep this page open")
    expect(page.get_by_role("button", name="Send now")).to_be_visible()
    expect(page.locator(".pad-count")).to_have_text("0 of 4 rated")
    press(page, "6 6 6 6 6 Enter")
    shows(page, 3)
    expect(waiting).to_contain_text("2 ratings not saved yet")
    press(page, "7 7 7 7 7 Enter")
    expect(page.get_by_role("heading", name="The next image can’t be had")).to_be_visible()
    assert stored(desk) == []
    page.unroute("**/api/**")
    shows(page, 4)  # by itself
    expect(waiting).to_be_hidden()
    expect(page.locator(".pad-strip li")).to_have_count(1)
    expect(page.locator(".pad-count")).to_have_text("3 of 4 rated")
    assert [row[:2] for row in stored(desk)] == [(1, "Ada"), (2, "Ada"), (3, "Ada")]


def test_a_browser_that_keeps_nothing_says_so(new_page: NewPage, desk: Desk) -> None:
    page = new_page(routed=True)
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }")
    enter(page, desk)
    page.route("**/api/ratings", lambda route: route.abort())
    press(page, "1 2 3 4 5 Enter")
    expect(page.locator(".pad-waiting")).to_contain_text("Keep this page open: the browser refuses")
    page.unroute("**/api/ratings")
    send_now(page)
    expect(page.locator(".pad-waiting")).to_be_hidden()
    assert [row[:2] for row in stored(desk)] == [(1, "Ada")]


def test_what_waits_survives_a_reload_and_is_stored_once(new_page: NewPage, desk: Desk) -> None:
    page = new_page(routed=True)
    enter(page, desk)
    page.route("**/api/ratings", lose_the_answer)
    press(page, "1 2 3 4 5 Enter")
    expect(page.locator(".pad-waiting")).to_be_visible()
    assert len(stored(desk)) == 1  # stored, though the page can't know
    page.unroute("**/api/ratings")
    page.reload()
    shows(page, 2)
    expect(page.locator(".pad-waiting")).to_be_hidden()
    assert stored(desk) == [(1, "Ada", (1, 2, 3, 4, 5))]


def test_another_person_neither_sees_nor_sends_what_waits(new_page: NewPage, desk: Desk) -> None:
    page = new_page(routed=True)
    enter(page, desk)
    page.route("**/api/ratings", away_for_ada)
    press(page, "1 2 3 4 5 Enter")
    expect(page.locator(".pad-waiting")).to_be_visible()
    page.evaluate("localStorage.setItem('reward-studio-annotator', 'Bob')")
    page.reload()
    shows(page, 1)
    expect(page.get_by_label("Rating as")).to_have_value("Bob")
    expect(page.locator(".pad-waiting")).to_be_hidden()
    page.get_by_role("button", name="My ratings").click()
    expect(page.locator(".pad-mine-words")).to_have_text("Nothing yet.")
    page.keyboard.press("Escape")
    press(page, "9 9 9 9 9 Enter")
    shows(page, 2)
    assert [row[1] for row in stored(desk)] == ["Bob"]
    page.unroute("**/api/ratings")
    page.get_by_label("Rating as").fill("Ada")
    page.keyboard.press("Enter")
    status(page, "Now rating as Ada.")
    assert stored(desk)[1] == (1, "Ada", (1, 2, 3, 4, 5))


def test_a_full_disk_is_said_and_the_rating_waits(new_page: NewPage, desk: Desk) -> None:
    page = new_page(routed=True)
    enter(page, desk)
    full = json.dumps({"detail": "studio.db can't be used (database or disk is full); nothing was stored."})
    page.route("**/api/ratings", lambda route: route.fulfill(status=503, body=full))
    press(page, "1 2 3 4 5 Enter")
    expect(page.locator(".pad-waiting")).to_contain_text("disk is full")
    page.unroute("**/api/ratings")
    send_now(page)
    expect(page.locator(".pad-waiting")).to_be_hidden()
    assert len(stored(desk)) == 1


def test_a_waiting_rating_that_is_refused_can_be_opened_or_discarded(new_page: NewPage, desk: Desk) -> None:
    page = new_page(routed=True)
    enter(page, desk)
    for image_id in (1, 2):
        page.route("**/api/ratings", lambda route: route.abort())
        press(page, "1 2 3 4 5 Enter")
        shows(page, image_id + 1)
    (desk.project.images / "p01" / "1.png").rename(desk.project.root / "aside.png")
    desk.store.rescan()
    page.unroute("**/api/ratings")
    send_now(page)
    expect(page.locator(".pad-waiting")).to_contain_text("1 rating refused; see My ratings.")
    assert [row[0] for row in stored(desk)] == [2]
    (desk.project.root / "aside.png").rename(desk.project.images / "p01" / "1.png")
    desk.store.rescan()
    page.get_by_role("button", name="My ratings").click()
    first = page.locator(".pad-mine-list li").first
    expect(first).to_contain_text("Refused: There is no image 1")
    first.get_by_role("button", name="Open").click()
    on_stage(page, 1)
    assert numbers(page) == ["1.0", "2.0", "3.0", "4.0", "5.0"]
    page.keyboard.press("Enter")
    shows(page, 3)
    expect(page.locator(".pad-waiting")).to_be_hidden()
    assert [row[0] for row in stored(desk)] == [2, 1]


def test_the_server_stops_in_the_middle_and_comes_back(new_page: NewPage, make_project: Callable[..., Project]) -> None:
    project = make_project(prompts=1, images=4)
    port = free_port()
    page = new_page()
    with serving(project, port) as store:
        page.goto(f"http://127.0.0.1:{port}")
        page.get_by_label("Your name").fill("Ada")
        page.keyboard.press("Enter")
        shows(page, 1)
        page.wait_for_function("performance.getEntriesByType('resource').some((e) => e.name.includes('/images/3?'))")
        press(page, "5 5 5 5 5 Enter")
        shows(page, 2)
        assert len(store.ratings_since(0)) == 1
    press(page, "6 6 6 6 6 Enter")
    expect(page.locator(".pad-waiting")).to_contain_text("1 rating not saved yet")
    shows(page, 3)
    press(page, "7 3")
    with serving(project, port) as store:
        send_now(page)
        expect(page.locator(".pad-waiting")).to_be_hidden()
        assert [row.image_id for row in store.ratings_since(0)] == [1, 2]
        press(page, "x 1 2 Enter")
        shows(page, 4)
        assert store.ratings_since(0)[-1].values == (7, 3, 10, 1, 2)


def test_on_a_phone_what_waits_is_in_sight(new_page: NewPage, desk: Desk) -> None:
    page = new_page(390, 844, touch=True, routed=True)
    enter(page, desk)
    page.route("**/api/ratings", lambda route: route.abort())
    press(page, "1 2 3 4 5 Enter")
    shows(page, 2)
    expect(page.locator(".pad-waiting")).to_contain_text("1 rating not saved yet")
    boxes = [page.locator(name).bounding_box() for name in (".pad-look", ".pad-waiting", ".pad-actions .pad-save")]
    edges = [edge for box in boxes if box is not None for edge in (box["y"], box["y"] + box["height"])]
    assert len(edges) == 6
    assert [0, *edges, 844] == sorted([0, *edges, 844])  # one below the other, all on the screen
    assert page.evaluate("document.documentElement.scrollWidth") == 390


# Drafts


def test_a_draft_survives_reload_restart_and_another_browser(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    press(page, "5 5 5 5 5 Enter")
    shows(page, 2)
    skip(page)
    shows(page, 3)
    press(page, "7 2")
    page.get_by_role("button", name="Can’t judge Material").click()
    page.reload()
    on_stage(page, 3)
    expect(page.locator(".pad-status")).to_have_text("What you had begun here is back.")
    assert values(page) == ["7.0good", "2.0poor", "not rated yet", "not rated yet", "can’t judge"]
    draft_is_stored(desk.store, "Ada", 3, 7, 2, None, None, None)
    other = new_page()
    other.goto(desk.url)
    other.get_by_label("Your name").fill("Ada")
    other.keyboard.press("Enter")
    on_stage(other, 3)
    assert values(other)[:2] == ["7.0good", "2.0poor"]
    press(other, "4 4 Enter")  # the first that is missing has the focus
    shows(other, 4)
    assert stored(desk)[-1] == (3, "Ada", (7, 2, 4, 4, None))
    assert all(task.draft is None for task in desk.store.next_tasks("Ada", limit=9))


def test_a_change_of_name_keeps_the_draft_for_its_person(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    press(page, "7 2")
    page.get_by_label("Rating as").fill("Bob")
    page.keyboard.press("Enter")
    status(page, "Now rating as Bob.")
    shows(page, 1)
    page.get_by_label("Rating as").fill("Ada")
    page.keyboard.press("Enter")
    status(page, "Now rating as Ada.")
    assert values(page)[:3] == ["7.0good", "2.0poor", "not rated yet"]


def test_a_draft_is_kept_in_the_browser_while_the_studio_is_away(new_page: NewPage, desk: Desk) -> None:
    page = new_page(routed=True)
    enter(page, desk)
    page.route("**/api/drafts", lambda route: route.abort())
    press(page, "7 2")
    page.wait_for_timeout(500)  # it was tried by now
    page.unroute("**/api/drafts")
    page.reload()
    on_stage(page, 1)
    assert values(page)[:2] == ["7.0good", "2.0poor"]


def test_two_people_see_nothing_of_one_another(new_page: NewPage, desk: Desk) -> None:
    ada, bob = new_page(), new_page()
    enter(ada, desk, "Ada")
    enter(bob, desk, "Bob")
    press(ada, "1 2")
    draft_is_stored(desk.store, "Ada", 1, 1, 2, None, None, None)
    bob.reload()
    shows(bob, 1)
    press(bob, "9 9 9 9 9 Enter")
    shows(bob, 2)
    ada.reload()
    on_stage(ada, 1)
    assert numbers(ada)[:2] == ["1.0", "2.0"]
    bob.get_by_role("button", name="My ratings").click()
    expect(bob.locator(".pad-mine-list li")).to_have_count(1)
    ada.keyboard.press("b")
    status(ada, "You have rated nothing yet.")


# Going back


def test_back_reopens_what_was_just_rated_and_saving_makes_a_revision(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    press(page, "1 2 3 4 5 Enter")
    shows(page, 2)
    press(page, "6 6 6 6 6 Enter")
    shows(page, 3)
    press(page, "8")  # begun, then back twice
    press(page, "b")
    on_stage(page, 2)
    expect(page.get_by_role("button", name="Save change")).to_be_visible()
    press(page, "b")
    on_stage(page, 1)
    assert numbers(page) == ["1.0", "2.0", "3.0", "4.0", "5.0"]
    press(page, "b")
    status(page, "This is the first of your ratings.")
    press(page, "9 Enter")
    on_stage(page, 3)  # where the person was, with what they had begun
    assert numbers(page)[0] == "8.0"
    status(page, "Saved. 2 of 4 rated.")
    rows = desk.store.ratings_since(0)
    assert [row.values[0] for row in rows] == [1, 6, 9]
    assert (rows[2].revises, rows[0].revises) == (rows[0].key, None)
    assert [row["spatial_rating"] for row in desk.rows(desk.project.ratings_csv)] == ["9", "6"]
    press(page, "b")
    on_stage(page, 1)
    press(page, "Escape")
    on_stage(page, 3)
    status(page, "Left as it was.")
    assert len(desk.store.ratings_since(0)) == 3


def test_back_reaches_a_rating_that_still_waits(new_page: NewPage, desk: Desk) -> None:
    page = new_page(routed=True)
    enter(page, desk)
    page.route("**/api/ratings", lambda route: route.abort())
    press(page, "1 2 3 4 5 Enter")
    shows(page, 2)
    press(page, "b")
    on_stage(page, 1)
    press(page, "9 Enter")
    shows(page, 2)
    expect(page.locator(".pad-waiting")).to_contain_text("2 ratings not saved yet")
    page.unroute("**/api/ratings")
    send_now(page)
    expect(page.locator(".pad-waiting")).to_be_hidden()
    assert [row[2][0] for row in stored(desk)] == [1, 9]
    assert desk.store.own_ratings("Ada")[0].rating.values[0] == 9


def test_my_ratings_lists_and_reopens_everything(new_page: NewPage, desk: Desk) -> None:
    page = new_page()
    enter(page, desk)
    for image_id in (1, 2, 3, 4):
        shows(page, image_id)
        press(page, f"{image_id} 5 5 5 5 Enter")
    expect(page.get_by_role("heading", name="All rated")).to_be_visible()
    page.get_by_role("button", name="My ratings").last.click()
    expect(page.locator(".pad-mine-list li")).to_have_count(4)
    expect(page.locator(".pad-mine-list li").first).to_contain_text("Spatial 4.0")
    page.locator(".pad-mine-list li").nth(2).get_by_role("button", name="Open").click()
    on_stage(page, 2)
    press(page, "9 Enter")
    expect(page.get_by_role("heading", name="All rated")).to_be_visible()
    page.get_by_role("button", name="My ratings").last.click()
    expect(page.locator(".pad-mine-list li").first).to_contain_text("rated 2 times, the newest counts")
    assert [own.rating.values[0] for own in desk.store.own_ratings("Ada")] == [9, 4, 3, 1]


def test_two_tabs_of_one_person_get_different_images_and_overwrite_nothing(new_page: NewPage, desk: Desk) -> None:
    first = new_page()
    enter(first, desk)
    second = first.context.new_page()
    second.goto(desk.url)
    shows(second, 2)
    second.reload()
    shows(second, 2)
    press(first, "1 2 3 4 5 Enter")
    shows(first, 3)
    press(second, "6 6 6 6 6 Enter")
    shows(second, 4)
    for page in (first, second):
        page.keyboard.press("b")
        on_stage(page, 2)
    press(first, "7 Enter")
    shows(first, 3)
    press(second, "9 Enter")
    status(second, "Not saved: You rated this image meanwhile, in another tab or browser.")
    assert numbers(second)[0] == "9.0"
    assert [row.values[0] for row in desk.store.ratings_since(0)] == [1, 6, 7]
    second.keyboard.press("Enter")  # on purpose now
    shows(second, 4)
    rows = desk.store.ratings_since(0)
    assert [row.values[0] for row in rows] == [1, 6, 7, 9]
    assert rows[3].revises == rows[2].key


# Typing ahead


def test_keys_typed_before_the_next_image_is_there_count_for_it(new_page: NewPage, desk: Desk) -> None:
    page = new_page(routed=True)
    enter(page, desk)

    def slowly(route: Route) -> None:
        time.sleep(0.3)
        route.continue_()

    page.route("**/api/ratings", slowly)
    press(page, "5 5 5 5 5 Enter 7 x")
    on_stage(page, 2)
    expect(page.locator(".pad-value").nth(1)).to_have_text("10.0excellent")
    assert numbers(page)[:2] == ["7.0", "10.0"]
    assert stored(desk) == [(1, "Ada", (5, 5, 5, 5, 5))]
