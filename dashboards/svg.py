"""Still charts as SVG text, for pages that can't load a chart library: numbers in; marks with words and colours out.

Greys are `currentColor`, so that a chart reads on light and on dark.
"""

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
    marks = [_axis(across, height, percent=True)]
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
    words: str = "",
) -> str:
    """A line a series with its points and a legend below; with `diagonal` a dashed line where y = x.

    Args:
        percent: whether the numbers at the two axes are shares.
    """
    height = 260
    x, y = _Scale(across, (44, _WIDTH - 12)), _Scale(up, (height - _FOOT, _TOP + 4))
    marks = [_axis(x, height, percent=percent[0])]
    for value in y.ticks():
        marks.append(f'<path d="M44 {y(value):.1f}H{_WIDTH - 12}" stroke="currentColor" stroke-opacity=".15"/>')
        marks.append(f'<text x="38" y="{y(value) + 4:.1f}" text-anchor="end">{_number(value, percent[1])}</text>')
    if diagonal:
        low, high = max(across[0], up[0]), min(across[1], up[1])
        marks.append(_dashed(f"M{x(low):.1f} {y(low):.1f}L{x(high):.1f} {y(high):.1f}"))
    for one in series:
        at = [(x(a), y(b)) for a, b in one.points]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in at)
        marks.append(f'<path d="M{path}" stroke="{one.colour}" stroke-width="{one.width}" fill="none"/>')
        marks += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{one.colour}"/>' for a, b in at]
    legend = "".join(
        f'<span><i style="background:{one.colour}"></i>{escape(one.label)}</span>' for one in series if one.label
    )
    return f'{_picture(height, marks, words)}<p class="legend">{legend}</p>'


class _Scale:
    """From values to pixels."""

    def __init__(self, values: tuple[float, float], pixels: tuple[float, float]) -> None:
        self._from, self._to = values, pixels

    def __call__(self, value: float) -> float:
        share = (value - self._from[0]) / ((self._from[1] - self._from[0]) or 1)
        return self._to[0] + min(max(share, 0), 1) * (self._to[1] - self._to[0])

    def ticks(self, count: int = 5) -> list[float]:
        step = (self._from[1] - self._from[0]) / count
        return [self._from[0] + step * number for number in range(count + 1)]


def _axis(across: _Scale, height: int, *, percent: bool) -> str:
    marks = []
    for value in across.ticks():
        at = across(value)
        marks.append(f'<path d="M{at:.1f} {_TOP}V{height - _FOOT}" stroke="currentColor" stroke-opacity=".15"/>')
        marks.append(f'<text x="{at:.1f}" y="{height - 8}" text-anchor="middle">{_number(value, percent)}</text>')
    return "".join(marks)


def _number(value: float, percent: bool) -> str:
    return f"{value:.0%}" if percent else f"{value:.3g}"


def _dashed(path: str) -> str:
    return f'<path d="{path}" stroke="currentColor" stroke-opacity=".6" stroke-dasharray="4 4" fill="none"/>'


def _picture(height: int, marks: Sequence[str], words: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(words)}">{"".join(marks)}</svg>'
