"""What the tests of accounts share: hashes that are quickly made, and people who sign in."""

from pathlib import Path

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient

from annotate.accounts import Accounts
from annotate.passwords import Passwords
from annotate.permissions import ROLES

PASSWORD = "correct horse"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def open_accounts(path: Path) -> Accounts:
    """Accounts whose passwords cost next to nothing to check."""
    return Accounts.open(path, Passwords(QUICK))


def add_people(path: Path, **roles: str) -> None:
    """An account a name, with `PASSWORD`, an admin's first; without names, one a role: `the annotator` and so on."""
    accounts = open_accounts(path)
    for name, role in (roles or {f"the {role}": role for role in reversed(ROLES)}).items():
        accounts.add(name, role, PASSWORD)
    accounts.close()


def sign_in(client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    """Send the form as the page does."""
    return client.post("/sign-in", data={"name": name, "password": password}, follow_redirects=False)


def signed_in(app: FastAPI, name: str, scheme: str = "http") -> TestClient:
    """A client of its own with a session of its own."""
    client = TestClient(app, base_url=f"{scheme}://localhost")
    assert sign_in(client, name).status_code == 303
    return client
