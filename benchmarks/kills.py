"""A training killed with SIGKILL at random moments: what it leaves loads, and `--resume` goes on.

    python benchmarks/kills.py

A small training through the command line. A third of the kills come while it starts, reads and encodes, the others
within half a second after a new checkpoint has appeared, which is when the next one is computed and written. After each
kill `best/` and `last/`, where there, have to load whole with metrics.jsonl in step; the next round resumes, or begins
anew what had no checkpoint yet. Every tenth round begins a new run.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.ratios import Row, table
from reward.cli import main as train_main
from reward.config import MOST_EPOCHS
from reward.model import MultiHeadReward
from tests.reward_inputs import PROJECT, simple_ratings

KILLS = 50
EARLY, AFTERWARDS = 6.0, 0.5  # seconds


def start(ratings: Path, output: Path, cache: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, PROJECT / "train_reward.py", *arguments(ratings, output, cache, MOST_EPOCHS)]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def arguments(ratings: Path, output: Path, cache: Path, epochs: int) -> list[str]:
    given = ["--ratings", ratings, "--output", output, "--cache-dir", cache, "--backbone", "pixelstats"]
    go_on = ["--resume"] if (output / "last").exists() else ["--overwrite"] if output.exists() else []
    return [str(part) for part in (*given, "--epochs", epochs, "--batch-size", 64, *go_on)]


def wait_for_a_checkpoint(output: Path, process: "subprocess.Popen[bytes]") -> None:
    """Until `last/` is another one than now."""
    before = (output / "last").resolve()
    while (output / "last").resolve() == before or not (output / "last").exists():
        if process.poll() is not None:
            raise SystemExit(f"the training ended by itself with {process.returncode}")
        time.sleep(0.01)


def check(output: Path) -> str:
    """What the kill left, in words; raises where something is broken."""
    if not (output / "last").exists():
        if output.exists() and (output / "best").exists():
            raise SystemExit(f"{output}: best/ without last/")
        return "begun, without a checkpoint yet" if output.exists() else "nothing begun"
    model = MultiHeadReward.from_pretrained(output / "last")
    assert model.metrics is not None
    lines = (output / "metrics.jsonl").read_text().splitlines() if (output / "metrics.jsonl").exists() else []
    ahead = len([json.loads(line) for line in lines]) - int(model.metrics["epoch"])
    if ahead not in (0, 1):
        raise SystemExit(f"{output}: metrics.jsonl is {ahead} epochs ahead of last/")
    if (output / "best").exists():
        MultiHeadReward.from_pretrained(output / "best")
        return "best/ and last/ whole"
    return "last/ whole, no best/ yet"


def kill_often(kills: int, seed: int, root: Path) -> Counter[str]:
    """The rounds; how often each outcome."""
    draw, outcomes = random.Random(seed), Counter[str]()
    ratings, cache = simple_ratings(root, prompts=6, images=4), root / "cache"
    for number in range(kills):
        output = root / f"run{number // 10}"
        process = start(ratings, output, cache)
        if draw.random() < 1 / 3:
            time.sleep(draw.uniform(0, EARLY))
        else:
            wait_for_a_checkpoint(output, process)
            time.sleep(draw.uniform(0, AFTERWARDS))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        outcome = check(output)
        outcomes[outcome] += 1
        print(f"{number + 1}/{kills} {outcome}", file=sys.stderr, flush=True)
    for output in sorted(root.glob("run*")):
        if (output / "last").exists():
            epoch = json.loads((output / "last/metrics.json").read_text())["epoch"]
            with redirect_stdout(sys.stderr):
                code = train_main(arguments(ratings, output, cache, epoch + 1))
            if code != 0:
                raise SystemExit(f"{output}: can't be resumed")
    return outcomes


def rows(quick: bool, kills: int = KILLS, seed: int = 0) -> Iterator[Row]:
    """How often each outcome; stops with an error where something is broken."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = kill_often(2 if quick else kills, seed, Path(folder))
    for outcome, count in outcomes.most_common():
        yield Row(f"of {outcomes.total()} trainings killed with kill -9: {outcome}", [count])
    yield Row("of them broken, or not to be resumed", [0], most=0)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two kills: only to see that it runs")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(argv)
    for line in table(rows(given.quick, given.kills, given.seed)):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
