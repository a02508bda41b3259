"""The room "Weights": a slider a head, the ranking that follows, and saving it."""

import math
from typing import TYPE_CHECKING, Any

from dashboards import cards, weights
from dashboards.context import Context
from dashboards.rooms import QUIET, Choice, fill_when_open
from reward.aspects import ASPECTS, HEADS
from reward.errors import RewardError

if TYPE_CHECKING:
    import gradio as gr


def build_weights(context: Context, choice: Choice, tab: "gr.Tab") -> Any:
    """Put the room's components where the caller stands and wire them; returns the event that saves a checkpoint."""
    import gradio as gr

    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(
            cards.title(
                "Weights of your own",
                "For a use of your own; they are scaled to sum to 100 %, the heads stay as they are",
            )
        )
        trouble = gr.HTML(elem_id="weights-trouble")
        with gr.Row():
            sliders = [
                gr.Slider(
                    *(0, 100),
                    step=1,
                    label=aspect.label,
                    elem_id=f"weights-{aspect.name}",
                    elem_classes=f"studio-slider studio-head-{aspect.name}",
                    min_width=150,
                )
                for aspect in ASPECTS
            ]
        with gr.Row(elem_classes="studio-inline"):
            name = gr.Textbox("own_weights", label="Save as", elem_id="weights-name", max_lines=1, scale=3)
            save = gr.Button("Save as a checkpoint", elem_id="weights-save", scale=1, min_width=160)
        saved = gr.HTML(elem_id="weights-saved")
        ranking = gr.HTML(elem_id="weights-ranking")

    def fill(run: str | None, which: str) -> list[Any]:
        try:
            learned = weights.learned_weights(context, run, which)
        except RewardError as error:
            return [cards.problem("This model can't be weighed anew", str(error)), *[gr.skip()] * len(HEADS), ""]
        known = {head: 0 if math.isnan(value) else round(100 * value) for head, value in learned.items()}
        shown = [gr.update(value=known[head], interactive=not math.isnan(learned[head])) for head in HEADS]
        return ["", *shown, weights.ranking_card(context, run, which, _given(learned, known.values()))]

    def live(run: str | None, which: str, *values: Any) -> str:
        try:
            learned = weights.learned_weights(context, run, which)
            return weights.ranking_card(context, run, which, _given(learned, values))
        except RewardError as error:
            return cards.problem("These weights can't be used", str(error))

    def keep(run: str | None, which: str, as_name: str, *values: Any) -> str:
        try:
            learned = weights.learned_weights(context, run, which)
            return weights.save(context, run, which, _given(learned, values), as_name)
        except RewardError as error:
            return cards.problem("The checkpoint was not saved", str(error))

    chosen = [choice.run, choice.checkpoint]
    fill_when_open(choice, tab, fill, chosen, [trouble, *sliders, ranking])
    gr.on(
        [slider.input for slider in sliders],
        live,
        [*chosen, *sliders],
        ranking,
        api_name="rank_by_weights",
        trigger_mode="always_last",
        **QUIET,
    )
    choice.run.change(lambda: "", None, saved, api_visibility="private", **QUIET)
    return save.click(keep, [*chosen, name, *sliders], saved, api_name="save_weights")


def _given(learned: dict[str, float], values: Any) -> dict[str, float]:
    """The sliders' values of the trained heads; whatever a client sent is checked."""
    given = dict(zip(HEADS, values, strict=True))
    for head, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
            raise RewardError(f"{head}: a weight is a number from 0 to 100.")
    return {head: float(given[head]) for head in HEADS if not math.isnan(learned[head])}
