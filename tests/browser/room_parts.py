"""What the browser tests of the rooms share: how a person opens a room, chooses, and reads what stands there."""

from playwright.sync_api import Locator, Page, expect


def analyse(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("#studio-tabs")).to_be_visible(timeout=30_000)
    open_room(page, "Analyse", "studio-tabs")
    expect(page.locator("#analyse-table table")).to_be_visible(timeout=20_000)


def open_room(page: Page, name: str, among: str = "analyse-rooms") -> None:
    """A tab; on a narrow screen the last ones are behind the "…" button of their own row."""
    row = page.locator(f"#{among} > .tab-wrapper")
    inside = row.get_by_role("tab", name=name)
    if not inside.is_visible():
        row.locator(".overflow-menu > button").click()
        inside = row.locator(".overflow-dropdown button", has_text=name)
    inside.click()


def choose(page: Page, element: str, option: str) -> None:
    """One option of a dropdown."""
    page.locator(f"#{element} input").click()
    page.get_by_role("option", name=option, exact=True).click()


def unfold(page: Page, element: str) -> None:
    page.locator(f"#{element} > button, #{element} button.label-wrap").first.click()


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def within(box: Locator) -> bool:
    """Whether all of a box that scrolls is in sight across."""
    return bool(box.evaluate("box => box.scrollWidth <= box.clientWidth"))


def cells(page: Page, table: str) -> list[list[str]]:
    """The texts of a table behind a chart."""
    rows = page.locator(f"{table} tbody tr")
    expect(rows.first).to_be_attached(timeout=20_000)
    return [row.locator("th, td").all_text_contents() for row in rows.all()]
