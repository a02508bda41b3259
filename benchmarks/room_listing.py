"""What the rooms Runs and Compare cost with 200 runs: reading the folders, the table, and what a second look costs.

    python benchmarks/room_listing.py

Run folders as a training of 15 epochs leaves them, copies of one real training; each with its job.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.ratios import ROUNDS, Row, main
from dashboards.jobfiles import Job, write_job, write_json
from dashboards.jobs import JobBoard
from dashboards.runlist import RunShelf, chosen_rows
from dashboards.runtable import run_table
from reward.cli import main as train_main
from tests.reward_inputs import simple_ratings

RUNS = 200


def make_runs(root: Path, count: int) -> tuple[Path, Path]:
    """`count` run folders and their jobs; the folders of both."""
    ratings, outputs, jobs = simple_ratings(root, prompts=6, images=4), root / "outputs", root / "jobs"
    first = outputs / "run0"
    events = root / "events.jsonl"
    told = ["--ratings", ratings, "--output", first, "--cache-dir", root / "cache", "--backbone", "pixelstats"]
    with redirect_stdout(sys.stderr):
        if train_main([str(part) for part in (*told, "--events", events)]) != 0:
            raise SystemExit("the training failed")
    for number in range(count):
        run = outputs / f"run{number}"
        if number:
            shutil.copytree(first, run, symlinks=True)
        folder = jobs / f"20260101-{number:06d}-abcdef"
        folder.mkdir(parents=True)
        write_job(Job(folder.name, folder, (), run, time.time() - 1000 + number))
        write_json(folder / "exit.json", {"code": 0 if number % 3 else 130, "time": time.time()})
        shutil.copyfile(events, folder / "events.jsonl")
    return outputs, jobs


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def rows(quick: bool) -> Iterator[Row]:
    count = 5 if quick else RUNS
    with tempfile.TemporaryDirectory() as folder:
        outputs, job_folder = make_runs(Path(folder), count)
        first, again, changed = [], [], []
        for number in range(1 if quick else ROUNDS):
            shelf, board = RunShelf(outputs), JobBoard(job_folder)

            def listing(shelf: RunShelf = shelf, board: JobBoard = board) -> str:
                every = shelf.rows()
                return run_table(chosen_rows(every), board.by_output(), len(every))

            first.append(seconds(listing))
            again.append(seconds(listing))
            (outputs / "run1/studio.json").write_text(json.dumps({"note": str(number)}))
            changed.append(seconds(listing))
            assert str(number) in listing()
    yield Row(f"{count} runs: the table, nothing read before", first, unit=" s")
    yield Row(f"{count} runs: the table once more", again, most=0.2, unit=" s")
    yield Row(f"{count} runs: the table after one of them changed", changed, most=0.2, unit=" s")


if __name__ == "__main__":
    main(rows, __doc__)
