"""What the training form does, without its components: its values in; faults, presets and started trainings out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashboards import beforehand, cards
from dashboards.context import Context
from dashboards.form import FORM_FLAGS, OTHER_BACKBONE, arguments, config_of, faults_of, shell_command
from dashboards.jobs import PROGRAM
from dashboards.presets import PRESETS, preset_values
from reward.config import DEFAULT_BACKBONE
from reward.errors import RewardError

# The order in which the page sends its values; `spec` is the text beside the choice of backbone.
FORM_FIELDS = (*(flag.field for flag in FORM_FLAGS), "spec")


def form_values(*values: Any) -> dict[str, Any]:
    """The page's values by field, in the order of `FORM_FIELDS`; a backbone typed as text stands for the choice."""
    named = spec_for_choice(dict(zip(FORM_FIELDS, values, strict=True)))
    if isinstance(named["log_to"], list):
        named["log_to"] = ",".join(str(name) for name in named["log_to"])
    return named


def spec_for_choice(named: Mapping[str, Any]) -> dict[str, Any]:
    """The values without `spec`, which stands for the backbone where another one than those listed is chosen."""
    rest = {name: value for name, value in named.items() if name != "spec"}
    return rest | {"backbone": named["spec"]} if named["backbone"] == OTHER_BACKBONE else rest


@dataclass(frozen=True)
class Checked:
    """What the form's values come to: the command to copy, or what is wrong, by field."""

    command: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False

    def message(self, beside: Collection[str]) -> str:
        """What is wrong, as a card, but for the fields in `beside`, which say it themselves."""
        if not self.faults or self.quiet:
            return ""
        rest = [f"{name}: {words}" for name, words in self.faults.items() if name not in beside]
        more = len(self.faults) - len(rest)
        told = [f"{more} field{'' if more == 1 else 's'} above {'needs' if more == 1 else 'need'} another value."]
        return cards.problem("This can't be started as it stands", "\n".join([*(told if more else []), *rest]))


def check(context: Context, values: Mapping[str, Any]) -> Checked:
    """Check the form: the command to copy, or what is wrong with each field."""
    faults = faults_of(values, context.roots)
    if faults:
        missing = beforehand.own_file_missing(context, values)
        # A file that the studio has not written yet: the data's own panel says what to do.
        known = {name: words for name, words in faults.items() if not (missing and name in ("ratings", "pairs"))}
        return Checked(faults=known, quiet=missing and not known)
    config = config_of(values, context.roots)
    if unfit := beforehand.data_faults(context, {**values, "folds": config.folds}):
        return Checked(faults=unfit)
    return Checked(shell_command(config, PROGRAM))


def preset(context: Context, name: str, values: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """A preset's words as a line, and what it fills in, by field; None = leave it as it is."""
    chosen = next((one for one in PRESETS if one.name == name), PRESETS[0])
    weights_here = beforehand.weights_known(context, DEFAULT_BACKBONE) or {}
    here = weights_here.get("state") == "cached"
    prompts = beforehand.prompts_with_pairs(context, values) if chosen.name == "thorough" else 0
    filled = preset_values(chosen.name, str(values.get("mode")), prompts=prompts, openclip_here=here)
    return cards.detail(chosen.words), filled


def chosen_preset(context: Context, values: Mapping[str, Any]) -> str:
    """The name of the preset whose values the form has now; empty where it has none's."""
    for one in PRESETS:
        _, filled = preset(context, one.name, values)
        if all(value is None or values.get(name) == value for name, value in filled.items()):
            return one.name
    return ""


def not_yet(context: Context, values: Mapping[str, Any]) -> str:
    """What is missing before any training can start, in words; empty where nothing is."""
    if not beforehand.own_file_missing(context, values):
        return ""
    return "no pairs yet" if values.get("mode") == "pairs" else "no ratings yet"


def weights(context: Context, choice: str | None, spec: str | None, *, ask: bool = False) -> str:
    """Where the chosen backbone's weights are, as a line; empty where none is named yet."""
    chosen = spec if choice == OTHER_BACKBONE else choice
    return beforehand.weights_card(context, chosen, ask=ask) if isinstance(chosen, str) and chosen.strip() else ""


def start(context: Context, values: Mapping[str, Any]) -> str:
    """Start the training; returns what was wrong, as a card, and an empty text where it was started."""
    try:
        config = config_of(values, context.roots)
        if unfit := beforehand.data_faults(context, {**values, "folds": config.folds}):
            told = "\n".join(f"{name}: {words}" for name, words in unfit.items())
            return cards.problem("The training was not started", told)
        context.board.start(arguments(config), Path(config.output).absolute())
    except RewardError as error:
        return cards.problem("The training was not started", str(error))
    except OSError as error:
        return cards.problem("The training was not started", f"{error.filename}: {error.strerror}")
    return ""
