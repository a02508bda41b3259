"""Reading a ratings CSV: every fault named at once, with line and remedy."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from reward.errors import InputError
from reward.ratings import read_ratings
from reward.tables import _is_rectangular, _records
from tests.reward_inputs import HEADER, draw, draw_prompts, simple_ratings, write_ratings


def message(path: Path, **more: object) -> str:
    with pytest.raises(InputError) as caught:
        read_ratings(path, **more)  # type: ignore[arg-type]  # image_root only
    return str(caught.value)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder with pictures a.png and b.png."""
    draw(tmp_path / "a.png", 1)
    draw(tmp_path / "b.png", 2)
    return tmp_path


def csv(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "r.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_a_sound_file(tmp_path: Path) -> None:
    table = read_ratings(simple_ratings(tmp_path))
    assert len(table.frame) == 12
    assert table.frame["style_rating"].between(0, 10).all()
    assert Path(table.frame["file"][0]) == tmp_path / "images/p0/0.png"


def test_a_blank_cell_is_not_rated(two: Path) -> None:
    frame = read_ratings(csv(two, "p,a.png,,1,2,3,4", "p,b.png, ,1,2,3,4")).frame
    assert frame["spatial_rating"].isna().all()


def test_every_fault_at_once(two: Path) -> None:
    (two / "broken.png").write_bytes((two / "a.png").read_bytes()[:150])
    (two / "text.png").write_text("no picture")
    text = message(
        csv(
            two,
            "p,a.png,1,2,3,4,5",
            "p,b.png,1,2,abc,4,5",
            "p,nowhere.png,1,2,3,4,11",
            "p,a.png,9,2,3,4,5",
            ",b.png,-1,2,3,4,5",
            "p,broken.png,1,2,3,4,5",
            "p,text.png,1,2,3,4,5",
        )
    )
    lines = text.splitlines()
    file = two / "r.csv"
    expected = [
        f"{file}:3: style_rating is 'abc', not a number",
        f"{file}:4: image nowhere.png: the file does not exist",
        f"{file}:4: material_rating is 11, outside 0–10",
        f"{file}:5: a.png is a duplicate of line 2",
        f"{file}:6: prompt_id is blank",
        f"{file}:6: spatial_rating is -1, outside 0–10",
        f"{file}:7: image broken.png: ",
        f"{file}:8: image text.png: not an image",
    ]
    assert len(lines) == len(expected)
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(start)
        assert "; " in line  # the remedy


def test_missing_columns_are_named(two: Path) -> None:
    text = message(
        csv(two, "p,a.png,1,2,3,4", header="prompt_id,image_path,spatial_rating,style_rating,fidelity_rating,material")
    )
    assert "r.csv:1: column 'icono_rating' is missing" in text
    assert "column 'material_rating' is missing" in text


def test_a_column_that_stands_twice(two: Path) -> None:
    assert "column 'style_rating' stands twice" in message(
        csv(two, "p,a.png,1,2,3,4,5,6", header=HEADER + ",style_rating")
    )


def test_lines_of_the_wrong_length(two: Path) -> None:
    text = message(csv(two, "p,a.png,1,2,3,4,5", "p,b.png,1,2", "p,b.png,1,2,3,4,5,6,7"))
    assert "r.csv:3: 4 cells where the header has 7" in text
    assert "r.csv:4: 9 cells where the header has 7" in text


def test_wrong_lengths_that_cancel_out_are_found(two: Path) -> None:
    text = message(csv(two, "p,a.png,7,5,6,5,4,3", "p,b.png,7,6,5,4"))
    assert "r.csv:2: 8 cells" in text
    assert "r.csv:3: 6 cells" in text


def test_blank_lines_are_skipped_and_counted(two: Path) -> None:
    path = csv(two, "", "p,a.png,1,2,3,4,5", "", "", "p,b.png,1,2,3,4,5", "", "")
    assert len(read_ratings(path).frame) == 2
    path = csv(two, "p,a.png,1,2,3,4,5", "", "p,b.png,1,2,3,4,50", "")
    assert message(path).startswith(f"{path}:4: material_rating is 50")
    path = csv(two, "p,a.png,1,2,3,4,5", "  ", "p,b.png,1,2,3,4,5")
    assert message(path).startswith(f"{path}:3: 1 cells where the header has 7")


@given(st.lists(st.text("a,;\r\n é", max_size=8), min_size=1, max_size=5), st.integers(1, 4))
def test_the_quick_look_at_a_tables_shape_is_never_wrong(lines: list[str], width: int) -> None:
    text = "\n".join(lines)
    if _is_rectangular(text.encode(), ",", width):
        assert {len(cells) for _, cells in _records(text, ",")} <= {width}


def test_ids_that_look_like_numbers_stay_text_in_every_part_of_a_large_file(two: Path) -> None:
    ids = ["007"] * 30_000 + ["p"] * 30_000 + ["1.50"] * 30_000 + ["True"] * 30_000
    path = csv(two, *(f"{name},{row}.png,1,2,3,4,5" for row, name in enumerate(ids)))
    assert read_ratings(path, check_images=False).frame["prompt_id"].tolist() == ids


@pytest.mark.parametrize("order", [1, -1])
def test_a_duplicate_is_found_in_any_order_of_many(two: Path, order: int) -> None:
    names = [f"{row:05d}.png" for row in range(20_000)][::order]
    path = csv(two, *(f"p,{name},1,2,3,4,5" for name in [*names, names[7]]))
    with pytest.raises(InputError) as caught:
        read_ratings(path, check_images=False)
    assert f"r.csv:20002: {names[7]} is a duplicate of line 9" in str(caught.value)


def test_two_spellings_of_a_path_are_a_duplicate(two: Path) -> None:
    text = message(csv(two, "p,a.png,1,2,3,4,5", "p,./a.png,1,2,3,4,5", f"p,{two}/a.png,1,2,3,4,5"))
    assert [line.split(": ")[1] for line in text.splitlines()] == [
        "./a.png is a duplicate of line 2; keep one row of the two",
        f"{two}/a.png is a duplicate of line 2; keep one row of the two",
    ]


def test_line_numbers_count_lines_not_rows(two: Path) -> None:
    path = csv(two, '"p\nq",a.png,1,2,3,4,5', "p,b.png,1,2,3,4,x")
    assert "r.csv:4: material_rating is 'x'" in message(path)


def test_bom_crlf_and_semicolons_with_decimal_commas(two: Path) -> None:
    text = HEADER.replace(",", ";") + "\r\np;a.png;1,5;2;3;4;5\r\np;b.png;1;2;3;4;5\r\n"
    path = two / "r.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_ratings(path).frame["spatial_rating"].tolist() == [1.5, 1.0]


def test_semicolons_with_a_faulty_cell_still_read_decimal_commas(two: Path) -> None:
    path = csv(two, "p;a.png;1,5;2;3;4;5", "p;b.png;oops;2;3;4;5", header=HEADER.replace(",", ";"))
    assert message(path).startswith(f"{path}:3: spatial_rating is 'oops'")
    assert len(message(path).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b"  \n\n", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "not UTF-8 text"),
        (HEADER.encode() + b"\np,a\0.png,1,2,3,4,5\n", "binary content"),
        (HEADER.encode() + b"\n", "there is a header but no row"),
        (HEADER.encode(), "there is a header but no row"),
        (HEADER.encode("utf-16"), "not UTF-8 text"),
    ],
)
def test_files_that_are_no_table(two: Path, content: bytes, expected: str) -> None:
    path = two / "r.csv"
    path.write_bytes(content)
    assert expected in message(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    assert "the file does not exist" in message(tmp_path / "none.csv")
    assert "this is a folder" in message(tmp_path)


def test_no_prompt_with_two_rated_images(two: Path) -> None:
    text = message(csv(two, "p,a.png,1,,,,", "q,b.png,1,,,,"))
    assert "no prompt has two rated images; rate at least two images of one prompt" in text


def test_annotators_give_a_mean(two: Path) -> None:
    path = csv(
        two,
        "ann,p,a.png,2,2,3,4,",
        "bob,p,a.png,4,2,3,4,",
        "ann,p,b.png,1,2,3,4,6",
        header="annotator," + HEADER,
    )
    means = read_ratings(path).by_image()
    assert means["spatial_rating"].tolist() == [3.0, 1.0]
    assert np.isnan(means["material_rating"][0])


def test_the_same_person_twice_is_a_duplicate(two: Path) -> None:
    path = csv(
        two, "ann,p,a.png,2,2,3,4,5", "ann,p,a.png,2,2,3,4,5", "bob,p,b.png,2,2,3,4,5", header="annotator," + HEADER
    )
    assert "r.csv:3:" in message(path)


def test_paths_resolve_against_the_root_then_the_file(tmp_path: Path) -> None:
    rows = draw_prompts(tmp_path / "elsewhere", 1, 2)
    (tmp_path / "csv").mkdir()
    path = write_ratings(tmp_path / "csv/r.csv", rows, {n: [n, 1, 2, 3, 4] for n in range(2)})
    assert "does not exist" in message(path)
    frame = read_ratings(path, image_root=tmp_path / "elsewhere").frame
    assert Path(frame["file"][0]) == tmp_path / "elsewhere/images/p0/0.png"


def test_further_columns_are_allowed(two: Path) -> None:
    path = csv(two, "p,a.png,1,2,3,4,5,hello", "p,b.png,1,2,3,4,5,", header=HEADER + ",note")
    assert len(read_ratings(path).frame) == 2


def test_a_cut_off_jpeg_is_found(two: Path) -> None:
    Image.open(two / "a.png").resize((400, 400)).save(two / "c.jpg", quality=90)
    (two / "c.jpg").write_bytes((two / "c.jpg").read_bytes()[:-2000])
    text = message(csv(two, "p,c.jpg,1,2,3,4,5", "p,b.png,1,2,3,4,5"))
    assert "image c.jpg: " in text
    assert "is cut off: its end is missing" in text


def test_the_real_ratings(avt: Path) -> None:
    table = read_ratings(avt / "multihead_ratings.csv")
    assert len(table.frame) == 100
    assert table.frame["spatial_rating"].isna().all()
    people = read_ratings(avt / "ratings_per_annotator.csv")
    assert people.frame["annotator"].nunique() == 47
    means = people.by_image().merge(table.frame, on=["prompt_id", "file"])
    # A few published means count ratings that the per-person table lacks.
    close = np.isclose(means["style_rating_x"], means["style_rating_y"], atol=0.001)
    assert close.mean() >= 0.95
