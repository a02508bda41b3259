"""What the benchmarks share: two sides measured in turn in one process, and the table of their ratios."""

import argparse
import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

ROUNDS = 5
COLUMNS = ("what", "median", "lowest–highest", "target", "reached")


@dataclass(frozen=True)
class Row:
    """A measured figure, several times over, beside what it should be.

    Attributes:
        what: what was measured, and on which part where not on the whole.
        values: one a round.
        most, least: the target; with neither the figure is for information.
        unit: what is put behind the figures, "" for a ratio.
    """

    what: str
    values: Sequence[float]
    most: float | None = None
    least: float | None = None
    unit: str = ""

    def cells(self) -> list[str]:
        """As `COLUMNS`."""
        low, median, high = (_figure(value) for value in np.percentile(self.values, [0, 50, 100]))
        spread = f"{low}–{high} (n = {len(self.values)})" if len(self.values) > 1 else "(n = 1)"
        if self.most is None and self.least is None:
            return [self.what, f"{median}{self.unit}", spread, "–", "–"]
        targets = (("≤", self.most), ("≥", self.least))
        target = " ".join(f"{sign} {_figure(value)}" for sign, value in targets if value is not None)
        return [self.what, f"{median}{self.unit}", spread, f"{target}{self.unit}", "yes" if self.reached else "**no**"]

    @property
    def reached(self) -> bool:
        """Whether the median is as it should be; a figure without a target always is."""
        value = float(np.median(self.values))
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)


Rows = Callable[[bool], Iterable[Row]]  # told whether to be quick


def _figure(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def in_turn(sides: Sequence[Callable[[], object]], rounds: int) -> list[tuple[float, ...]]:
    """Seconds of each side, `rounds` times: A B, B A, A B …, so that what else the machine does meets both."""
    measured = []
    for number in range(rounds):
        seconds = [0.0] * len(sides)
        for side in sorted(range(len(sides)), reverse=number % 2 == 1):
            gc.collect()
            started = time.perf_counter()
            sides[side]()
            seconds[side] = time.perf_counter() - started
        measured.append(tuple(seconds))
    return measured


def ratios(measured: Iterable[tuple[float, ...]], over: int = 0, under: int = 1) -> list[float]:
    """Side `over` ÷ side `under` of each round."""
    return [seconds[over] / seconds[under] for seconds in measured]


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Lines of Markdown, each as soon as it is known."""
    yield "| " + " | ".join(COLUMNS) + " |"
    yield "|---" * len(COLUMNS) + "|"
    for row in rows:
        yield "| " + " | ".join(row.cells()) + " |"


def main(rows: Rows, text: str | None) -> None:
    """Command line of one benchmark: prints its table."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: only to see that it runs")
    for line in table(rows(parser.parse_args().quick)):
        print(line, flush=True)
