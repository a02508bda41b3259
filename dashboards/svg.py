"""Still charts as SVG text, for pages that can't load a chart library: numbers in; marks with words and colours out.

Greys are `currentColor`, so that a chart reads on light and on dark.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 640
_ROW: Final = 26
_LEFT: Final = 170
_RIGHT: Final = 56
_TOP: Final = 6
_FOOT: Final = 24
_EDGE: Final = 24  # half of the widest label, which is centred below the last tick
_DIGIT: Final = 7  # the width of a digit
_TICKS: Final = 8


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart; `bounds` is its interval, `shown` what stands at its end."""

    label: str
    colour: str
    value: float
    bounds: tuple[float, float] | None = None
    shown: str = ""


@dataclass(frozen=True)
class Series:
    """A line of a line chart, its points as (x, y)."""

    label: str
    colour: str
    points: Sequence[tuple[float, float]]
    width: float = 2.0


def bars(rows: Sequence[Bar], span: tuple[float, float], guide: float | None = None, words: str = "") -> str:
    """A bar a row from the left edge of `span`, whiskers for the intervals, a dashed line at `guide`.

    Args:
        words: what a screen reader says of the chart.
    """
    height = _TOP + _ROW * len(rows) + _FOOT
    across = _Scale(span, (_LEFT, _WIDTH - _RIGHT))
    marks = [_axis(across, ticks(*span), height, percent=True)]
    for number, row in enumerate(rows):
        y = _TOP + _ROW * number + 4
        end = across(row.value)
        marks.append(f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(row.label)}</text>')
        marks.append(
            f'<rect x="{_LEFT}" y="{y}" width="{max(end - _LEFT, 0):.1f}" height="{_ROW - 8}" rx="2" '
            f'fill="{row.colour}"><title>{escape(f"{row.label}: {row.shown}")}</title></rect>'
        )
        if row.bounds is not None:
            low, high, middle = across(row.bounds[0]), across(row.bounds[1]), y + (_ROW - 8) / 2
            marks.append(
                f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8" '
                'stroke="currentColor" stroke-width="1.5" fill="none"/>'
            )
        at = max(end, across(row.bounds[1]) if row.bounds else end)
        marks.append(f'<text x="{at + 6:.1f}" y="{y + 13}">{escape(row.shown)}</text>')
    if guide is not None:
        marks.append(_dashed(f"M{across(guide):.1f} {_TOP}V{height - _FOOT}"))
    return _picture(height, marks, words)


def lines(
    series: Sequence[Series],
    across: tuple[float, float],
    up: tuple[float, float],
    diagonal: bool = False,
    percent: tuple[bool, bool] = (False, True),
    whole: bool = False,
    words: str = "",
) -> str:
    """A line a series with its points and a legend below; with `diagonal` a dashed line where y = x.

    Args:
        percent: whether the numbers at the two axes are shares.
        whole: whether what is across is counted, so that there is nothing between two whole numbers.
    """
    height = 260
    y = _Scale(up, (height - _FOOT, _TOP + 4))
    levels = [(y(value), label) for value, label in _labelled(ticks(*up), percent[1])]
    left = max(44, 10 + _DIGIT * max(len(label) for _, label in levels))
    x = _Scale(across, (left, _WIDTH - _EDGE))
    marks = [_axis(x, ticks(*across, whole=whole), height, percent=percent[0])]
    for at, label in levels:
        marks.append(f'<path d="M{left} {at:.1f}H{_WIDTH - _EDGE}" stroke="currentColor" stroke-opacity=".15"/>')
        marks.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{label}</text>')
    if diagonal:
        low, high = max(across[0], up[0]), min(across[1], up[1])
        marks.append(_dashed(f"M{x(low):.1f} {y(low):.1f}L{x(high):.1f} {y(high):.1f}"))
    for one in series:
        points = [(x(a), y(b)) for a, b in one.points]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        marks.append(f'<path d="M{path}" stroke="{one.colour}" stroke-width="{one.width}" fill="none"/>')
        marks += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{one.colour}"/>' for a, b in points]
    legend = "".join(
        f'<span><i style="background:{one.colour}"></i>{escape(one.label)}</span>' for one in series if one.label
    )
    return f'{_picture(height, marks, words)}<p class="legend">{legend}</p>'


def ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Round numbers from `low` to `high`, at most eight: multiples of 1, 2 or 5 times a power of ten.

    Args:
        whole: whole numbers alone.
    """
    if high <= low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / _TICKS))
    steps = [(max(power, 1.0) if whole else power) * times for times in (1, 2, 5, 10, 20)]
    step = next(one for one in steps if _last(high, one) - _first(low, one) < _TICKS)
    # From whole multiples, for a sum of steps would miss the last one.
    return [round(step * times, 12) for times in range(_first(low, step), _last(high, step) + 1)]


def _first(low: float, step: float) -> int:
    return math.ceil(low / step - 1e-9)


def _last(high: float, step: float) -> int:
    return math.floor(high / step + 1e-9)


class _Scale:
    """From values to pixels."""

    def __init__(self, values: tuple[float, float], pixels: tuple[float, float]) -> None:
        self._from, self._to = values, pixels

    def __call__(self, value: float) -> float:
        share = (value - self._from[0]) / ((self._from[1] - self._from[0]) or 1)
        return self._to[0] + min(max(share, 0), 1) * (self._to[1] - self._to[0])


def _axis(across: _Scale, values: Sequence[float], height: int, *, percent: bool) -> str:
    marks = []
    for value, label in _labelled(values, percent):
        at = across(value)
        marks.append(f'<path d="M{at:.1f} {_TOP}V{height - _FOOT}" stroke="currentColor" stroke-opacity=".15"/>')
        marks.append(f'<text x="{at:.1f}" y="{height - 8}" text-anchor="middle">{label}</text>')
    return "".join(marks)


def _labelled(values: Sequence[float], percent: bool) -> list[tuple[float, str]]:
    """Each tick with its number, as many decimals as tell them apart."""
    step = (values[1] - values[0] if len(values) > 1 else 1.0) * (100 if percent else 1)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [(value, f"{value:.{decimals}%}" if percent else f"{value:.{decimals}f}") for value in values]


def _dashed(path: str) -> str:
    return f'<path d="{path}" stroke="currentColor" stroke-opacity=".6" stroke-dasharray="4 4" fill="none"/>'


def _picture(height: int, marks: Sequence[str], words: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(words)}">{"".join(marks)}</svg>'
