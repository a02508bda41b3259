"""Reads JSON-lines files that another process appends to, each byte once: events and metrics in, dicts out."""

import json
import os
import threading
from pathlib import Path
from typing import Any, BinaryIO

Line = dict[str, Any]


class Journal:
    """One growing JSON-lines file. `lines()` returns all complete lines so far and reads only what is new.

    A last line without its newline waits for the next call; a line that is no JSON object is counted in
    `damaged`; a file that became shorter or was replaced is read anew. Safe to call from several threads.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self._lines: list[Line] = []
        self._file: tuple[int, int] | None = None
        self._offset = 0
        self._lock = threading.Lock()

    def lines(self) -> list[Line]:
        """Every complete line so far, oldest first; empty where there is no file."""
        with self._lock:
            try:
                with self.path.open("rb") as stream:
                    self._read(stream)
            except (FileNotFoundError, NotADirectoryError):
                self._reset(None)
            return list(self._lines)

    def _read(self, stream: BinaryIO) -> None:
        about = os.fstat(stream.fileno())
        if (about.st_dev, about.st_ino) != self._file or about.st_size < self._offset:
            self._reset((about.st_dev, about.st_ino))
        stream.seek(self._offset)
        fresh = stream.read()
        complete = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(complete)
        for raw in complete.splitlines():
            self._add(raw)

    def _add(self, raw: bytes) -> None:
        if not raw.strip():
            return
        try:
            line = json.loads(raw)
        except ValueError:
            self.damaged += 1
            return
        if isinstance(line, dict):
            self._lines.append(line)
        else:
            self.damaged += 1

    def _reset(self, file: tuple[int, int] | None) -> None:
        self._file = file
        self._offset = 0
        self._lines = []
        self.damaged = 0
