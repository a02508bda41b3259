"""One data folder: where its images, prompts, database and annotation files lie, and how their paths are written.

`open_project` chooses between the folder itself and its sample, which `annotate.sample` makes on first use.
"""

from dataclasses import dataclass, field
from pathlib import Path

from reward.errors import RewardError

SAMPLE_MARKER = "SAMPLE.txt"


@dataclass(frozen=True)
class Project:
    """A data folder. `base` is the folder that exported image paths are relative to where the data lies below it."""

    root: Path
    base: Path = field(default_factory=Path.cwd)

    @property
    def images(self) -> Path:
        """The folder with one folder of images a prompt."""
        return self.root / "images"

    @property
    def prompts_csv(self) -> Path:
        """`prompt_id,prompt`; optional."""
        return self.root / "prompts.csv"

    @property
    def gold_csv(self) -> Path:
        """Images with the band that ratings are expected in; optional."""
        return self.root / "gold.csv"

    @property
    def settings(self) -> Path:
        """How the project is rated; optional."""
        return self.root / "studio.toml"

    @property
    def guidelines(self) -> Path:
        """How people are to rate, in Markdown; optional."""
        return self.root / "guidelines.md"

    @property
    def priorities(self) -> Path:
        """Which images a trained model would learn most from; optional."""
        return self.root / "priorities.csv"

    @property
    def database(self) -> Path:
        """The SQLite file that holds every rating."""
        return self.root / "studio.db"

    @property
    def screens(self) -> Path:
        """Screen-sized versions of large images; may be deleted at any time."""
        return self.root / ".screens"

    @property
    def annotations(self) -> Path:
        """The folder of the exported files."""
        return self.root / "annotations"

    @property
    def own_annotations(self) -> Path:
        """The sample's folder of files with the ratings that people gave, apart from the simulated ones."""
        return self.annotations / "own"

    @property
    def ratings_csv(self) -> Path:
        """One row an image: means over people."""
        return self.annotations / "multihead_ratings.csv"

    @property
    def per_annotator_csv(self) -> Path:
        """One row an image and person."""
        return self.annotations / "ratings_per_annotator.csv"

    @property
    def pairs_jsonl(self) -> Path:
        """One line an unordered pair of images."""
        return self.annotations / "pairs.jsonl"

    @property
    def is_sample(self) -> bool:
        """Whether the ratings in here are simulated."""
        return (self.root / SAMPLE_MARKER).is_file()

    def exported_path(self, file: Path) -> str:
        """How `file` (below the data folder) is written in a CSV or JSONL, with forward slashes.

        Relative to `base` when the data folder lies below it, otherwise absolute.
        """
        if file.is_relative_to(self.root):
            inside = file.relative_to(self.root)
        else:
            inside = file.resolve().relative_to(self.root.resolve())
        folder = self.base / self.root
        if ".." not in folder.parts and folder.is_relative_to(self.base):
            return (folder.relative_to(self.base) / inside).as_posix()
        base, folder = self.base.resolve(), folder.resolve()
        return ((folder.relative_to(base) if folder.is_relative_to(base) else folder) / inside).as_posix()


def holds_nothing(folder: Path) -> bool:
    """Whether a folder is missing or empty; hidden entries such as `.gitkeep` don't count."""
    return not folder.is_dir() or all(entry.name.startswith(".") for entry in folder.iterdir())


def open_project(root: Path) -> Project:
    """The studio's data folder at `root`, or, where its `images/` holds nothing, the sample at `root/sample`.

    The sample is made on first use; its marker file is written last, so a half-made one is made again.

    Raises:
        RewardError: `root` isn't a folder or can't be written.
    """
    if root.exists() and not root.is_dir():
        raise RewardError(f"{root} is a file; --data names a folder that holds images/<prompt_id>/…")
    project = Project(root)
    if not holds_nothing(project.images):
        return project
    sample = Project(root / "sample")
    if not sample.is_sample:
        from annotate.sample import make_sample

        try:
            make_sample(sample.root)
        except OSError as error:
            raise RewardError(f"The sample can't be made in {sample.root}: {error.strerror or error}") from error
    return sample
