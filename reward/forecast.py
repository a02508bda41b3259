"""`python -m reward.forecast`: what a training would have to encode, and how long that takes on this device.

Reads the same files as the training, looks into the embedding cache, and encodes a few of the new images for a few
seconds to measure. What it encodes is kept, so the training has that much less to do.
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reward.backbones.availability import Availability, availability
from reward.backbones.registry import make_backbone
from reward.cli import EXIT_OK, add_flags, report
from reward.config import TrainConfig
from reward.dataset import read_dataset
from reward.devices import pick_device
from reward.embeddings import EmbeddingCache, default_cache_dir, embed_files
from reward.errors import InputError

if TYPE_CHECKING:
    from reward.backbones.base import Backbone

FORECAST_FLAGS: Final = (
    *("mode", "ratings", "pairs", "prompts", "min_rating_diff"),
    *("backbone", "device", "image_root", "cache_dir"),
)
PROBE_SECONDS: Final = 4.0
_FIRST: Final = 2  # images; each further step of the probe takes four times as many
_NAMED: Final = 20


@dataclass(frozen=True)
class Forecast:
    """What encoding would take.

    Attributes:
        backbone: where its weights are.
        device: what it computes on.
        images: different pictures, by their bytes.
        duplicates: files that are byte for byte another one, the first few, as `file = file`.
        duplicate_count: how many such files there are.
        missing: image files that are not there, the first few.
        missing_count: how many there are not.
        cached: pictures known from before.
        new: pictures to encode, those of the probe left out.
        probed: pictures that the probe encoded.
        images_per_s: measured; 0 = not measured.
        load_s: what loading the backbone took, in seconds.
        remaining_s: the time that `new` will take at that speed, loading included; None = not known.
    """

    backbone: Availability
    device: str
    images: int
    duplicates: tuple[str, ...] = ()
    duplicate_count: int = 0
    missing: tuple[str, ...] = ()
    missing_count: int = 0
    cached: int = 0
    new: int = 0
    probed: int = 0
    images_per_s: float = 0.0
    load_s: float = 0.0
    remaining_s: float | None = None


def forecast(config: TrainConfig, seconds: float = PROBE_SECONDS) -> Forecast:
    """Look, and measure for about `seconds` (0 = only look).

    Weights that are not on this machine are not fetched: then there is nothing measured.

    Raises:
        InputError: faulty files; a picture of the probe that can't be decoded.
        BackboneError: the backbone can't be had.
    """
    looked, todo = _look(config)
    if not todo or not looked.backbone.here or seconds <= 0:
        return looked
    backbone = make_backbone(config.backbone).to(pick_device(config.device))
    started = time.monotonic()
    backbone.load()
    load_s = time.monotonic() - started
    done, rate = _probe(todo, backbone, _cache(config), seconds)
    left = len(todo) - done
    return dataclasses.replace(
        looked,
        new=left,
        probed=done,
        images_per_s=round(rate, 2),
        load_s=round(load_s, 1),
        remaining_s=round(left / rate + (load_s if left else 0), 1),
    )


def _look(config: TrainConfig) -> tuple[Forecast, list[Path]]:
    """All that can be told without encoding, and the files to encode, each picture once."""
    found = availability(config.backbone, ask_hub=True)
    device = pick_device(config.device)
    files = list(dict.fromkeys(read_dataset(config, check_images=False).files))
    there = [file for file in files if file.is_file()]
    missing = [str(file) for file in files if not file.is_file()]
    cache = _cache(config)
    first: dict[str, Path] = {}
    twice: list[str] = []
    for sha, file in zip(cache.hashes(there), there, strict=True):
        if first.setdefault(sha, file) != file:
            twice.append(f"{file} = {first[sha]}")
    known: set[str] = set()
    if found.state != "unknown":
        known = {sha for sha, _ in cache.known(first, make_backbone(config.backbone).key)}
    todo = [file for sha, file in first.items() if sha not in known]
    looked = Forecast(
        backbone=found,
        device=str(device),
        images=len(first),
        duplicates=tuple(twice[:_NAMED]),
        duplicate_count=len(twice),
        missing=tuple(missing[:_NAMED]),
        missing_count=len(missing),
        cached=len(known),
        new=len(todo),
        remaining_s=None if todo else 0.0,
    )
    return looked, todo


def _probe(todo: Sequence[Path], backbone: "Backbone", cache: EmbeddingCache, seconds: float) -> tuple[int, float]:
    """Encode some of `todo`: how many, and images a second in the last and largest step, since the first warms up."""
    done, busy, step, rate = 0, 0.0, _FIRST, 0.0
    while done < len(todo) and busy < seconds:
        part = todo[done : done + step]
        started = time.monotonic()
        embed_files(part, backbone, cache)
        taken = max(time.monotonic() - started, 1e-6)
        rate, busy, done = len(part) / taken, busy + taken, done + len(part)
        step = max(1, min(4 * step, int(rate * (seconds - busy))))
    return done, rate


def _cache(config: TrainConfig) -> EmbeddingCache:
    return EmbeddingCache(config.cache_dir or default_cache_dir())


def build_parser() -> argparse.ArgumentParser:
    """The command line: the trainer's flags that apply, and how long to measure."""
    parser = argparse.ArgumentParser(
        prog="python -m reward.forecast",
        description="What a training would have to encode, and how long that takes on this device.",
    )
    add_flags(parser, FORECAST_FLAGS)
    parser.add_argument(
        "--probe", type=float, default=PROBE_SECONDS, metavar="SECONDS", help="measure that long; 0 = only look"
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = vars(build_parser().parse_args(argv))
    seconds, as_json = arguments.pop("probe"), arguments.pop("json")
    return report(lambda: _run(TrainConfig(**arguments), seconds, as_json))


def _run(config: TrainConfig, seconds: float, as_json: bool) -> int:
    if not 0 <= seconds <= 600:
        raise InputError.one("--probe", f"{seconds:g} is out of range", "0 to 600 seconds")
    found = forecast(config, seconds)
    if as_json:
        print(json.dumps(dataclasses.asdict(found)))
        return EXIT_OK
    print(f"{found.images} different images; {found.cached} known from before, {found.new + found.probed} to encode")
    print(f"{config.backbone} on {found.device}: {found.backbone.words}")
    if found.images_per_s:
        print(f"measured {found.images_per_s:g} images/s; the rest takes about {found.remaining_s:g} s")
    for name in (*found.missing, *found.duplicates):
        print(f"  {name}")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
