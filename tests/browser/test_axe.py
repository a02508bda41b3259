"""Every tab and room of the studio as axe-core sees it: contrast, names, roles."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from dashboards_helpers import make_project
from dashboards_server import StudioProcess
from playwright.sync_api import Page, expect

from reward.config import TrainConfig
from reward.training import train

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.long]

NewPage = Callable[..., Page]
SERIOUS = ("serious", "critical")
# In dark, where colours alone differ, what axe says of those.
SCHEMES: list[tuple[str, dict[str, Any]]] = [
    ("light", {}),
    *([("dark", {"runOnly": ["color-contrast"]})] if os.environ.get("EVERY_LOOK") else []),
]
# Whether there was anything to change.
RECOLOUR = "dark => document.body.classList.contains('dark') != document.body.classList.toggle('dark', dark)"
# What fades in or changes its colour slowly, on a busy machine very slowly, has done so.
STILL = """() => document.getAnimations().every(
  one => one.playState != 'running' || one.effect.getComputedTiming().iterations == Infinity)"""
ROOMS = {
    "Train": ("train-rooms", ("New run", "Runs", "Compare")),
    "Analyse": (
        "analyse-rooms",
        ("Results", "A against B", "Where", "Disagreements", "Two models", "Weights", "Score images"),
    ),
    "Project": ("project-rooms", ()),
}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioProcess]:
    """A studio whose project has a finished run."""
    place = tmp_path_factory.mktemp("axe")
    ratings = make_project(place / "data", blank=())
    list(train(TrainConfig(output=place / "outputs/first", ratings=ratings, backbone="pixelstats", epochs=2)))
    server = StudioProcess(place / "data", place / "outputs", cwd=place)
    yield server
    assert server.close() == 0


def open_tab(page: Page, name: str, among: str) -> None:
    tab = page.locator(f"#{among} > .tab-wrapper").get_by_role("tab", name=name, exact=True)
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")
    page.wait_for_timeout(400)
    expect(page.locator(".generating:visible, .progress-text:visible, .pending:visible")).to_have_count(0)
    expect(page.get_by_label("Empty value").locator("visible=true")).to_have_count(0)  # a chart that is on its way
    page.wait_for_function(STILL)


def serious(page: Page) -> list[str]:
    """What axe finds on the page as it is, in light, and in dark too with EVERY_LOOK=1 in the environment."""
    found = []
    for scheme, options in SCHEMES:
        if page.evaluate(RECOLOUR, scheme == "dark"):
            page.wait_for_timeout(50)
            page.wait_for_function(STILL)
        for one in Axe().run(page, options={"resultTypes": ["violations"]} | options).response["violations"]:
            if one["impact"] in SERIOUS:
                found += [f"{scheme}: {one['id']}: {said(node)}" for node in one["nodes"]]
    return found


def said(node: dict[str, Any]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return f"{checks[0]['message'] if checks else ''} {node['html'][:200]}"


def test_axe_finds_nothing_serious_in_any_tab(new_page: NewPage, studio: StudioProcess) -> None:
    page = new_page(1280, 900)
    page.goto(studio.url)
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    page.wait_for_selector('.pad[data-state="rating"] .pad-stage:not(.loading) img')
    found = {}
    for tab in ("Rate", "A or B?", "Train", "Analyse", "Project"):
        open_tab(page, tab, "studio-tabs")
        among, rooms = ROOMS.get(tab, ("", ()))
        if tab == "Project":
            names = page.locator(f"#{among} > .tab-wrapper").get_by_role("tab").all_text_contents()
            rooms = tuple(name.strip() for name in names)
        found[tab] = serious(page)
        for room in rooms:
            open_tab(page, room, among)
            found[f"{tab}, {room}"] = serious(page)
    assert [f"{place}: {fault}" for place, faults in found.items() for fault in faults] == []
