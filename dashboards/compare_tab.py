"""The room Compare: any two or more runs side by side."""

from typing import TYPE_CHECKING, Any

from dashboards import cards, comparison
from dashboards.context import Context
from dashboards.rooms import LATEST, QUIET
from dashboards.runs import COMBINED

if TYPE_CHECKING:
    import gradio as gr


def build_compare(context: Context, room: "gr.Tab") -> None:
    """Put the room's components where the caller stands (within `room`) and wire them."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("Compare", "Any two runs or more; the first is what the others are held against"))
        with gr.Row():
            chosen = gr.Dropdown(
                [],
                multiselect=True,
                allow_custom_value=True,
                label="Runs",
                elem_id="compare-runs",
                scale=4,
                min_width=220,
            )
            head = gr.Dropdown(
                list(comparison.HEAD_CHOICES), value=COMBINED, label="Score", elem_id="compare-head", min_width=140
            )
        message = gr.HTML(elem_id="compare-message")
        with gr.Column(visible=False) as shown:
            figures = gr.HTML(elem_id="compare-figures")
            gr.HTML('<h3 class="studio-sub">Do they differ?</h3>')
            tested = gr.HTML(elem_id="compare-tested")
            with gr.Row():
                curves = [
                    gr.Plot(show_label=False, container=False, elem_id=f"compare-{name}", elem_classes="studio-plot")
                    for name in ("accuracy", "loss")
                ]
            epochs = gr.HTML(elem_id="compare-curves-table")
            gr.HTML('<h3 class="studio-sub">Head by head</h3>')
            heads = gr.HTML(elem_id="compare-heads")
            gr.HTML('<h3 class="studio-sub">What was different</h3>')
            arguments = gr.HTML(elem_id="compare-arguments")

    listed, drawn, told = gr.State(None), gr.State(None), gr.State(None)  # what the page has is not sent again

    def list_runs(current: list[str] | None, before: Any) -> list[Any]:
        names = [row.name for row in context.runs.rows()]
        now = names, [name for name in current or [] if name in names]
        return [gr.skip() if now == before else gr.update(choices=now[0], value=now[1]), now]

    def show(names: list[str] | None, which: str, before: int | None) -> list[Any]:
        found = comparison.compare(context, names or [])
        if not found.runs:
            return [found.message, gr.update(visible=False), *[gr.skip()] * 7, None]
        now = hash((repr(found), which))
        if now == before:
            return [gr.skip()] * 10
        waiting = cards.detail("Comparing on the same pairs …")
        tables = [
            found.figures_table(which),
            waiting,
            *found.curves(which),
            found.curves_table(which),
            found.heads_table(),
            found.arguments_table(),
        ]
        return [found.message, gr.update(visible=True), *tables, now]

    def test(names: list[str] | None, which: str, now: int | None, before: int | None) -> list[Any]:
        if now is not None and now == before:
            return [gr.skip(), now]
        return [comparison.differences(context, names or [], which), now]

    room.select(list_runs, [chosen, listed], [chosen, listed], api_visibility="private", **LATEST, **QUIET)
    outputs = [message, shown, figures, tested, *curves, epochs, heads, arguments, drawn]
    compared = gr.on(
        [room.select, chosen.change, head.change],
        show,
        [chosen, head, drawn],
        outputs,
        api_name="compare_runs",
        **LATEST,
        **QUIET,
    )
    # It may load torch and read images again: in the queue, after the figures that are there at once.
    compared.then(
        test,
        [chosen, head, drawn, told],
        [tested, told],
        api_name="test_difference",
        trigger_mode="always_last",  # another score may be chosen while one is tested
        show_progress="minimal",
        show_progress_on=tested,
    )
