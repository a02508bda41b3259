"""Whether a request is meant for the project that is served: a page may stay open while another takes its place.

Image numbers begin at 1 in every project, so what such a page says of one picture would be stored for another.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Header, Query

from annotate.errors import OtherStudioError

CheckStudio = Callable[[str | None, str | None], Awaitable[None]]


def studio_check(identity: str) -> CheckStudio:
    """The dependency of every route that knows images by number; `identity` is that of the store behind them.

    It raises an OtherStudioError for a request that names another project; one that names none is let through.
    """

    async def check(
        x_studio: Annotated[
            str | None, Header(description="The project that is meant: `studio` of `GET /api/desk`. Any, if left out.")
        ] = None,
        studio: Annotated[
            str | None, Query(description="The same, where no header can be sent: in the address of a picture.")
        ] = None,
    ) -> None:
        if any(meant not in {None, identity} for meant in (x_studio, studio)):
            raise OtherStudioError

    return check
