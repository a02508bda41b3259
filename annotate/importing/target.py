"""Which project an import goes into: the one that is open, or, in the sample, the person's own beside it."""

from collections.abc import Iterator
from contextlib import contextmanager

from annotate.project import Project
from annotate.store import Store


def own_project(project: Project) -> Project:
    """The project itself; of the sample, the one whose folder holds it: simulated and real ratings stay apart."""
    return Project(project.root.parent, project.base) if project.is_sample else project


@contextmanager
def import_target(store: Store) -> Iterator[Store]:
    """The store to import into, for one import at a time.

    Raises:
        StorageError: the sample's own project is open elsewhere, or can't be written.
    """
    with store.importing:
        project = own_project(store.project)
        if project is store.project:
            yield store
            return
        own = Store.open(project)
        try:
            yield own
        finally:
            own.close()
