"""The training tab's components and events; what they do is in `dashboards.training`."""

from typing import TYPE_CHECKING, Any

from annotate.pairs_file import holds_votes
from dashboards import cards, training
from dashboards.context import Context
from dashboards.form import BACKBONES, FORM_FLAGS, OTHER_BACKBONE, PIXELSTATS, free_name, mode_defaults, short_path
from dashboards.jobstate import JobState
from dashboards.training import FORM_FIELDS, Seen, form_values

if TYPE_CHECKING:
    import gradio as gr

    from reward.config import Flag

TICK_SECONDS = 1.0
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
}
_MODES = (("Ratings on five aspects", "multihead"), ("Overall pairs alone", "pairs"))
_DATA = ("mode", "ratings", "pairs", "min_rating_diff", "image_root")


def build_training_tab(context: Context, demo: "gr.Blocks", tab: "gr.Tab") -> None:
    """Put the tab's components where the caller stands (within `tab` of `demo`) and wire them."""
    import gradio as gr

    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            inputs = _form(context)
        with gr.Column(scale=6, min_width=320):
            data = _panel_with_html("The data", "What the chosen file holds for training", "train-data")
            run = _run_panel()
    fields = [inputs[name] for name in FORM_FIELDS]
    _wire_form(context, demo, tab, inputs, fields, data)
    _wire_run(context, demo, inputs, fields, run)


def _form(context: Context) -> "dict[str, Any]":
    """The form; returns its components by field, with `spec`, `command`, `message`, `start`, `device_found`."""
    import gradio as gr

    flags = {flag.field: flag for flag in FORM_FLAGS}
    parts: dict[str, Any] = {}
    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("New training", "Reads the ratings, encodes each image once, trains the heads"))
        parts["mode"] = gr.Radio(_MODES, value="multihead", label=_LABELS["mode"], elem_id="train-mode")
        parts["ratings"] = _path(flags["ratings"], short_path(context.project.ratings_csv))
        parts["pairs"] = _path(flags["pairs"], "")
        parts["judged"] = gr.Button(visible=False, size="sm", elem_id="train-judged")
        parts["backbone"] = gr.Radio(BACKBONES, value=PIXELSTATS, label=_LABELS["backbone"], elem_id="train-backbone")
        parts["spec"] = gr.Textbox(
            label="Which backbone", info=flags["backbone"].help, visible=False, elem_id="train-spec", max_lines=1
        )
        parts["output"] = gr.Textbox(
            free_name(context.roots.outputs),
            label=_LABELS["output"],
            info=f"A folder of this name is made in {context.roots.outputs.name}/",
            elem_id="train-output",
            max_lines=1,
        )
        with gr.Accordion("More settings", open=False, elem_id="train-more"):
            _more(flags, parts)
        parts["message"] = gr.HTML(elem_id="train-message")
        with gr.Row():
            parts["start"] = gr.Button("Start training", variant="primary", elem_id="train-start")
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


def _more(flags: "dict[str, Flag]", parts: "dict[str, Any]") -> None:
    import gradio as gr

    usual = mode_defaults("multihead")
    numbers = [name for name, flag in flags.items() if flag.kind in (int, float)]
    for pair in (numbers[at : at + 2] for at in range(0, len(numbers), 2)):
        with gr.Row():
            for name in pair:
                parts[name] = _number(flags[name], usual.get(name, flags[name].default))
    targets = flags["targets"]
    parts["targets"] = gr.Dropdown(
        list(targets.choices or ()),
        value=targets.default,
        label=_LABELS["targets"],
        info=targets.help,
        elem_id="train-targets",
    )
    parts["device"] = gr.Dropdown(
        ["auto", "cpu", "cuda", "mps"], value="auto", label=_LABELS["device"], elem_id="train-device-choice"
    )
    for name in ("prompts", "image_root"):
        parts[name] = _path(flags[name], "")


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


def _path(flag: "Flag", value: str) -> "gr.Textbox":
    import gradio as gr

    element = f"train-{flag.field.replace('_', '-')}"
    return gr.Textbox(value, label=_LABELS[flag.field], info=flag.help, elem_id=element, max_lines=1)


def _panel_with_html(heading: str, what: str, element: str) -> "gr.HTML":
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title(heading, what))
        return gr.HTML(elem_id=element)


def _run_panel() -> "dict[str, Any]":
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("The newest run", "It goes on when this page is closed or the studio restarts"))
        card = gr.HTML(elem_id="train-run")
        stop_button = gr.Button("Stop training", variant="stop", visible=False, elem_id="train-stop")
        with gr.Column(visible=False) as curves:
            plots = [
                gr.Plot(show_label=False, container=False, elem_id=f"train-{name}", elem_classes="studio-plot")
                for name in ("loss", "accuracy", "importance")
            ]
    return {"card": card, "stop": stop_button, "curves": curves, "plots": plots}


def _wire_form(
    context: Context, demo: "gr.Blocks", tab: "gr.Tab", inputs: "dict[str, Any]", fields: list[Any], data: "gr.HTML"
) -> None:
    import gradio as gr

    def describe(*values: Any) -> str:
        return training.describe_data(context, dict(zip(_DATA, values, strict=True)))

    def command(*values: Any) -> tuple[str, str]:
        return training.describe_command(context, form_values(*values))

    def device() -> str:
        return cards.detail(f"Trains on: {context.devices.words()}")

    def spec_shown(choice: str) -> "dict[str, Any]":
        return gr.update(visible=choice == OTHER_BACKBONE)

    def usual_for(mode: str, pairs: str) -> list[Any]:
        own = short_path(context.project.pairs_jsonl)
        # Pairs made of the project's ratings would tell nothing new as a target beside them.
        repeats = pairs == own and not holds_votes(context.project.pairs_jsonl)
        filled = pairs or own if mode == "pairs" else "" if repeats else pairs
        return [*mode_defaults(mode).values(), filled, gr.update(visible=mode != "pairs")]

    def judged(mode: str) -> "dict[str, Any]":
        path, number = training.judged_pairs(context.project)
        words = f"Weigh the heads by the {number} {'pair' if number == 1 else 'pairs'} judged in “A or B?”"
        return gr.update(visible=bool(path) and mode != "pairs", value=words)

    chosen = [inputs[name] for name in _DATA]
    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    gr.on(
        [demo.load, tab.select, *(part.change for part in chosen)],
        describe,
        chosen,
        data,
        api_name="describe_data",
        trigger_mode="always_last",
        **quiet,
    )
    gr.on(
        [demo.load, *(part.change for part in fields)],
        command,
        fields,
        [inputs["command"], inputs["message"]],
        api_name="training_command",
        trigger_mode="always_last",
        **quiet,
    )
    gr.on([demo.load, tab.select], device, None, inputs["device_found"], api_name="device", **quiet)
    offered: dict[str, Any] = {"api_visibility": "private", **quiet}
    gr.on([demo.load, tab.select, inputs["mode"].change], judged, inputs["mode"], inputs["judged"], **offered)
    inputs["judged"].click(lambda: training.judged_pairs(context.project)[0], None, inputs["pairs"], **offered)
    by_mode = [inputs[name] for name in ("epochs", "batch_size", "pairs", "ratings")]
    inputs["mode"].change(usual_for, [inputs["mode"], inputs["pairs"]], by_mode, api_visibility="private", **quiet)
    inputs["backbone"].change(spec_shown, inputs["backbone"], inputs["spec"], api_visibility="private", **quiet)


def _wire_run(
    context: Context, demo: "gr.Blocks", inputs: "dict[str, Any]", fields: list[Any], run: "dict[str, Any]"
) -> None:
    import gradio as gr

    seen = gr.State(Seen())
    shown = [seen, run["card"], run["stop"], run["curves"], *run["plots"]]

    def look(before: Seen) -> Any:
        view = training.look(context, before)
        if view is None:
            return [gr.skip()] * len(shown)
        plots = view.figures() if view.new_curves else [gr.skip()] * 3
        stop_shown = gr.update(visible=view.live, interactive=view.state is not JobState.STOPPING)
        return [view.seen, view.card, stop_shown, gr.update(visible=bool(view.metrics)), *plots]

    def begin(*values: Any) -> Any:
        form = form_values(*values[1:])
        message = training.start(context, form)
        name = gr.skip() if message else free_name(context.roots.outputs, str(form["output"]).strip())
        return [message, name, *look(values[0])]

    def end(before: Seen) -> Any:
        return [training.stop(context), *look(before)]

    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    # The clock starts with the first look, which is refused to people who may not train: their pages ask for nothing.
    clock = gr.Timer(TICK_SECONDS, active=False)
    first = [*shown, clock]
    demo.load(lambda: [*look(Seen()), gr.Timer(active=True)], None, first, api_visibility="private", **quiet)
    demo.load(lambda: free_name(context.roots.outputs), None, inputs["output"], api_visibility="private", **quiet)
    clock.tick(look, seen, shown, api_name="training_state", **quiet)
    inputs["start"].click(
        begin, [seen, *fields], [inputs["message"], inputs["output"], *shown], api_name="start_training", **quiet
    )
    run["stop"].click(end, seen, [inputs["message"], *shown], api_name="stop_training", **quiet)
