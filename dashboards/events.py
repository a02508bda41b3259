"""Each event handler of the page says what it needs, and checks it on the server: any client can call it by number."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from annotate.errors import ForbiddenError
from annotate.identity import Person, person_in
from annotate.permissions import Permission

if TYPE_CHECKING:
    import gradio as gr


class EventNeeds:
    """What the events of a page need, by their numbers."""

    def __init__(self, demo: "gr.Blocks") -> None:
        self._demo = demo
        self._declared: dict[int, Permission] = {}

    @contextmanager
    def declare(self, permission: Permission) -> Iterator[None]:
        """All events that are wired within the block need the permission."""
        before = set(self._demo.fns)
        yield
        self._declared |= dict.fromkeys(set(self._demo.fns) - before, permission)

    def enforce(self) -> None:
        """Let every handler check who calls it.

        Raises:
            RuntimeError: an event was wired outside of any `declare`.
        """
        from gradio.utils import function_wrapper

        for number, event in self._demo.fns.items():
            permission = self._declared.get(number)
            if permission is None:
                raise RuntimeError(f"The event {event.api_name}: say who may call it, with EventNeeds.declare")
            if event.fn is not None:
                event.fn = function_wrapper(event.fn, before_fn=_check, before_args=(permission,))
                event.fn.needs = permission  # type: ignore[attr-defined]  # for whoever asks which these are


def caller(request: Any) -> Person:
    """Who calls an event, by its `gr.Request`.

    Raises:
        ForbiddenError: nobody that the gate let through.
    """
    person = None if request is None else person_in(request.request.scope)
    if person is None:
        raise ForbiddenError("Sign in first.")
    return person


def _check(permission: Permission) -> None:
    import gradio as gr
    from gradio.context import LocalContext

    try:
        caller(LocalContext.request.get(None)).require(permission)
    except ForbiddenError as error:
        # Not shown: the page itself calls these when it opens, for parts that this person doesn't see.
        raise gr.Error(str(error), visible=False, print_exception=False) from error
