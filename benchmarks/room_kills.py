"""kill -9 of the trainer, the studio, or both, at random moments: what the page shows afterwards is true.

    python benchmarks/room_kills.py

A small training, started through the page's own routes. At a random moment between its start and a little after its end
something is killed: the trainer, the trainer and its runner, the studio, or all of them. A studio that was killed is
started again. Then the state that the page shows is held against what is true, found out another way: whether the
process is there, and how many lines metrics.jsonl has. What is not finished is gone on with, and has to finish.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from gradio_client import Client

from benchmarks.ratios import Row, table
from dashboards.training import FORM_FIELDS
from tests.dashboards_server import StudioProcess
from tests.reward_inputs import simple_ratings

KILLS = 20
EPOCHS = 12
LONGEST = 14.0  # seconds from the start to a little after the end of such a training
PATIENCE = 180.0
VICTIMS = ("trainer", "trainer and runner", "studio", "all")
TRUE = {
    "trainer": {"failed", "finished"},
    "trainer and runner": {"lost", "finished"},
    "studio": {"waiting", "starting", "running", "finished"},
    "all": {"lost", "finished"},
}


class Room:
    """A studio on a small project, and its page's routes."""

    def __init__(self, root: Path) -> None:
        self.root, self.data, self.outputs = root, root / "data", root / "outputs"
        self.ratings = simple_ratings(self.data, prompts=6, images=4)
        self._open()

    def _open(self) -> None:
        self.studio = StudioProcess(self.data, self.outputs, cwd=self.root)

    def ask(self, route: str, *values: object) -> tuple[object, ...]:
        """What a page that was just opened gets from a route."""
        found: tuple[object, ...] = Client(self.studio.url, verbose=False).predict(*values, api_name=route)
        return found

    def start(self, name: str) -> None:
        form = {
            **dict.fromkeys(FORM_FIELDS, ""),
            **{"mode": "multihead", "ratings": str(self.ratings), "output": name, "backbone": "pixelstats"},
            **{"epochs": EPOCHS, "batch_size": 4, "learning_rate": 1e-4, "min_rating_diff": 0.5, "seed": 0},
            **{"targets": "corrected", "folds": "0", "device": "cpu", "overwrite": False, "log_to": []},
        }
        message = self.ask("/start_training", *(form[field] for field in FORM_FIELDS))[0]
        assert message == "", message

    def shown(self) -> str:
        """The state on the page."""
        card = str(self.ask("/training_state")[0])
        return card.partition('data-state="')[2].partition('"')[0]

    def job(self) -> Path:
        """The newest job's folder."""
        return max((path for path in (self.data / "jobs").iterdir() if path.is_dir()), key=lambda path: path.name)

    def processes(self) -> dict[str, psutil.Process]:
        """Runner and trainer as the system knows them, by the job's folder in their command lines."""
        found = {}
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                words = process.cmdline()
                if process.status() != psutil.STATUS_ZOMBIE and any(str(self.job()) in word for word in words):
                    found["runner" if "dashboards.runner" in words else "trainer"] = process
        return found

    def kill(self, victim: str) -> None:
        """kill -9, the runner first, so that it can't write down what became of the trainer."""
        if victim in ("studio", "all"):
            self.studio.kill()
        there = self.processes() if victim != "studio" else {}
        wanted = ("trainer",) if victim == "trainer" else ("runner", "trainer")
        for process in (there[name] for name in wanted if name in there):
            with suppress(psutil.NoSuchProcess):
                os.kill(process.pid, signal.SIGKILL)
        if victim in ("studio", "all"):
            self._open()

    def close(self) -> None:
        self.studio.close()


def wait(until: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > deadline:
            raise SystemExit("nothing happened for too long")
        time.sleep(0.1)


def settled(room: Room) -> bool:
    """No process is there, and the runner, if it was left, has had its say."""
    return not room.processes()


def check(room: Room, name: str, victim: str) -> str:
    """The state shown, once it can be told; stops where it isn't true."""
    output = room.outputs / name
    lines = output / "metrics.jsonl"
    if victim != "studio":
        wait(lambda: settled(room))
    shown, there = room.shown(), room.processes()
    done = lines.read_bytes().count(b"\n") if lines.exists() else 0
    true = TRUE[victim]
    if shown not in true:
        raise SystemExit(f"{name}: after kill -9 of {victim} the page shows {shown}, not one of {sorted(true)}")
    if shown == "finished" and done != EPOCHS:
        raise SystemExit(f"{name}: shown as finished with {done} of {EPOCHS} epochs")
    if victim == "studio" and shown in ("starting", "running") and not there and room.shown() != "finished":
        raise SystemExit(f"{name}: shown as {shown}, and nothing is there")
    return shown


def finish(room: Room, name: str) -> None:
    """Let it end; what has failed or is lost is gone on with."""
    wait(lambda: settled(room))
    if room.shown() != "finished":
        message = room.ask("/go_on_with_run", "", "newest first", False, name)[0]
        # A run that was killed before it had a folder is no run yet: it is started again from its card.
        if "There is no run called" in str(message):
            seen = Client(room.studio.url, verbose=False)
            seen.predict(api_name="/training_state")
            message = seen.predict(api_name="/go_on")[0]
        if "studio-problem" in str(message):
            raise SystemExit(f"{name}: can't be gone on with: {message}")
        wait(lambda: settled(room))
    if room.shown() != "finished":
        raise SystemExit(f"{name}: gone on with, it is {room.shown()}")
    epochs = [json.loads(line)["epoch"] for line in (room.outputs / name / "metrics.jsonl").read_text().splitlines()]
    if epochs != list(range(1, EPOCHS + 1)):
        raise SystemExit(f"{name}: its epochs are {epochs}")


def kill_often(kills: int, seed: int, root: Path) -> Counter[str]:
    """The rounds; how often each outcome."""
    draw, outcomes = random.Random(seed), Counter[str]()
    room = Room(root)
    try:
        for number in range(kills):
            name, victim = f"run{number}", VICTIMS[number % len(VICTIMS)]
            room.start(name)
            time.sleep(draw.uniform(0, LONGEST))
            room.kill(victim)
            outcome = f"{victim}: {check(room, name, victim)}"
            outcomes[outcome] += 1
            print(f"{number + 1}/{kills} {outcome}", file=sys.stderr, flush=True)
            finish(room, name)
    finally:
        room.close()
    return outcomes


def rows(quick: bool, kills: int = KILLS, seed: int = 0) -> Iterator[Row]:
    """How often each outcome; stops with an error where a state was not true."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = kill_often(2 if quick else kills, seed, Path(folder))
    for outcome, count in sorted(outcomes.items()):
        yield Row(f"kill -9 of {outcome}", [count])
    yield Row("of them shown untrue, or not to be gone on with", [0], most=0)


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
