"""`pairs.jsonl`: for two images of a prompt, how surely people prefer the first.

Once anybody has been asked directly ("A or B?"), the file holds these votes alone. Until then a person's preference is
the mean of the heads they rated on both images: that only repeats the ratings.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from annotate.judgement import CORRECTION_NAME, Values
from annotate.preferences import Pair, Votes
from annotate.snapshot import Snapshot
from reward.aspects import HEADS

MAX_PAIRS_A_PROMPT = 10_000
VOTES_KEY = "votes"

_WORTH = {"first": 1.0, "tie": 0.5, "second": 0.0}

# Breaks to some readers (Python's `splitlines`) that JSON lets stand in a string; all others it escapes by itself.
_LINE_BREAKS = {ord(character): f"\\u{ord(character):04x}" for character in "\u0085\u2028\u2029"}


@dataclass(frozen=True)
class PromptPairs:
    """The pairs of one prompt: their JSON lines, how many these are, and how many pairs its rated images make."""

    lines: bytes
    written: int
    possible: int


def pair_lines(prompt: str, paths: Mapping[int, str], snapshot: Snapshot) -> PromptPairs:
    """The pairs of one prompt, as they are written.

    Args:
        paths: exported path by image number, of this prompt's images; `img_pos` is the first of a pair by path.
    """
    votes = {image_id: said for image_id in paths if (said := _voters(snapshot, image_id))}
    ordered = sorted(votes, key=lambda image_id: paths[image_id])
    possible = math.comb(len(ordered), 2)
    pairs = list(chosen_pairs(ordered, MAX_PAIRS_A_PROMPT))
    if not pairs:
        return PromptPairs(b"", 0, possible)
    labels = pair_labels([votes[image_id] for image_id in ordered], _places(ordered, pairs))
    line = _line_maker(prompt, paths)
    lines = [
        line(first, second, label)
        for (first, second), label in zip(pairs, labels, strict=True)
        if label == label  # NaN: nobody rated both
    ]
    return PromptPairs("".join(lines).encode(), len(lines), possible)


def vote_lines(prompt: str, paths: Mapping[int, str], pairs: Iterable[Pair], votes: Votes) -> PromptPairs:
    """The pairs of one prompt that people were asked about: label = mean over people, tie = ½, skips left out.

    Each line also tells how many people's `votes` it holds, which lines made of ratings don't.

    Args:
        paths: as for `pair_lines`.
        pairs: those of this prompt that anything was said about.
    """
    line = _line_maker(prompt, paths)
    lines = []
    for first, second in sorted(pairs, key=lambda pair: sorted(paths[image_id] for image_id in pair)):
        worths = [_WORTH[choice] for choice in votes.choices((first, second))]
        if not worths:
            continue
        label, turned = math.fsum(worths) / len(worths), paths[first] > paths[second]
        shown = (second, first, 1 - label) if turned else (first, second, label)
        lines.append(line(shown[0], shown[1], round(shown[2], 4), f', "{VOTES_KEY}": {len(worths)}'))
    return PromptPairs("".join(lines).encode(), len(lines), len(lines))


def voted_pairs(votes: Votes, prompts: Mapping[int, str]) -> dict[str, list[Pair]]:
    """The pairs that people chose between, by prompt; `prompts` by image number, of the images that are there."""
    found: dict[str, list[Pair]] = {}
    for pair in votes.pairs():
        first, second = (prompts.get(number) for number in pair)
        if first is not None and first == second and votes.choices(pair):
            found.setdefault(first, []).append(pair)
    return found


def holds_votes(path: Path) -> bool:
    """Whether a pairs JSONL holds what people said directly, as `vote_lines` writes it."""
    try:
        with path.open(encoding="utf-8") as file:
            row = json.loads(file.readline())
    except (OSError, ValueError):
        return False
    return isinstance(row, dict) and VOTES_KEY in row


def _line_maker(prompt: str, paths: Mapping[int, str]) -> Callable[..., str]:
    """Writes the lines of one prompt: two images, the label, and what stands behind it."""
    start = f'{{"prompt": {_json(prompt)}, "img_pos": '
    written = {image_id: _json(path) for image_id, path in paths.items()}

    def line(first: int, second: int, label: float, more: str = "") -> str:
        return f'{start}{written[first]}, "img_neg": {written[second]}, "label": {label}{more}}}\n'

    return line


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).translate(_LINE_BREAKS)


def _places(ordered: Sequence[int], pairs: Sequence[tuple[int, int]]) -> npt.NDArray[np.intp]:
    place = {image_id: position for position, image_id in enumerate(ordered)}
    return np.array([(place[first], place[second]) for first, second in pairs], dtype=np.intp)


def _voters(snapshot: Snapshot, image_id: int) -> dict[str, Values]:
    """Who said what about an image: the people, or, where only an edited means file speaks, that file."""
    people = {name: row.values for name, row in snapshot.people(image_id).items()}
    corrected = snapshot.corrected_values(image_id)
    return people if corrected is None else {CORRECTION_NAME: corrected}


def pair_labels(votes: Sequence[Mapping[str, Values]], pairs: npt.NDArray[np.intp]) -> list[float]:
    """How surely the first of each pair is better: mean over the people who rated both, tie = ½; NaN if nobody did.

    Args:
        votes: what each person said about each image.
        pairs: (n, 2), positions in `votes`. A person's preference is the mean difference on the heads rated on both.
    """
    total, people = np.zeros(len(pairs)), np.zeros(len(pairs))
    for name in sorted({name for said in votes for name in said}):
        rated = np.full((len(votes), len(HEADS)), np.nan)
        for position, said in enumerate(votes):
            if name in said:
                rated[position] = [np.nan if value is None else value for value in said[name]]
        difference = rated[pairs[:, 0]] - rated[pairs[:, 1]]
        heads = (~np.isnan(difference)).sum(axis=1)
        mean = np.round(np.nansum(difference, axis=1) / np.maximum(heads, 1), 6)
        total += np.where(heads > 0, 0.5 + 0.5 * np.sign(mean), 0.0)
        people += heads > 0
    labels = np.full(len(pairs), np.nan)
    np.divide(total, people, out=labels, where=people > 0)
    return [float(label) for label in np.round(labels, 4)]


def chosen_pairs(ordered: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """All pairs in order; where they are more than `most`, a fixed part of them with each image in equally many.

    The part is a ring in hashed order, each image beside its next k: no image is favoured, and it hardly changes as
    images are added.
    """
    if len(ordered) * (len(ordered) - 1) // 2 <= most:
        yield from combinations(ordered, 2)
        return
    rank = {image_id: position for position, image_id in enumerate(ordered)}
    ring = sorted(ordered, key=lambda image_id: hashlib.sha256(str(image_id).encode()).digest())
    steps = max(1, most // len(ring))
    for position, image_id in enumerate(ring):
        for step in range(1, steps + 1):
            other = ring[(position + step) % len(ring)]
            first, second = sorted((image_id, other), key=rank.__getitem__)
            yield first, second


def shortened_prompts(prompts: Mapping[str, PromptPairs]) -> list[str]:
    """A sentence for each prompt id whose pairs are too many to be written all."""
    return [
        f"pairs.jsonl holds {pairs.written:,} of the {pairs.possible:,} pairs of prompt {prompt_id}."
        for prompt_id, pairs in prompts.items()
        if pairs.possible > MAX_PAIRS_A_PROMPT
    ]
