"""The text forms: ratings CSVs (plain, corrected, by person) and pairs.jsonl, a piece at a time."""

from collections.abc import Iterable, Iterator
from itertools import chain

from annotate.csv_files import MEANS_HEADER, PEOPLE_HEADER, csv_line, means_line, people_lines, write_number
from annotate.exporting.current import Current
from annotate.pairs_file import pair_lines, vote_lines
from annotate.snapshot import DECIMALS
from reward.aspects import HEADS, MAX_RATING, MIN_RATING

_PIECE = 1 << 18  # characters that go out together


def means_csv(current: Current) -> Iterator[bytes]:
    """The ratings CSV of the contract: a row an image, plain means over people."""
    lines = (means_line(current.snapshot, i.id, i.prompt_id, current.paths[i.id]) for i in current.images)
    return gathered(chain([csv_line(MEANS_HEADER)], lines))


def people_csv(current: Current) -> Iterator[bytes]:
    """A row an image and person."""
    lines = (people_lines(current.snapshot, i.id, i.prompt_id, current.paths[i.id]) for i in current.images)
    return gathered(chain([csv_line(PEOPLE_HEADER)], lines))


def corrected_csv(current: Current) -> Iterator[bytes]:
    """A row an image, as the plain one, but without each person's bias; consistent people count for more.

    See `reward.raters` for the model. Images that only an edited means file speaks of keep what it says.
    """
    return gathered(chain([csv_line(MEANS_HEADER)], _corrected_lines(current)))


def pairs_jsonl(current: Current) -> Iterator[bytes]:
    """A line an unordered pair of a prompt's images, as the studio itself writes pairs.jsonl."""
    prompts: dict[str, tuple[str, dict[int, str]]] = {}
    for image in current.images:
        prompts.setdefault(image.prompt_id, (image.prompt, {}))[1][image.id] = current.paths[image.id]
    voted = current.voted
    for prompt_id, (text, paths) in prompts.items():
        if voted:
            yield vote_lines(text, paths, voted.get(prompt_id, ()), current.votes).lines
        else:
            yield pair_lines(text, paths, current.snapshot).lines


def gathered(lines: Iterable[str]) -> Iterator[bytes]:
    """The lines as pieces that are worth sending."""
    waiting: list[str] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= _PIECE:
            yield "".join(waiting).encode()
            waiting, size = [], 0
    if waiting:
        yield "".join(waiting).encode()


def _corrected_lines(current: Current) -> Iterator[str]:
    import numpy as np

    from reward.raters import PersonRatings, RaterModel

    places = {image.id: place for place, image in enumerate(current.images)}
    said = [(places[i], name, row.values) for i in places for name, row in current.snapshot.people(i).items()]
    names = sorted({name for _, name, _ in said})
    numbers = {name: number for number, name in enumerate(names)}
    people = PersonRatings(
        np.array([place for place, _, _ in said], dtype=np.int64),
        np.array([numbers[name] for _, name, _ in said], dtype=np.int64),
        np.array([values for _, _, values in said], dtype=np.float64).reshape(len(said), len(HEADS)),
        names,
    )
    qualities = RaterModel.of(people, len(places)).corrected if said else np.full((len(places), len(HEADS)), np.nan)
    corrected = np.clip(qualities, MIN_RATING, MAX_RATING).round(DECIMALS)
    for image, row in zip(current.images, corrected.tolist(), strict=True):
        edited = current.snapshot.corrected_values(image.id)
        values = [None if value != value else value for value in row] if edited is None else edited
        if any(value is not None for value in values):
            yield csv_line([image.prompt_id, current.paths[image.id], *(write_number(value) for value in values)])
