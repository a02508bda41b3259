"""`python app.py users …`: makes and changes accounts from the shell, also while the studio runs."""

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from annotate.errors import BadRequestError
from annotate.permissions import ROLES

if TYPE_CHECKING:
    from annotate.accounts import Accounts

FIRST: Final = "python app.py users add NAME --role admin"
_TOLD: Final = {
    "add": "make an account; asks for the password, or reads it from standard input",
    "passwd": "give an account a new password",
    "role": "give an account another role",
    "disable": "let a person no longer sign in; what they rated stays",
    "enable": "let a disabled person sign in again",
    "list": "list all accounts",
}


def add_users_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The `users` command with its own commands."""
    users = commands.add_parser("users", help="make, change and list accounts", description="The studio's accounts.")
    kinds = users.add_subparsers(dest="users_command", required=True, metavar="COMMAND")
    for kind, words in _TOLD.items():
        parser = kinds.add_parser(kind, help=words, description=words)
        data_help = "the studio's data folder (default: data)"
        parser.add_argument("--data", type=Path, default=argparse.SUPPRESS, metavar="DIR", help=data_help)
        if kind != "list":
            parser.add_argument("name", metavar="NAME")
        if kind == "role":
            parser.add_argument("role", choices=ROLES)
        if kind == "add":
            parser.add_argument("--role", choices=ROLES, required=True)


def run_users(given: argparse.Namespace) -> None:
    """Do what the command line says, and print what was done.

    Raises:
        AnnotateError: it can't be done.
    """
    from annotate.accounts import Accounts
    from annotate.project import Project

    accounts = Accounts.open(Project(given.data).database)
    try:
        print(_done(accounts, given))
    finally:
        accounts.close()


def _done(accounts: "Accounts", given: argparse.Namespace) -> str:
    match given.users_command:
        case "add":
            accounts.check_new(given.name, given.role)
            account = accounts.add(given.name, given.role, _ask_password())
            return f"{account.name} may sign in as {account.role}."
        case "passwd":
            accounts.known(given.name)
            account = accounts.set_password(given.name, _ask_password())
            return f"{account.name} has a new password and is signed out everywhere."
        case "role":
            account = accounts.set_role(given.name, given.role)
            return f"{account.name} is {account.role} now and is signed out everywhere."
        case "disable":
            return f"{accounts.set_active(given.name, False).name} can no longer sign in and is signed out everywhere."
        case "enable":
            return f"{accounts.set_active(given.name, True).name} can sign in again."
        case _:
            return _table(accounts)


def _ask_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Once more: "):
        raise BadRequestError("The two passwords differ; nothing was changed.")
    return password


def _table(accounts: "Accounts") -> str:
    rows = [("name", "role", "", "signed in", "since")]
    for account, sessions in accounts.listed():
        state = "" if account.active else "disabled"
        rows.append((account.name, account.role, state, str(sessions), account.created[:10]))
    if len(rows) == 1:
        return f"No accounts: on this computer, anybody may do everything. The first: {FIRST}"
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
