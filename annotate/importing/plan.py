"""What an import would bring, as plain values: made by `annotate.importing.look`, carried out by `.take_in`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from annotate.judgement import Values
from reward.errors import Fault


@dataclass(frozen=True)
class Source:
    """One file or folder to import, and its name as the person knows it."""

    path: Path
    name: str

    @classmethod
    def of(cls, path: Path) -> "Source":
        """A source under its own name."""
        return cls(path, path.name or str(path))


@dataclass(frozen=True)
class Options:
    """How to import.

    Attributes:
        prompt: of images that lie in no folder of their own.
        annotator: whose ratings those are that don't tell.
        replace: take what is imported where the studio holds something else of the same person and image, or prompt.
        skip_unknown: leave out ratings of images that aren't known, instead of refusing the file.
        image_root: where relative paths in a table are looked for first.
        may_read: which files that a table names may be copied in.
    """

    prompt: str = ""
    annotator: str = "imported"
    replace: bool = False
    skip_unknown: bool = False
    image_root: Path | None = None
    may_read: Callable[[Path], bool] = lambda _path: False


@dataclass(frozen=True)
class NewImage:
    """An image that waits to be put in its place. `path` is relative to `images/`."""

    path: str
    staged: Path


@dataclass(frozen=True)
class NewRating:
    """What a person says of the image at `path` (relative to `images/`)."""

    path: str
    annotator: str
    values: Values
    unjudged: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True)
class NewPreference:
    """A person prefers one image of a prompt to another; paths are relative to `images/`."""

    better: str
    worse: str
    annotator: str


@dataclass
class Plan:
    """What would come in, what wouldn't and why.

    Attributes:
        duplicates: images that are there already, by content.
        same: ratings that are there already; kept: those that the studio holds otherwise and keeps.
        unknown: ratings of images that aren't known.
        marks: sha256 of each table with its options, by its name: a table that was taken in adds nothing again.
        notes: what a person should know, one sentence each.
    """

    images: list[NewImage] = field(default_factory=list)
    prompts: dict[str, str] = field(default_factory=dict)
    ratings: list[NewRating] = field(default_factory=list)
    preferences: list[NewPreference] = field(default_factory=list)
    duplicates: int = 0
    same: int = 0
    kept: int = 0
    unknown: int = 0
    marks: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def adds(self) -> bool:
        """Whether there is anything to take in."""
        return bool(self.images or self.prompts or self.ratings or self.preferences)

    @property
    def counts(self) -> Mapping[str, int]:
        """The numbers in words, in the order to show them."""
        return {
            "new images": len(self.images),
            "new prompts": len(self.prompts),
            "new ratings": len(self.ratings),
            "new preferences": len(self.preferences),
            "images there already": self.duplicates,
            "ratings there already": self.same,
            "ratings kept as they are": self.kept,
            "ratings of unknown images": self.unknown,
        }
