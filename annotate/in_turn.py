"""Routes that take turns on the store: one thread for all of them, and one transaction for all that wait.

The store does one thing at a time anyway. Were each request that waits for it a thread, these would take Python's lock
from the one at work at each of its statements; so they wait in the event loop, which stays free for everything else.
And a flush to disk takes longer than all else of a save: whoever waits meanwhile shares the next one (group commit).
"""

import asyncio
import functools
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from annotate.errors import StorageError
from annotate.store import Store

_P = ParamSpec("_P")
_T = TypeVar("_T")
_MOST = 64  # requests a transaction, so that the first of them isn't kept waiting for all the others


@dataclass
class _Request:
    """A call that waits; `answer` is set when what it did is on disk."""

    call: Callable[[], Any]
    synced: bool
    answer: Future[Any] = field(default_factory=Future)


class InTurn:
    """Makes routes wait for their turn on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[_Request] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="desk")

    def saves(self, route: Callable[_P, _T]) -> Callable[_P, Awaitable[_T]]:
        """A decorator, below the router's own: the route is answered when what it did is flushed to disk."""
        return self._in_turn(route, synced=True)

    def lends(self, route: Callable[_P, _T]) -> Callable[_P, Awaitable[_T]]:
        """A decorator, below the router's own, for what a power cut may undo (see `Store.together`)."""
        return self._in_turn(route, synced=False)

    def _in_turn(self, route: Callable[_P, _T], *, synced: bool) -> Callable[_P, Awaitable[_T]]:
        @functools.wraps(route)
        async def wait_and_call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            request = _Request(functools.partial(route, *args, **kwargs), synced)
            self._waiting.append(request)
            self._thread.submit(self._answer_waiting)  # finds nothing left to do where an earlier one took this along
            answer: _T = await asyncio.wrap_future(request.answer)
            return answer

        return wait_and_call

    def _answer_waiting(self) -> None:
        requests = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST))]
        # A request whose client is gone is done all the same: what was sent is to be stored.
        done: list[tuple[_Request, Any, BaseException | None]] = []
        try:
            if requests:
                with self._store.together(synced=any(request.synced for request in requests)):
                    for request in requests:
                        done.append((request, *_outcome(request.call)))
                        if isinstance(done[-1][2], StorageError):
                            raise done[-1][2]  # the database may have undone what the others did
        except BaseException as error:
            done = [(request, None, error) for request in requests]
        for request, result, problem in done:
            if not request.answer.set_running_or_notify_cancel():
                continue
            if problem is None:
                request.answer.set_result(result)
            else:
                request.answer.set_exception(problem)


def _outcome(call: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return call(), None
    except Exception as error:
        return None, error
