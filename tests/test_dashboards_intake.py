"""What is taken in to be scored."""

import zipfile
from pathlib import Path

import pytest
from dashboards_helpers import make_images

from annotate.archives import ArchiveError
from dashboards import intake
from dashboards.intake import IntakeError, take_in
from dashboards.roots import RefusedPathError, Roots


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    return make_images(tmp_path / "data", 1, 3)


def test_zips_and_files_are_taken_in_together_up_to_a_number(
    tmp_path: Path, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "some.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for file in images:
            opened.write(file, f"in/{file.name}")
    roots = Roots.of(tmp_path, tmp_path)
    taken = take_in(roots, [str(images[0]), str(archive)], "", tmp_path / "place")
    assert [one.name for one in taken] == ["0.png", "in/0.png", "in/1.png", "in/2.png"]
    monkeypatch.setattr(intake, "MOST_IMAGES", 2)
    with pytest.raises(ArchiveError, match="holds 3 images"):
        take_in(roots, [str(archive)], "", tmp_path / "place")
    with pytest.raises(IntakeError, match="3 images are more than the 2"):
        take_in(roots, [str(file) for file in images], "", tmp_path)


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
