"""Where a project's files lie, how exported paths are written, and which folder the studio opens."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from annotate.project import Project, open_project
from annotate.scan import scan_images
from reward.errors import RewardError

MakeProject = Callable[..., Project]


def test_paths_below_the_working_directory_are_written_as_the_mission_does(tmp_path: Path) -> None:
    project = Project(Path("data"), base=tmp_path)
    assert project.exported_path(Path("data/images/p01/a.png")) == "data/images/p01/a.png"
    absolute = Project(tmp_path / "data", base=tmp_path)
    assert absolute.exported_path(tmp_path / "data/images/p01/a.png") == "data/images/p01/a.png"


def test_paths_elsewhere_are_absolute(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    for root in (tmp_path / "data", Path("../data")):
        project = Project(root, base=tmp_path / "here")
        assert project.exported_path(root / "images/a/b.png") == str(tmp_path / "data/images/a/b.png")


def test_a_folder_reached_through_a_link_is_written_below_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    project = Project(tmp_path / "link" / "data", base=tmp_path / "real")
    assert project.exported_path(tmp_path / "real/data/images/a/b.png") == "data/images/a/b.png"


def test_the_folder_itself_opens_when_it_holds_images(make_project: MakeProject) -> None:
    project = make_project()
    assert open_project(project.root).root == project.root
    assert not open_project(project.root).is_sample


@pytest.mark.slow
def test_an_empty_folder_opens_the_sample(tmp_path: Path) -> None:
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "images" / ".gitkeep").touch()
    project = open_project(tmp_path / "data")
    assert project.root == tmp_path / "data" / "sample"
    assert project.is_sample
    assert len(scan_images(project).images) >= 40
    assert open_project(tmp_path / "data") == project


def test_a_file_is_no_data_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    with pytest.raises(RewardError) as caught:
        open_project(tmp_path / "data")
    assert "is a file; --data names a folder" in str(caught.value)


def test_the_working_directory_is_remembered(make_project: MakeProject) -> None:
    project = make_project()
    before = Path.cwd()
    os.chdir("/")
    try:
        assert project.exported_path(project.images / "p01" / "1.png") == "data/images/p01/1.png"
    finally:
        os.chdir(before)
