"""What campaigns showed: the table and the figure of docs/informative.md, from the lines of benchmarks/campaign.py.

python benchmarks/campaign_report.py campaign.jsonl --figure docs/campaign.png
"""

import argparse
import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if TYPE_CHECKING:
    import plotly.graph_objects as go

Floats = npt.NDArray[np.float64]

MEASURED = ("style", "fidelity", "material")  # pixelstats can't know whether a picture shows what its prompt asks for
BASE = "random"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
COLOURS = {"random": "#757a84", "informative": "#0072B2", "prompt": "#E69F00", "spread": "#009E73"}


@dataclass(frozen=True)
class Curves:
    """Accuracy by order: (seeds, sizes) each, at these numbers of ratings."""

    sizes: list[int]
    of: dict[str, Floats]

    def gain(self, order: str) -> Floats:
        """(seeds, sizes) how much better than random, with the same people and first ratings."""
        return self.of[order] - self.of[BASE]

    def over_all(self, order: str) -> Floats:
        """(seeds,) the same, mean over all sizes but the first, which the orders share."""
        return np.asarray(self.gain(order)[:, 1:].mean(axis=1))


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a results file; a last one that was cut off is left out."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


def curves(lines: Iterable[dict[str, Any]], heads: Sequence[str] = MEASURED) -> Curves:
    """A value a seed: mean over prompts, its parts taken together, then over heads."""
    found: dict[tuple[str, int, int, str], list[float]] = defaultdict(list)
    for line in lines:
        for head in heads:
            found[line["order"], line["seed"], line["ratings"], head] += line["shares"][head]
    orders = list(dict.fromkeys(order for order, *_ in found))
    seeds = list(dict.fromkeys(seed for _, seed, *_ in found))
    sizes = list(dict.fromkeys(size for _, _, size, _ in found))
    return Curves(
        sizes,
        {
            order: np.array([[np.mean([np.mean(found[order, e, n, h]) for h in heads]) for n in sizes] for e in seeds])
            for order in orders
        },
    )


def interval(values: Floats) -> float:
    """Half the 95 % interval of a mean over seeds (Student's t)."""
    from scipy.stats import t

    count = len(values)
    return float(t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")


def table(found: Curves) -> Iterator[str]:
    """Accuracies a row, then what each order gains on random; 95 % intervals over seeds."""
    others = [order for order in found.of if order != BASE]
    seeds = len(found.of[BASE])
    yield f"share of held-out pairs in the right order, mean over {', '.join(MEASURED)}; {seeds} seeds"
    yield ""
    yield "| ratings | " + " | ".join(found.of) + " | " + " | ".join(f"{order} − {BASE}" for order in others) + " |"
    yield "|---" * (1 + len(found.of) + len(others)) + "|"
    for place, size in enumerate(found.sizes):
        cells = [_with_interval(values[:, place], ".3f") for values in found.of.values()]
        cells += [_with_interval(found.gain(order)[:, place], "+.3f") if place else "" for order in others]
        yield f"| {size} | " + " | ".join(cells) + " |"
    cells = [f"{values[:, 1:].mean():.3f}" for values in found.of.values()]
    cells += [_with_interval(found.over_all(order), "+.3f") for order in others]
    yield "| all but the first | " + " | ".join(cells) + " |"
    if {"informative", "spread"} <= set(found.of):
        apart = found.over_all("informative") - found.over_all("spread")
        yield ""
        yield f"informative − spread, all but the first: {_with_interval(apart, '+.3f')}"


def _with_interval(values: Floats, how: str) -> str:
    return f"{values.mean():{how}} ± {interval(values):.3f}"


def figure(found: Curves) -> "go.Figure":
    """Accuracy against ratings, and beside it what each order gains on random."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    from dashboards import chartstyle

    drawn = make_subplots(cols=2, subplot_titles=("share of pairs in the right order", f"difference from {BASE}"))
    step = (found.sizes[-1] - found.sizes[0]) / 120
    for place, (order, values) in enumerate(found.of.items()):
        look = {"color": COLOURS.get(order, chartstyle.WHOLE)}
        moved = [size + (place - 1.5) * step for size in found.sizes]  # intervals side by side
        for column, shown in ((1, values), (2, found.gain(order))):
            bars = {"array": [interval(one) for one in shown.T], "thickness": 1.2, "width": 3}
            if column == 2 and order == BASE:
                continue
            drawn.add_trace(
                go.Scatter(
                    x=moved, y=shown.mean(axis=0), name=order, legendgroup=order, showlegend=column == 1,
                    mode="lines+markers", line=look, marker=look, error_y=bars,
                ),
                row=1, col=column,
            )  # fmt: skip
    chartstyle.style(
        drawn,
        "Accuracy on prompts nobody rated, by order of rating",
        "",
        f"mean over {', '.join(MEASURED)}; 95 % intervals over {len(values)} seeds",
    )
    drawn.update_xaxes(title="ratings so far")
    drawn.add_hline(y=0, col=2, line={"color": COLOURS[BASE], "width": 1.5})
    drawn.update_layout(width=1000, height=420, paper_bgcolor="white", plot_bgcolor="white")
    drawn.update_layout(margin={"t": 96, "b": 70}, legend={"y": -0.2})
    return drawn


def write_png(drawn: "go.Figure", path: Path) -> None:
    """As the browser draws it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = next((at for name in BROWSERS if (at := shutil.which(name))), None)
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1020, "height": 440}, device_scale_factor=1.5)
        page.set_content(drawn.to_html(include_plotlyjs=True, config={"displayModeBar": False}))
        page.wait_for_selector(".legend")
        page.locator(".plotly-graph-div").screenshot(path=path)
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--figure", type=Path, metavar="PNG")
    parser.add_argument("--heads", nargs="+", default=MEASURED)
    given = parser.parse_args()
    found = curves(read_lines(given.results), given.heads)
    print("\n".join(table(found)))
    if given.figure is not None:
        write_png(figure(found), given.figure)


if __name__ == "__main__":
    main()
