"""A lock that is handed on in the order of asking: who lets it go and wants it again stands at the end of the line."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """One at a time, first come first served. `threading.Lock` may go to the same thread again and again."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._given = 0
        self._served = 0

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        with self._changed:
            return max(0, self._given - self._served - 1)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and hold it during the block."""
        with self._changed:
            mine = self._given
            self._given += 1
            self._changed.wait_for(lambda: self._served == mine)
        try:
            yield
        finally:
            with self._changed:
                self._served += 1
                self._changed.notify_all()
