"""Screen-sized versions: which images have one, that it looks like the file, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from annotate.api import build_api
from annotate.exports import Exporter
from annotate.project import Project
from annotate.screen_images import LONGEST
from annotate.store import Store

OpenStore = Callable[[Project], Store]


def picture(mode: str, size: tuple[int, int] = (2400, 1800)) -> Image.Image:
    """Red above, blue below, in a mode of Pillow's."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[: size[1] // 2, :, 0] = 230
    pixels[size[1] // 2 :, :, 2] = 230
    return Image.fromarray(pixels).convert(mode)


@pytest.fixture
def client(tmp_path: Path, open_store: OpenStore) -> TestClient:
    folder = tmp_path / "data" / "images" / "p01"
    folder.mkdir(parents=True)
    picture("RGB").save(folder / "1-plain.jpg")
    rotated = Image.Exif()
    rotated[0x0112] = 6  # a camera held upright: to be turned a quarter clockwise
    picture("RGB").save(folder / "2-turned.jpg", exif=rotated)
    picture("CMYK").save(folder / "3-cmyk.jpg")
    picture("RGBA").save(folder / "4-alpha.png")
    Image.fromarray((np.arange(2400 * 1800).reshape(1800, 2400) % 65536).astype(np.uint16)).save(folder / "5-16bit.png")
    frames = [picture("P"), picture("P").rotate(180)]
    frames[0].save(folder / "6-moving.gif", save_all=True, append_images=frames[1:])
    picture("RGB", (1600, 1200)).save(folder / "7-small.png")
    store = open_store(Project(tmp_path / "data", base=tmp_path))
    assert store.problems == ()
    return TestClient(build_api(store.project, store, Exporter(store)), base_url="http://localhost")


def test_large_images_of_every_kind_get_a_smaller_version(client: TestClient, tmp_path: Path) -> None:
    queue = client.get("/api/next", params={"annotator": "Ada"}).json()
    for number, size in enumerate(((1600, 1200), (1200, 1600), *[(1600, 1200)] * 4), start=1):
        queue = client.get("/api/next", params={"annotator": "Ada", "after": number - 1 or 7}).json()
        address = queue["image"]["screen_url"]
        assert address.startswith(f"api/images/{number}/screen?v=")
        answer = client.get("/" + address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        made = tmp_path / "made.webp"
        made.write_bytes(answer.content)
        with Image.open(made) as small:
            assert small.size == size, number
            assert max(small.size) == LONGEST
            if number not in {2, 5}:
                top, bottom = small.convert("RGB").getpixel((800, 100)), small.convert("RGB").getpixel((800, 1100))
                assert top[0] > 180 > 60 > top[2], (number, top)
                assert bottom[2] > 150 > 80 > bottom[0], (number, bottom)
            if number == 5:
                assert 100 < np.asarray(small.convert("L")).mean() < 155
            if number == 2:  # turned: what was above is on the right now
                assert small.getpixel((1100, 800))[0] > 180


def test_small_images_are_shown_as_they_are(client: TestClient) -> None:
    image = client.get("/api/next", params={"annotator": "Ada", "after": 6}).json()["image"]
    assert (image["image_id"], image["screen_url"]) == (7, None)
    assert client.get("/api/images/7/screen").status_code == 404


def test_it_is_made_once_and_anew_when_the_file_changes(client: TestClient, tmp_path: Path) -> None:
    screens = tmp_path / "data" / ".screens"
    assert client.get("/api/images/1/screen").status_code == 200
    (first,) = screens.iterdir()
    made = first.stat().st_mtime_ns
    assert client.get("/api/images/1/screen").status_code == 200
    assert first.stat().st_mtime_ns == made
    assert [path.suffix for path in screens.iterdir()] == [".webp"]


def test_a_file_that_is_damaged_since_is_refused_with_words(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "data" / "images" / "p01" / "1-plain.jpg").write_bytes(b"no image any more")
    answer = client.get("/api/images/1/screen")
    assert (answer.status_code, "can't be made smaller" in answer.json()["detail"]) == (404, True)
