"""The model card: README.md beside a checkpoint's weights, as a hub shows it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reward.aspects import BY_NAME, HEADS
from reward.backbones.registry import public_spec
from reward.dataset import MEAN_TARGET, Dataset

if TYPE_CHECKING:
    from reward.model_config import ModelConfig


TITLE: Final = "# Multi-head reward model\n"
OWN_TARGET: Final = "weights of one's own"


def model_card(config: "ModelConfig", metrics: dict[str, Any], record: dict[str, Any], data: Dataset) -> str:
    """The card's Markdown.

    Args:
        metrics: a line of metrics.jsonl.
        record: config.json of the run.
    """
    parts = [
        # A hub takes `other` only with a name; both are for the person to fill in who publishes the model.
        "---\nlibrary_name: reward-studio\nlicense: other\nlicense_name: to-be-chosen\n"
        "tags:\n- reward-model\n- image-quality\n- preference\n---\n",
        TITLE,
        _summary(config),
        _loading(config),
        "## Data\n\n" + _data(record, data),
        f"## Results\n\n{_split(record['split'], metrics['epoch'])}\n\n" + _table(metrics),
        _importance(metrics, config),
        "## Intended use\n\nRanking and inspecting images of the kind that was rated, for the people whose ratings "
        "these are. Scores of unlike images, or of unlike people's taste, are extrapolation.\n",
        f"## Backbone\n\n`{public_spec(config.backbone['spec'])}`, frozen; its weights are not in this folder.\n",
        "## Licence\n\nTo be filled in, here and in the lines at the top (`license`, `license_name`), by whoever "
        "publishes this model: the terms of the ratings, of the rated images and of the backbone decide.\n",
    ]
    return "\n".join(part for part in parts if part)


def card_with_weights(card: str, shares: Mapping[str, float]) -> str:
    """The card of a model whose combination weights were set by hand: its importance section says so, and nothing is
    claimed of its combined score."""
    card = "".join(line for line in card.splitlines(keepends=True) if not line.startswith("| combined "))
    listed = ", ".join(f"{head} {share:.3f}" for head, share in shares.items())
    before, _, after = card.partition("## Importance\n")
    _, heading, rest = after.partition("\n## ")
    return f"{before}## Importance\n\nWeights set by hand, not learned: {listed}.\n{heading}{rest}"


def metrics_with_weights(metrics: Mapping[str, Any], shares: Mapping[str, float]) -> dict[str, Any]:
    """metrics.json of such a model: the heads' own figures, for they are as they were; none of the combined score."""
    learned = ("combined", "importance", "importance_spread", "importance_interval", "accuracy_lost_without", "primary")
    kept = {name: value for name, value in metrics.items() if name not in learned}
    by_hand = {"trained": False, "reason": "weights set by hand", "target": OWN_TARGET}
    return {**kept, "combined": by_hand, "importance": {head: shares.get(head, 0.0) for head in HEADS}}


def _summary(config: "ModelConfig") -> str:
    if config.mode == "pairs":
        return (
            "One overall score for images, learned from binary preferences. Its unit is a centred logit; single "
            "aspects and their importance can't be told from such data.\n"
        )
    trained = ", ".join(f"{BY_NAME[head].label} ({BY_NAME[head].description})" for head in config.trained)
    return f"Scores images from 0 to 10 on: {trained}; and combines them into one score.\n"


def _loading(config: "ModelConfig") -> str:
    scores = "scores = model(images)\n"
    if config.mode == "multihead":
        scores = "scores = model(images, return_individual=True)  # five aspects, 0–10\ncombined = model(images)\n"
    return (
        "## How to load\n\n```python\nfrom dspo.reward import MultiHeadReward\n\n"
        f'model = MultiHeadReward.from_pretrained("path/to/this/folder")  # or its hub id\n{scores}```\n'
    )


def _data(record: dict[str, Any], data: Dataset) -> str:
    files = "\n".join(f"- `{Path(name).name}` sha256 `{sha[:16]}…`" for name, sha in record["inputs"].items())
    people = f", rated by {len(data.by_person.names)} people" if data.by_person else ""
    if data.by_person and data.corrects:
        people += "; the heads learned their ratings corrected for each person's bias and consistency"
    warning = "**The ratings are simulated: no person gave them.**\n\n" if data.simulated else ""
    return f"{warning}{len(data.files)} images of {len(data.prompt_names)} prompts{people}.\n\n{files}\n"


def _split(split: dict[str, Any], epoch: int) -> str:
    if split["folds"]:
        return (
            f"{split['folds']}-fold cross-validation: each of {split['val_prompts']} prompts was measured by a copy "
            "of the model that hadn't learned from it. The model itself learned from all of them, for "
            f"{_epochs(epoch)}, the median of what was best for the copies."
        )
    return (
        f"{split['val_prompts']} prompts were held out. The model learned from the other {split['train_prompts']}, for "
        f"{_epochs(epoch)}, which was best for copies of it on the part of those that each had left out."
    )


def _epochs(count: int) -> str:
    return "one epoch" if count == 1 else f"{count} epochs"


def _table(metrics: dict[str, Any]) -> str:
    header = (
        "| head | accuracy | 95 % interval | F1 | loss | calibration error | Spearman | error | pairs | ties |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n"
    )
    rows = []
    named = {**metrics.get("heads", {})}
    named |= {name: metrics[name] for name in ("combined", "overall") if name in metrics}
    for name, values in named.items():
        label = BY_NAME[name].label if name in BY_NAME else name
        if not values.get("trained", True):
            rows.append(f"| {label} | {values['reason']} | | | | | | | | |")
            continue
        shown = _interval(values["accuracy_interval"]) or values["interval_note"]
        figures = " | ".join(_figure(values.get(key)) for key in ("f1", "loss", "calibration_error", "spearman", "mae"))
        accuracy = _figure(values["accuracy"])
        rows.append(f"| {label} | {accuracy} | {shown} | {figures} | {values['pairs']} | {values['ties']} |")
    note = (
        "Accuracy: share of pairs of one prompt in the right order, 0.5 by guessing. Spearman: rank correlation within "
        "a prompt. Error: mean absolute error in rating points. Intervals: bootstrap over prompts.\n"
    )
    return "\n".join([header + "\n".join(rows), "", note, *_guessing(named), _people(metrics)])


def _guessing(named: Mapping[str, Any]) -> list[str]:
    """A warning about what guessing would do as well."""
    weak = [
        BY_NAME[name].label if name in BY_NAME else name
        for name, values in named.items()
        if (interval := values.get("accuracy_interval")) and interval[0] <= 0.5
    ]
    return [f"**Can't be told from guessing on this data: {', '.join(weak)}.**\n"] if weak else []


def _people(metrics: dict[str, Any]) -> str:
    """The single-person line of the heads that have one."""
    lines = {
        head: values["single_person"] for head, values in metrics.get("heads", {}).items() if "single_person" in values
    }
    if not lines:
        return ""
    rows = "\n".join(
        f"| {BY_NAME[head].label} | {line['people']} | {_figure(line['accuracy'])} | {_figure(line['model_accuracy'])} "
        f"| {_interval(line['difference_interval']) or 'too few prompts'} |"
        for head, line in lines.items()
    )
    return (
        "One person against the mean of the others, and the model on the same pairs; equal answers count ½:\n\n"
        "| head | people | a person | the model | model less person, 95 % |\n|---|---|---|---|---|\n" + rows + "\n"
    )


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval(bounds: Sequence[float] | None) -> str:
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else ""


def _importance(metrics: dict[str, Any], config: "ModelConfig") -> str:
    weights = metrics["importance"]
    if weights is None:
        return ""
    intervals = metrics.get("importance_interval") or {}
    rows = "\n".join(
        f"| {BY_NAME[head].label} | {weights[head]:.3f} | {_interval(intervals.get(head))} |" for head in HEADS
    )
    source = (
        "The only target was the mean of the ratings, so these weights describe that mean, not what people prefer."
        if config.target == MEAN_TARGET
        else "Learned from overall preferences."
    )
    table = f"| head | weight | 95 % interval |\n|---|---|---|\n{rows}\n"
    return f"## Importance\n\nWeight of each head in the combined score. {source}\n\n{table}"
