"""Which files of an images folder can be rated, and what is said about the others."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from desk_parts import draw_picture
from PIL import Image

from annotate.project import Project
from annotate.scan import ImageFile, scan_images

MakeProject = Callable[..., Project]


def problem_of(project: Project, name: str) -> str:
    found = [problem for problem in scan_images(project).problems if problem.startswith(f"images/{name}: ")]
    assert len(found) == 1, scan_images(project).problems
    return found[0]


def names(project: Project) -> list[str]:
    return [image.path for image in scan_images(project).images]


def test_images_come_in_natural_order(make_project: MakeProject) -> None:
    project = make_project(prompts=1, images=12)
    assert names(project) == [f"p01/{i}.png" for i in range(1, 13)]
    first = scan_images(project).images[0]
    assert (first.prompt_id, first.width, first.height, first.format) == ("p01", 320, 240, "PNG")


def test_deeper_folders_belong_to_their_prompt_and_hidden_files_are_left_out(make_project: MakeProject) -> None:
    project = make_project(prompts=1, images=1)
    draw_picture(project.images / "p01" / "deep" / "x.png", 1)
    draw_picture(project.images / "p01" / ".hidden.png", 1)
    (project.images / "p01" / "notes.txt").write_text("no image")
    assert names(project) == ["p01/1.png", "p01/deep/x.png"]
    assert scan_images(project).problems == ()


def test_a_link_out_of_the_folder_is_refused(make_project: MakeProject, tmp_path: Path) -> None:
    project = make_project(prompts=1, images=1)
    draw_picture(tmp_path / "secret.png", 1)
    (project.images / "p01" / "out.png").symlink_to(tmp_path / "secret.png")
    (project.images / "p01" / "inside.png").symlink_to(project.images / "p01" / "1.png")
    (project.images / "p02").symlink_to(tmp_path)
    assert "a link out of the images folder is not followed" in problem_of(project, "p01/out.png")
    assert "a link out of the images folder is not followed" in problem_of(project, "p02")
    assert names(project) == ["p01/1.png", "p01/inside.png"]


def test_what_is_no_image_is_named(make_project: MakeProject) -> None:
    project = make_project(prompts=1, images=1)
    folder = project.images / "p01"
    (folder / "text.png").write_text("hello")
    (folder / "script.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    (folder / "svg.png").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "empty.jpg").touch()
    Image.new("RGB", (8, 8)).save(folder / "really.png", format="TIFF")
    draw_picture(project.images / "loose.png", 1)
    (project.images / "p02 ").mkdir()
    draw_picture(project.images / "p02 " / "a.png", 1)
    assert "no readable image" in problem_of(project, "p01/text.png")
    assert "can't show this format safely" in problem_of(project, "p01/script.svg")
    assert "no readable image" in problem_of(project, "p01/svg.png")
    assert "no readable image" in problem_of(project, "p01/empty.jpg")
    assert "really a TIFF file" in problem_of(project, "p01/really.png")
    assert "move it to images/<prompt_id>/" in problem_of(project, "loose.png")
    assert "a name that a CSV can't hold" in problem_of(project, "p02 /a.png")
    assert names(project) == ["p01/1.png"]


def test_a_picture_of_too_many_pixels_is_refused_unopened(make_project: MakeProject) -> None:
    project = make_project(prompts=1, images=1)
    for name, side in (("huge.png", 30_000), ("large.png", 10_000)):
        (project.images / "p01" / name).write_bytes(_png_header(side))
        assert "million pixels; scale it down" in problem_of(project, f"p01/{name}")


def _png_header(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def test_a_known_file_is_not_read_again(make_project: MakeProject) -> None:
    project = make_project(prompts=1, images=1)
    image = scan_images(project).images[0]
    known = ImageFile(image.path, "p01", image.size, image.mtime_ns, 7, 7, "PNG")
    assert scan_images(project, {image.path: known}).images == (known,)
    draw_picture(project.images / "p01" / "1.png", 99, (64, 48))
    assert scan_images(project, {image.path: known}).images[0].width == 64


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_picture_that_is_cut_off_is_named(make_project: Callable[..., Project], suffix: str) -> None:
    project = make_project(prompts=1, images=1)
    whole = project.images / "p01" / f"whole.{suffix}"
    Image.effect_noise((200, 200), 60).convert("RGB").save(whole)
    cut = project.images / "p01" / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    trailing = project.images / "p01" / f"trailing.{suffix}"
    trailing.write_bytes(whole.read_bytes() + b"\0" * 500)
    found = scan_images(project)
    assert {image.path for image in found.images} == {"p01/1.png", f"p01/whole.{suffix}", f"p01/trailing.{suffix}"}
    assert found.problems == (f"images/p01/cut.{suffix}: is cut off: its end is missing; replace it",)
