"""What the tests of importing and exporting share: look and take in at one go, and what a project says as values."""

import io
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from annotate.exporting.current import take_current
from annotate.exporting.formats import FORMATS
from annotate.importing.look import look
from annotate.importing.plan import Options, Plan, Source
from annotate.importing.take_in import Taken, take_in
from annotate.judgement import check_rating
from annotate.project import Project
from annotate.snapshot import Snapshot
from annotate.store import Store
from reward.aspects import HEADS

Said = dict[tuple[str, str], tuple[tuple[float | None, ...], tuple[str, ...], float | None]]


def bring(store: Store, *files: Path, options: Options | None = None) -> tuple[Plan, Taken]:
    """Import files; everything must be right with them."""
    chosen = options or Options()
    with look(store, [Source.of(file) for file in files], chosen) as plan:
        assert plan.faults == []
        return plan, take_in(store, plan, chosen)


def look_at(store: Store, *files: Path, options: Options | None = None) -> Plan:
    """What an import would bring."""
    with look(store, [Source.of(file) for file in files], options or Options()) as plan:
        return plan


def faults_of(plan: Plan) -> str:
    """The faults as a person reads them."""
    return "\n".join(str(fault) for fault in plan.faults)


def rate(store: Store, image_id: int, name: str, values: Iterable[float | None], seconds: float | None = None) -> None:
    """A person's rating as the pad saves it; None = can't judge."""
    ratings = dict(zip(HEADS, values, strict=True))
    unjudged = [head for head, value in ratings.items() if value is None]
    key = f"key-{image_id}-{abs(hash((name, tuple(ratings.values())))):x}"
    store.save_rating(check_rating(image_id, name, ratings, unjudged, seconds, key[:64]))


def said(store: Store) -> Said:
    """Everybody's current ratings by image path and person."""
    paths = {image.id: image.path for image in store.images()}
    snapshot = Snapshot(store.ratings_since(0))
    return {
        (paths[i], name): (row.values, row.unjudged, row.seconds)
        for i in paths
        for name, row in snapshot.people(i).items()
    }


def export(store: Store, name: str, path: Path, *, simulated: bool = False) -> Path:
    """A file of this format."""
    with path.open("wb") as file:
        file.writelines(FORMATS[name].pieces(take_current(store, simulated=simulated)))
    return path


def picture(path: Path, colour: tuple[int, int, int] = (90, 120, 30), size: tuple[int, int] = (40, 30)) -> Path:
    """A plain picture in the format of its ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def png_bytes(colour: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> bytes:
    """A plain PNG."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def plain_project(root: Path, prompts: int = 2, images: int = 2) -> Project:
    """Prompts p01 … with plain pictures 1.png …, each of its own colour."""
    for p in range(1, prompts + 1):
        for i in range(1, images + 1):
            picture(root / "images" / f"p{p:02d}" / f"{i}.png", (40 * p, 40 * i, 90))
    return Project(root, base=root.parent)
