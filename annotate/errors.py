"""Every error that a person at the rating desk can cause; the JSON routes show their message and status.

AnnotateError          shown as its message, without a traceback
├── BadRequestError    what was sent can't be stored: a value, a name, a key (422)
├── NotFoundError      no such image (404)
├── ConflictError      the same key came with other content (409)
│   ├── RevisedError   the person rated this image meanwhile, say in another tab (409)
│   └── PairRevisedError   the person judged this pair meanwhile (409)
└── StorageError       the disk or the database refuses: nothing was stored (503)
"""

from typing import TYPE_CHECKING, ClassVar

from reward.errors import RewardError

if TYPE_CHECKING:
    from annotate.preferences import StoredPreference


class AnnotateError(RewardError):
    """Base of the rating desk's errors; `status` is the HTTP status that the routes answer."""

    status: ClassVar[int] = 400


class BadRequestError(AnnotateError):
    """What was sent can't be stored."""

    status = 422


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


class StorageError(AnnotateError):
    """The disk or the database refuses; nothing was stored."""

    status = 503
