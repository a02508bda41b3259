"""The still charts: their ticks are round numbers, and nothing is cut at their edges."""

import re

import pytest

from dashboards.svg import Bar, Series, bars, lines, ticks


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.5, 1, [0.5, 0.6, 0.7, 0.8, 0.9, 1]),
        (0, 0.91, [0, 0.2, 0.4, 0.6, 0.8]),
        (-0.3, 0.1, [-0.3, -0.2, -0.1, 0, 0.1]),
        (0.554, 0.587, [0.555, 0.56, 0.565, 0.57, 0.575, 0.58, 0.585]),
        (3, 3, [3]),
    ],
)
def test_ticks_are_round(low: float, high: float, told: list[float]) -> None:
    assert ticks(low, high) == told


@pytest.mark.parametrize(("last", "told"), [(2, [1, 2]), (8, [*range(1, 9)]), (15, [*range(2, 15, 2)])])
def test_epochs_are_whole(last: int, told: list[float]) -> None:
    assert ticks(1, last, whole=True) == told


def labels(chart: str, anchor: str) -> list[tuple[float, str]]:
    found = re.findall(rf'<text x="([\d.]+)"[^>]*text-anchor="{anchor}">([^<]*)</text>', chart)
    return [(float(at), words) for at, words in found]


def test_labels_tell_ticks_apart_and_lie_within_the_chart() -> None:
    drawn = [Series("a", "#000000", [(1, 0.69012), (15, 0.69019)])]
    charts = [
        lines(drawn, (0.5, 1), (0.6901, 0.6902), percent=(True, False)),
        lines(drawn, (1, 15), (0, 1), whole=True),
        bars([Bar("a", "#000000", 0.4)], (0, 1)),
    ]
    for chart in charts:
        for anchor, share in (("middle", 0.5), ("end", 1)):
            found = labels(chart, anchor)
            assert len({words for _, words in found}) == len(found) > 0
            for at, words in found:
                width = 7 * len(words)  # 12 pixels high
                assert at - share * width >= 0
                assert at + (1 - share) * width <= 640
    assert [words for _, words in labels(charts[0], "middle")] == ["50%", "60%", "70%", "80%", "90%", "100%"]
    assert "2" in [words for _, words in labels(charts[1], "middle")]
