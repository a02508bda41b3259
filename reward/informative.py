"""`python -m reward.informative`: which image's rating would teach a model most, for the studio's informative order."""

import argparse
import csv
import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from reward.acquisition import Advice, Opinions, rank
from reward.aspects import BY_NAME, HEADS
from reward.cli import EXIT_OK, image_bar, report
from reward.errors import InputError
from reward.images import list_images
from reward.outputs import check_output, write_text
from reward.raters import PersonRatings
from reward.ratings import RatingsTable, read_ratings

if TYPE_CHECKING:
    from reward.model import MultiHeadReward

Floats = npt.NDArray[np.float64]

HEADER: Final = ("image", "teaches", "people", "reason")


@dataclass(frozen=True)
class Priority:
    """One line of the file, the image to be rated first on top.

    Attributes:
        image: the file below the images folder, with forward slashes.
        teaches: share of what the heads don't know yet that one more rating takes away.
        people: how many had rated it.
        reason: why it comes, in words for the person who rates it.
    """

    image: str
    teaches: float
    people: int
    reason: str


def priorities(
    model: "MultiHeadReward",
    folder: Path,
    ratings: RatingsTable,
    cache_dir: Path | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> list[Priority]:
    """All images below `folder`, the one whose rating teaches most first; files that can't be decoded are left out.

    Args:
        model: a multi-head model; its backbone encodes what isn't in the cache.
        folder: images/<prompt_id>/….
        ratings: who rated what so far.

    Raises:
        InputError: no image, none of the rated ones is below `folder`, or the model doesn't score the five aspects.
        BackboneError: the backbone can't be had.
    """
    if model.config.mode != "multihead":
        raise InputError.one("--model", "it was trained on pairs alone", "name a model of the mode multihead")
    files, vectors = _embedded(model, _images_of_prompts(folder), cache_dir, on_progress)
    people = _rated_files(ratings, files)
    if not len(people.image):
        raise InputError.one(ratings.source, f"none of its images is below {folder}", "name that project's own ratings")
    prompts = [file.relative_to(folder).parts[0] for file in files]
    prompt = np.unique(prompts, return_inverse=True)[1].astype(np.int64)
    opinions = Opinions.of(people, len(files))
    x, scores = _seen_by(model, vectors)
    advice = rank(x, prompt, scores, opinions)
    heard = np.bincount(people.image, minlength=len(files))
    return [
        Priority(files[one.image].relative_to(folder).as_posix(), one.teaches, int(heard[one.image]), reason(one))
        for one in advice
    ]


def reason(advice: Advice) -> str:
    """Why the image comes, in words."""
    aspect = BY_NAME[HEADS[advice.head]].label.lower()
    if advice.contested:
        return "People differ on this one."
    if advice.rated:
        return "Rated before: one more rating makes its mean surer."
    if advice.begins:
        return f"This prompt has few pairs yet; they would teach most about: {aspect}."
    return f"The model is least sure of pictures like this one, most of all about: {aspect}."


def as_csv(rows: Sequence[Priority]) -> str:
    """The file that the studio reads."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([row.image, f"{row.teaches:.3g}", row.people, row.reason] for row in rows)
    return buffer.getvalue()


def _images_of_prompts(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError.one("--images", f"there is no folder {folder}", "name the folder that holds <prompt_id>/…")
    found = [file for file in list_images([folder]) if len(file.relative_to(folder).parts) > 1]
    if not found:
        raise InputError.one(
            "--images", f"no image in {folder}/<prompt_id>/", "name the folder that holds <prompt_id>/…"
        )
    return found


def _embedded(
    model: "MultiHeadReward", files: list[Path], cache_dir: Path | None, on_progress: Callable[[int], None]
) -> tuple[list[Path], npt.NDArray[np.floating]]:
    """The files that can be decoded, and their embeddings."""
    from reward.embeddings import EmbeddingCache, default_cache_dir, embed_files

    cache = EmbeddingCache(cache_dir or default_cache_dir())
    try:
        return files, embed_files(files, model.backbone, cache, lambda event: on_progress(event.done)).vectors
    except InputError as error:  # the studio doesn't show them either; all others are in the cache by now
        bad = {fault.file for fault in error.faults}
        sound = [file for file in files if str(file) not in bad]
        if not sound or len(sound) == len(files):
            raise
        return sound, embed_files(sound, model.backbone, cache).vectors


def _seen_by(model: "MultiHeadReward", vectors: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.floating], Floats]:
    """(N, D) inputs as the heads get them, and (N, 5) scores, NaN where a head is untrained."""
    import torch

    with torch.inference_mode():
        given = torch.from_numpy(vectors).float()
        stack = model.stack.cpu()
        x = (given - stack.input_mean[0]) / stack.input_std[0]
        scores = model.cpu().by_head(model.cpu().head_scores(given))
    return x.numpy(), np.stack([scores[head].numpy() for head in HEADS], axis=1).astype(np.float64)


def _rated_files(table: RatingsTable, files: Sequence[Path]) -> PersonRatings:
    """The ratings of these files, images by their place; ratings of other files are of no matter here."""
    place = {str(file.resolve()): number for number, file in enumerate(files)}
    where = {file: place.get(str(Path(file).resolve()), -1) for file in table.frame["file"].unique()}
    number = table.frame["file"].map(where).to_numpy(dtype="int64")
    frame = table.frame[number >= 0]
    names = frame["annotator"] if table.has_annotators else frame["prompt_id"].map(lambda _: "")
    person, known = names.factorize()
    values = frame[[BY_NAME[head].column for head in HEADS]].to_numpy(dtype="float64")
    return PersonRatings(number[number >= 0], person.astype("int64"), values, list(known))


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m reward.informative",
        description="Order a project's images by what their next rating would teach a model.",
    )
    parser.add_argument("--model", required=True, metavar="DIR", help="checkpoint folder, e.g. outputs/run/best")
    parser.add_argument("--images", required=True, type=Path, metavar="DIR", help="the folder that holds <prompt_id>/…")
    parser.add_argument("--ratings", required=True, type=Path, metavar="CSV", help="best with an annotator column")
    parser.add_argument("--output", required=True, type=Path, metavar="FILE", help="e.g. data/priorities.csv")
    parser.add_argument("--image-root", type=Path, metavar="DIR", help="where the CSV's relative paths start")
    parser.add_argument(
        "--backbone", metavar="SPEC", help="use this in place of the recorded backbone, if it is the same"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="where embeddings are kept")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = build_parser().parse_args(argv)
    return report(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    import logging

    from reward.images import silence_bomb_warnings
    from reward.scoring import load_model

    logging.disable(logging.CRITICAL)  # open_clip logs failures that our own message says better
    silence_bomb_warnings()
    check_output("--output", arguments.output, [arguments.ratings])
    ratings = read_ratings(arguments.ratings, arguments.image_root, check_images=False)
    total = len(_images_of_prompts(arguments.images))
    model = load_model(arguments.model, arguments.backbone, arguments.device)
    with image_bar(total) as progress:
        rows = priorities(model, arguments.images, ratings, arguments.cache_dir, progress)
    write_text(arguments.output, as_csv(rows))
    print(f"{len(rows)} images in {arguments.output}, first {rows[0].image}: {rows[0].reason}")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
