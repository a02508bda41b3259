"""The studio as a process of its own, for tests that start, kill and restart it."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

PROGRAM = Path(__file__).parents[1] / "app.py"
START_SECONDS = 120


class StudioProcess:
    """`app.py` on a free port; `url` is where it answers. Ends with `close`, or hard with `kill`."""

    def __init__(self, data: Path, outputs: Path, *more: object, cwd: Path | None = None) -> None:
        command = [sys.executable, str(PROGRAM), "--port", "0", "--data", data, "--outputs", outputs, *more]
        environment = os.environ | {"REWARD_CACHE_DIR": str(outputs.parent / "cache")}
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env=environment,
        )
        self.output: list[str] = []
        self._started = threading.Event()
        self.url = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._started.wait(START_SECONDS), "the studio did not start"
        assert self.url, "".join(self.output)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)
            if line.startswith("Reward Studio: "):
                self.url = line.split()[-1]
                self._started.set()
        self._started.set()

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def close(self) -> int:
        """End it as Ctrl-C does; returns its exit code."""
        return self._end(signal.SIGINT)

    def _end(self, number: int) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join(timeout=30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code
