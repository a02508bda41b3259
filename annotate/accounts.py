"""The people of a data folder: names, roles and passwords, in its `studio.db`.

The command line and the running studio use it side by side: it needs the database only, not the folder's lock.
"""

import sqlite3
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlite_utils import Database

from annotate.database import connect, now, translated
from annotate.errors import BadRequestError, ConflictError, NotFoundError, StorageError
from annotate.judgement import check_annotator, is_simulated
from annotate.migrations import studio_migrations
from annotate.passwords import Passwords, check_password
from annotate.permissions import ROLES, Role

_COLUMNS: Final = "id, name, role, active, created, changes"


@dataclass(frozen=True)
class Account:
    """A person who may sign in. `changes` counts new passwords, roles, and being disabled or enabled."""

    id: int
    name: str
    role: Role
    active: bool
    created: str
    changes: int


class Accounts:
    """The accounts in one database. Thread-safe; use `Accounts.open`."""

    def __init__(self, path: Path, db: Database, passwords: Passwords) -> None:
        self.path = path
        self._db = db
        self._passwords = passwords
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, passwords: Passwords | None = None) -> "Accounts":
        """The accounts in the database at `path`, which is made, or brought up to date, where need be.

        Raises:
            StorageError: the database can't be opened or written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{path.parent} can't be written ({error.strerror}); check its permissions.") from error
        with translated(path):
            db = connect(path)
            studio_migrations().apply(db)
        return cls(path, db, passwords or Passwords())

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._db.close()

    def add(self, name: str, role: str, password: str) -> Account:
        """Make an account; the first one is an admin's.

        Raises:
            BadRequestError: the name, role or password can't be used.
            ConflictError: the name is taken.
        """
        tidy, wanted = self.check_new(name, role)
        hashed = self._passwords.hash(check_password(password, tidy))
        with self.writing() as db:
            try:
                db.execute(
                    "INSERT INTO accounts (name, folded, role, password, active, created, changes) "
                    "VALUES (?, ?, ?, ?, 1, ?, 0)",
                    [tidy, fold(tidy), wanted, hashed, now()],
                )
            except sqlite3.IntegrityError as error:  # made meanwhile
                raise _taken(tidy) from error
            return _account(db, tidy)

    def check_new(self, name: str, role: str) -> tuple[str, Role]:
        """What can be told of a new account before its password is asked; returns name and role as they are stored.

        Raises:
            BadRequestError: the name or role can't be used.
            ConflictError: the name is taken.
        """
        tidy, wanted = check_account_name(name), check_role(role)
        with self.writing() as db:
            if wanted != "admin" and not _admins(db):
                raise BadRequestError("The first account is an admin's: --role admin.")
            if _row(db, tidy) is not None:
                raise _taken(tidy)
        return tidy, wanted

    def known(self, name: str) -> Account:
        """The account with this name.

        Raises:
            NotFoundError: there is none.
        """
        with self.writing() as db:
            return _account(db, name)

    def set_password(self, name: str, password: str) -> Account:
        """Give an account a new password; ends its sessions.

        Raises:
            NotFoundError: there is no such account.
            BadRequestError: the password can't be used.
        """
        hashed = self._passwords.hash(check_password(password, name))
        return self._change(name, "password", hashed)

    def set_role(self, name: str, role: str) -> Account:
        """Give an account another role; ends its sessions.

        Raises:
            NotFoundError: there is no such account.
            BadRequestError: there is no such role, or no admin would be left.
        """
        return self._change(name, "role", check_role(role))

    def set_active(self, name: str, active: bool) -> Account:
        """Let a person sign in, or not; ends their sessions.

        Raises:
            NotFoundError: there is no such account.
            BadRequestError: no admin would be left.
        """
        return self._change(name, "active", int(active))

    def listed(self) -> list[tuple[Account, int]]:
        """All accounts by name, and how many sessions each has open."""
        query = (
            "SELECT a.id, a.name, a.role, a.active, a.created, a.changes, COUNT(s.token_sha256) FROM accounts a "
            "LEFT JOIN sessions s ON s.account_id = a.id AND s.expires > ? GROUP BY a.id ORDER BY a.folded"
        )
        with self._lock, translated(self.path):
            return [(_from_row(row[:6]), int(row[6])) for row in self._db.execute(query, [now()])]

    def last_sign_ins(self) -> dict[int, str]:
        """When each account signed in last, by its number, as far as its open sessions tell."""
        query = "SELECT account_id, MAX(created) FROM sessions WHERE expires > ? GROUP BY account_id"
        with self._lock, translated(self.path):
            return {int(row[0]): str(row[1]) for row in self._db.execute(query, [now()])}

    def check(self, name: str, password: str) -> Account | None:
        """The account with this name and password, None where there is none or it is disabled, in the same time."""
        with self._lock, translated(self.path):
            row = _row(self._db, name)
        stored = None if row is None else str(row[6])
        if not self._passwords.fits(stored, password) or row is None or stored is None or not row[3]:
            return None
        account = _from_row(row[:6])
        if self._passwords.is_dated(stored):
            hashed = self._passwords.hash(password)
            with self.writing() as db:  # unless somebody set another one meanwhile
                db.execute(
                    "UPDATE accounts SET password = ? WHERE id = ? AND password = ?", [hashed, account.id, stored]
                )
        return account

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """A transaction."""
        with self._lock, translated(self.path), self._db.atomic():
            yield self._db

    def _change(self, name: str, column: str, value: str | int) -> Account:
        with self.writing() as db:
            account = _account(db, name)
            db.execute(f"UPDATE accounts SET {column} = ?, changes = changes + 1 WHERE id = ?", [value, account.id])
            if not _admins(db):
                raise BadRequestError(f"{account.name} is the last admin; make another one first.")
            db.execute("DELETE FROM sessions WHERE account_id = ?", [account.id])
            return _account(db, name)


def accounts_exist(path: Path) -> bool:
    """Whether the database at `path` holds any account; nothing is made.

    Raises:
        StorageError: it can't be read.
    """
    if not path.is_file():
        return False
    with translated(path):
        db = Database(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10))
        try:
            return db["accounts"].exists() and any_account(db)
        finally:
            db.close()


def any_account(db: Database) -> bool:
    """Whether there is any account."""
    return db.execute("SELECT 1 FROM accounts LIMIT 1").fetchone() is not None


def check_account_name(name: str) -> str:
    """A name as an account may have it: what a rater's name may be, and none that is kept for simulated people.

    Raises:
        BadRequestError: it can't be used.
    """
    tidy = check_annotator(name)
    if is_simulated(tidy):
        raise BadRequestError(f"The name {tidy} is kept for the sample's simulated people; choose another.")
    return tidy


def check_role(role: str) -> Role:
    """A role.

    Raises:
        BadRequestError: there is no such role.
    """
    found = next((known for known in ROLES if known == role), None)
    if found is None:
        raise BadRequestError(f"There is no role {role[:40]!r}; choose one of {', '.join(ROLES)}.")
    return found


def fold(name: str) -> str:
    """A name as it is compared: people don't mind upper and lower case."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def _taken(name: str) -> ConflictError:
    return ConflictError(f"There is an account {name} already; upper and lower case are the same.")


def _account(db: Database, name: str) -> Account:
    row = _row(db, name)
    if row is None:
        raise NotFoundError(f"There is no account {name[:64]}.")
    return _from_row(row[:6])


def _row(db: Database, name: str) -> Any:
    return db.execute(f"SELECT {_COLUMNS}, password FROM accounts WHERE folded = ?", [fold(name)]).fetchone()


def _admins(db: Database) -> int:
    return int(db.execute("SELECT COUNT(*) FROM accounts WHERE role = 'admin' AND active").fetchone()[0])


def _from_row(row: tuple[int, str, Role, int, str, int]) -> Account:
    number, name, role, active, created, changes = row
    return Account(number, name, role, bool(active), created, changes)
