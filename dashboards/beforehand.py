"""Before a training: what the chosen files hold, what would be encoded anew, how long that takes, as cards."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from annotate.pairs_file import holds_votes
from annotate.project import Project
from dashboards import cards, forecastcard
from dashboards.context import Context
from dashboards.datasummary import DataSummary, summarise_preferences, summarise_ratings
from dashboards.form import ANY_NAME, PIXELSTATS, arguments, checked_backbone, config_of, short_path
from reward.errors import RewardError

_FORECAST: Final = "reward.forecast"
_AVAILABILITY: Final = "reward.backbones.availability"
# What the forecast depends on; the rest of the form is of no matter to it.
_FORECAST_FIELDS: Final = (
    *("mode", "ratings", "pairs", "prompts", "min_rating_diff"),
    *("backbone", "device", "image_root", "cache_dir"),
)


def default_ratings(project: Project) -> Path:
    """The file to begin with: the one that tells people apart where several rated, else that of the means."""
    several = _several_people(project.per_annotator_csv)
    return project.per_annotator_csv if several else project.ratings_csv


def judged_pairs(project: Project) -> tuple[str, int]:
    """The file of the pairs that people judged in "A or B?", and their number; ("", 0) where nobody did."""
    for path in (project.pairs_jsonl, project.own_annotations / project.pairs_jsonl.name):
        if holds_votes(path):
            return short_path(path), path.read_bytes().count(b"\n")
    return "", 0


def describe_data(context: Context, values: Mapping[str, Any]) -> str:
    """What the chosen file holds for training, as a card; what is wrong with it where it can't be read."""
    try:
        summary = _summary(context, values)
    except RewardError as error:
        return _no_data(context, values, error)
    return cards.data_card(summary)


def foresee(context: Context, values: Mapping[str, Any], *, ask: bool = False, measure: bool = False) -> str:
    """What would be encoded anew, as a card; empty where the form's values can't be used.

    Args:
        ask: have it found out in the background where it isn't known yet.
        measure: encode a few images to tell how long it takes; of a cheap backbone that is done unasked.
    """
    try:
        told = _forecast_arguments(context, values)
    except (RewardError, OSError):
        return ""  # the data panel and the form say what is wrong
    # A training that ends has encoded images: what was found before it is old then.
    ended = [status.job.id for status in context.board.by_output().values() if not status.state.open]
    key = (*_key(told, values), len(ended))
    cheap = values.get("backbone") == PIXELSTATS
    if measure:
        context.inquiries.forget((*key, "measured"))
    if measure or (ask and cheap):
        context.inquiries.ask((*key, "measured"), _FORECAST, [*told, "--json"])
    elif ask:
        context.inquiries.ask((*key, "looked"), _FORECAST, [*told, "--json", "--probe", "0"])
    measured = context.inquiries.answer((*key, "measured"))
    if measured is None and context.inquiries.asking((*key, "measured")):
        return forecastcard.waiting("Measuring how fast images are encoded here …")
    answer = measured or context.inquiries.answer((*key, "looked"))
    if answer is None:
        looking = context.inquiries.asking((*key, "looked"))
        return forecastcard.waiting("Looking into the embedding cache …") if looking else ""
    return forecastcard.forecast_card(answer)


def weights_known(context: Context, spec: str, *, ask: bool = False) -> Mapping[str, Any] | None:
    """Where a backbone's weights are (`Availability` as JSON); None while it isn't known."""
    if ask:
        known = context.inquiries.answer(("weights", spec))
        if known and not forecastcard.weights_here(known.found.get(spec)):
            context.inquiries.forget(("weights", spec))  # they may have come meanwhile
        context.inquiries.ask(("weights", spec), _AVAILABILITY, [spec])
    answer = context.inquiries.answer(("weights", spec))
    found = answer.found.get(spec) if answer else None
    return found if isinstance(found, dict) else None


def weights_card(context: Context, spec: str, *, ask: bool = False) -> str:
    """Where the chosen backbone's weights are, in a line of words."""
    if spec == PIXELSTATS:
        return cards.detail("Needs no weights: ready.")
    try:
        checked = checked_backbone(spec.strip(), context.roots)
    except RewardError:
        return ""  # beside the field it is said what is wrong
    found = weights_known(context, checked, ask=ask and bool(checked))
    if found is None:
        waits = context.inquiries.asking(("weights", checked))
        return forecastcard.waiting("Looking for its weights …") if waits else ""
    return forecastcard.weights_line(found)


def prompts_with_pairs(context: Context, values: Mapping[str, Any]) -> int:
    """How many prompts have a pair with a winner; 0 where the file can't be read."""
    try:
        summary = _summary(context, values)
    except RewardError:
        return 0
    return summary.prompts - len(summary.barren)


def data_faults(context: Context, values: Mapping[str, Any]) -> dict[str, str]:
    """What the chosen data rules out, by field; nothing where the data can't be read, which its own panel says."""
    try:
        summary = _summary(context, values)
        further = _summary(context, {**values, "mode": "pairs"}) if summary.heads and _text(values, "pairs") else None
    except RewardError:
        return {}
    faults: dict[str, str] = {}
    if any(head.ties for head in summary.heads) and not any(head.pairs for head in summary.heads):
        faults["min_rating_diff"] = "no two images of a prompt differ by that much on any head; a smaller one"
    # Pairs beside the ratings may be of prompts that these lack: only what can't work in any case is refused.
    prompts = sum(one.prompts - len(one.barren) for one in (summary, further) if one is not None)
    folds = values.get("folds")
    if isinstance(folds, int) and folds > prompts and not faults:
        have = "prompt has pairs" if prompts == 1 else "prompts have pairs"
        faults["folds"] = f"{folds} folds, but only {prompts} {have}; fewer folds, or more prompts"
    return faults


def asking(card: str) -> bool:
    """Whether the card says that its answer is on its way."""
    return forecastcard.WAITING in card


def unmeasured(card: str) -> bool:
    """Whether the card tells of images whose encoding could be measured."""
    return forecastcard.UNMEASURED in card


def own_file_missing(context: Context, values: Mapping[str, Any]) -> bool:
    """Whether the file chosen is one that the studio itself will write, and has not written yet."""
    project = context.project
    pairs_mode = values.get("mode") == "pairs"
    own = (project.pairs_jsonl,) if pairs_mode else (project.ratings_csv, project.per_annotator_csv)
    given = _text(values, "pairs" if pairs_mode else "ratings")
    return bool(given) and any(Path(given).absolute() == file.absolute() and not file.exists() for file in own)


def _several_people(path: Path) -> bool:
    import csv

    names: set[str] = set()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                names.add((row.get("annotator") or "").strip())
                if len(names - {""}) > 1:
                    return True
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return False


def _summary(context: Context, values: Mapping[str, Any]) -> DataSummary:
    roots = context.roots
    root_text = values.get("image_root")
    image_root = roots.existing_folder(root_text, "--image-root") if isinstance(root_text, str) and root_text else None
    if values.get("mode") == "pairs":
        return summarise_preferences(roots.existing_file(_text(values, "pairs"), "--pairs"), image_root)
    difference = values.get("min_rating_diff")
    smallest = float(difference) if isinstance(difference, int | float) else 0.5
    path = roots.existing_file(_text(values, "ratings"), "--ratings")
    about = path.stat()
    return _summary_of_ratings(path, smallest, image_root, (about.st_mtime_ns, about.st_size))


@lru_cache(maxsize=8)
def _summary_of_ratings(path: Path, smallest: float, image_root: Path | None, _changed: tuple[int, int]) -> DataSummary:
    """Read once as long as the file stays as it is: panel and form ask at every change of a field."""
    return summarise_ratings(path, smallest, image_root)


def _no_data(context: Context, values: Mapping[str, Any], error: RewardError) -> str:
    """An empty state where the project has no ratings yet, else the reader's message."""
    if own_file_missing(context, values):
        return cards.empty("No ratings yet", "Rate a few images of one prompt in the Rate tab; they show here at once.")
    return cards.problem("This data can't be trained on", str(error))


def _forecast_arguments(context: Context, values: Mapping[str, Any]) -> list[str]:
    of_matter = {name: values.get(name) for name in _FORECAST_FIELDS}
    return arguments(config_of({**of_matter, "output": ANY_NAME}, context.roots), _FORECAST_FIELDS)


def _key(told: list[str], values: Mapping[str, Any]) -> tuple[Any, ...]:
    """What an answer holds for: the arguments, and the files as they are now."""
    files = [Path(_text(values, name)) for name in ("ratings", "pairs") if _text(values, name)]
    return (*told, *((file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.is_file()))


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
