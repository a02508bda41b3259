"""The panels beside the training form: what the data holds, what would be encoded, the run at work, and who waits."""

from typing import TYPE_CHECKING, Any

from dashboards import beforehand, cards, training, watch
from dashboards.clock import clock, running
from dashboards.context import Context
from dashboards.form import free_name
from dashboards.rooms import LATEST, QUIET
from dashboards.training import FORM_FIELDS, form_values
from dashboards.watch import RunView, Seen

if TYPE_CHECKING:
    import gradio as gr

TICK_SECONDS = 1.0
_DATA = ("mode", "ratings", "pairs", "min_rating_diff", "image_root")
_FORECAST = (*_DATA, "prompts", "backbone", "spec", "device", "cache_dir")
_CURVES = ("loss", "accuracy", "importance")


def build_data_panel() -> "dict[str, Any]":
    """Put the data's panel where the caller stands; returns its components."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("The data", "What the chosen file holds for training"))
        data = gr.HTML(elem_id="train-data")
        forecast = gr.HTML(elem_id="train-forecast")
        measure = gr.Button("Measure how long encoding takes", size="sm", visible=False, elem_id="train-measure")
    return {"data": data, "forecast": forecast, "measure": measure}


def build_run_panel() -> "dict[str, Any]":
    """Put the run's panel where the caller stands; returns its components."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("The latest run", "It goes on when this page is closed or the studio restarts"))
        card = gr.HTML(elem_id="train-run")
        message = gr.HTML(elem_id="train-run-message")
        with gr.Row():
            stop = gr.Button("Stop training", variant="stop", visible=False, elem_id="train-stop")
            further = gr.Button("Go on", visible=False, elem_id="train-further")
        heads = gr.HTML(elem_id="train-heads")
        with gr.Column(visible=False) as curves:
            plots = [
                gr.Plot(show_label=False, container=False, elem_id=f"train-{name}", elem_classes="studio-plot")
                for name in _CURVES
            ]
            # Folded by the page, not by the HTML that is sent anew each epoch: that would fold it under the reader.
            with gr.Accordion("The numbers as a table", open=False, elem_id="train-numbers"):
                epochs = gr.HTML()
        with gr.Accordion("Log", open=False, visible=False, elem_id="train-log") as log:
            lines = gr.HTML()
        with gr.Column(visible=False, elem_id="train-line") as line:
            gr.HTML(cards.title("Waiting in line", ""))
            waiting = gr.HTML()
            with gr.Row(elem_classes="studio-inline"):
                who = gr.Dropdown([], label="Run", elem_id="train-waiting", min_width=140, allow_custom_value=True)
                cancel = gr.Button("Take out of the line", elem_id="train-cancel", min_width=140)
    named = {"card": card, "message": message, "stop": stop, "further": further, "heads": heads, "curves": curves}
    named["epochs"] = epochs
    return {**named, "plots": plots, "log": log, "lines": lines, "line": line} | {
        "waiting": waiting,
        "who": who,
        "cancel": cancel,
    }


def wire_data(
    context: Context,
    demo: "gr.Blocks",
    tabs: "tuple[gr.Tab, gr.Tab]",
    inputs: "dict[str, Any]",
    panel: "dict[str, Any]",
) -> None:
    """Fill the data's panel when the tab or its room is opened, when the form changes and when a training is started:
    people may have gone on rating."""
    import gradio as gr

    opened, looking = gr.State(False), clock(1.0)

    def describe(*values: Any) -> str:
        return beforehand.describe_data(context, dict(zip(_DATA, values, strict=True)))

    def forecast(*values: Any, measure: bool = False, ask: bool = True) -> list[Any]:
        named = training.spec_for_choice(dict(zip(_FORECAST, values, strict=True)))
        card = beforehand.foresee(context, named, ask=ask, measure=measure)
        return [card, gr.update(visible=beforehand.unmeasured(card)), running(beforehand.asking(card))]

    def when_opened(*values: Any) -> list[Any]:
        return [True, *forecast(*values)]

    def when_changed(is_open: bool, *values: Any) -> list[Any]:
        return forecast(*values, ask=is_open)

    def measured(*values: Any) -> list[Any]:
        return forecast(*values, measure=True)

    def again(*values: Any) -> list[Any]:
        return forecast(*values, ask=False)

    data, known = [inputs[name] for name in _DATA], [inputs[name] for name in _FORECAST]
    shown = [panel["forecast"], panel["measure"], looking]
    tab, room = tabs
    gr.on(
        [demo.load, tab.select, room.select, inputs["start"].click, *(part.change for part in data)],
        describe,
        data,
        panel["data"],
        api_name="describe_data",
        **LATEST,
        **QUIET,
    )
    private: dict[str, Any] = {"api_visibility": "private", **QUIET}
    tab.select(when_opened, known, [opened, *shown], **LATEST, **private)
    changed = [part.change for part in known]
    gr.on(changed, when_changed, [opened, *known], shown, **LATEST, **private)
    panel["measure"].click(measured, known, shown, api_name="measure_encoding", **QUIET)
    looking.tick(again, known, shown, **private)


def wire_run(context: Context, demo: "gr.Blocks", inputs: "dict[str, Any]", run: "dict[str, Any]") -> None:
    """Show the run as it goes, and wire start, stop, go on and cancel."""
    import gradio as gr

    seen = gr.State(Seen())
    fields = [inputs[name] for name in FORM_FIELDS]
    names = ("card", "stop", "further", "heads", "curves")
    shown = [seen, *(run[name] for name in names), *run["plots"], run["epochs"]]
    shown += [run[name] for name in ("log", "lines", "line", "waiting", "who")]

    def look(before: Seen) -> list[Any]:
        view = watch.look(context, before)
        return [gr.skip()] * len(shown) if view is None else _updates(view, before)

    def begin(before: Seen, *values: Any) -> list[Any]:
        form = form_values(*values)
        message = training.start(context, form)
        if message:
            return [message, gr.skip(), "", *look(before)]
        name = str(form["output"]).strip()
        return ["", free_name(context.roots.outputs, name), watch.started(context, name), *look(before)]

    def end(before: Seen) -> list[Any]:
        return [watch.stop(context, before.job), *look(before)]

    def go_on(before: Seen) -> list[Any]:
        return [watch.go_on_with_job(context, before.job), *look(before)]

    def cancel(before: Seen, job_id: str | None) -> list[Any]:
        return [watch.cancel(context, job_id), *look(before)]

    # The clock starts with the first look: a page that may not have that asks for nothing.
    ticking = clock(TICK_SECONDS)

    def first_look() -> list[Any]:
        return [*look(Seen()), running(True)]

    demo.load(first_look, None, [*shown, ticking], api_visibility="private", **QUIET)
    ticking.tick(look, seen, shown, api_name="training_state", **QUIET)
    started = [inputs["message"], inputs["output"], inputs["started"], *shown]
    inputs["start"].click(begin, [seen, *fields], started, api_name="start_training", **QUIET)
    told = [run["message"], *shown]
    run["stop"].click(end, seen, told, api_name="stop_training", **QUIET)
    run["further"].click(go_on, seen, told, api_name="go_on", **QUIET)
    run["cancel"].click(cancel, [seen, run["who"]], told, api_name="cancel_training", **QUIET)


def _updates(view: RunView, before: Seen) -> list[Any]:
    """What the components of `wire_run` are to show; of what the page has already, nothing is sent."""
    import gradio as gr

    plots = view.figures() if view.new_curves and view.metrics else [gr.skip()] * len(_CURVES)
    choices = [(status.job.name, status.job.id) for status in view.waiting]
    same_line = view.seen.line == before.line
    who = gr.skip() if same_line else gr.update(choices=choices, value=choices[0][1] if choices else None)
    return [
        view.seen,
        view.seen.run,
        gr.update(visible=view.live, interactive=not view.stopping),
        gr.update(value=view.further or "Go on", visible=bool(view.further)),
        view.heads() if view.new_curves else gr.skip(),
        gr.update(visible=bool(view.metrics)),
        *plots,
        view.epochs() if view.new_curves else gr.skip(),
        gr.update(visible=view.status is not None),
        gr.skip() if view.seen.log == before.log else view.seen.log,
        gr.update(visible=bool(view.waiting)),
        gr.skip() if same_line else view.seen.line,
        who,
    ]
