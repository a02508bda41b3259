"""The benchmarks still run: the quick ones, each for a moment. Nothing is asserted about time."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import run_all
from benchmarks.ratios import COLUMNS, Row, in_turn, ratios, table
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
