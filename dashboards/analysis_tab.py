"""The analysis tab: which run is looked at, and the rooms in which it is looked at."""

from functools import partial
from typing import TYPE_CHECKING, Any

from dashboards import analysis, cards
from dashboards.context import Context
from dashboards.disputes_tab import build_disputes
from dashboards.results_tab import Part, build_results
from dashboards.rooms import LATEST, QUIET, Choice
from dashboards.scoring_tab import build_scoring
from dashboards.twomodels_tab import build_twomodels
from dashboards.versus_tab import build_versus
from dashboards.weights_tab import build_weights
from dashboards.where_tab import build_where

if TYPE_CHECKING:
    import gradio as gr

_CHECKPOINTS = (("best", "best"), ("last", "last"))


def build_analysis_tab(context: Context, demo: "gr.Blocks", tab: "gr.Tab") -> None:
    """Put the tab's components where the caller stands (within `tab` of `demo`) and wire them."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(
            cards.title(
                "What a model learned",
                "How well it orders pictures of prompts that it, or its copy in a fold, was not trained on",
            )
        )
        with gr.Row():
            run = gr.Dropdown([], label="Run", elem_id="analyse-run", scale=4, min_width=220, allow_custom_value=True)
            checkpoint = gr.Radio(
                _CHECKPOINTS, value="best", label="Checkpoint", elem_id="analyse-checkpoint", min_width=160
            )
        badges = gr.HTML(elem_id="analyse-badges")
    choice = Choice(run, checkpoint, gr.State("results"))
    with gr.Tabs(elem_id="analyse-rooms"):
        with gr.Tab("Results", id="results") as results:
            words, charts = build_results(context, (run, checkpoint), badges)
        with gr.Tab("A against B", id="versus") as versus:
            build_versus(context, choice, versus)
        with gr.Tab("Where", id="where") as where:
            build_where(context, choice, where)
        with gr.Tab("Disagreements", id="disputes") as disputes:
            build_disputes(context, choice, disputes)
        with gr.Tab("Two models", id="twomodels") as twomodels:
            build_twomodels(context, choice, twomodels)
        with gr.Tab("Weights", id="weights") as weights:
            saved = build_weights(context, choice, weights)
        with gr.Tab("Score images", id="score") as score:
            build_scoring(context, (run, checkpoint))
    rooms = [results, versus, where, disputes, twomodels, weights, score]
    _wire_choice(context, demo, [tab, *rooms], saved, choice, words, charts)


def _wire_choice(
    context: Context,
    demo: "gr.Blocks",
    tabs: "list[gr.Tab]",
    saved: Any,
    choice: Choice,
    words: Part,
    charts: Part,
) -> None:
    """Fill the choice and what it shows; `tabs` are the analysis tab, the results room and the others, and `saved` is
    the event that adds a run."""
    import gradio as gr

    tab, results, *others = tabs
    run, checkpoint = choice.run, choice.checkpoint

    # Until a person has picked a run, the newest one is shown, also when it came after the page.
    picked = gr.State(False)
    # What the page has is not sent and drawn again; charts are drawn once somebody looks: out of sight they would have
    # no size.
    listed, told, drawn, opened = gr.State(None), gr.State(None), gr.State(None), gr.State(False)

    def runs(current: str | None, keep: bool, before: Any) -> list[Any]:
        choices = analysis.run_choices(context)
        names = [name for _, name in choices]
        now = choices, current if keep and current in names else next(iter(names), None)
        return [gr.skip() if now == before else gr.update(choices=choices, value=now[1]), now]

    def tell(name: str | None, which: str) -> list[Any]:
        report = analysis.report(context, name, which)
        return [*words.show(report), hash(repr(report))]

    def fresh(part: Part, name: str | None, which: str, before: int | None) -> list[Any]:
        """What is new of a part, and its mark."""
        report = analysis.report(context, name, which)
        now = hash(repr(report))
        return [*([gr.skip()] * len(part.filled) if now == before else part.show(report)), now]

    def anew(current: str | None, before: Any, which: str, mark: int | None) -> list[Any]:
        """The runs, and what is told of the one that is looked at, whose place no other takes unless it is gone."""
        choices, now = runs(current, True, before)
        return [choices, now, *fresh(words, now[1], which, mark)]

    def back(room: str, current: str | None, before: Any, which: str, mark: int | None, seen: int | None) -> list[Any]:
        """As `anew`, with the charts; nothing where the results come into sight with the tab, which fills them."""
        if room == results.id:
            return [gr.skip()] * (5 + len(words.filled) + len(charts.filled))
        told_anew = anew(current, before, which, mark)
        return [results.id, *told_anew, *fresh(charts, told_anew[1][1], which, seen)]

    def draw(name: str | None, which: str, before: int | None, is_open: bool, room: str) -> list[Any]:
        in_sight = is_open and room == results.id
        return fresh(charts, name, which, before) if in_sight else [gr.skip()] * (len(charts.filled) + 1)

    private: dict[str, Any] = {"api_visibility": "private", **LATEST, **QUIET}
    drawing: dict[str, Any] = {
        "inputs": [run, checkpoint, drawn, opened, choice.room],
        "outputs": [*charts.filled, drawn],
        **private,
    }
    demo.load(runs, [run, picked, listed], [run, listed], api_name="runs", **QUIET)
    again = tab.select(lambda *given: [*runs(*given), True], [run, picked, listed], [run, listed, opened], **private)
    again.then(partial(fresh, words), [run, checkpoint, told], [*words.filled, told], **private).then(draw, **drawing)
    # A run that is at work goes on, and another person may rename or remove one.
    asked, filled = [run, listed, checkpoint, told], [run, listed, *words.filled, told]
    gr.on([room.select for room in others], anew, asked, filled, **private)
    saved.then(anew, asked, filled, **private)
    results.select(back, [choice.room, *asked, drawn], [choice.room, *filled, *charts.filled, drawn], **private)
    others[-1].select(lambda: others[-1].id, None, choice.room, **private)
    run.input(lambda: True, None, picked, **private)
    changed = gr.on(
        [run.change, checkpoint.change],
        tell,
        [run, checkpoint],
        [*words.filled, told],
        api_name="run_report",
        **LATEST,
        **QUIET,
    )
    changed.then(draw, **drawing)
