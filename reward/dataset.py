"""From input files to what training works on: images with ratings, pairs with winners, embeddings, split groups."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from reward.aspects import HEADS, RATING_COLUMNS
from reward.config import TrainConfig
from reward.errors import Fault, InputError
from reward.groups import Link, check_groups, split_groups
from reward.images import ImageFiles
from reward.pairs import (
    RatingPairs,
    compare,
    largest_difference,
    mean_over_shared_heads,
    prompt_numbers,
    rating_pairs,
)
from reward.preferences import KIND as PAIRS
from reward.preferences import PreferencesTable, read_preferences
from reward.prompts import KIND as PROMPTS
from reward.prompts import find_prompts, read_prompts
from reward.raters import PersonRatings
from reward.ratings import KIND as RATINGS
from reward.ratings import RatingsTable, read_ratings
from reward.textfiles import read_bytes

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_T = TypeVar("_T")

MEAN_TARGET = "mean of the rated heads"
PREFERENCE_TARGET = "overall preferences"
SIMULATED_MARKER = "SAMPLE.txt"


@dataclass(frozen=True)
class LabelledPairs:
    """P pairs with a soft winner.

    Attributes:
        first, second: (P,) rows of the images.
        prompt: (P,) prompt numbers.
        label: (P,) in [0, 1], how surely the first is better; ½ = a tie.
    """

    first: Ints
    second: Ints
    prompt: Ints
    label: Floats

    def __len__(self) -> int:
        return len(self.first)

    def inside(self, images: Bools) -> "LabelledPairs":
        """The pairs whose images are all in `images` (N,)."""
        return self._those(images[self.first] & images[self.second])

    def decided(self) -> "LabelledPairs":
        """The pairs that aren't ties."""
        return self._those(self.label != 0.5)

    def _those(self, keep: Bools) -> "LabelledPairs":
        return LabelledPairs(self.first[keep], self.second[keep], self.prompt[keep], self.label[keep])


@dataclass(frozen=True)
class Dataset:
    """N images of one training run.

    Attributes:
        files: (N) image files.
        prompt: (N,) prompt number of each image; `prompt_names` by number.
        ratings: (N, 5) mean ratings, NaN = not rated.
        pairs: pairs on the five heads (multihead mode), else None.
        combined: what the combined or overall score should order; `target` says where it is from.
        texts: (N) prompt text of each image, "" = unknown.
        sources: the input files and their content, until `forget_content`.
        has_preferences: whether overall preferences were given.
        by_person: who rated what, where the file tells.
        min_rating_diff: the smallest difference of ratings that makes a win.
        corrects: heads learn ratings corrected for people's bias, not their plain mean.
        simulated: the ratings are no person's: their data folder says so.
        notes: what a person should be told.
    """

    files: ImageFiles
    prompt: Ints
    prompt_names: list[str]
    ratings: Floats
    pairs: RatingPairs | None
    combined: LabelledPairs
    target: str
    texts: list[str]
    sources: dict[Path, bytes] = field(repr=False)
    has_preferences: bool = False
    by_person: PersonRatings | None = None
    min_rating_diff: float = 0.0
    corrects: bool = False
    simulated: bool = False
    notes: list[str] = field(default_factory=list)

    def forget_content(self) -> None:
        """Let go of the input files' content, which may be large, when nobody asks for it any more."""
        self.sources.update(dict.fromkeys(self.sources, b""))

    @property
    def in_a_pair(self) -> Bools:
        """(N,) images that are in a pair that has a winner on some head or overall."""
        mask = np.zeros(len(self.files), dtype=bool)
        won = self.combined.label != 0.5
        mask[self.combined.first[won]] = mask[self.combined.second[won]] = True
        if self.pairs is not None:
            decided = self.pairs.sign.any(axis=1)
            mask[self.pairs.first[decided]] = mask[self.pairs.second[decided]] = True
        return mask


def read_dataset(
    config: TrainConfig, *, check_images: bool = True, kept: Mapping[Path, bytes] | None = None
) -> Dataset:
    """Read and check all input files of a run.

    Args:
        check_images: also decode every image, so that missing and broken ones are named.
        kept: the input files' content as an earlier run had it, which is read instead of them.

    Raises:
        InputError: the faults of all files at once; or no prompt has two rated images, or no pair is a win.
    """
    faults: list[Fault] = []

    def collect(read: Callable[[], _T]) -> _T | None:
        try:
            return read()
        except InputError as error:
            faults.extend(error.faults)
            return None

    root = config.image_root
    if root is not None and not root.is_dir():
        faults.append(
            Fault("--image-root", None, f"{root} is no folder", "give the folder that image paths start from")
        )
    sources: dict[Path, bytes] = {}

    def content(path: Path, kind: str) -> bytes:
        # Read once: while images are encoded people go on rating, and a run is to record what it learned from.
        sources[path] = kept[path] if kept is not None and path in kept else read_bytes(path, kind)
        return sources[path]

    rated, preferred = None, None
    ratings, pairs = config.ratings if config.mode == "multihead" else None, config.pairs
    if ratings is not None:
        rated = collect(
            lambda: read_ratings(ratings, root, check_images=check_images, content=content(ratings, RATINGS))
        )
    if pairs is not None:
        preferred = collect(
            lambda: read_preferences(pairs, root, check_images=check_images, content=content(pairs, PAIRS))
        )
    main_file = ratings or pairs
    assert main_file is not None  # TrainConfig checks it
    if kept is None:
        prompts = find_prompts(main_file, config.prompts)
    else:
        prompts = next((path for path in kept if path not in (config.ratings, pairs)), config.prompts)
    texts = collect(lambda: read_prompts(prompts, content(prompts, PROMPTS))) if prompts is not None else {}
    if faults:
        raise InputError(faults)
    return _assemble(config, rated, preferred, texts or {}, sources)


def _assemble(
    config: TrainConfig,
    rated: RatingsTable | None,
    preferred: PreferencesTable | None,
    texts: dict[str, str],
    sources: dict[Path, bytes],
) -> Dataset:
    main_file = next(iter(sources))
    rows = _Rows(texts)
    ratings = np.zeros((0, len(HEADS)))
    if rated is not None:
        table = rated.by_image()
        rows.begin(table["prompt_id"], table["file"])
        ratings = table[list(RATING_COLUMNS)].to_numpy(dtype=np.float64)
    preferences = None
    if preferred is not None:
        frame = preferred.frame
        first = [rows.of_text(text, file) for text, file in zip(frame["prompt"], frame["img_pos"], strict=True)]
        second = [rows.of_text(text, file) for text, file in zip(frame["prompt"], frame["img_neg"], strict=True)]
        preferences = (np.array(first), np.array(second), frame["label"].to_numpy(dtype=np.float64))
    missing = len(rows.files) - len(ratings)
    ratings = np.vstack([ratings, np.full((missing, len(HEADS)), np.nan)])
    prompt = np.array(rows.prompt, dtype=np.int64)
    pairs = rating_pairs(prompt, ratings, config.min_rating_diff, config.seed) if rated is not None else None
    if pairs is not None and not pairs.sign.any():
        largest = largest_difference(prompt, ratings)
        raise InputError.one(
            "--min-rating-diff",
            f"no two images of a prompt differ by {config.min_rating_diff:g} or more on any head of {main_file} "
            f"(the largest difference is {largest:g})",
            "lower it, or rate more images",
        )
    combined, target = _combined(preferences, pairs, ratings, prompt, config.min_rating_diff)
    if preferences is not None and not (combined.label != 0.5).any():
        given = config.pairs or main_file
        raise InputError.one(given, "every label is ½, a tie", "at least some pairs need a winner")
    notes = []
    if pairs is not None and pairs.sampled_prompts:
        notes.append(
            f"{pairs.sampled_prompts} prompts have so many images that only a random part of their pairs is used"
        )
    return Dataset(
        files=ImageFiles(rows.files),
        prompt=prompt,
        prompt_names=rows.names,
        ratings=ratings,
        pairs=pairs,
        combined=combined,
        target=target,
        texts=rows.texts,
        sources=sources,
        has_preferences=preferences is not None,
        by_person=rated.by_person() if rated is not None and rated.has_annotators else None,
        min_rating_diff=config.min_rating_diff,
        corrects=config.targets == "corrected",
        simulated=any(_is_simulated(path) for path in sources),
        notes=notes,
    )


def _combined(
    preferences: tuple[Ints, Ints, Floats] | None,
    pairs: RatingPairs | None,
    ratings: Floats,
    prompt: Ints,
    min_rating_diff: float,
) -> tuple[LabelledPairs, str]:
    """Overall preferences where given, else the order of the mean over the heads rated on both images."""
    if preferences is not None:
        first, second, label = preferences
        return LabelledPairs(first, second, prompt[first], label), PREFERENCE_TARGET
    assert pairs is not None
    sign = compare(*mean_over_shared_heads(pairs, ratings), min_rating_diff)
    label = np.where(sign > 0, 1.0, np.where(sign < 0, 0.0, 0.5))
    return LabelledPairs(pairs.first, pairs.second, pairs.prompt, label), MEAN_TARGET


def _is_simulated(source: Path) -> bool:
    """Whether the file lies in a data folder that is marked as a sample with simulated ratings."""
    return any((folder / SIMULATED_MARKER).is_file() for folder in (source.parent, source.parent.parent))


class _Rows:
    """Numbers the images (prompt, file), joining preferences to rated images by prompt text."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._text_of = texts
        self.files: list[str] = []
        self.prompt: list[int] = []
        self.texts: list[str] = []
        self.names: list[str] = []

    def begin(self, prompt_ids: "pd.Series[str]", files: "pd.Series[str]") -> None:
        """The rated images, each once, as the first rows. Made for millions of them."""
        numbers, self.names = prompt_numbers(prompt_ids)
        texts = [self._text_of.get(name, "") for name in self.names]
        self.files, self.prompt = files.tolist(), numbers.tolist()
        self.texts = [texts[number] for number in self.prompt]

    @cached_property
    def _number(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def _row(self) -> dict[tuple[int, str], int]:
        return {key: row for row, key in enumerate(zip(self.prompt, self.files, strict=True))}

    @cached_property
    def _id_of(self) -> dict[str, str]:
        return {_normal(text): prompt_id for prompt_id, text in self._text_of.items() if text}

    def of_text(self, text: str, file: str) -> int:
        """The row of an image under a prompt's text; a new one where it isn't known yet."""
        name = self._id_of.get(_normal(text), text)
        if name not in self._number:
            self._number[name] = len(self.names)
            self.names.append(name)
        key = (self._number[name], file)
        if key not in self._row:
            self._row[key] = len(self.files)
            self.files.append(file)
            self.prompt.append(key[0])
            self.texts.append(text)
        return self._row[key]


def _normal(text: str) -> str:
    return " ".join(text.casefold().split())


def group_images(data: Dataset, hashes: Sequence[str]) -> Ints:
    """(N,) split group of each image: prompts that share an id, a text or a picture stay on one side.

    Raises:
        InputError: everything hangs together.
    """
    names = [data.prompt_names[number] for number in data.prompt]
    pictures = dict(zip(hashes, data.files.names, strict=True))
    normal = {text: _normal(text) for text in dict.fromkeys(data.texts)}
    links = [
        Link("prompt", names),
        Link("the prompt text", [normal[text] for text in data.texts]),
        Link("the picture", [pictures[sha] for sha in hashes]),
    ]
    groups = split_groups(links)
    check_groups(groups, names, links, str(next(iter(data.sources))))
    return groups
