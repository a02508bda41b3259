"""The People room does what `app.py users` does, by the same rules, and shows names as text."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from accounts_parts import PASSWORD, open_accounts

from annotate.accounts import Accounts
from annotate.sessions import Sessions
from dashboards.people import add_person, change_password, change_role, change_state, names_of, show_people


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    opened = open_accounts(tmp_path / "studio.db")
    yield opened
    opened.close()


def test_the_first_account_is_made_in_the_shell(accounts: Accounts) -> None:
    assert "python app.py users add NAME --role admin" in show_people(accounts)
    assert "made in the shell" in add_person(accounts, "Eve", "admin", PASSWORD)
    assert names_of(accounts) == []


def test_people_are_added_and_changed(accounts: Accounts) -> None:
    accounts.add("Ada", "admin", PASSWORD)
    assert "Bob may sign in as annotator." in add_person(accounts, "Bob", "annotator", PASSWORD)
    assert "There is an account bob already" in add_person(accounts, "bob", "annotator", PASSWORD)
    assert "There is no role" in add_person(accounts, "Cy", "", PASSWORD)
    assert "8" in add_person(accounts, "Cy", "annotator", "short")
    assert names_of(accounts) == ["Ada", "Bob"]
    assert "Bob is reviewer now" in change_role(accounts, "Bob", "reviewer")
    assert "Bob has a new password" in change_password(accounts, "Bob", "another horse")
    assert accounts.check("Bob", PASSWORD) is None
    assert accounts.check("Bob", "another horse") is not None
    assert "can no longer sign in" in change_state(accounts, "Bob", False)
    assert accounts.check("Bob", "another horse") is None
    assert "disabled" in show_people(accounts)
    assert "can sign in again" in change_state(accounts, "Bob", True)
    assert "There is no account Zoe" in change_state(accounts, "Zoe", False)


def test_an_active_admin_is_always_left(accounts: Accounts) -> None:
    ada = accounts.add("Ada", "admin", PASSWORD)
    for refused in (change_state(accounts, "Ada", False), change_role(accounts, "Ada", "reviewer")):
        assert "Ada is the last admin" in refused
    assert accounts.known("Ada") == ada


def test_the_list_tells_when_somebody_signed_in(accounts: Accounts) -> None:
    ada = accounts.add("<b>Ada</b>", "admin", PASSWORD)
    assert accounts.last_sign_ins() == {}
    sessions = Sessions(accounts)
    sessions.begin(ada)
    sessions.close()
    (signed_in,) = accounts.last_sign_ins().values()
    page = show_people(accounts)
    assert signed_in[:16].replace("T", " ") in page
    assert "&lt;b&gt;Ada" in page
