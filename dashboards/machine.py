"""What a training takes of the machine: the memory of its process, and on a GPU its memory there."""

import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Final

import psutil

from dashboards.jobfiles import lives, processes

_LOOK_SECONDS: Final = 5.0
_QUERY: Final = ("--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits")


class Machine:
    """What trainings take of this machine; `nvidia-smi` is asked at most every few seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = float("-inf")
        self._on_gpu: dict[int, int] = {}

    def memory_words(self, folder: Path) -> str:
        """The memory that a job's trainer takes now, in words; empty where it is not at work."""
        entries = processes(folder)
        if len(entries) < 2 or not lives(entries[1], folder):
            return ""
        pid = int(entries[1]["pid"])
        try:
            taken = f"{_size(psutil.Process(pid).memory_info().rss)} of memory"
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return ""
        on_gpu = self._gpu_bytes(pid)
        return f"{taken}, {_size(on_gpu)} on the GPU" if on_gpu else taken

    def _gpu_bytes(self, pid: int) -> int:
        with self._lock:
            if time.monotonic() - self._asked > _LOOK_SECONDS:
                self._on_gpu = _ask()
                self._asked = time.monotonic()
            return self._on_gpu.get(pid, 0)


def _ask() -> dict[int, int]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return {}
    try:
        told = subprocess.run([program, *_QUERY], capture_output=True, text=True, timeout=3, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    taken: dict[int, int] = {}
    for line in told.splitlines():
        pid, _, mebibytes = line.partition(",")
        if pid.strip().isdigit() and mebibytes.strip().isdigit():
            taken[int(pid)] = taken.get(int(pid), 0) + int(mebibytes) * 2**20
    return taken


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
