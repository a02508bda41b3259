"""Who sends a request, and whether they may: for the routes of FastAPI (`Depends`) and for Gradio alike.

`annotate.gate` finds the person once a request and notes them in its scope; everything else reads them from there.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.types import Scope

from annotate.errors import ForbiddenError, OtherPersonError, SignedOutError
from annotate.judgement import check_annotator
from annotate.permissions import PERMISSIONS, Permission, Role

_KEY: Final = "reward_studio.person"


@dataclass(frozen=True)
class Person:
    """Whoever sends a request. `account` is None where the studio has no accounts: then anybody may do anything."""

    account: str | None
    role: Role

    def may(self, permission: Permission) -> bool:
        """Whether the person's role has the permission."""
        return self.role in PERMISSIONS[permission]

    def require(self, permission: Permission) -> None:
        """Nothing, where the person may.

        Raises:
            ForbiddenError: their role may not.
        """
        if not self.may(permission):
            raise ForbiddenError(f"Your role, {self.role}, may not do this; ask an admin of the studio.")

    def rates_as(self, name: str) -> str:
        """The name, checked, under which ratings are stored: the account's own, or, without accounts, any.

        Raises:
            BadRequestError: it is no name.
            OtherPersonError: it is not the account's.
        """
        annotator = check_annotator(name)
        if self.account is not None and annotator != self.account:
            raise OtherPersonError(f"You are signed in as {self.account}, so you can't rate as {annotator}.")
        return annotator


ANYBODY: Final = Person(None, "admin")


def note_person(scope: Scope, person: Person | None) -> None:
    """Tell everything behind the gate who sends this request."""
    scope[_KEY] = person


def person_in(scope: Scope) -> Person | None:
    """Who sends the request; None where nobody is signed in, or no gate was passed."""
    found = scope.get(_KEY)
    return found if isinstance(found, Person) else None


async def signed_in(connection: HTTPConnection) -> Person:
    """The person who sends the request.

    Raises:
        SignedOutError: nobody is signed in.
    """
    person = person_in(connection.scope)
    if person is None:
        raise SignedOutError
    return person


class Needs:
    """A dependency that lets through who has a permission: `Annotated[Person, Depends(needs("train"))]`."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, connection: HTTPConnection) -> Person:
        person = await signed_in(connection)
        person.require(self.permission)
        return person


def needs(permission: Permission) -> Callable[[HTTPConnection], Awaitable[Person]]:
    """The dependency for a permission."""
    return Needs(permission)


Rater = Annotated[Person, Depends(needs("rate"))]
Analyst = Annotated[Person, Depends(needs("analyse"))]
Reviewer = Annotated[Person, Depends(needs("review"))]
Engineer = Annotated[Person, Depends(needs("train"))]
Admin = Annotated[Person, Depends(needs("manage"))]
