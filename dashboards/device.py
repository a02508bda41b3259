"""What trainings compute on, found out without loading torch into the web process."""

import os
import shutil
import subprocess
import sys
import threading
from typing import Final

_ASK_TORCH: Final = """
import torch
if torch.cuda.is_available():
    gib = torch.cuda.get_device_properties(0).total_memory / 2**30
    print(f"GPU: {torch.cuda.get_device_name(0)}, {gib:.0f} GiB")
elif torch.backends.mps.is_available():
    print("GPU of this Mac (mps)")
"""


class DeviceFinder:
    """Finds the device once, in the background. `words()` never waits: it says so while it is still looking."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._found = ""

    def words(self) -> str:
        """The device in words, as far as it is known by now."""
        with self._lock:
            if not self._found and not may_have_gpu():
                self._found = cpu_words()
            if not self._found and self._thread is None:
                self._thread = threading.Thread(target=self._look, daemon=True)
                self._thread.start()
            return self._found or "looking for a GPU …"

    def _look(self) -> None:
        found = _asked() or cpu_words()
        with self._lock:
            self._found = found


def may_have_gpu() -> bool:
    """Whether asking torch, which takes seconds, could tell of a GPU at all."""
    return shutil.which("nvidia-smi") is not None or sys.platform == "darwin"


def cpu_words() -> str:
    """The processor in words."""
    cores = os.cpu_count() or 1
    return f"CPU, {cores} core{'' if cores == 1 else 's'}"


def _asked() -> str:
    command = [sys.executable, "-c", _ASK_TORCH]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()
