"""The training form's components and events: presets, fields with what is wrong beside each, the command to copy."""

import json
from typing import TYPE_CHECKING, Any

from annotate.pairs_file import holds_votes
from dashboards import beforehand, cards, training
from dashboards.clock import clock, running
from dashboards.context import Context
from dashboards.form import BACKBONES, FORM_FLAGS, OTHER_BACKBONE, PIXELSTATS, free_name, mode_defaults, short_path
from dashboards.presets import PRESET_FIELDS, PRESETS
from dashboards.rooms import LATEST, QUIET
from dashboards.training import FORM_FIELDS, form_values
from reward.config import TRACKERS

if TYPE_CHECKING:
    import gradio as gr

    from reward.config import Flag

_LABELS = {
    "mode": "What to learn from",
    "ratings": "Ratings CSV",
    "pairs": "Pairs JSONL",
    "prompts": "Prompts CSV",
    "output": "Name of the run",
    "epochs": "Epochs",
    "batch_size": "Batch size (pairs)",
    "learning_rate": "Learning rate",
    "folds": "Folds",
    "min_rating_diff": "Minimal rating difference",
    "targets": "Ratings of several people",
    "backbone": "Backbone",
    "val_fraction": "Validation share",
    "seed": "Seed",
    "device": "Device",
    "image_root": "Image root",
    "cache_dir": "Embedding cache",
    "overwrite": "Replace a run of this name",
    "log_to": "Experiment trackers",
}
_MODES = (("Ratings on five aspects", "multihead"), ("Overall pairs alone", "pairs"))
_FLAGS = {flag.field: flag for flag in FORM_FLAGS}
_KEEP_TYPED = """(...values) => {
  const untouched = UNTOUCHED, count = untouched.length;
  return untouched.map((first, at) => values[count + at] === first ? values[at] : values[count + at]);
}"""
_FAULT = "fault-"  # before a field's name: the key of what is wrong with it


def build_form(context: Context) -> "dict[str, Any]":
    """Put the form where the caller stands.

    Returns:
        Its components by field (`fault-FIELD`: what is wrong with it), and `spec`, `command`, `message`, `start`,
        `device_found`, `weights`, `preset_words` and `preset-NAME`.
    """
    import gradio as gr

    parts: dict[str, Any] = {}
    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("New training", "Reads the ratings, encodes each image once, trains the heads"))
        _presets(parts)
        parts["mode"] = gr.Radio(
            _MODES, value="multihead", label=_LABELS["mode"], info=_FLAGS["mode"].help, elem_id="train-mode"
        )
        _path(parts, "ratings", short_path(beforehand.default_ratings(context.project)))
        _path(parts, "pairs", "")
        parts["judged"] = gr.Button(visible=False, size="sm", elem_id="train-judged")
        _backbone(parts)
        parts["output"] = gr.Textbox(
            free_name(context.roots.outputs),
            label=_LABELS["output"],
            info=f"{_FLAGS['output'].help}, below {context.roots.outputs.name}/",
            elem_id="train-output",
            max_lines=1,
        )
        _fault(parts, "output")
        with gr.Accordion("More settings", open=False, elem_id="train-more"):
            _more(parts)
        parts["message"] = gr.HTML(elem_id="train-message")
        with gr.Row():
            parts["start"] = gr.Button("Start training", variant="primary", elem_id="train-start")
        parts["started"] = gr.HTML(elem_id="train-started")
        parts["device_found"] = gr.HTML(elem_id="train-device")
        parts["command"] = gr.Textbox(
            label="The same from a shell",
            lines=3,
            interactive=False,
            buttons=["copy"],
            elem_id="train-command",
            elem_classes="studio-command",
        )
    return parts


def wire_form(context: Context, demo: "gr.Blocks", tab: "gr.Tab", parts: "dict[str, Any]") -> None:
    """Checks, the command to copy, presets, and what follows from the mode and the backbone."""
    import gradio as gr

    all_fields = [parts[name] for name in FORM_FIELDS]
    _wire_checks(context, demo, tab, parts, all_fields)
    _wire_presets(context, demo, parts, all_fields)
    _wire_backbone(context, demo, tab, parts)

    def defaults_of_mode(mode: str, pairs: str) -> list[Any]:
        own = short_path(context.project.pairs_jsonl)
        # Pairs made of the project's ratings would tell nothing new as a target beside them.
        repeats = pairs == own and not holds_votes(context.project.pairs_jsonl)
        filled = pairs or own if mode == "pairs" else "" if repeats else pairs
        return [*mode_defaults(mode).values(), filled, gr.update(visible=mode != "pairs")]

    by_mode = [parts[name] for name in ("epochs", "batch_size", "pairs", "ratings")]
    parts["mode"].change(defaults_of_mode, [parts["mode"], parts["pairs"]], by_mode, api_visibility="private", **QUIET)

    _wire_judged(context, demo, tab, parts)

    def fresh_values() -> tuple[str, str]:
        return free_name(context.roots.outputs), short_path(beforehand.default_ratings(context.project))

    untouched = [parts["output"].value, parts["ratings"].value]
    fresh = [gr.Textbox(visible=False) for _ in untouched]
    fields = [parts["output"], parts["ratings"]]
    # In two steps, the second in the browser: what somebody typed before the answer came is kept.
    demo.load(fresh_values, None, fresh, api_visibility="private", **QUIET).then(
        None, [*fresh, *fields], fields, js=_KEEP_TYPED.replace("UNTOUCHED", json.dumps(untouched))
    )


def _wire_judged(context: Context, demo: "gr.Blocks", tab: "gr.Tab", parts: "dict[str, Any]") -> None:
    import gradio as gr

    def judged(mode: str) -> "dict[str, Any]":
        path, number = beforehand.judged_pairs(context.project)
        words = f"Weigh the heads by the {number} {'pair' if number == 1 else 'pairs'} judged in “A or B?”"
        return gr.update(visible=bool(path) and mode != "pairs", value=words)

    def file_of_judged() -> str:
        return beforehand.judged_pairs(context.project)[0]

    private: dict[str, Any] = {"api_visibility": "private", **QUIET}
    gr.on([demo.load, tab.select, parts["mode"].change], judged, parts["mode"], parts["judged"], **LATEST, **private)
    parts["judged"].click(file_of_judged, None, parts["pairs"], **private)


def _wire_checks(
    context: Context, demo: "gr.Blocks", tab: "gr.Tab", parts: "dict[str, Any]", fields: list[Any]
) -> None:
    import gradio as gr

    faults = [name.removeprefix(_FAULT) for name in parts if name.startswith(_FAULT)]

    def check(*values: Any) -> list[Any]:
        found = training.check(context, form_values(*values))
        beside = [found.faults.get(name, "") for name in faults]
        shown = [gr.update(value=cards.fault(words), visible=bool(words)) for words in beside]
        return [found.command, found.message(set(faults)), *shown]

    def startable(mode: str, ratings: str, pairs: str) -> list[Any]:
        missing = training.not_yet(context, {"mode": mode, "ratings": ratings, "pairs": pairs})
        words = f"Start training ({missing})" if missing else "Start training"
        return [gr.update(value=words, interactive=not missing), gr.update(visible=not missing)]

    data = [parts[name] for name in ("mode", "ratings", "pairs")]
    # The first ratings may have come since the page was loaded.
    gr.on(
        [demo.load, tab.select, *(part.change for part in data)],
        startable,
        data,
        [parts["start"], parts["command"]],
        api_visibility="private",
        **LATEST,
        **QUIET,
    )
    gr.on(
        [demo.load, tab.select, *(part.change for part in fields)],
        check,
        fields,
        [parts["command"], parts["message"], *(parts[_FAULT + name] for name in faults)],
        api_name="training_command",
        **LATEST,
        **QUIET,
    )


def _wire_presets(context: Context, demo: "gr.Blocks", parts: "dict[str, Any]", fields: list[Any]) -> None:
    import gradio as gr

    outputs = [parts["preset_words"], *(parts[name] for name in PRESET_FIELDS)]

    def fill(name: str, *values: Any) -> list[Any]:
        words, filled = training.preset(context, name, form_values(*values))
        return [words, *(gr.skip() if filled[field] is None else filled[field] for field in PRESET_FIELDS)]

    for preset in PRESETS:
        named = gr.State(preset.name)
        parts[f"preset-{preset.name}"].click(fill, [named, *fields], outputs, api_visibility="private", **QUIET)

    def mark(*values: Any) -> list[Any]:
        """Which preset the form has, by a sign and a colour; none once a field was changed."""
        chosen = training.chosen_preset(context, form_values(*values))
        return [
            gr.update(value=f"✓ {one.label}", variant="primary")
            if one.name == chosen
            else gr.update(value=one.label, variant="secondary")
            for one in PRESETS
        ]

    gr.on(
        [demo.load, *(parts[name].change for name in (*PRESET_FIELDS, "mode", "ratings"))],
        mark,
        fields,
        [parts[f"preset-{one.name}"] for one in PRESETS],
        api_visibility="private",
        **LATEST,
        **QUIET,
    )


def _wire_backbone(context: Context, demo: "gr.Blocks", tab: "gr.Tab", parts: "dict[str, Any]") -> None:
    import gradio as gr

    looking = clock(1.0)
    asked = [parts["backbone"], parts["spec"]]

    def chosen(choice: str, spec: str) -> list[Any]:
        card = training.weights(context, choice, spec, ask=True)
        waits = beforehand.asking(card)
        return [gr.update(visible=choice == OTHER_BACKBONE), card, running(waits)]

    def again(choice: str, spec: str) -> list[Any]:
        card = training.weights(context, choice, spec)
        return [card, running(beforehand.asking(card))]

    def device() -> str:
        return cards.detail(f"Trains on: {context.devices.words()}")

    gr.on(
        [tab.select, parts["backbone"].change, parts["spec"].submit, parts["spec"].blur],
        chosen,
        asked,
        [parts["spec"], parts["weights"], looking],
        api_visibility="private",
        **LATEST,
        **QUIET,
    )
    looking.tick(again, asked, [parts["weights"], looking], api_visibility="private", **QUIET)
    gr.on([demo.load, tab.select], device, None, parts["device_found"], api_name="device", **LATEST, **QUIET)


def _presets(parts: "dict[str, Any]") -> None:
    import gradio as gr

    with gr.Row(elem_classes="studio-presets"):
        for preset in PRESETS:
            parts[f"preset-{preset.name}"] = gr.Button(
                preset.label, size="sm", elem_id=f"train-preset-{preset.name}", min_width=90
            )
    parts["preset_words"] = gr.HTML(
        cards.detail("Three ways to fill the form; every field can be changed afterwards."),
        elem_id="train-preset-words",
    )


def _backbone(parts: "dict[str, Any]") -> None:
    import gradio as gr

    parts["backbone"] = gr.Radio(
        BACKBONES,
        value=PIXELSTATS,
        label=_LABELS["backbone"],
        info=_FLAGS["backbone"].help,
        elem_id="train-backbone",
    )
    parts["spec"] = gr.Textbox(label="Which backbone", visible=False, elem_id="train-spec", max_lines=1)
    _fault(parts, "backbone")
    parts["weights"] = gr.HTML(elem_id="train-weights")


def _more(parts: "dict[str, Any]") -> None:
    import gradio as gr

    usual = mode_defaults("multihead")
    numbers = [name for name, flag in _FLAGS.items() if flag.kind in (int, float)]
    for pair in (numbers[at : at + 2] for at in range(0, len(numbers), 2)):
        with gr.Row():
            for name in pair:
                with gr.Column(min_width=140, elem_classes="studio-field"):
                    parts[name] = _number(_FLAGS[name], usual.get(name, _FLAGS[name].default))
                    _fault(parts, name)
    targets = _FLAGS["targets"]
    parts["targets"] = gr.Dropdown(
        list(targets.choices or ()),
        value=targets.default,
        label=_LABELS["targets"],
        info=targets.help,
        elem_id="train-targets",
    )
    parts["device"] = gr.Dropdown(
        ["auto", "cpu", "cuda", "mps"],
        value="auto",
        label=_LABELS["device"],
        info=_FLAGS["device"].help,
        elem_id="train-device-choice",
    )
    for name in ("prompts", "image_root", "cache_dir"):
        _path(parts, name, "")
    parts["log_to"] = gr.CheckboxGroup(
        list(TRACKERS), label=_LABELS["log_to"], info=_FLAGS["log_to"].help, elem_id="train-log-to"
    )
    _fault(parts, "log_to")
    parts["overwrite"] = gr.Checkbox(
        False, label=_LABELS["overwrite"], info=_FLAGS["overwrite"].help, elem_id="train-overwrite"
    )
    gr.HTML(cards.detail("The studio itself sets --events, and --resume where you press Go on beside a run."))


def _number(flag: "Flag", value: float | None) -> "gr.Number | gr.Textbox":
    """A number box; a text box where nothing is a value of its own, since an emptied number box would say 0."""
    import gradio as gr

    shared: dict[str, Any] = {
        "label": _LABELS[flag.field],
        "info": flag.help,
        "elem_id": f"train-{flag.field.replace('_', '-')}",
        "min_width": 140,
    }
    return (
        gr.Textbox("", placeholder="automatic", max_lines=1, **shared) if value is None else gr.Number(value, **shared)
    )


def _path(parts: "dict[str, Any]", name: str, value: str) -> None:
    import gradio as gr

    element = f"train-{name.replace('_', '-')}"
    parts[name] = gr.Textbox(value, label=_LABELS[name], info=_FLAGS[name].help, elem_id=element, max_lines=1)
    _fault(parts, name)


def _fault(parts: "dict[str, Any]", name: str) -> None:
    """Where it is said what is wrong with the field above."""
    import gradio as gr

    parts[_FAULT + name] = gr.HTML(visible=False, elem_id=f"train-fault-{name.replace('_', '-')}")
