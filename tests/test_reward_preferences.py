"""Reading a pairs JSONL: every fault named at once, with line and remedy."""

import json
from pathlib import Path

import pytest

from reward.errors import InputError
from reward.preferences import read_preferences
from tests.reward_inputs import draw


@pytest.fixture
def two(tmp_path: Path) -> Path:
    draw(tmp_path / "a.png", 1)
    draw(tmp_path / "b.png", 2)
    return tmp_path


def line(**changes: object) -> str:
    return json.dumps({"prompt": "a cat", "img_pos": "a.png", "img_neg": "b.png", "label": 1, **changes})


def write(folder: Path, *lines: str) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def message(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_preferences(path)
    return str(caught.value)


def test_every_fault_at_once(two: Path) -> None:
    text = message(
        write(
            two,
            line(),
            "{broken",
            "[1, 2]",
            line(label=1.5),
            line(label="yes"),
            line(label=True),
            line(label=float("nan")),
            '{"prompt": "x", "img_pos": "a.png", "label": 1}',
            line(img_neg="a.png"),
            line(img_neg="gone.png"),
            line(prompt=3),
        )
    )
    expected = [
        "2: broken JSON",
        "3: not a JSON object",
        "4: label is 1.5, outside 0–1",
        "5: label is 'yes', not a number",
        "6: label is True, not a number",
        "7: label is nan, not a number",
        "8: img_neg missing",
        "9: img_pos and img_neg are the same image",
        "10: img_neg gone.png: the file does not exist",
        "11: prompt is 3, not a text",
    ]
    lines = text.splitlines()
    assert len(lines) == len(expected)
    for found, start in zip(lines, expected, strict=True):
        assert found.startswith(f"{two / 'pairs.jsonl'}:{start}")


@pytest.mark.parametrize(("content", "expected"), [(b"", "empty"), (b"\xff\xfe\x00", "not UTF-8"), (b"{\0}", "binary")])
def test_files_that_are_no_text(two: Path, content: bytes, expected: str) -> None:
    (two / "pairs.jsonl").write_bytes(content)
    assert expected in message(two / "pairs.jsonl")


def test_bom_and_crlf_and_blank_lines(two: Path) -> None:
    path = two / "pairs.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + line().encode() + b"\r\n\r\n")
    assert read_preferences(path).frame["label"].tolist() == [1.0]


def test_separators_that_are_no_line_ends_stay_in_the_prompt(two: Path) -> None:
    path = two / "pairs.jsonl"
    path.write_text(line(prompt="a\u2028b").replace("\\u2028", "\u2028") + "\n", encoding="utf-8")
    assert read_preferences(path).frame["prompt"].tolist() == ["a\u2028b"]


def test_lines_about_the_same_two_images_are_merged(two: Path) -> None:
    path = write(
        two, line(label=1), line(img_pos="b.png", img_neg="a.png", label=1), line(label=1), line(prompt="other")
    )
    frame = read_preferences(path).frame
    assert frame["label"].round(3).tolist() == [0.667, 1.0]
    assert frame["img_pos"].str.endswith("a.png").all()


def test_the_real_preferences(avt: Path) -> None:
    assert len(read_preferences(avt / "pairs.jsonl").frame) == 200
