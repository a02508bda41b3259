"""The benchmarks still run: the quick ones, each for a moment. Nothing is asserted about time."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import run_all
from benchmarks.ratios import COLUMNS, Row, in_turn, ratios, table
from reward.aspects import HEADS
from tests.planted import plant
from tests.reward_inputs import PROJECT


def test_each_benchmark_of_the_table_is_a_file_of_its_own() -> None:
    for name in run_all.NAMES:
        assert (PROJECT / f"benchmarks/{name}.py").is_file()
        assert f"python benchmarks/{name}.py" in (PROJECT / f"benchmarks/{name}.py").read_text()


def test_the_quick_ones_print_a_table() -> None:
    command = [sys.executable, "benchmarks/run_all.py", "--quick", "--only", "heads"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "| " + " | ".join(COLUMNS) + " |"
    assert {len(line.split("|")) for line in lines} == {len(COLUMNS) + 2}
    assert sum("five apart ÷ together" in line for line in lines) == 4


def test_heads_and_trees_are_measured_on_the_same_pairs(tmp_path: Path) -> None:
    told = ["--ratings", plant(tmp_path, prompts=10, images=3).ratings, "--quick"]
    command = [sys.executable, "benchmarks/heads_or_trees.py", *map(str, told)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=True)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()[2:]]
    assert [row[0] for row in rows] == list(HEADS)
    for _, heads, trees, difference, interval in rows:
        assert float(difference) == pytest.approx(float(heads) - float(trees), abs=1.1e-3)
        low, high = (float(bound) for bound in interval.split(" – "))
        assert low <= float(difference) <= high


HELP = """
import contextlib, io, runpy, sys
for file in sys.argv[1:]:
    sys.argv = [file, "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
        runpy.run_path(file, run_name="__main__")
    print(file, said.getvalue().startswith("usage: "))
"""


def test_each_can_be_asked_what_it_does() -> None:
    files = [str(path) for path in sorted((PROJECT / "benchmarks").glob("*.py")) if "__main__" in path.read_text()]
    command = [sys.executable, "-c", HELP, *files]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.splitlines() == [f"{file} True" for file in files], done.stderr


def test_the_desk_bears_a_few_raters_and_keeps_what_it_acknowledged() -> None:
    from benchmarks import rating_load

    found = {row.what: row for row in rating_load.rows(True)}
    assert found["ratings acknowledged"].values[0] > 0
    assert found["leases given"].values[0] > 0
    assert any(what.endswith("next, p99") for what in found)
    for what in (
        "acknowledged and not stored",
        "stored and not acknowledged",
        "keys stored twice, or images rated twice by one person",
        "images leased to more than 2 people at a time",
        "requests refused",
        "rated images less rows of the contract CSV",
    ):
        assert found[what].reached, what


def test_over_assignment_is_counted_among_leases() -> None:
    from benchmarks.rating_load import Lease, over_assigned

    gone = [Lease(1, "a", 0, 5), Lease(1, "b", 1), Lease(1, "c", 6)]  # a let go of it before c came
    assert over_assigned(gone, 2) == 0
    assert over_assigned([*gone, Lease(1, "d", 7)], 2) == 1
    assert over_assigned([Lease(1, "a", 0), Lease(1, "a", 3), Lease(1, "b", 4)], 2) == 0  # a repeat
    assert over_assigned([Lease(1, "a", 0, 5), Lease(1, "b", 1), Lease(1, "c", 4)], 2) == 1


def test_saves_are_followed_into_the_files() -> None:
    from benchmarks import ratings_csv

    found = [row.what for row in ratings_csv.rows(True)]
    assert found[0] == "200 images: a save with the exporter ÷ without"
    assert found[-1] == "200 images: both CSVs true after a save, the worst"


def test_a_small_table_of_ratings_goes_all_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import million_ratings

    found = [row.what for row in million_ratings.rows(True)]
    assert any("read and checked" in what for what in found)
    assert any("an epoch of one model" in what for what in found)
    if Path("/proc/self/status").exists():
        assert "all of it: peak anonymous memory" in found


def test_rows_say_whether_the_target_is_reached() -> None:
    lines = list(table([Row("a", [1.0, 3.0, 2.0], most=2), Row("b", [0.9], least=1), Row("c", [1234.5], unit=" s")]))
    assert lines[2:] == [
        "| a | 2 | 1–3 (n = 3) | ≤ 2 | yes |",
        "| b | 0.9 | (n = 1) | ≥ 1 | **no** |",
        "| c | 1,234 s | (n = 1) | – | – |",
    ]


def test_sides_take_turns() -> None:
    order: list[str] = []
    measured = in_turn([lambda: order.append("a"), lambda: order.append("b")], 3)
    assert "".join(order) == "abbaab"
    assert len(ratios(measured)) == 3


def test_a_campaign_goes_through_the_queue_and_keeps_the_measured_prompts_apart(tmp_path: Path) -> None:
    from benchmarks.campaign import ORDERS, PARTS, record, run_part
    from benchmarks.campaign_report import curves, table
    from reward.groups import folds

    world = record(plant(tmp_path, prompts=8, images=3).ratings, "pixelstats")
    lines = run_part(world, 0, 1, ORDERS, (8, 12, 100), epochs=0)
    assert [(line["order"], line["ratings"]) for line in lines] == [(o, n) for o in ORDERS for n in (8, 12, 100)]
    held_out = folds(world.prompt, np.ones(len(world.files), dtype=bool), PARTS, 0) == 1
    assert all(len(shares) == 8 / PARTS == held_out.sum() / 3 for line in lines for shares in line["shares"].values())
    assert len({str(line["shares"]) for line in lines if line["ratings"] == 8}) == 1  # all begin alike
    found = curves(lines, ("style",))
    assert found.of["spread"].shape == (1, 3)
    assert found.over_all("prompt")[0] == pytest.approx(np.mean(found.of["prompt"][0, 1:] - found.of["random"][0, 1:]))
    assert len([text for text in table(found) if text.startswith("| 1")]) == 2
