"""The table of heads that a reviewer can trust: figures from a line of metrics, a verdict a head, and why in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

from dashboards.markup import table
from dashboards.runs import interval, number, result_rows, trained
from dashboards.sureness import Bin, way_off

if TYPE_CHECKING:
    from annotate.alpha import HeadAgreement

COLUMNS: Final = (
    *("Head", "Verdict", "Accuracy", "95 % interval", "One person", "Model there", "Model less person", "People's α"),
    *("F1", "Loss", "Spearman", "MAE", "Calibration error", "Pairs", "Ties", "Prompts"),
)
FEW_PAIRS: Final = 50
WIDE_INTERVAL: Final = 0.25
PEOPLE_DIFFER: Final = 0.65
BADLY_CALIBRATED: Final = 0.1
_FIGURES: Final = ("f1", "loss", "spearman", "mae", "calibration_error")

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What a head is good for: `word` for the table, `reasons` as sentences; `weak` where it shouldn't be relied on."""

    word: str
    weak: bool
    reasons: tuple[str, ...] = ()


def verdict(result: Result) -> Verdict:
    """Judge a head's result by its interval, its amount of data, and the people who rated."""
    if not trained(result):
        return Verdict(str(result.get("reason") or "no ratings"), weak=False)
    accuracy, bounds = number(result.get("accuracy")), interval(result)
    if accuracy is None:
        return Verdict("not measured", weak=True, reasons=("no validation pair has a winner on it",))
    guessing = _guessing(accuracy, bounds)
    below = _below_people(result)
    causes = [*_few(result, bounds), *_people(result)]
    doubts = [*guessing, *below, *causes, *_calibration(result)]
    if guessing and not causes and below:
        doubts.append("people agree on it, so the ratings hold more than the model sees: try another backbone")
    if guessing:
        return Verdict(
            "like guessing" if bounds is None or bounds[1] >= 0.5 else "wrong way round", True, tuple(doubts)
        )
    if below:
        return Verdict("below people", True, tuple(doubts))
    if causes:
        return Verdict("uncertain", True, tuple(doubts))
    return Verdict(_praise(result), False, tuple(doubts))


def head_table(metrics: Mapping[str, Any], people: "Mapping[str, HeadAgreement] | None" = None) -> str:
    """The table as HTML, a row a head.

    Args:
        people: how far the people who rated agree, by head, where that is known.
    """
    rows = [_row(label, result, (people or {}).get(key)) for key, label, result in result_rows(metrics)]
    return table(COLUMNS, rows, wide=True)


def weak_heads(metrics: Mapping[str, Any]) -> list[str]:
    """A sentence for each head with something to know: `Iconographic: like guessing. …`."""
    judged = [(label, verdict(result)) for _, label, result in result_rows(metrics)]
    return [f"{label}: {one.word} — {'; '.join(one.reasons)}." for label, one in judged if one.reasons]


def table_rows(metrics: Mapping[str, Any], people: "Mapping[str, HeadAgreement] | None" = None) -> list[list[str]]:
    """The cells as plain text, in the order of `COLUMNS`: what a report holds too; as `head_table`."""
    return [_cells(label, result, (people or {}).get(key)) for key, label, result in result_rows(metrics)]


def as_html(cells: Sequence[str]) -> list[str]:
    """Cells as HTML: an interval in brackets below its figure and smaller, so that all columns fit a page."""
    parted = [cell.partition(" (") for cell in cells]
    return [
        f"{escape(figure)} <small>({escape(bounds)}</small>" if mark else escape(figure)
        for figure, mark, bounds in parted
    ]


def share(value: Any) -> str:
    """A figure as the page shows it: three decimals, a dash where there is none."""
    known = number(value)
    return "–" if known is None else f"{known:.3f}"


def span(bounds: Any, signed: bool = False) -> str:
    """An interval as the page shows it; empty where there is none."""
    if not isinstance(bounds, Sequence) or isinstance(bounds, str) or len(bounds) != 2:
        return ""
    low, high = number(bounds[0]), number(bounds[1])
    if low is None or high is None:
        return ""
    return f"{low:+.3f} to {high:+.3f}" if signed else f"{low:.3f} – {high:.3f}"


def _row(label: str, result: Result, people: "HeadAgreement | None") -> list[str]:
    cells = as_html(_cells(label, result, people))
    judged = verdict(result)
    mark = "weak" if judged.weak else "fine" if trained(result) else "none"
    why = escape("; ".join(judged.reasons))
    cells[1] = f'<span class="studio-verdict studio-{mark}" title="{why}">{escape(judged.word)}</span>'
    return cells


def _cells(label: str, result: Result, people: "HeadAgreement | None") -> list[str]:
    if not trained(result):
        return [label, verdict(result).word, *["–"] * (len(COLUMNS) - 2)]
    bounds = span(result.get("accuracy_interval")) or str(result.get("interval_note") or "–")
    figures = [share(result.get(key)) for key in _FIGURES]
    counts = [_count(result.get(key)) for key in ("pairs", "ties", "prompts")]
    compared = [*_person(result), _alpha(people)]
    return [label, verdict(result).word, share(result.get("accuracy")), bounds, *compared, *figures, *counts]


def _alpha(people: "HeadAgreement | None") -> str:
    """Krippendorff's α with its interval; a dash where it can't be told."""
    if people is None or people.alpha is None:
        return "–"
    bounds = "" if people.interval is None else f" ({people.interval[0]:.2f} – {people.interval[1]:.2f})"
    return f"{people.alpha:.2f}{bounds}"


def _person(result: Result) -> list[str]:
    """What one person reaches, the model on the same pairs, and their difference with its interval."""
    line = result.get("single_person")
    if not isinstance(line, dict) or number(line.get("accuracy")) is None:
        return ["–", "–", "–"]
    difference, bounds = number(line.get("difference")), span(line.get("difference_interval"), signed=True)
    told = "–" if difference is None else f"{difference:+.3f}"
    return [share(line["accuracy"]), share(line.get("model_accuracy")), f"{told} ({bounds})" if bounds else told]


def _guessing(accuracy: float, bounds: tuple[float, float] | None) -> list[str]:
    if bounds is None:
        return [f"it orders {accuracy:.0%} of pairs as people do, no better than guessing"] if accuracy <= 0.5 else []
    if bounds[1] < 0.5:
        return [f"its interval {bounds[0]:.2f} – {bounds[1]:.2f} lies below ½: it prefers what people like less"]
    if bounds[0] <= 0.5:
        return [f"it can't be told from guessing: its interval {bounds[0]:.2f} – {bounds[1]:.2f} includes ½"]
    return []


def _below_people(result: Result) -> list[str]:
    line = result.get("single_person")
    bounds = line.get("difference_interval") if isinstance(line, dict) else None
    high = number(bounds[1]) if isinstance(bounds, Sequence) and len(bounds) == 2 else None
    if not isinstance(line, dict) or high is None or high >= 0:
        return []
    one, model = number(line.get("accuracy")), number(line.get("model_accuracy"))
    if one is None or model is None:
        return []
    return [f"it is below people: one person agrees with the others on {one:.0%} of pairs, the model on {model:.0%}"]


def _few(result: Result, bounds: tuple[float, float] | None) -> list[str]:
    pairs, prompts = number(result.get("pairs")) or 0, number(result.get("prompts")) or 0
    if pairs < FEW_PAIRS:
        return [f"few pairs: {pairs:.0f} of {prompts:.0f} prompts; rate more images"]
    if bounds is None:
        return [f"few prompts: {prompts:.0f} are too few for an interval; rate images of more prompts"]
    if bounds[1] - bounds[0] > WIDE_INTERVAL:
        return [f"few prompts: with {prompts:.0f} the interval is {bounds[1] - bounds[0]:.2f} wide"]
    return []


def _people(result: Result) -> list[str]:
    line = result.get("single_person")
    one = number(line.get("accuracy")) if isinstance(line, dict) else None
    if one is None or one >= PEOPLE_DIFFER:
        return []
    return [f"people disagree: one person agrees with the others on {one:.0%} of pairs only"]


def _calibration(result: Result) -> list[str]:
    error = number(result.get("calibration_error"))
    rows = [row for row in result.get("reliability") or [] if isinstance(row, dict)]
    figures = [(number(row.get("pairs")), number(row.get("confidence")), number(row.get("accuracy"))) for row in rows]
    known = [
        Bin(n, sure, right)
        for n, sure, right in figures
        if n is not None and sure is not None and right is not None and 0 <= right <= 1
    ]
    if error is None or error <= BADLY_CALIBRATED or not known or len(known) < len(rows):
        return []
    way = way_off(known)
    pairs = sum(one.pairs for one in known)
    told = f"it is {way}" if way else f"{pairs:.0f} pairs are too few to tell whether it is too sure or not sure enough"
    return [f"its probabilities are off by {error:.2f}: {told}"]


def _praise(result: Result) -> str:
    line = result.get("single_person")
    bounds = line.get("difference_interval") if isinstance(line, dict) else None
    low = number(bounds[0]) if isinstance(bounds, Sequence) and len(bounds) == 2 else None
    if low is None:
        return "better than guessing"
    return "above one person" if low > 0 else "like one person"


def _count(value: Any) -> str:
    known = number(value)
    return "–" if known is None else f"{known:,.0f}"
