"""What the data panel counts, against numbers worked out by hand."""

import json
from pathlib import Path

import pytest
from dashboards_helpers import make_project

from dashboards.datasummary import summarise_preferences, summarise_ratings
from reward.errors import InputError

HEADER = "prompt_id,image_path,spatial_rating,icono_rating,style_rating,fidelity_rating,material_rating"


def test_images_prompts_ratings_pairs_and_ties_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    rows = ["p1,a.png,,5,8.2,3,1", "p1,b.png,,5,7.7,,1.4", "p1,c.png,,6,1,4,1.4", "p2,d.png,,9,9,9,9"]
    path.write_text("\n".join([HEADER, *rows, ""]))
    summary = summarise_ratings(path, 0.5)
    assert (summary.images, summary.prompts, summary.ratings, summary.people) == (4, 2, 15, 0)
    counted = {head.label: (head.rated, head.pairs, head.ties) for head in summary.heads}
    assert counted == {
        "Spatial": (0, 0, 0),
        "Iconographic": (4, 2, 1),
        "Style": (4, 3, 0),
        "Fidelity": (3, 1, 0),
        "Material": (4, 0, 3),
    }
    assert summary.notes == (
        "Spatial has no ratings: its head will stay untrained.",
        "Material has ratings but no pair that differs by 0.5 or more: "
        "lower the minimal difference, or rate more images of one prompt.",
    )
    assert summary.barren == (("p2", "a single rated image"),)


def test_prompts_that_yield_nothing_are_named_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    rows = ["p1,a.png,5,5,,,", "p1,b.png,5.2,5.1,,,", "p2,c.png,1,,,,", "p2,d.png,,9,,,", "p3,e.png,1,1,,,"]
    path.write_text("\n".join([HEADER, *rows, "p4,f.png,1,1,,,", "p4,g.png,1,9,,,", ""]))
    assert summarise_ratings(path, 0.5).barren == (
        ("p1", "no two images differ by 0.5 or more on any head"),
        ("p2", "no head is rated on two of its images"),
        ("p3", "a single rated image"),
    )
    assert [name for name, _ in summarise_ratings(path, 0.1).barren] == ["p2", "p3"]


def test_a_larger_difference_turns_pairs_into_ties(tmp_path: Path) -> None:
    path = make_project(tmp_path)
    fine, coarse = (summarise_ratings(path, difference) for difference in (0.1, 4.0))
    for few, many in zip(coarse.heads[1:], fine.heads[1:], strict=True):
        assert few.pairs < many.pairs
        assert few.pairs + few.ties == many.pairs + many.ties == 6 * 6


def test_people_are_counted_where_the_file_tells(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    rows = ["p1,a.png,ann,1,1,1,1,1", "p1,a.png,bob,3,3,3,3,3", "p1,b.png,ann,5,5,5,5,5"]
    path.write_text("\n".join([HEADER.replace("image_path", "image_path,annotator"), *rows, ""]))
    summary = summarise_ratings(path, 0.5)
    assert (summary.images, summary.ratings, summary.people) == (2, 15, 2)
    assert [head.pairs for head in summary.heads] == [1] * 5


def test_pairs_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    lines = [
        {"prompt": "a cat", "img_pos": "a.png", "img_neg": "b.png", "label": 1},
        {"prompt": "a cat", "img_pos": "a.png", "img_neg": "c.png", "label": 0.5},
        {"prompt": "a dog", "img_pos": "d.png", "img_neg": "e.png", "label": 0.2},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    summary = summarise_preferences(path)
    assert (summary.images, summary.prompts, summary.ratings, summary.heads) == (5, 2, 3, ())
    assert summary.notes == ("1 of the pairs is a tie (label ½).",)
    assert summary.barren == ()
    path.write_text(json.dumps(lines[1]) + "\n" + json.dumps(lines[2]) + "\n")
    assert summarise_preferences(path).barren == (("a cat", "all its pairs are ties"),)


def test_a_faulty_file_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text(f"{HEADER}\np1,a.png,11,1,1,1,1\n")
    with pytest.raises(InputError, match="spatial_rating is 11, outside 0–10"):
        summarise_ratings(path, 0.5)
