"""Weights of one's own: the run's validation images ranked anew at once, and a checkpoint saved with its lineage."""

import errno
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dashboards import cards, markup
from dashboards.analysis import usable_checkpoint
from dashboards.context import Context
from dashboards.desk import image_name
from dashboards.headtable import share, span
from dashboards.runs import number
from reward.aspects import HEADS
from reward.errors import RewardError
from reward.lineage import origin

if TYPE_CHECKING:
    import numpy as np

    from reward.metrics import PairMetrics
    from reward.model import MultiHeadReward
    from reward.unseen import Validated

MOST_SHOWN: Final = 12
MOST_LISTED: Final = 200
COLUMNS: Final = ("Image", "Place", "Before", "Score", "Score before")


@dataclass(frozen=True)
class Ranked:
    """One image under the new weights; places count from 1."""

    number: int
    place: int
    before: int
    score: float
    score_before: float


def learned_weights(context: Context, name: str | None, checkpoint: str) -> dict[str, float]:
    """The checkpoint's own weights by head; of untrained heads NaN.

    Raises:
        RewardError: the checkpoint can't be used, or has no heads to weigh.
    """
    found = usable_checkpoint(context, name or "", checkpoint)

    def ask(model: "MultiHeadReward") -> dict[str, float]:
        weights = model.get_head_importance()
        return {head: weights[head] if head in model.config.trained else math.nan for head in HEADS}

    weights = context.shelf.use(found.folder, ask)
    if all(math.isnan(weight) for weight in weights.values()):
        raise RewardError("A model of overall pairs has a single score: there are no heads to weigh.")
    return weights


def rank(
    context: Context, name: str, checkpoint: str, weights: Mapping[str, float]
) -> "tuple[list[Ranked], Validated]":
    """The run's validation images by the combined score that these weights give, best first.

    Their head scores are of models that have not seen them: in folds each image's own, else that of `best/`.

    Raises:
        RewardError: the weights, the checkpoint or the run's data can't be used.
    """
    import numpy as np

    from reward.model_config import check_weights

    found = usable_checkpoint(context, name, checkpoint)
    data = context.desk.validated(context.run(name))

    def both(model: "MultiHeadReward") -> tuple[dict[str, float], dict[str, float]]:
        return check_weights(weights, model.config), model.get_head_importance()

    own, learned = context.shelf.use(found.folder, both)
    images = np.flatnonzero(data.measured)
    now, before = (_combined(data.scores[images], some) for some in (own, learned))
    places_before = np.empty(len(images), dtype=int)
    places_before[np.argsort(-before, kind="stable")] = np.arange(1, len(images) + 1)
    order = np.argsort(-now, kind="stable")
    ranked = [
        Ranked(int(images[n]), place, int(places_before[n]), float(now[n]), float(before[n]))
        for place, n in enumerate(order, start=1)
    ]
    return ranked, data


def _combined(scores: "np.ndarray", weights: Mapping[str, float]) -> "np.ndarray":
    """(N,) of (N, H) scores; heads that weigh nothing may have none."""
    columns = [number for number, head in enumerate(HEADS) if weights.get(head, 0) > 0]
    combined: np.ndarray = scores[:, columns] @ [weights[HEADS[number]] for number in columns]
    return combined


def ranking_card(context: Context, name: str | None, checkpoint: str, weights: Mapping[str, float]) -> str:
    """The best and the last images under these weights, and how well the weights order what people prefer."""
    try:
        learned = learned_weights(context, name, checkpoint)
        # Whole per cent would move images where nobody moved a slider.
        exact = {head: learned[head] for head in weights} if untouched(weights, learned) else weights
        ranked, data = rank(context, name or "", checkpoint, exact)
    except RewardError as error:
        return cards.problem("These weights can't be used", str(error))
    parts = [("The best", ranked[:MOST_SHOWN])]
    if len(ranked) > MOST_SHOWN:
        parts.append(("The last", ranked[-MOST_SHOWN:]))
    blocks = "".join(
        f'<h3 class="studio-sub">{title}</h3><div class="studio-wall">{"".join(_tile(one, data) for one in some)}</div>'
        for title, some in parts
    )
    rows = [
        [image_name(data.data.files[one.number]), f"{one.place}", f"{one.before}", *_two(one.score, one.score_before)]
        for one in ranked[:MOST_LISTED]
    ]
    unseen = f"The run's {len(ranked)} validation images, each scored by a model that has not seen its prompt."
    known = usable_checkpoint(context, name or "", checkpoint).metrics if checkpoint == "best" else {}
    told = [*_fit(data, weights, learned, known), unseen]
    return markup.notes(told) + blocks + markup.behind(COLUMNS, rows, "The ranking as a table")


def save(context: Context, name: str | None, checkpoint: str, weights: Mapping[str, float], as_name: str) -> str:
    """Save a checkpoint with these weights as the run `as_name`; returns a card that says so, or what is wrong."""
    try:
        found = usable_checkpoint(context, name or "", checkpoint)
        folder = context.roots.run_folder(as_name)
        if folder.exists():
            raise RewardError(f"There is a run called {folder.name} already; choose another name.")
        run = origin(found.folder)
        own = context.shelf.use(found.folder, lambda model: model.with_head_weights(weights, run))
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.tmp-", dir=folder.parent) as place:
            aside = Path(place) / folder.name  # a place of its own: another person may save under this name just now
            own.save_pretrained(aside / "best")
            aside.rename(folder)
    except RewardError as error:
        return cards.problem("The checkpoint was not saved", str(error))
    except OSError as error:
        taken = error.errno in (errno.ENOTEMPTY, errno.EEXIST)
        why = f"There is a run called {as_name.strip()} already; choose another name." if taken else str(error.strerror)
        return cards.problem("The checkpoint was not saved", why)
    told = f"It is in {folder / 'best'} and stands among the runs above; its config.json tells which model it is from."
    return cards.done(f"Saved as {folder.name}. {told}")


def untouched(weights: Mapping[str, float], learned: Mapping[str, float]) -> bool:
    """Whether the sliders, in whole per cent, stand where the model's own weights put them."""
    return all(value == round(100 * learned[head]) for head, value in weights.items())


def _fit(
    found: "Validated", weights: Mapping[str, float], learned: Mapping[str, float], metrics: Mapping[str, Any]
) -> list[str]:
    """How well the weights order the validation pairs, by scores of models that hadn't seen the images.

    Args:
        metrics: of the checkpoint, as Results shows them; empty where they are of other scores.
    """
    combined = metrics.get("combined")
    reported = combined if isinstance(combined, dict) and number(combined.get("accuracy")) is not None else {}
    result = share(reported.get("accuracy"))
    in_folds = metrics.get("evaluation") == "out-of-fold"
    # The model's own weights were fitted to the prompts of all folds: measured there, they would look like a gain.
    fitted = (
        f"Results says {result}: there the weights of each fold are fitted to the other folds, not to these prompts."
    )
    right = f"what is right says: {found.data.target}"
    if reported and untouched(weights, learned):
        sure = _sure(span(reported.get("accuracy_interval")))
        pairs = reported.get("pairs")
        told = f"These are the model's own weights: {result}{sure} of {pairs} validation pairs are in the right order"
        return [f"{told}, as in Results; {right}."]
    mine, own = _measured(found, weights), _measured(found, {h: w for h, w in learned.items() if not math.isnan(w)})
    told = f"With these weights {share(mine.accuracy)}{_sure(span(mine.accuracy_interval))} of {mine.pairs} validation"
    lines = [f"{told} pairs are in the right order; {right}."]
    if reported and in_folds:
        lines.append(
            f"The model's own weights, fitted to these very prompts, reach {share(own.accuracy)} here. {fitted}"
        )
    return lines


def _sure(interval: str) -> str:
    return f" (95 % interval {interval})" if interval else ""


def _measured(found: "Validated", weights: Mapping[str, float]) -> "PairMetrics":
    import numpy as np

    from reward.metrics import pair_metrics

    pairs = found.data.combined.inside(found.measured).decided()
    combined = _combined(found.scores, weights)
    delta = combined[pairs.first] - combined[pairs.second]
    return pair_metrics(delta, pairs.label, pairs.prompt, np.ones(len(pairs), dtype=bool))


def _two(*values: float) -> list[str]:
    return [f"{value:.3f}" for value in values]


def _tile(one: Ranked, found: "Validated") -> str:
    file = found.data.files[one.number]
    moved = one.before - one.place
    arrow = "" if not moved else f" ▲ {moved}" if moved > 0 else f" ▼ {-moved}"
    try:
        image = cards.picture(file, 160, image_name(file))
    except ValueError:
        image = ""
    words = f"<figcaption>{one.place}. {one.score:.2f}{arrow}</figcaption>"
    return f'<figure title="{escape(image_name(file))}">{image}{words}</figure>'
