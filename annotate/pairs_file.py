"""`pairs.jsonl` from ratings: for two images of a prompt, how surely people prefer the first.

Until people are asked directly, a person's preference is the mean of the heads they rated on both images.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from annotate.judgement import CORRECTION_NAME, Values
from annotate.snapshot import Snapshot

MAX_PAIRS_A_PROMPT = 20_000


def pair_lines(prompt: str, paths: Mapping[int, str], snapshot: Snapshot) -> str:
    """The JSON lines of one prompt.

    Args:
        paths: exported path by image number, of this prompt's images; `img_pos` is the first of a pair by path.
    """
    votes = {image_id: said for image_id in paths if (said := _voters(snapshot, image_id))}
    ordered = sorted(votes, key=lambda image_id: paths[image_id])
    lines = []
    for first, second in chosen_pairs(ordered, MAX_PAIRS_A_PROMPT):
        label = preference(votes[first], votes[second])
        if label is not None:
            row = {"prompt": prompt, "img_pos": paths[first], "img_neg": paths[second], "label": label}
            lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(lines)


def _voters(snapshot: Snapshot, image_id: int) -> dict[str, Values]:
    """Who said what about an image: the people, or, where only an edited means file speaks, that file."""
    people = {name: row.values for name, row in snapshot.people(image_id).items()}
    corrected = snapshot.corrected_values(image_id)
    return people if corrected is None else {CORRECTION_NAME: corrected}


def preference(first: Mapping[str, Values], second: Mapping[str, Values]) -> float | None:
    """How surely `first` is better, in [0, 1]: mean over the people who rated both (tie = ½); None if nobody did."""
    votes = [
        vote for name in first.keys() & second.keys() if (vote := _vote(first[name], second[name])) is not None
    ]  # fmt: skip
    return round(math.fsum(votes) / len(votes), 4) if votes else None


def _vote(first: Values, second: Values) -> float | None:
    both = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if not both:
        return None
    difference = round(math.fsum(a - b for a, b in both) / len(both), 6)
    return 0.5 if difference == 0 else float(difference > 0)


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


def shortened_prompts(sizes: Iterable[tuple[str, int]]) -> list[str]:
    """A sentence for each prompt (id, rated images) whose pairs are too many to be written all."""
    return [
        f"pairs.jsonl holds {MAX_PAIRS_A_PROMPT:,} of the {count * (count - 1) // 2:,} pairs of prompt {prompt_id}."
        for prompt_id, count in sizes
        if count * (count - 1) // 2 > MAX_PAIRS_A_PROMPT
    ]
