"""Every benchmark of speed and size in one table: what `make bench` prints.

    python benchmarks/run_all.py [--quick] [--only encoding heads …]

Each runs alone too: `python benchmarks/NAME.py`. Together they take about half an hour on two cores.
"""

import argparse
import importlib
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.ratios import Row, table

NAMES = (
    "startup",
    "heads",
    "million_ratings",
    "encoding",
    "first_training",
    "rooms",
    "upload",
    "kills",
    "rating_load",
    "ratings_csv",
)


def rows(names: Sequence[str], quick: bool) -> Iterator[Row]:
    """Of all of them, as they come."""
    for name in names:
        started = time.monotonic()
        yield from importlib.import_module(f"benchmarks.{name}").rows(quick)
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: only to see that they run")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES))
    given = parser.parse_args()
    for line in table(rows(given.only, given.quick)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
