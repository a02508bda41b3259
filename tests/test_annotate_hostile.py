"""Files and texts that mean harm, or are merely odd: each is shown right or refused with words."""

import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from desk_parts import Served
from exchange_parts import bring, faults_of, look_at, picture, plain_project, rate
from PIL import Image

from annotate.api import build_api
from annotate.exports import Exporter
from annotate.importing.look import ZIP_LIMITS
from annotate.importing.plan import Options
from annotate.project import Project
from annotate.store import Store
from reward.images import load_rgb

OpenStore = Callable[[Project], Store]
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
IN_P1 = Options(prompt="p01")


@pytest.fixture
def store(tmp_path: Path, open_store: OpenStore) -> Store:
    return open_store(plain_project(tmp_path / "data", 1, 1))


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png(side: int) -> bytes:
    """A PNG that really holds side × side white pixels, packed into a few megabytes."""
    packer = zlib.compressobj(1)
    row = b"\0" + b"\xff" * side
    data = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def zipped(path: Path, entries: list[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def link_entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.svg", SVG, "browsers can't show this format safely; convert it to PNG"),
        ("a.png", SVG, "is no readable image"),
        ("a.png", b"", "is no readable image"),
        ("a.jpg", b"\xff\xd8\xff\xe0rubbish", "can't be read"),
        ("a.gif", b"GIF89a<script>alert(1)</script>", "is no readable image"),
        ("a.html", b"<script>alert(1)</script>", "can't be imported"),
        ("a.exe", b"MZ", "can't be imported"),
    ],
)
def test_what_is_no_picture_is_refused_with_words(
    store: Store, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    file = tmp_path / "up" / name
    file.parent.mkdir()
    file.write_bytes(content)
    plan = look_at(store, file, options=IN_P1)
    assert words in faults_of(plan)
    assert not plan.adds
    assert "<" not in faults_of(plan)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif"])
def test_a_truncated_picture_is_refused(store: Store, tmp_path: Path, suffix: str) -> None:
    whole = tmp_path / f"whole.{suffix}"
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (120, 120, 3), dtype=np.uint8))
    noise.save(whole)
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    assert f"cut.{suffix}: " in faults_of(look_at(store, cut, options=IN_P1))
    assert look_at(store, whole, options=IN_P1).faults == []


def test_thirty_thousand_pixels_squared_cost_no_memory(store: Store, tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from annotate.importing.__main__ import main
code = main(["--data", {str(tmp_path / "other")!r}, "--prompt", "p01", {str(tmp_path / "huge.png")!r}])
status = Path("/proc/self/status").read_text()
print("peak", int(status.split("VmHWM:")[1].split()[0]) // 1024)
sys.exit(code)
"""
    (tmp_path / "huge.png").write_bytes(huge_png(30_000))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "million pixels; scale it down" in done.stderr
    assert int(done.stdout.split()[-1]) < 400  # MiB; its pixels alone would be 900


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([("p01/ok.png", b"x"), ("../../out.png", b"x")], "holds a path that leads out of it"),
        ([("/p01/out.png", b"x")], "holds a path that leads out of it"),
        ([("C:\\p01\\out.png", b"x")], "holds a path that leads out of it"),
        ([(link_entry("p01/l.png"), b"/etc/hostname")], "holds a link"),
        ([("p01/bomb.png", b"\0" * 40_000_000)], "200 times its size"),
        ([("p01/script.svg", SVG)], "browsers can't show this format safely"),
        ([("notes.txt", b"x")], "holds no image"),
        ([("loose.png", b"x")], "belongs to no prompt"),
        ([(".hidden/x.png", b"x")], "holds no image"),
    ],
)
def test_a_hostile_zip_leaves_nothing(
    store: Store, tmp_path: Path, entries: list[tuple[str | zipfile.ZipInfo, bytes]], words: str
) -> None:
    plan = look_at(store, zipped(tmp_path / "evil.zip", entries))
    assert words in faults_of(plan)
    assert not plan.images
    assert not list(tmp_path.rglob("out.png"))
    assert [file.name for file in (store.project.images / "p01").iterdir()] == ["1.png"]
    assert not (store.project.root / ".incoming").exists()


def test_a_zip_of_zips_and_one_of_too_many_are_refused(store: Store, tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", [("p01/a.png", b"x")]).read_bytes()
    assert "holds no image" in faults_of(look_at(store, zipped(tmp_path / "outer.zip", [("inner.zip", inner)])))
    many = zipped(tmp_path / "many.zip", [(f"p01/{n}.png", b"") for n in range(ZIP_LIMITS.images + 1)])
    assert "20,000 at once are the most" in faults_of(look_at(store, many))


def test_links_out_of_the_folder_are_not_followed(store: Store, tmp_path: Path) -> None:
    secret = picture(tmp_path / "secret" / "p09" / "s.png", (9, 9, 9))
    source = tmp_path / "in"
    picture(source / "p02" / "a.png", (1, 1, 1))
    (source / "p02" / "link.png").symlink_to(secret)
    (source / "p09").symlink_to(secret.parent)
    plan, taken = bring(store, source)
    assert taken.images == 1
    assert plan.notes == ["in: links that were not followed: 2."]
    direct = tmp_path / "direct.png"
    direct.symlink_to(secret)
    assert "is a link, which is not followed" in faults_of(look_at(store, direct, options=IN_P1))
    # A prompt's folder that leads elsewhere is not written through either.
    (store.project.images / "p07").symlink_to(secret.parent)
    with pytest.raises(Exception, match="images/p07 is a link"):
        bring(store, picture(tmp_path / "b.png", (5, 5, 5)), options=Options(prompt="p07"))
    assert [file.name for file in secret.parent.iterdir()] == ["s.png"]


def test_a_table_reads_no_file_it_may_not(store: Store, tmp_path: Path) -> None:
    secret = picture(tmp_path / "secret" / "s.png", (9, 9, 9))
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed" / "link.png").symlink_to(secret)
    rows = [f"p01,{path},1,1,1,1,1" for path in (secret, tmp_path / "allowed/link.png", "../secret/s.png", "a\0b")]
    header = "prompt_id,image_path,spatial_rating,icono_rating,style_rating,fidelity_rating,material_rating"
    table = tmp_path / "allowed" / "r.csv"
    table.write_text("\n".join([header, *rows[:3]]) + "\n", encoding="utf-8")
    inside = (tmp_path / "allowed").resolve()
    plan = look_at(store, table, options=Options(may_read=lambda path: path.is_relative_to(inside)))
    assert plan.unknown == 3
    assert plan.images == []
    table.write_text("\n".join([header, rows[3]]) + "\n", encoding="utf-8")
    assert "binary content" in faults_of(look_at(store, table))


def odd_files(folder: Path) -> dict[str, tuple[tuple[int, int], tuple[int, int, int]]]:
    """Odd but honest files: the size they are to be seen in and the colour of their upper left corner."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("CMYK", (40, 30), (0, 255, 255, 0)).save(folder / "cmyk.jpg", quality=95)
    Image.fromarray(np.full((30, 40), 32896, dtype=np.uint16)).save(folder / "sixteen.png")
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:], duration=20_000)
    turned = Image.new("RGB", (40, 30), "white")
    turned.paste((0, 160, 0), (0, 15, 20, 30))  # lower left, which is the upper left of what is to be seen
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(folder / "turned.jpg", exif=exif, quality=95)
    return {
        "cmyk.jpg": ((40, 30), (255, 0, 0)),
        "sixteen.png": ((40, 30), (128, 128, 128)),
        "moving.gif": ((40, 30), (255, 0, 0)),
        "turned.jpg": ((30, 40), (0, 160, 0)),
    }


def test_odd_files_come_in_are_served_as_they_are_and_encoded_as_they_are_seen(
    store: Store, tmp_path: Path, serve: Callable[[object], Served]
) -> None:
    seen = odd_files(tmp_path / "in" / "p03")
    _, taken = bring(store, tmp_path / "in")
    assert taken.images == len(seen)
    url = serve(build_api(store.project, store, Exporter(store))).url
    for image in store.images():
        name = image.path.split("/")[1]
        if image.prompt_id != "p03":
            continue
        size, colour = seen[name]
        answer = httpx.get(f"{url}/api/images/{image.id}", timeout=60)
        assert answer.content == (tmp_path / "in" / "p03" / name).read_bytes()
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        pixels = load_rgb(store.project.images / image.path)
        assert pixels.size == size
        np.testing.assert_allclose(pixels.getpixel((3, 3)), colour, atol=12)


def test_texts_that_mean_harm_stay_texts_in_every_answer(
    tmp_path: Path, open_store: OpenStore, serve: Callable[[object], Served]
) -> None:
    project = plain_project(tmp_path / "data", 1, 2)
    evil = "<img src=x onerror=alert(1)>"
    project.prompts_csv.write_text(f'prompt_id,prompt\np01,"{evil}"\n', encoding="utf-8")
    store = open_store(project)
    name = 'O\'Brien "Bobby"; DROP TABLE ratings;--'
    rate(store, 1, name, (5.0,) * 5)
    url = serve(build_api(project, store, Exporter(store))).url
    following = httpx.get(f"{url}/api/next", params={"annotator": name}, timeout=60)
    assert following.headers["content-type"] == "application/json"
    assert following.json()["image"]["prompt"] == evil
    own = httpx.get(f"{url}/api/ratings", params={"annotator": name}, timeout=60).json()
    assert own["ratings"][0]["image"]["prompt"] == evil
    people = httpx.get(f"{url}/api/export/per-annotator", timeout=60).text
    assert '"O\'Brien ""Bobby""; DROP TABLE ratings;--"' in people
    for cell in ("=1+1", "+1", "-1", "@SUM(A1)"):
        answer = httpx.get(f"{url}/api/next", params={"annotator": cell}, timeout=60)
        assert answer.status_code == 422
        assert "spreadsheets would run it as a formula" in answer.json()["detail"]


def test_a_path_in_an_address_leads_nowhere(store: Store, serve: Callable[[object], Served]) -> None:
    url = serve(build_api(store.project, store, Exporter(store))).url
    for path in (
        "../../../etc/passwd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "1/../../../studio.db",
        "..%5c..%5cstudio.db",
    ):
        for route in ("images", "export"):
            answer = httpx.get(f"{url}/api/{route}/{path}", timeout=60)
            assert answer.status_code in (404, 422)
            assert "root:" not in answer.text
