"""The images and prompts of a project as the database knows them; taken in from disk by `update_catalogue`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from sqlite_utils import Database

from annotate.project import Project
from annotate.scan import ImageFile, natural_key, scan_images
from reward.errors import InputError
from reward.prompts import read_prompts

_SELECT = (
    "SELECT i.id, i.path, i.prompt_id, p.text, i.size, i.mtime_ns, i.width, i.height, i.format, i.active, "
    "i.active_since, i.position FROM images i JOIN prompts p ON p.id = i.prompt_id"
)

_STORED = "path, prompt_id, size, mtime_ns, width, height, format, position, active"
_PUT = (
    f"INSERT INTO images ({_STORED}, active_since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE "
    "SET active_since = CASE WHEN active THEN active_since ELSE excluded.active_since END, size = excluded.size, "
    "mtime_ns = excluded.mtime_ns, width = excluded.width, height = excluded.height, format = excluded.format, "
    "position = excluded.position, active = 1"
)


@dataclass(frozen=True)
class Survey:
    """What lies on disk: images, prompt texts by id, and what can't be used, one sentence each."""

    images: tuple[ImageFile, ...]
    prompts: dict[str, str]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class ImageRow:
    """One image: its number, its path below `images/`, its prompt, what its file was when last looked at, and its place
    among all images."""

    id: int
    path: str
    prompt_id: str
    prompt: str
    size: int
    mtime_ns: int
    width: int
    height: int
    format: str
    active: bool
    active_since: str
    position: int


_FIELDS = tuple(field.name for field in fields(ImageRow))


def row_to_image(row: Sequence[object]) -> ImageRow:
    """An ImageRow from the columns that `select_images` selects."""
    values = dict(zip(_FIELDS, row, strict=True))
    return ImageRow(**{**values, "active": bool(values["active"])})  # type: ignore[arg-type]  # a STRICT table's types


def select_images(rest: str) -> str:
    """The query for whole image rows (tables `i`, `p`), followed by `rest`."""
    return f"{_SELECT} {rest}"


def one_image(db: Database, image_id: int) -> ImageRow | None:
    """The image with this number, also if it is gone from the folder."""
    row = db.execute(select_images("WHERE i.id = ?"), [image_id]).fetchone()
    return None if row is None else row_to_image(row)


def list_images(db: Database) -> list[ImageRow]:
    """Every image ever seen, in order."""
    return [row_to_image(row) for row in db.execute(select_images("ORDER BY i.position"))]


def survey_folder(project: Project, known: Mapping[str, ImageFile]) -> Survey:
    """Look at images and prompts on disk; headers are read only of files that differ from `known`."""
    scan = scan_images(project, known)
    texts, problems = _read_prompts(project)
    return Survey(scan.images, texts, (*problems, *scan.problems))


def known_files(db: Database) -> dict[str, ImageFile]:
    """The images as they were when last looked at, by path."""
    columns = "path, prompt_id, size, mtime_ns, width, height, format"
    return {str(row[0]): ImageFile(*row) for row in db.execute(f"SELECT {columns} FROM images")}


def update_catalogue(db: Database, survey: Survey, now: str) -> None:
    """Make the tables say what the folder holds; run inside a transaction.

    Images that are gone stay as inactive rows: their ratings refer to them, and they may come back.
    """
    order = list(survey.prompts)
    order += sorted({image.prompt_id for image in survey.images} - survey.prompts.keys(), key=natural_key)
    ranks = {prompt_id: rank for rank, prompt_id in enumerate(order)}
    for prompt_id, rank in ranks.items():
        db.execute(
            "INSERT INTO prompts (id, text, position) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE "
            "SET text = excluded.text, position = excluded.position",
            [prompt_id, survey.prompts.get(prompt_id) or prompt_id, rank],
        )
    stored = {str(row[0]): tuple(row) for row in db.execute(f"SELECT {_STORED} FROM images")}
    ordered = sorted(survey.images, key=lambda image: ranks[image.prompt_id])
    rows = [(*image, position, 1) for position, image in enumerate(ordered)]
    # Only what differs: at most starts nothing does.
    changed = [(*row, now) for row in rows if stored.get(row[0]) != row]
    gone = [(path,) for path in stored.keys() - {row[0] for row in rows} if stored[path][-1]]
    db.conn.executemany("UPDATE images SET active = 0 WHERE path = ?", gone)
    db.conn.executemany(_PUT, changed)


def _read_prompts(project: Project) -> tuple[dict[str, str], list[str]]:
    if not project.prompts_csv.exists():
        return {}, []
    try:
        return read_prompts(project.prompts_csv), []
    except InputError as error:
        return {}, [str(fault) for fault in error.faults]
