"""The People room without its components: who may sign in, and what an admin may change about them.

The same code as `python app.py users` does it, so both keep to the same rules.
"""

from collections.abc import Callable
from html import escape
from typing import Final

from annotate.accounts import Account, Accounts
from annotate.errors import BadRequestError
from annotate.users import FIRST
from dashboards import cards, markup
from reward.errors import RewardError

_COLUMNS: Final = ("Person", "Role", "State", "Open sessions", "Last sign-in", "Since")


def show_people(accounts: Accounts) -> str:
    """Everybody who has an account; where nobody has, how the first one is made."""
    try:
        listed, signed_in = accounts.listed(), accounts.last_sign_ins()
    except RewardError as error:
        return cards.problem("The accounts can't be read", str(error))
    if not listed:
        return cards.empty(
            "No accounts: on this computer, anybody may do everything",
            f"With the first account everybody has to sign in. It is an admin's and made in the shell: {FIRST}",
        )
    rows = [
        [
            escape(account.name),
            escape(account.role),
            "active" if account.active else "disabled",
            cards.count(sessions),
            escape(signed_in.get(account.id, "–")[:16].replace("T", " ")),
            escape(account.created[:10]),
        ]
        for account, sessions in listed
    ]
    return markup.table(_COLUMNS, rows)


def names_of(accounts: Accounts) -> list[str]:
    """The names of all accounts."""
    return [account.name for account, _ in accounts.listed()]


def add_person(accounts: Accounts, name: str, role: str, password: str) -> str:
    """Make an account, not the first one; says what was done, or why it wasn't."""

    def add() -> str:
        if not accounts.listed():
            raise BadRequestError(f"The first account is made in the shell: {FIRST}")
        account = accounts.add(name, role, password)
        return f"{account.name} may sign in as {account.role}."

    return _told(add)


def change_role(accounts: Accounts, name: str, role: str) -> str:
    """Give a person another role; says what was done, or why it wasn't."""
    return _changed(lambda: accounts.set_role(name, role), lambda account: f"is {account.role} now and is signed out.")


def change_password(accounts: Accounts, name: str, password: str) -> str:
    """Give a person a new password; says what was done, or why it wasn't."""
    return _changed(lambda: accounts.set_password(name, password), lambda _: "has a new password and is signed out.")


def change_state(accounts: Accounts, name: str, active: bool) -> str:
    """Let a person sign in, or not; says what was done, or why it wasn't."""
    words = "can sign in again." if active else "can no longer sign in and is signed out."
    return _changed(lambda: accounts.set_active(name, active), lambda _: words)


def _changed(change: Callable[[], Account], words: Callable[[Account], str]) -> str:
    def work() -> str:
        account = change()
        return f"{account.name} {words(account)}"

    return _told(work)


def _told(work: Callable[[], str]) -> str:
    try:
        return cards.done(work())
    except RewardError as error:
        return cards.problem("Not done", str(error))
