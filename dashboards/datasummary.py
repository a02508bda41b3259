"""What a ratings CSV or a pairs JSONL holds for training: counts a head, and what to know before starting."""

from dataclasses import dataclass
from pathlib import Path

from reward.aspects import ASPECTS, RATING_COLUMNS


@dataclass(frozen=True)
class HeadData:
    """What one head can learn from: images rated on it, pairs with a winner, ties."""

    label: str
    colour: str
    rated: int
    pairs: int
    ties: int


@dataclass(frozen=True)
class DataSummary:
    """The counts of one file. `people` is 0 where the file doesn't tell; `heads` is empty for a pairs JSONL."""

    source: Path
    images: int
    prompts: int
    ratings: int
    people: int = 0
    heads: tuple[HeadData, ...] = ()
    notes: tuple[str, ...] = ()


def summarise_ratings(path: Path, min_rating_diff: float, image_root: Path | None = None) -> DataSummary:
    """Count images, prompts, ratings, and pairs a head at this minimal difference (rating units).

    Images are not decoded here: the trainer does it and names the broken ones.

    Raises:
        InputError: every fault of the file.
    """
    import numpy as np

    from reward.pairs import prompt_numbers, rating_pairs
    from reward.ratings import read_ratings

    table = read_ratings(path, image_root, check_images=False)
    images = table.by_image()
    ratings = images[list(RATING_COLUMNS)].to_numpy(dtype=np.float64)
    pairs = rating_pairs(prompt_numbers(images["prompt_id"])[0], ratings, min_rating_diff)
    rated = np.count_nonzero(~np.isnan(ratings), axis=0)
    heads = tuple(
        HeadData(aspect.label, aspect.colour, int(rated[k]), int(pairs.wins[k]), int(pairs.ties[k]))
        for k, aspect in enumerate(ASPECTS)
    )
    people = table.frame["annotator"].nunique() if table.has_annotators else 0
    given = int(table.frame[list(RATING_COLUMNS)].notna().to_numpy().sum())
    single = int((images.groupby("prompt_id").size() == 1).sum())
    return DataSummary(
        path, len(images), images["prompt_id"].nunique(), given, people, heads, _notes(heads, single, min_rating_diff)
    )


def summarise_preferences(path: Path, image_root: Path | None = None) -> DataSummary:
    """Count the images, prompts and pairs of a pairs JSONL.

    Raises:
        InputError: every fault of the file.
    """
    from reward.preferences import read_preferences

    frame = read_preferences(path, image_root, check_images=False).frame
    images = len({*frame["img_pos"], *frame["img_neg"]})
    ties = int((frame["label"] == 0.5).sum())
    notes = (f"{ties} of the pairs {'is a tie' if ties == 1 else 'are ties'} (label ½).",) if ties else ()
    return DataSummary(path, images, frame["prompt"].nunique(), len(frame), notes=notes)


def _notes(heads: tuple[HeadData, ...], single: int, min_rating_diff: float) -> tuple[str, ...]:
    notes = [f"{head.label} has no ratings: its head will stay untrained." for head in heads if not head.rated]
    notes += [
        f"{head.label} has ratings but no pair that differs by {min_rating_diff:g} or more: "
        "lower the minimal difference, or rate more images of one prompt."
        for head in heads
        if head.rated and not head.pairs
    ]
    if single:
        prompts = "1 prompt has" if single == 1 else f"{single} prompts have"
        notes.append(f"{prompts} a single rated image and yield{'s' if single == 1 else ''} no pairs.")
    return tuple(notes)
