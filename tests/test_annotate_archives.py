"""What a zip of images may not do."""

import stat
import zipfile
from pathlib import Path

import pytest
from dashboards_helpers import make_images

from annotate.archives import ArchiveError, Limits, unpack_images

LIMITS = Limits()


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    return make_images(tmp_path / "data", 1, 3)


def pack(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_a_zip_gives_its_images_under_their_own_names(tmp_path: Path, images: list[Path]) -> None:
    content = [file.read_bytes() for file in images]
    entries = [("a/0.png", content[0]), ("b/0.PNG", content[1]), ("notes.txt", b"x"), ("__MACOSX/0.png", b"x")]
    taken = unpack_images(pack(tmp_path / "some.zip", *entries), tmp_path / "place", LIMITS)
    assert [one.name for one in taken] == ["a/0.png", "b/0.PNG"]
    assert [one.file.read_bytes() for one in taken] == content[:2]
    assert all(one.file.is_relative_to(tmp_path / "place") for one in taken)


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([("../out.png", b"x")], "leads out of it"),
        ([("/etc/out.png", b"x")], "leads out of it"),
        ([("a/../../out.png", b"x")], "leads out of it"),
        ([("..\\out.png", b"x")], "leads out of it"),
        ([("C:\\out.png", b"x")], "leads out of it"),
        ([(link("l.png"), b"/etc/hostname")], "holds a link"),
        ([("bomb.png", b"0" * 3_000_000)], "200 times its size"),
        ([("notes.txt", b"x")], "holds no image"),
    ],
)
def test_a_hostile_zip_is_refused_and_leaves_nothing_outside(
    tmp_path: Path, entries: list[tuple[str | zipfile.ZipInfo, bytes]], words: str
) -> None:
    archive = pack(tmp_path / "evil.zip", *entries)
    with pytest.raises(ArchiveError, match=words):
        unpack_images(archive, tmp_path / "place", LIMITS)
    assert not list(tmp_path.rglob("out.png"))


def test_a_header_that_says_less_than_comes_out_is_found(tmp_path: Path, images: list[Path]) -> None:
    archive = pack(tmp_path / "some.zip", ("0.png", images[2].read_bytes()))
    with pytest.raises(ArchiveError, match="too large when unpacked"):
        unpack_images(archive, tmp_path / "place", Limits(file_bytes=100))


def test_too_much_in_a_zip_is_refused_before_anything_is_written(tmp_path: Path, images: list[Path]) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK rubbish")
    with pytest.raises(ArchiveError, match="can't be unpacked"):
        unpack_images(broken, tmp_path / "place", LIMITS)
    archive = pack(tmp_path / "some.zip", *((f"{n}.png", b"x") for n in range(3)))
    with pytest.raises(ArchiveError, match="holds 3 images; 2 at once are the most"):
        unpack_images(archive, tmp_path / "place", Limits(images=2))
    with pytest.raises(ArchiveError, match="GiB is the most"):
        unpack_images(archive, tmp_path / "place", Limits(total_bytes=2))
    assert not (tmp_path / "place").exists()
