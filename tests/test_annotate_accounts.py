"""Accounts, from the command line and underneath: names, roles, passwords, and that an admin is always left."""

import io
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from accounts_parts import PASSWORD, QUICK, open_accounts
from argon2 import PasswordHasher

import app
from annotate.accounts import Accounts, accounts_exist
from annotate.errors import AnnotateError, BadRequestError, ConflictError, NotFoundError
from annotate.judgement import CORRECTION_NAME
from annotate.passwords import Passwords
from annotate.project import Project
from annotate.store import Store


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return open_accounts(tmp_path / "studio.db")


def test_a_password_is_stored_as_an_argon2_hash_alone(accounts: Accounts) -> None:
    accounts.add("Ada", "admin", PASSWORD)
    dump = "\n".join(sqlite3.connect(accounts.path).iterdump())
    assert "$argon2id$" in dump
    assert PASSWORD not in dump
    assert accounts.check("Ada", PASSWORD) is not None
    assert accounts.check("ada ", PASSWORD) is not None
    for name, password in (("Ada", "wrong horse"), ("Ada", ""), ("Bob", PASSWORD), ("", "")):
        assert accounts.check(name, password) is None


def test_an_unknown_name_costs_a_check_like_a_known_one(tmp_path: Path) -> None:
    checked = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            checked.append(hash)
            return super().verify(hash, password)

    accounts = Accounts.open(tmp_path / "studio.db", Passwords(Counting(1, 8, 1)))
    accounts.add("Ada", "admin", PASSWORD)
    accounts.add("Bob", "annotator", PASSWORD)
    accounts.set_active("Bob", False)
    for name in ("Ada", "Nobody", "Bob"):
        assert accounts.check(name, "wrong horse") is None
    assert len(checked) == 3
    assert len({hash.rpartition("$")[0].rpartition("$")[0] for hash in checked}) == 1  # of the same parameters


def test_a_hash_of_other_parameters_is_made_anew_at_the_next_sign_in(tmp_path: Path) -> None:
    old = open_accounts(tmp_path / "studio.db")
    old.add("Ada", "admin", PASSWORD)
    new = Accounts.open(tmp_path / "studio.db", Passwords(PasswordHasher(2, 16, 1)))
    assert new.check("Ada", PASSWORD) is not None
    assert "m=16,t=2,p=1" in "\n".join(sqlite3.connect(new.path).iterdump())
    assert old.check("Ada", PASSWORD) is not None


@pytest.mark.parametrize("name", ["", "x" * 65, "=1+1", "a\nb", "simulated-1", CORRECTION_NAME])
def test_a_name_that_raters_can_t_have_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(BadRequestError):
        accounts.add(name, "admin", PASSWORD)
    assert accounts.listed() == []


@pytest.mark.parametrize("password", ["", "short", "x" * 1001, "the admin"])
def test_a_weak_password_is_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(BadRequestError):
        accounts.add("The Admin", "admin", password)
    assert accounts.listed() == []


def test_names_differ_by_more_than_case(accounts: Accounts) -> None:
    accounts.add("Zoë", "admin", PASSWORD)
    for name in ("ZOË", "zoe\u0308", " Zoë "):
        with pytest.raises(ConflictError):
            accounts.add(name, "annotator", PASSWORD)


def test_there_is_always_an_admin(accounts: Accounts) -> None:
    with pytest.raises(BadRequestError, match="first account is an admin"):
        accounts.add("Bob", "annotator", PASSWORD)
    accounts.add("Ada", "admin", PASSWORD)
    accounts.add("Bob", "annotator", PASSWORD)
    for change in (lambda: accounts.set_active("Ada", False), lambda: accounts.set_role("Ada", "annotator")):
        with pytest.raises(BadRequestError, match="last admin"):
            change()
    accounts.set_role("Bob", "admin")
    accounts.set_active("Ada", False)
    assert accounts.check("Ada", PASSWORD) is None
    with pytest.raises(NotFoundError):
        accounts.set_active("Nobody", False)
    with pytest.raises(BadRequestError, match="choose one of annotator, reviewer, engineer, admin"):
        accounts.set_role("Bob", "root")


def test_accounts_are_looked_for_without_making_anything(tmp_path: Path) -> None:
    path = tmp_path / "data" / "studio.db"
    assert not accounts_exist(path)
    assert not path.parent.exists()
    accounts = open_accounts(path)
    assert not accounts_exist(path)
    accounts.add("Ada", "admin", PASSWORD)
    assert accounts_exist(path)


# The command line


def users(monkeypatch: pytest.MonkeyPatch, *arguments: object, typed: str = "") -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return app.main(["users", *map(str, arguments)])


def test_the_command_line_does_it_all_beside_a_running_studio(
    make_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project()
    store = Store.open(project)  # holds the folder's lock, as a running studio does
    data = ("--data", project.root)
    assert users(monkeypatch, "list", *data) == 0
    assert "app.py users add NAME --role admin" in capsys.readouterr().out
    assert users(monkeypatch, "add", "Ada", "--role", "admin", *data, typed=f"{PASSWORD}\n") == 0
    assert users(monkeypatch, "add", "Bob", "--role", "annotator", *data, typed="horse horse") == 0
    assert users(monkeypatch, "passwd", "bob", *data, typed="another horse\n") == 0
    assert users(monkeypatch, "role", "Bob", "engineer", *data) == 0
    assert users(monkeypatch, "disable", "Bob", *data) == 0
    capsys.readouterr()
    assert users(monkeypatch, "list", *data) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    told = [line[:3] for line in lines]
    assert told == [["name", "role", "signed"], ["Ada", "admin", "0"], ["Bob", "engineer", "disabled"]]
    assert users(monkeypatch, "enable", "Bob", *data) == 0
    store.close()
    accounts = Accounts.open(project.database)
    assert accounts.check("Bob", "horse horse") is None
    assert accounts.check("Bob", "another horse") is not None
    accounts.close()


@pytest.mark.parametrize(
    ("arguments", "typed", "told"),
    [
        (("add", "Bob", "--role", "annotator"), PASSWORD, "The first account is an admin's"),
        (("add", "Ada", "--role", "admin"), "short", "8 to 1000 characters"),
        (("passwd", "Ada"), PASSWORD, "There is no account Ada."),
        (("disable", "Ada"), "", "There is no account Ada."),
    ],
)
def test_what_can_t_be_done_is_told_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    typed: str,
    told: str,
) -> None:
    assert users(monkeypatch, *arguments, "--data", tmp_path, typed=typed) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("app.py: ")
    assert told in said.err
    assert len(said.err.splitlines()) == 1


def test_a_typed_password_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    from annotate import users as command

    monkeypatch.setattr("sys.stdin", Terminal())
    answers = iter(["one horse", "one horse", "one horse", "two horses"])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(answers))
    assert command._ask_password() == "one horse"
    with pytest.raises(AnnotateError, match="differ"):
        command._ask_password()


def test_the_real_parameters_are_argon2_s_recommended_ones() -> None:
    hashed = Passwords().hash(PASSWORD)
    assert hashed.startswith("$argon2id$")
    assert QUICK.check_needs_rehash(hashed)
