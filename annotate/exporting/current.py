"""What an export is made from: the images of a project and what people say of them now, taken at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotate.catalogue import ImageRow
from annotate.errors import BadRequestError
from annotate.pairs_file import voted_pairs
from annotate.preferences import Pair, Votes
from annotate.project import Project
from annotate.shares import Share, project_shares
from annotate.snapshot import Snapshot
from annotate.store import Store


@dataclass(frozen=True)
class Current:
    """The images that are there, in order, the path each is exported by, and what a share of the people says of them:
    ratings, and which of two images they prefer.
    """

    project: Project
    images: tuple[ImageRow, ...]
    paths: Mapping[int, str]
    snapshot: Snapshot
    votes: Votes

    @property
    def rated(self) -> list[ImageRow]:
        """The images that anything is said about."""
        known = self.snapshot.images()
        return [image for image in self.images if image.id in known and self._is_rated(image.id)]

    @property
    def voted(self) -> dict[str, list[Pair]]:
        """The pairs that people chose between, by prompt."""
        return voted_pairs(self.votes, {image.id: image.prompt_id for image in self.images})

    def _is_rated(self, image_id: int) -> bool:
        means = self.snapshot.means(image_id)
        return bool(self.snapshot.people(image_id)) or any(value is not None for value in means)


def take_current(store: Store, *, simulated: bool = False) -> Current:
    """The ratings as they stand.

    Args:
        simulated: in the sample, the simulated people's ratings; else real people's. They never share a file.

    Raises:
        BadRequestError: simulated ratings are asked for, and the project isn't the sample.
    """
    project = store.project
    share = _share(project, simulated)
    images = tuple(image for image in store.images() if image.active)
    snapshot = Snapshot(share.of(store.ratings_since(0)))
    paths = {image.id: project.exported_path(project.images / image.path) for image in images}
    votes = Votes(row for row in store.preferences.since(0) if share.includes(row.annotator))
    return Current(project, images, paths, snapshot, votes)


def _share(project: Project, simulated: bool) -> Share:
    first, *others = project_shares(project)
    if not others:
        if simulated:
            raise BadRequestError("This project holds no simulated ratings; only the sample does.")
        return first
    return first if simulated else others[0]
