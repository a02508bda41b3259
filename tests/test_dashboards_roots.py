"""Which paths the page may use."""

from pathlib import Path

import pytest

from dashboards.roots import RefusedPathError, Roots


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    for name in ("data", "outputs", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "ratings.csv").write_text("x")
    (tmp_path / "elsewhere" / "ratings.csv").write_text("x")
    return Roots.of(tmp_path / "data", tmp_path / "outputs")


def test_a_file_in_the_data_folder_is_found_by_relative_and_absolute_path(roots: Roots) -> None:
    file = roots.data / "ratings.csv"
    assert roots.existing_file("ratings.csv", "--ratings") == file
    assert roots.existing_file(f" {file} ", "--ratings") == file


@pytest.mark.parametrize("path", ["/etc/hostname", "../elsewhere/ratings.csv", "~/secret.csv", "/etc/../etc/hostname"])
def test_a_file_elsewhere_is_refused_with_the_way_to_allow_it(roots: Roots, path: str) -> None:
    with pytest.raises(RefusedPathError) as refused:
        roots.existing_file(path, "--ratings")
    assert "--ratings" in str(refused.value)
    assert "--allow" in str(refused.value)


def test_a_file_elsewhere_is_refused_alike_whether_it_exists_or_not(roots: Roots) -> None:
    messages = set()
    for path in ("/etc/hostname", "/etc/hostnamf"):
        with pytest.raises(RefusedPathError) as refused:
            roots.existing_file(path, "--ratings")
        messages.add(str(refused.value).replace(path, ""))
    assert len(messages) == 1


def test_a_link_that_leads_out_is_refused(roots: Roots) -> None:
    (roots.data / "link.csv").symlink_to("/etc/hostname")
    with pytest.raises(RefusedPathError, match="outside"):
        roots.existing_file("link.csv", "--ratings")


def test_an_allowed_folder_can_be_read(roots: Roots, tmp_path: Path) -> None:
    more = Roots.of(roots.data, roots.outputs, [tmp_path / "elsewhere"])
    file = tmp_path / "elsewhere" / "ratings.csv"
    assert more.existing_file(str(file), "--ratings") == file
    assert more.existing_folder(str(tmp_path / "elsewhere"), "--image-root") == tmp_path / "elsewhere"


def test_a_missing_file_a_folder_and_nothing_are_told_apart(roots: Roots) -> None:
    with pytest.raises(RefusedPathError, match="there is no file"):
        roots.existing_file("nothing.csv", "--ratings")
    with pytest.raises(RefusedPathError, match="there is no file"):
        roots.existing_file(".", "--ratings")
    with pytest.raises(RefusedPathError, match="no path given"):
        roots.existing_file("  ", "--ratings")
    with pytest.raises(RefusedPathError, match="is not a path"):
        roots.existing_file("a\0b", "--ratings")


def test_a_run_has_a_plain_name_below_outputs(roots: Roots) -> None:
    assert roots.run_folder("avt_2.1-b") == roots.outputs / "avt_2.1-b"
    for name in ("", ".", "..", "../x", "a/b", "/tmp/x", ".hidden", "a\0b", "x" * 81, "ä"):
        with pytest.raises(RefusedPathError, match="A run's name"):
            roots.run_folder(name)


def test_a_run_that_links_out_of_outputs_is_refused(roots: Roots, tmp_path: Path) -> None:
    (roots.outputs / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedPathError, match="leads out"):
        roots.run_folder("out")


def test_a_name_longer_than_the_file_system_knows_is_refused(roots: Roots) -> None:
    with pytest.raises(RefusedPathError) as caught:
        roots.existing_file("data/" + "x" * 5000, "Ratings CSV")
    assert "is not a path" in str(caught.value)


def test_the_folder_to_allow_is_written_plainly(roots: Roots) -> None:
    with pytest.raises(RefusedPathError) as caught:
        roots.existing_file(str(roots.data / ".." / ".." / "other" / "r.csv"), "Ratings CSV")
    assert f"--allow {roots.data.parents[1]}/other." in str(caught.value)
