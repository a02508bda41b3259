"""Every error that a person at the rating desk can cause; the JSON routes show their message and status.

AnnotateError              shown as its message, without a traceback
├── BadRequestError        what was sent can't be stored: a value, a name, a key (422)
├── SignedOutError         nobody is signed in (401)
├── ForbiddenError         the person's role may not do this (403)
│   └── OtherPersonError   it was sent in another person's name (403)
├── NotFoundError          no such image (404)
├── ConflictError          the same key came with other content (409)
│   ├── RevisedError       the person rated this image meanwhile, say in another tab (409)
│   └── PairRevisedError   the person judged this pair meanwhile (409)
├── OtherStudioError       it was meant for another project than the one that is served (412)
├── TooManyTriesError      too many wrong passwords (429)
└── StorageError           the disk or the database refuses: nothing was stored (503)
"""

from typing import TYPE_CHECKING, ClassVar

from reward.errors import RewardError

if TYPE_CHECKING:
    from annotate.preferences import StoredPreference


class AnnotateError(RewardError):
    """Base of the rating desk's errors; `status` is the HTTP status that the routes answer.

    `sign_in`: the same request may succeed once the right person is signed in.
    """

    status: ClassVar[int] = 400
    sign_in: ClassVar[bool] = False

    def answer(self) -> dict[str, object]:
        """What the routes answer."""
        return {"detail": str(self)} | ({"sign_in": True} if self.sign_in else {})


class BadRequestError(AnnotateError):
    """What was sent can't be stored."""

    status = 422


class SignedOutError(AnnotateError):
    """Nobody is signed in, or no longer."""

    status = 401
    sign_in = True

    def __init__(self, message: str = "You are signed out.") -> None:
        super().__init__(message)


class ForbiddenError(AnnotateError):
    """The person's role may not do this."""

    status = 403


class OtherPersonError(ForbiddenError):
    """It was sent in the name of somebody who isn't the one that is signed in."""

    sign_in = True


class NotFoundError(AnnotateError):
    """What was asked for isn't there."""

    status = 404


class ConflictError(AnnotateError):
    """A key that is already taken came with other content."""

    status = 409


class RevisedError(ConflictError):
    """The person has a newer rating of this image than the one that was to be revised; `current` is its number."""

    def __init__(self, message: str, current: int | None) -> None:
        super().__init__(message)
        self.current = current


class PairRevisedError(ConflictError):
    """The person said something else of this pair than what was to be revised; `current` is what they say now."""

    def __init__(self, message: str, current: "StoredPreference | None") -> None:
        super().__init__(message)
        self.current = current


class OtherStudioError(AnnotateError):
    """It was meant for another project than the one that is served."""

    status = 412

    def __init__(self, message: str = "Another project is served here now; load the page again.") -> None:
        super().__init__(message)


class TooManyTriesError(AnnotateError):
    """Too many wrong passwords; `seconds` says how long to wait."""

    status = 429

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Too many wrong tries. Try again in {max(1, round(seconds / 60))} min.")
        self.seconds = seconds


class StorageError(AnnotateError):
    """The disk or the database refuses; nothing was stored."""

    status = 503
