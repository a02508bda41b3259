"""The Project tab in a real Chromium: what comes in is looked at first, seen as it is encoded, and goes out again."""

import csv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from dashboards_server import StudioProcess
from exchange_parts import picture, plain_project, png_bytes
from playwright.sync_api import Page, expect
from room_parts import fits, open_room
from test_annotate_hostile import odd_files

from reward.aspects import RATING_COLUMNS
from reward.images import load_rgb

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NewPage = Callable[..., Page]
EVIL = "<img src=x onerror=\"document.title='evil'\">"
CORNER = """async (url) => {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
  canvas.drawImage(image, 0, 0);
  return [image.naturalWidth, image.naturalHeight, ...canvas.getImageData(3, 3, 1, 1).data.slice(0, 3)];
}"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("exchange")
    plain_project(place / "data", 1, 2)
    (place / "data" / "prompts.csv").write_text(f'prompt_id,prompt\np01,"{EVIL.replace(chr(34), chr(34) * 2)}"\n')
    return place


@pytest.fixture(scope="module")
def studio(place: Path) -> Iterator[StudioProcess]:
    server = StudioProcess(place / "data", place / "outputs", cwd=place)
    yield server
    assert server.close() == 0


def give(page: Page, *files: Path) -> None:
    if page.locator("#import-files").get_by_label("Clear").count():
        page.locator("#import-files").get_by_label("Clear").click()
    page.locator("#import-files input[type=file]").set_input_files(files)


def test_a_zip_and_a_csv_come_in_after_a_look_and_go_out_again(
    new_page: NewPage, studio: StudioProcess, place: Path, screenshots: Path
) -> None:
    seen = odd_files(place / "odd" / "q1")
    archive = place / "odd.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name in seen:
            packed.write(place / "odd" / "q1" / name, f"q1/{name}")
    ratings = place / "ratings.csv"
    who = 'O\'Neil "<b>bold</b>"'
    quoted = who.replace('"', '""')
    rows = [f'q1,q1/{name},1,2,3,4,{number},"{quoted}"' for number, name in enumerate(seen)]
    ratings.write_text("\n".join([",".join(("prompt_id", "image_path", *RATING_COLUMNS, "annotator")), *rows]) + "\n")
    bad = place / "bad.zip"
    with zipfile.ZipFile(bad, "w") as packed:
        packed.writestr("q1/fine.png", png_bytes((4, 4, 4)))
        packed.writestr("q1/script.svg", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")

    page = new_page(height=900)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.goto(studio.url)
    open_room(page, "Project", "studio-tabs")
    open_room(page, "Import", "project-rooms")
    told, confirm = page.locator("#import-plan"), page.get_by_role("button", name="Take this in")
    expect(told).to_contain_text("Nothing to import yet")  # told when the room is opened
    give(page, bad)
    expect(told).to_contain_text("one fault: nothing is taken in until they are mended")
    expect(told).to_contain_text("bad.zip: q1/script.svg: browsers can't show this format safely; convert it to PNG")
    expect(confirm).to_be_disabled()
    give(page, archive, ratings)
    expect(told).to_contain_text("This would come in:")
    expect(told.locator(".studio-tiles")).to_contain_text("4new images")
    expect(told.locator(".studio-tiles")).to_contain_text("4new ratings")
    assert not (place / "data" / "images" / "q1").exists()
    expect(confirm).to_be_enabled()
    page.screenshot(path=screenshots / "project-import-1280-light.png", full_page=True)
    confirm.click()
    expect(told).to_contain_text("Taken in:")
    assert sorted(file.name for file in (place / "data" / "images" / "q1").iterdir()) == sorted(seen)

    open_room(page, "Overview", "project-rooms")
    overview = page.locator("#project-overview")
    expect(overview).to_contain_text("6images")
    expect(overview.get_by_text(who)).to_be_visible()
    expect(overview.locator("table img, table b")).to_have_count(0)
    listed = page.locator("#project-images")
    expect(listed).to_contain_text("Images 1–6 of 6; page 1 of 1.")
    page.locator("#images-filter input, #images-filter textarea").fill("q1/")
    expect(listed).to_contain_text("Images 1–4 of 4")
    expect(listed.locator("table img, table b")).to_have_count(0)
    page.screenshot(path=screenshots / "project-overview-1280-light.png", full_page=True)

    # What Chromium shows is what an encoder gets.
    rate = page.request.get(f"{studio.url}/api/ratings", params={"annotator": who}).json()["ratings"]
    assert len(rate) == len(seen)
    for row in rate:
        image = row["image"]
        name = list(seen)[int(row["current"]["ratings"]["material"])]
        width, height, *colour = page.evaluate(CORNER, f"{studio.url}/{image['url']}")
        pixels = load_rgb(place / "data" / "images" / "q1" / name)
        assert (width, height) == pixels.size == seen[name][0]
        np.testing.assert_allclose(colour, pixels.getpixel((3, 3)), atol=16, err_msg=name)

    open_room(page, "Export", "project-rooms")
    with page.expect_download() as started:
        page.get_by_label("Download Ratings CSV by person").click()
    got = place / "got.csv"
    started.value.save_as(got)
    with got.open(encoding="utf-8", newline="") as file:
        out = list(csv.DictReader(file))
    assert {row["annotator"] for row in out} == {who}
    assert sorted(row["material_rating"] for row in out) == ["0", "1", "2", "3"]

    # The prompt's text is text, in the pad too.
    page.get_by_role("tab", name="Rate", exact=True).click()
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    expect(page.get_by_text(EVIL).first).to_be_visible()
    assert page.title() == "Reward Studio"
    assert trouble == []


@pytest.mark.parametrize("dark", [False, True])
def test_the_rooms_fit_a_phone(
    new_page: NewPage, studio: StudioProcess, place: Path, screenshots: Path, dark: bool
) -> None:
    page = new_page(width=390, height=840, dark=dark, touch=True)
    page.goto(f"{studio.url}/?__theme={'dark' if dark else 'light'}")
    page.get_by_role("tab", name="Rate", exact=True).wait_for()
    open_room(page, "Project", "studio-tabs")
    expect(page.locator("#project-overview .studio-tiles")).to_be_visible()
    rooms = {
        "Overview": "#project-overview table",
        "Import": "#import-plan",
        "Export": "#project-exports :is(.studio-downloads, .studio-empty)",
        "Settings": "#guidelines-preview .studio-empty",
        "People": "#people-list .studio-empty",
    }
    for room, ready in rooms.items():
        open_room(page, room, "project-rooms")
        expect(page.locator(ready).first).to_be_visible()
        if room == "Import":
            expect(page.locator("#import-plan")).to_contain_text("Nothing to import yet")
            one = picture(place / "one.png", (7, 8, 9))
            give(page, one)
            expect(page.locator("#import-plan")).to_contain_text("belongs to no prompt")
        page.wait_for_timeout(200)
        name = f"project-{room.lower()}-390-{'dark' if dark else 'light'}.png"
        page.screenshot(path=screenshots / name, full_page=True)
        fits(page)
