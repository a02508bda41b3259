"""Watches one training: starts the command, records its process, writes the exit code when it ends.

Run as `python -m dashboards.runner JOBDIR -- COMMAND…` in a session of its own; writes `process.json` and
`exit.json` into JOBDIR. The studio may end, restart or be killed meanwhile: nothing here depends on it.
"""

import json
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

PROCESS_FILE = "process.json"
EXIT_FILE = "exit.json"
CANNOT_START = 127


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` to `path` so that a reader finds the whole of it or nothing, also after a power cut."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("w", encoding="utf-8") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def identity(pid: int) -> dict[str, Any]:
    """A process as pid and time of creation: together they tell it from a later one with the same pid."""
    return {"pid": pid, "created": psutil.Process(pid).create_time()}


def run(folder: Path, command: list[str]) -> int:
    """Run `command` to its end and return its exit code (negative: the signal that ended it)."""
    started = {"runner": identity(os.getpid()), "trainer": None}
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
    return trainer.wait()


def main(argv: list[str]) -> int:
    """`JOBDIR -- COMMAND…`; the exit code is the command's."""
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    if len(argv) < 3 or argv[1] != "--":
        print("usage: python -m dashboards.runner JOBDIR -- COMMAND…", file=sys.stderr)
        return 2
    folder = Path(argv[0])
    code = run(folder, argv[2:])
    write_json(folder / EXIT_FILE, {"code": code, "time": time.time()})
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
