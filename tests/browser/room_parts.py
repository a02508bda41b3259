"""What the browser tests of the rooms share: how a person opens a room, chooses, and reads what stands there."""

from playwright.sync_api import Locator, Page, expect

_TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
_FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def analyse(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("#studio-tabs")).to_be_visible()
    open_room(page, "Analyse", "studio-tabs")
    expect(page.locator("#analyse-table table")).to_be_visible()


def open_room(page: Page, name: str, among: str = "analyse-rooms") -> None:
    """A tab; on a narrow screen the last ones are behind the "…" button of their own row."""
    row = page.locator(f"#{among} > .tab-wrapper")
    tab = row.get_by_role("tab", name=name, exact=True)
    behind = row.locator(".overflow-dropdown button", has_text=name)
    expect(tab.or_(behind).first).to_be_attached()
    page.evaluate(_TWO_FRAMES)  # the row has been measured, and what doesn't fit has moved
    if not tab.is_visible():
        row.locator(".overflow-menu > button").click()
        tab = behind
    tab.click()


def choose(page: Page, element: str, option: str) -> None:
    """One option of a dropdown."""
    page.locator(f"#{element} input").click()
    page.get_by_role("option", name=option, exact=True).click()


def unfold(page: Page, element: str) -> None:
    page.locator(f"#{element} > button, #{element} button.label-wrap").first.click()


def fits(page: Page) -> None:
    """Wait until the page is no wider than the screen: charts take their size a moment after they are there."""
    page.wait_for_function(_FITS)


def within(box: Locator) -> bool:
    """Whether all of a box that scrolls is in sight across."""
    return bool(box.evaluate("box => box.scrollWidth <= box.clientWidth"))


def cells(page: Page, table: str) -> list[list[str]]:
    """The texts of a table behind a chart."""
    rows = page.locator(f"{table} tbody tr")
    expect(rows.first).to_be_attached()
    # At once: between two questions the table may be drawn anew.
    found: list[list[str]] = rows.evaluate_all(
        "rows => rows.map((row) => [...row.querySelectorAll('th, td')].map((cell) => cell.textContent))"
    )
    return found
