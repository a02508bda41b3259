"""What is taken in to be scored, and what a zip may not do."""

import stat
import zipfile
from pathlib import Path

import pytest
from dashboards_helpers import make_images

from dashboards import intake
from dashboards.intake import IntakeError, take_in, unpack
from dashboards.roots import RefusedPathError, Roots


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
    taken = unpack(pack(tmp_path / "some.zip", *entries), tmp_path / "place")
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
        ([(link("l.png"), b"/etc/hostname")], "holds a link"),
        ([("bomb.png", b"0" * 3_000_000)], "200 times its size"),
        ([("notes.txt", b"x")], "holds no image"),
    ],
)
def test_a_hostile_zip_is_refused_and_leaves_nothing_outside(
    tmp_path: Path, entries: list[tuple[str | zipfile.ZipInfo, bytes]], words: str
) -> None:
    archive = pack(tmp_path / "evil.zip", *entries)
    with pytest.raises(IntakeError, match=words):
        unpack(archive, tmp_path / "place")
    assert not list(tmp_path.rglob("out.png"))


def test_a_header_that_says_less_than_comes_out_is_found(
    tmp_path: Path, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = pack(tmp_path / "some.zip", ("0.png", images[2].read_bytes()))
    monkeypatch.setattr(intake, "LARGEST_FILE", 100)
    with pytest.raises(IntakeError, match="too large when unpacked"):
        unpack(archive, tmp_path / "place")


def test_too_many_images_and_files_that_are_no_zip_are_refused(
    tmp_path: Path, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK rubbish")
    with pytest.raises(IntakeError, match="can't be unpacked"):
        unpack(broken, tmp_path)
    monkeypatch.setattr(intake, "MOST_IMAGES", 2)
    archive = pack(tmp_path / "some.zip", *((f"{n}.png", b"x") for n in range(3)))
    with pytest.raises(IntakeError, match="holds 3 images"):
        unpack(archive, tmp_path / "place")
    with pytest.raises(IntakeError, match="3 images are more than the 2"):
        take_in(Roots.of(tmp_path, tmp_path), [str(file) for file in images], "", tmp_path)


def test_a_folder_is_read_within_the_roots_and_links_out_of_it_are_passed_over(
    tmp_path: Path, images: list[Path]
) -> None:
    outside = make_images(tmp_path / "elsewhere", 1, 1)[0]
    (tmp_path / "data/images/p00/link.png").symlink_to(outside)
    roots = Roots.of(tmp_path / "data", tmp_path / "outputs")
    taken = take_in(roots, [], str(tmp_path / "data" / "images"), tmp_path)
    assert [one.name for one in taken] == ["p00/0.png", "p00/1.png", "p00/2.png"]
    for folder in (tmp_path / "elsewhere", "/etc", "../.."):
        with pytest.raises(RefusedPathError):
            take_in(roots, [], str(folder), tmp_path)
