"""Properties: what one project exports, another with the same images takes in and then says the same."""

import csv
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from exchange_parts import Said, bring, export, plain_project, rate, said
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.errors import BadRequestError
from annotate.importing.plan import Options
from annotate.judgement import check_annotator
from annotate.store import Store
from reward.aspects import HEADS

PROMPTS, IMAGES = 2, 2


def _is_name(text: str) -> bool:
    try:
        return check_annotator(text) == text
    except BadRequestError:
        return False


value = st.none() | st.integers(0, 100).map(lambda tenths: tenths / 10)
values = st.tuples(*[value] * len(HEADS))
letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])
name = (
    st.sampled_from(['O"Brien', "o'neil", "a,b;c", "<img src=x onerror=1>", "Ünal", "李", "x=1"])
    | st.text(letters, min_size=1, max_size=12).filter(_is_name)
).filter(lambda text: not text.startswith("simulated-"))
seconds = st.none() | st.integers(0, 600_000).map(lambda thousandths: thousandths / 1000)
campaign = st.dictionaries(
    st.tuples(st.integers(1, PROMPTS * IMAGES), name), st.tuples(values, seconds), min_size=1, max_size=8
)
few = settings(max_examples=12, deadline=None)


@contextmanager
def two_studios(
    ratings: dict[tuple[int, str], tuple[tuple[float | None, ...], float | None]],
) -> Iterator[tuple[Store, Store, Path]]:
    """A studio with ratings, an empty one with the same images, and a folder for files."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        first = Store.open(plain_project(place / "one" / "data", PROMPTS, IMAGES))
        second = Store.open(plain_project(place / "two" / "data", PROMPTS, IMAGES))
        try:
            for (image_id, who), (said_values, spent) in ratings.items():
                rate(first, image_id, who, said_values, spent)
            yield first, second, place
        finally:
            first.close()
            second.close()


def judged(everything: Said) -> Said:
    """What a CSV can tell: values only, of those who gave any."""
    return {key: (row[0], (), None) for key, row in everything.items() if any(v is not None for v in row[0])}


@few
@given(campaign)
def test_the_csv_by_person_brings_everybody_s_values(ratings: dict) -> None:
    with two_studios(ratings) as (first, second, place):
        file = export(first, "per-annotator", place / "people.csv")
        if not judged(said(first)):
            return
        _, taken = bring(second, file)
        assert said(second) == judged(said(first))
        assert taken.ratings == len(said(second))
        assert export(second, "per-annotator", place / "again.csv").read_bytes() == file.read_bytes()
        again, nothing = bring(second, file)
        assert not again.adds
        assert nothing.ratings == 0


@few
@given(campaign)
def test_the_contract_csv_brings_the_same_means(ratings: dict) -> None:
    with two_studios(ratings) as (first, second, place):
        if not judged(said(first)):
            return
        file = export(first, "csv", place / "means.csv")
        bring(second, file, options=Options(annotator="means of one"))
        assert export(second, "csv", place / "again.csv").read_bytes() == file.read_bytes()
        assert {who for _, who in said(second)} == {"means of one"}


@few
@given(campaign)
def test_label_studio_json_brings_values_marks_and_times(ratings: dict) -> None:
    with two_studios(ratings) as (first, second, place):
        file = export(first, "label-studio", place / "tasks.json")
        bring(second, file)
        assert said(second) == said(first)


@few
@given(campaign)
def test_a_csv_of_corrected_ratings_can_be_read_and_stays_on_the_scale(ratings: dict) -> None:
    with two_studios(ratings) as (first, _, place):
        with export(first, "csv-corrected", place / "corrected.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with export(first, "csv", place / "means.csv").open(encoding="utf-8", newline="") as file:
            plain = list(csv.DictReader(file))
        assert [row["image_path"] for row in rows] == [row["image_path"] for row in plain]
        for row, other in zip(rows, plain, strict=True):
            for head in HEADS:
                cell = row[f"{head}_rating"]
                assert (cell == "") == (other[f"{head}_rating"] == "")
                assert cell == "" or 0 <= float(cell) <= 10


@few
@given(campaign)
def test_pairs_are_lines_of_json_as_the_studio_writes_them(ratings: dict) -> None:
    with two_studios(ratings) as (first, _, place):
        lines = export(first, "pairs", place / "pairs.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
        for line in lines:
            row = json.loads(line)
            assert set(row) >= {"prompt", "img_pos", "img_neg", "label"}
            assert 0 <= row["label"] <= 1


def test_a_rating_that_is_here_otherwise_is_kept_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    with two_studios({(1, "Ada"): ((1.0,) * 5, 2.0)}) as (first, second, place):
        file = export(first, "per-annotator", place / "people.csv")
        rate(second, 1, "Ada", (9.0,) * 5, 3.0)
        plan, taken = bring(second, file)
        assert (plan.kept, taken.ratings) == (1, 0)
        assert said(second)["p01/1.png", "Ada"][0] == (9.0,) * 5
        plan, taken = bring(second, file, options=Options(replace=True))
        assert (plan.kept, taken.ratings) == (0, 1)
        assert said(second)["p01/1.png", "Ada"][0] == (1.0,) * 5
        rows = second.ratings_since(0)
        assert [row.source for row in rows] == ["pad", "import"]
        assert rows[1].revises == rows[0].key


def test_marks_that_a_csv_can_t_hold_survive_it(tmp_path: Path) -> None:
    with two_studios({(1, "Ada"): ((1.0, None, 2.0, 3.0, 4.0), 2.0)}) as (first, _, place):
        file = export(first, "per-annotator", place / "people.csv")
        file.write_text(file.read_text(encoding="utf-8").replace("Ada,1,", "Ada,5,"), encoding="utf-8")
        bring(first, file, options=Options(replace=True))
        assert said(first)["p01/1.png", "Ada"] == ((5.0, None, 2.0, 3.0, 4.0), ("icono",), None)


@pytest.mark.parametrize("form", ["csv", "per-annotator", "pairs", "label-studio", "parquet", "csv-corrected"])
def test_an_image_that_went_is_in_no_export(form: str) -> None:
    with two_studios({(1, "Ada"): ((1.0,) * 5, None), (2, "Ada"): ((2.0,) * 5, None)}) as (first, _, place):
        (first.project.images / "p01" / "1.png").unlink()
        first.rescan()
        assert b"p01/1.png" not in export(first, form, place / "file").read_bytes()
