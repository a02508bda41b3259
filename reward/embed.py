"""`python -m reward.embed IMAGE… --parquet OUT`, or `--ratings CSV`: the embeddings of a data set, a row an image."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reward.cli import EXIT_OK, add_flags, image_bar, report
from reward.errors import InputError
from reward.images import list_images, silence_bomb_warnings
from reward.outputs import check_output, parquet_rows
from reward.ratings import read_ratings

if TYPE_CHECKING:
    import pyarrow as pa

    from reward.backbones.base import Backbone
    from reward.embeddings import EmbeddingCache


@dataclass(frozen=True)
class Pictures:
    """The images of a data set: as they were named, where they are, and the prompt of each where one is known."""

    named: list[str]
    files: list[Path]
    prompts: list[str | None]


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m reward.embed", description="Encode a data set's images, each once, into a Parquet file."
    )
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="image files, or folders of them")
    add_flags(parser, ["ratings", "backbone", "device", "image_root", "cache_dir"])
    parser.add_argument("--parquet", required=True, type=Path, metavar="OUT", help="the file to write")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = build_parser().parse_args(argv)
    return report(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    import logging

    from reward.backbones.registry import make_backbone
    from reward.devices import pick_device
    from reward.embeddings import EmbeddingCache, default_cache_dir

    logging.disable(logging.CRITICAL)  # open_clip logs failures that our own message says better
    silence_bomb_warnings()
    check_output("--parquet", arguments.parquet, [arguments.ratings, *arguments.images])
    device = pick_device(arguments.device)
    pictures = _pictures(arguments.images, arguments.ratings, arguments.image_root)
    backbone = make_backbone(arguments.backbone).to(device)
    cache = EmbeddingCache(arguments.cache_dir or default_cache_dir())
    write_embeddings(arguments.parquet, pictures, backbone, cache)
    return EXIT_OK


def _pictures(images: Sequence[Path], ratings: Path | None, image_root: Path | None) -> Pictures:
    """The images that the arguments name.

    Raises:
        InputError: no image, two sources of them, or faults of the ratings CSV.
    """
    if bool(images) == (ratings is not None):
        raise InputError.one("--ratings", "both or none", "give either images or folders, or --ratings CSV")
    if ratings is None:
        files = list_images(images)
        if not files:
            raise InputError.one(images[0], "no image in there", "name image files or folders of them")
        return Pictures([str(file) for file in files], files, [None] * len(files))
    frame = read_ratings(ratings, image_root).frame.drop_duplicates(["prompt_id", "file"])
    return Pictures(frame["image_path"].tolist(), [Path(file) for file in frame["file"]], frame["prompt_id"].tolist())


def write_embeddings(path: Path, pictures: Pictures, backbone: "Backbone", cache: "EmbeddingCache") -> None:
    """Write image, prompt_id, sha256, backbone and embedding (D float32) of each picture; encode what isn't cached.

    Raises:
        InputError: images that are missing or can't be decoded, all of them named; nothing is written.
        BackboneError: the weights can't be had.
    """
    import pyarrow as pa

    from reward.backbones.registry import public_spec
    from reward.embeddings import embed_in_chunks

    spec = public_spec(backbone.spec)
    with (
        parquet_rows(path, _schema(backbone.dim), {"backbone": backbone.identity}) as append,
        image_bar(len(pictures.files)) as progress,
    ):
        for start, part in embed_in_chunks(pictures.files, backbone, cache, progress):
            rows = slice(start, start + len(part.hashes))
            columns = [
                pa.array(pictures.named[rows], pa.string()),
                pa.array(pictures.prompts[rows], pa.string()),
                pa.array(part.hashes, pa.string()),
                pa.array([spec] * len(part.hashes), pa.string()),
                pa.FixedSizeListArray.from_arrays(pa.array(part.vectors.ravel()), backbone.dim),
            ]
            append(pa.Table.from_arrays(columns, schema=_schema(backbone.dim)))


def _schema(dim: int) -> "pa.Schema":
    import pyarrow as pa

    texts = [pa.field(name, pa.string()) for name in ("image", "prompt_id", "sha256", "backbone")]
    return pa.schema([*texts, pa.field("embedding", pa.list_(pa.float32(), dim))])


if __name__ == "__main__":
    sys.exit(main())
