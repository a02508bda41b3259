"""Passwords: argon2 hashes in the database, nothing else; checking one takes as long for a name that nobody has."""

import threading
from typing import TYPE_CHECKING, Final

from annotate.errors import BadRequestError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST: Final = 8
LONGEST: Final = 1000
_AT_ONCE: Final = 2  # a check takes 64 MiB; many at once would take the machine's


def check_password(password: str, name: str) -> str:
    """A password as it may be set.

    Raises:
        BadRequestError: too short, too long, or the name itself.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadRequestError(f"A password has {SHORTEST} to {LONGEST} characters.")
    if password.casefold() == name.casefold():
        raise BadRequestError("The password is the name itself; choose another one.")
    return password


class Passwords:
    """Hashes and checks passwords. Thread-safe."""

    def __init__(self, hasher: "PasswordHasher | None" = None) -> None:
        from argon2 import PasswordHasher

        self._hasher = hasher or PasswordHasher()
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._nobodys = ""

    def hash(self, password: str) -> str:
        """The hash to store, with its parameters and salt."""
        with self._turns:
            return self._hasher.hash(password)

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether the password is the one that was stored; where nothing is stored, no, in the same time."""
        from argon2.exceptions import VerificationError

        if stored is None and not self._nobodys:
            self._nobodys = self.hash("nobody's password")
        try:
            with self._turns:
                return self._hasher.verify(stored or self._nobodys, password[:LONGEST]) and stored is not None
        except VerificationError:
            return False

    def is_dated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than are used now."""
        return self._hasher.check_needs_rehash(stored)
