"""What a ratings CSV or a pairs JSONL holds for training: counts a head, and what to know before starting."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reward.aspects import ASPECTS, RATING_COLUMNS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from reward.pairs import RatingPairs


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
    """The counts of one file. `people` is 0 where the file doesn't tell; `heads` is empty for a pairs JSONL.

    `barren` names each prompt that no pair with a winner comes from, with the reason.
    """

    source: Path
    images: int
    prompts: int
    ratings: int
    people: int = 0
    heads: tuple[HeadData, ...] = ()
    notes: tuple[str, ...] = ()
    barren: tuple[tuple[str, str], ...] = ()


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
    prompt, names = prompt_numbers(images["prompt_id"])
    pairs = rating_pairs(prompt, ratings, min_rating_diff)
    rated = np.count_nonzero(~np.isnan(ratings), axis=0)
    heads = tuple(
        HeadData(aspect.label, aspect.colour, int(rated[k]), int(pairs.wins[k]), int(pairs.ties[k]))
        for k, aspect in enumerate(ASPECTS)
    )
    people = table.frame["annotator"].nunique() if table.has_annotators else 0
    given = int(table.frame[list(RATING_COLUMNS)].notna().to_numpy().sum())
    barren = _barren(np.bincount(prompt), pairs, names, min_rating_diff)
    notes = _notes(heads, min_rating_diff)
    return DataSummary(path, len(images), len(names), given, people, heads, notes, barren)


def summarise_preferences(path: Path, image_root: Path | None = None) -> DataSummary:
    """Count the images, prompts and pairs of a pairs JSONL.

    Raises:
        InputError: every fault of the file.
    """
    from reward.preferences import read_preferences

    frame = read_preferences(path, image_root, check_images=False).frame
    images = len({*frame["img_pos"], *frame["img_neg"]})
    tied = frame["label"] == 0.5
    ties = int(tied.sum())
    notes = (f"{ties} of the pairs {'is a tie' if ties == 1 else 'are ties'} (label ½).",) if ties else ()
    only_ties = tied.groupby(frame["prompt"]).all()
    barren = tuple((str(name), "all its pairs are ties") for name in only_ties.index[only_ties])
    return DataSummary(path, images, frame["prompt"].nunique(), len(frame), notes=notes, barren=barren)


def _barren(
    images: "npt.NDArray[np.int64]", pairs: "RatingPairs", names: Sequence[str], min_rating_diff: float
) -> tuple[tuple[str, str], ...]:
    """The prompts without a pair that has a winner, each with the reason; `images` (prompts,) counts theirs."""
    won = set(pairs.prompt[pairs.sign.any(axis=1)].tolist())
    compared = set(pairs.prompt.tolist())
    found = []
    for number, name in enumerate(names):
        if number in won:
            continue
        if images[number] == 1:
            reason = "a single rated image"
        elif number in compared:
            reason = f"no two images differ by {min_rating_diff:g} or more on any head"
        else:
            reason = "no head is rated on two of its images"
        found.append((name, reason))
    return tuple(found)


def _notes(heads: tuple[HeadData, ...], min_rating_diff: float) -> tuple[str, ...]:
    notes = [f"{head.label} has no ratings: its head will stay untrained." for head in heads if not head.rated]
    notes += [
        f"{head.label} has ratings but no pair that differs by {min_rating_diff:g} or more: "
        "lower the minimal difference, or rate more images of one prompt."
        for head in heads
        if head.rated and not head.pairs
    ]
    return tuple(notes)
