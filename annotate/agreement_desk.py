"""A studio's agreement figures, computed when somebody looks and kept until somebody rates."""

import threading
from typing import TYPE_CHECKING

from annotate.adjudications import StoredAdjudication
from annotate.disputed import Disputed, disputed_at, most_disputed
from annotate.rated import Rated
from annotate.store import Store
from reward.aspects import HEADS

if TYPE_CHECKING:
    from annotate.agreement import Agreement


class AgreementDesk:
    """Thread-safe; two who look at once wait for one computation."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._state: tuple[int, int, int] | None = None
        self._rated: Rated | None = None
        self._agreement: Agreement | None = None

    def agreement(self) -> "Agreement":
        """Every head's and every person's figures."""
        from annotate.agreement import Agreement

        with self._lock:
            rated = self._current()
            if self._agreement is None:
                self._agreement = Agreement.of(rated)
            return self._agreement

    def open_disputes(self, head: str | None, most: int) -> list[Disputed]:
        """The most disputed ratings, of one head or any, that no adjudication settles."""
        settled = [(one.image_id, one.head) for one in self.settled(head)]
        with self._lock:
            rated = self._current()
        return most_disputed(rated, HEADS if head is None else (head,), most, settled)

    def settled(self, head: str | None = None) -> list[StoredAdjudication]:
        """The adjudications that stand, newest first."""
        found = [one for one in self.store.adjudications() if one.stands and one.value is not None]
        return [one for one in found if head in (None, one.head)]

    def said(self, image_id: int, head: str) -> Disputed | None:
        """What people say of one head of one image; None where nobody rated it."""
        with self._lock:
            return disputed_at(self._current(), image_id, head)

    def _current(self) -> Rated:
        state = self.store.ratings_state()
        if self._rated is None or state != self._state:
            self._rated, self._agreement, self._state = self.store.rated(), None, state
        return self._rated
