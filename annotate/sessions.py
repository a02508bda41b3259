"""Who is signed in: a random token in a cookie, its SHA-256 in `studio.db`; kept in memory while nothing changes.

A change by another process (`app.py users …`) takes effect within `LOOK_SECONDS`.
"""

import hashlib
import math
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from annotate.accounts import Account, Accounts, any_account
from annotate.database import connect, now, translated
from annotate.identity import ANYBODY, Person

LOOK_SECONDS: Final = 0.5
LIFE: Final = timedelta(days=30)
_EXTEND_BELOW: Final = LIFE - timedelta(days=1)


class Sessions:
    """The sessions of one database's accounts. Thread-safe; no request waits for a write.

    Args:
        required: nobody gets in without an account, also where there is none yet.
    """

    def __init__(
        self, accounts: Accounts, *, required: bool = False, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.accounts = accounts
        self._required = required
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Person, datetime]] = {}
        self._exist = False
        self._version = -1
        self._looked = -math.inf
        with translated(accounts.path):
            self._reader = connect(accounts.path)
            self._reader.execute("PRAGMA query_only = ON")
            identity = self._reader.execute("SELECT id FROM studio").fetchone()[0]
        # Cookies don't tell ports apart: another studio on this computer must not take this one's.
        self.cookie: Final = f"reward_studio_{identity}"

    def close(self) -> None:
        """Close the connection; the accounts' own stays open."""
        with self._lock:
            self._reader.close()

    def in_use(self) -> bool:
        """Whether people have to sign in."""
        with self._lock, translated(self.accounts.path):
            self._look()
            return self._exist or self._required

    def person(self, token: str) -> Person | None:
        """Who has this token; anybody where there are no accounts; None for nobody."""
        with self._lock, translated(self.accounts.path):
            self._look()
            if not self._exist:
                return None if self._required else ANYBODY
            found = self._find(digest(token)) if token else None
        return None if found is None or found[1] <= self._clock() else found[0]

    def is_due(self, token: str) -> bool:
        """Whether the session of a token, used as it is, has to be extended."""
        with self._lock:
            found = self._known.get(digest(token))
        return found is not None and found[1] - self._clock() < _EXTEND_BELOW

    def begin(self, account: Account) -> str:
        """Sign an account in; returns the token. Sessions that have expired are forgotten."""
        token = secrets.token_urlsafe(32)
        expires = self._clock() + LIFE
        with self.accounts.writing() as db:
            db.execute("DELETE FROM sessions WHERE expires <= ?", [_stored(self._clock())])
            # Not if the account changed since its password was checked: such changes end sessions.
            db.execute(
                "INSERT INTO sessions (token_sha256, account_id, created, expires) "
                "SELECT ?, id, ?, ? FROM accounts WHERE id = ? AND changes = ?",
                [digest(token), now(), _stored(expires), account.id, account.changes],
            )
        return token

    def extend(self, token: str) -> None:
        """Give a session its whole life again."""
        expires = self._clock() + LIFE
        with self.accounts.writing() as db:
            db.execute("UPDATE sessions SET expires = ? WHERE token_sha256 = ?", [_stored(expires), digest(token)])
        self._forget()

    def end(self, token: str) -> None:
        """Sign out."""
        with self.accounts.writing() as db:
            db.execute("DELETE FROM sessions WHERE token_sha256 = ?", [digest(token)])
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            self._known.clear()
            self._looked = -math.inf

    def _look(self) -> None:
        """Drop what is known where accounts or sessions have changed; asks the database now and then only."""
        at = time.monotonic()
        if at - self._looked < LOOK_SECONDS:
            return
        version = int(self._reader.execute("SELECT version FROM accounts_version").fetchone()[0])
        if version != self._version:
            self._known.clear()
            self._exist = any_account(self._reader)
            self._version = version
        self._looked = at

    def _find(self, token_sha256: str) -> tuple[Person, datetime] | None:
        if token_sha256 in self._known:
            return self._known[token_sha256]
        query = (
            "SELECT a.name, a.role, s.expires FROM sessions s JOIN accounts a ON a.id = s.account_id "
            "WHERE s.token_sha256 = ? AND a.active"
        )
        row = self._reader.execute(query, [token_sha256]).fetchone()
        if row is None:
            return None
        found = Person(row[0], row[1]), datetime.fromisoformat(row[2])
        self._known[token_sha256] = found
        return found


def digest(token: str) -> str:
    """What is stored of a token: who reads the database can't use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _stored(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
