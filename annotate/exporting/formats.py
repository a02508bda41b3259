"""The forms in which ratings go out: one table for the routes, the command and the export room."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from annotate.errors import NotFoundError
from annotate.exporting.current import Current
from annotate.exporting.label_studio import label_studio_json
from annotate.exporting.parquet import parquet_file
from annotate.exporting.tables import corrected_csv, means_csv, pairs_jsonl, people_csv


@dataclass(frozen=True)
class Format:
    """One form: its name in addresses and on the command line, the file's name, and what makes it.

    `of_votes`: it can be made of preferences alone.
    """

    name: str
    label: str
    words: str
    file: str
    media_type: str
    make: Callable[[Current], Iterator[bytes]]
    of_votes: bool = False

    def pieces(self, current: Current) -> Iterator[bytes]:
        """The file, a piece at a time.

        Raises:
            NotFoundError: nobody has rated an image that is there, or an image's file is gone.
        """
        if not current.rated and not (self.of_votes and current.voted):
            raise NotFoundError("Nobody has rated an image yet, so there is nothing to export.")
        return self.make(current)


_CSV: Final = "text/csv; charset=utf-8"
_ALL: Final = (
    Format(
        "csv",
        "Ratings CSV",
        "A row an image: plain means over people. What training reads.",
        "multihead_ratings.csv",
        _CSV,
        means_csv,
    ),
    Format(
        "csv-corrected",
        "Ratings CSV, corrected",
        "The same without each person's bias; consistent people count for more.",
        "multihead_ratings_corrected.csv",
        _CSV,
        corrected_csv,
    ),
    Format(
        "per-annotator",
        "Ratings CSV by person",
        "A row an image and person. What training corrects by itself.",
        "ratings_per_annotator.csv",
        _CSV,
        people_csv,
    ),
    Format(
        "pairs",
        "Pairs JSONL",
        "A line a pair of images: how surely people prefer the first.",
        "pairs.jsonl",
        "application/jsonl; charset=utf-8",
        pairs_jsonl,
        of_votes=True,
    ),
    Format(
        "parquet",
        "Parquet with images",
        "Images, prompts, means and each person's ratings; Hugging Face datasets loads it.",
        "ratings.parquet",
        "application/vnd.apache.parquet",
        parquet_file,
    ),
    Format(
        "label-studio",
        "Label Studio JSON",
        "Tasks with an annotation a person.",
        "label_studio.json",
        "application/json",
        label_studio_json,
    ),
)
FORMATS: Final = {form.name: form for form in _ALL}
