"""Where in the picture a score comes from: an image in; the picture and a map a head beside it out."""

import base64
import io
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashboards import cards, markup
from dashboards.analysis import usable_checkpoint
from dashboards.chartstyle import label_of
from dashboards.context import Context
from dashboards.desk import image_name
from dashboards.versus import images_of
from reward.errors import RewardError, shown

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from reward.model import MultiHeadReward

COVER: Final = "cover"
GRADIENTS: Final = "gradients"
METHODS: Final = (("Cover patches (any backbone)", COVER), ("Pixel gradients (OpenCLIP)", GRADIENTS))
_UNITS: Final = {COVER: "score points lost when covered", GRADIENTS: "points a unit of pixel change"}
_PIXELS: Final = 320
_RAISES: Final = (230, 97, 1)  # orange and purple: told apart by the colour-blind too (ColorBrewer PuOr)
_LOWERS: Final = (94, 60, 153)


def maps(
    context: Context,
    name: str | None,
    checkpoint: str,
    chosen: tuple[str | None, str | None],
    uploads: Sequence[str],
    method: str,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """The picture and a map a head as a card; what is wrong is said instead.

    Args:
        chosen: (prompt, image) of the run, where nothing is uploaded.
    """
    from reward.images import load_rgb

    try:
        file = Path(uploads[0]) if uploads else _of_run(context, name, chosen)
        if file is None:
            return cards.empty("No image yet", "Choose an image of the run, or drop one of your own.")
        found = usable_checkpoint(context, name or "", checkpoint)
        image = load_rgb(file)
        told = context.shelf.use(found.folder, lambda model: _maps(model, image, method, on_progress))
    except (RewardError, ValueError) as error:
        return cards.problem("This image can't be mapped", str(error))
    image.thumbnail((_PIXELS, _PIXELS))
    words = f"<figcaption>{escape(file.name)}</figcaption>"
    original = f"<figure>{cards.picture(file, _PIXELS, image_name(file))}{words}</figure>"
    most = max(float(abs(values).max()) for values in told.values())
    drawn = "".join(_figure(image, head, values, most) for head, values in told.items())
    rows = [[label_of(head), *_largest(values)] for head, values in told.items()]
    unit = _UNITS[method]
    table = markup.behind(("Score", f"Largest ({unit})", "Where", "Smallest", "Where"), rows)
    scale = _scale(most, method)
    told_by = f"Scores by {found.run.name}, {checkpoint}/."  # drawing takes long: another run may be chosen by now
    notes = markup.notes([told_by, *_explained(method)])
    return f'{notes}{scale}<div class="studio-maps">{original}{drawn}</div>{table}'


def _of_run(context: Context, name: str | None, chosen: tuple[str | None, str | None]) -> Path | None:
    """The image that is chosen; of a prompt alone its first one: the list of images may not have filled yet."""
    if not chosen[0]:
        return None
    files = images_of(context, name, chosen[0])
    if not chosen[1]:
        return next(iter(files.values()), None)
    if chosen[1] not in files:
        raise RewardError(f"{shown(str(chosen[1]))} is none of this prompt's images.")
    return files[str(chosen[1])]


def _maps(
    model: "MultiHeadReward", image: "Image.Image", method: str, on_progress: Callable[[int, int], None]
) -> "dict[str, np.ndarray]":
    from reward.occlusion import COMBINED, gradient_map, occlusion_maps

    if method == GRADIENTS:
        names = [*(head for head in model.config.heads if head in model.config.trained), COMBINED]
        return {head: gradient_map(model, image, head) for head in names}
    if method != COVER:
        raise RewardError(f"There is no method called {shown(method)}.")
    return occlusion_maps(model, image, on_progress=on_progress)


def _explained(method: str) -> list[str]:
    if method == GRADIENTS:
        return ["Stronger orange: the score answers more to small changes of these pixels, in either direction."]
    return ["Orange: without this patch the score falls, so it speaks for the image; purple: it speaks against it."]


def _scale(most: float, method: str) -> str:
    """The colours' meaning, the same for all maps."""
    lowest = "0" if method == GRADIENTS else f"−{most:.3g}"
    shades = [_RAISES] if method == GRADIENTS else [_LOWERS, _RAISES]
    ends = [f"rgb({red} {green} {blue})" for red, green, blue in shades]
    colours = f"{ends[0]}, #9993, {ends[1]}" if len(ends) > 1 else f"#9993, {ends[0]}"
    return (
        f'<div class="studio-scale"><span>{lowest}</span><i style="background:linear-gradient(90deg, {colours})"></i>'
        f"<span>{most:.3g}</span><em>{escape(_UNITS[method])}; one scale for all maps</em></div>"
    )


def _figure(image: "Image.Image", head: str, values: "np.ndarray", most: float) -> str:
    told = escape(f"{label_of(head)}: up to {float(abs(values).max()):.3g}")
    source = _overlay(image, values, most)
    return f'<figure><img alt="{told}" src="{source}"><figcaption>{told}</figcaption></figure>'


def _overlay(image: "Image.Image", values: "np.ndarray", most: float) -> str:
    """The picture in grey under the map, as a data URI."""
    import numpy as np
    from PIL import Image as Pictures

    share = values / (most or 1)
    strength = Pictures.fromarray((np.abs(share) * 255).astype(np.uint8)).resize(
        image.size, Pictures.Resampling.NEAREST
    )
    sign = Pictures.fromarray(((share > 0) * 255).astype(np.uint8)).resize(image.size, Pictures.Resampling.NEAREST)
    alpha = np.asarray(strength, dtype=float)[..., None] / 255 * 0.8
    colour = np.where(np.asarray(sign)[..., None] > 127, np.array(_RAISES), np.array(_LOWERS))
    grey = np.asarray(image.convert("L").convert("RGB"), dtype=float)
    stream = io.BytesIO()
    Pictures.fromarray((grey * (1 - alpha) + colour * alpha).astype(np.uint8)).save(stream, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def _largest(values: "np.ndarray") -> list[str]:
    """The largest and the smallest value, each with its row and column from the top left."""
    import numpy as np

    cells = []
    for at in (values.argmax(), values.argmin()):
        row, column = np.unravel_index(at, values.shape)
        cells += [f"{values[row, column]:+.3f}", f"row {row + 1}, column {column + 1} of {values.shape[0]}"]
    return cells
