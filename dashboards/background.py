"""Questions that only torch can answer, asked of a process of their own, so that no page and no handler waits."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent
MOST_SECONDS: Final = 600.0
FRESH_SECONDS: Final = 300.0
_KEPT: Final = 40


@dataclass(frozen=True)
class Answer:
    """What became of a question: `found` is the command's JSON; `problem` says in words why there is none.

    `when`: the monotonic clock's seconds at which it came.
    """

    found: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    when: float = field(default_factory=time.monotonic)


class Inquiries:
    """Runs `python -m MODULE …` in the background, one at a time; the answers are kept by key.

    Of a module's questions that wait only the newest is asked: a page changes its mind faster than a process starts.
    An answer older than `FRESH_SECONDS` is found out anew when it is asked for again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._asked: Hashable = None
        self._waiting: dict[str, tuple[Hashable, list[str]]] = {}
        self._busy = False

    def ask(self, key: Hashable, module: str, arguments: Sequence[str]) -> None:
        """Have the module's last line of output, a JSON object, looked up; returns at once."""
        with self._lock:
            known = self._answers.get(key)
            if key == self._asked or (known is not None and time.monotonic() - known.when < FRESH_SECONDS):
                return
            self._answers.pop(key, None)
            self._waiting[module] = (key, [sys.executable, "-m", module, *arguments])
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._work, name="inquiries", daemon=True).start()

    def answer(self, key: Hashable) -> Answer | None:
        """The answer, None where there is none yet."""
        with self._lock:
            return self._answers.get(key)

    def asking(self, key: Hashable) -> bool:
        """Whether an answer to this question is on its way."""
        with self._lock:
            return key == self._asked or any(waiting == key for waiting, _ in self._waiting.values())

    def forget(self, key: Hashable) -> None:
        """Ask anew the next time."""
        with self._lock:
            self._answers.pop(key, None)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy, self._asked = False, None
                    return
                self._asked, command = self._waiting.pop(next(iter(self._waiting)))
            found = _answer(command)
            with self._lock:
                self._answers[self._asked] = found
                while len(self._answers) > _KEPT:
                    self._answers.popitem(last=False)
                self._asked = None


def module_environment() -> dict[str, str]:
    """The environment in which the project's modules are found, wherever the studio was started."""
    paths = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def _answer(command: list[str]) -> Answer:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
            env=module_environment(),
        )
    except subprocess.TimeoutExpired:
        return Answer(problem=f"There was no answer within {MOST_SECONDS / 60:.0f} minutes.")
    except OSError as error:
        return Answer(problem=str(error.strerror or error))
    lines = done.stdout.strip().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else None
    except ValueError:
        found = None
    if done.returncode == 0 and isinstance(found, dict):
        return Answer(found)
    said = [line for line in done.stderr.strip().splitlines() if line.strip()]
    if any(line.startswith("Traceback") for line in said):
        said = said[-1:]
    return Answer(problem="\n".join(said) or f"It ended with exit code {done.returncode} and said nothing.")
