"""Watches one training: waits for its turn, starts the command, records its process and its exit code.

Run as `python -m dashboards.runner JOBDIR AT-ONCE -- COMMAND…` in a session of its own; writes `process.json` and
`exit.json` into JOBDIR. The studio may end, restart or be killed meanwhile: nothing here depends on it.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from dashboards.followup import rank_images
from dashboards.jobfiles import EXIT_FILE, PROCESS_FILE, STOP_FILE, identity, write_json
from dashboards.line import wait_for_turn

CANNOT_START = 127
CANCELLED = 130


def run(folder: Path, at_once: int, command: list[str]) -> int:
    """Run `command` to its end and return its exit code (negative: the signal that ended it)."""
    started: dict[str, Any] = {"runner": identity(os.getpid()), "trainer": None}
    write_json(folder / PROCESS_FILE, {**started, "waiting": True})
    if not wait_for_turn(folder, at_once):
        return CANCELLED
    started["began"] = time.time()
    write_json(folder / PROCESS_FILE, started)
    try:
        trainer = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    except OSError as error:
        print(f"the trainer could not be started: {error}", file=sys.stderr, flush=True)
        return CANNOT_START

    def forward(number: int, _frame: FrameType | None) -> None:
        trainer.send_signal(number)

    # Stop is SIGINT to the whole group: the trainer has it already, so here it is only survived.
    # A handler rather than SIG_IGN, which the trainer would have inherited.
    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGHUP, forward)
    with suppress(psutil.NoSuchProcess):  # where it ended already, its exit code follows
        write_json(folder / PROCESS_FILE, started | {"trainer": identity(trainer.pid)})
    if (folder / STOP_FILE).exists():  # asked for between the turn and the trainer's start
        trainer.send_signal(signal.SIGINT)
    return trainer.wait()


def main(argv: list[str]) -> int:
    """`JOBDIR AT-ONCE -- COMMAND…`; the exit code is the command's."""
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    if len(argv) < 4 or argv[2] != "--" or not argv[1].isdigit():
        print("usage: python -m dashboards.runner JOBDIR AT-ONCE -- COMMAND…", file=sys.stderr)
        return 2
    folder = Path(argv[0])
    code = run(folder, int(argv[1]), argv[3:])
    write_json(folder / EXIT_FILE, {"code": code, "time": time.time()})
    if code == 0:
        rank_images(folder)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
