"""How often something may be tried: counts in memory, by name or address; a restart of the studio begins anew."""

import threading
import time
from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

_MOST_KEYS: Final = 10_000


class Attempts:
    """At most `most` tries a key within `seconds`. Thread-safe."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._tries: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, key: str) -> float:
        """Count a try; returns 0 where it is allowed, else the seconds until the next one is."""
        with self._lock:
            at = self._clock()
            tries = self._tries.setdefault(key, deque())
            while tries and tries[0] <= at - self._seconds:
                tries.popleft()
            if len(tries) >= self._most:
                return tries[0] + self._seconds - at
            tries.append(at)
            if len(self._tries) > _MOST_KEYS:
                self._forget_old(at)
            return 0.0

    def give_back(self, key: str) -> None:
        """The last try of the key was none: it succeeded."""
        with self._lock:
            tries = self._tries.get(key)
            if tries:
                tries.pop()

    def _forget_old(self, at: float) -> None:
        old = [key for key, tries in self._tries.items() if not tries or tries[-1] <= at - self._seconds]
        for key in old:
            del self._tries[key]


def network_of(address: str) -> str:
    """An address as it is counted: an IPv6 one by its network of 64 bits, which one household or office has."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return address
    return str(known.ipv4_mapped or int(known) >> 64)
