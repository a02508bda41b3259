"""The five aspects of a picture that people rate: one table for CSV columns, sliders, charts and model cards."""

from dataclasses import dataclass
from typing import Final

MIN_RATING: Final = 0.0
MAX_RATING: Final = 10.0
RATING_STEP: Final = 0.1


@dataclass(frozen=True)
class Band:
    """A named stretch of the 0–10 scale: `low` ≤ rating < `high` (the last band includes 10)."""

    name: str
    label: str
    low: float
    high: float


BANDS: Final = (
    Band("poor", "0–3", 0.0, 4.0),
    Band("average", "4–6", 4.0, 7.0),
    Band("good", "7–8", 7.0, 9.0),
    Band("excellent", "9–10", 9.0, 10.0),
)


@dataclass(frozen=True)
class Aspect:
    """One head of the reward model.

    `anchors` describes the four `BANDS` in order. `colour` is the head's own in every slider and chart: the hues of
    Okabe and Ito's colour-blind safe palette (2008), made lighter or darker until each has a contrast of 3:1 against
    the light and the dark panels alike, and any two differ by ΔE00 ≥ 12 with and without colour blindness.
    """

    name: str
    label: str
    description: str
    rubric: str
    anchors: tuple[str, str, str, str]
    colour: str

    @property
    def column(self) -> str:
        """The head's column in a ratings CSV."""
        return f"{self.name}_rating"


ASPECTS: Final = (
    Aspect(
        "spatial",
        "Spatial",
        "composition and layout",
        "Is everything where it should be: framing, balance, perspective, use of the space?",
        (
            "cramped, tilted or cut off; the eye finds no place",
            "readable, but unbalanced or plain",
            "balanced and well framed",
            "composed with intent; nothing to move",
        ),
        "#4394E5",
    ),
    Aspect(
        "icono",
        "Iconographic",
        "symbols, narrative, objects",
        "Does it show what the prompt asks for: the right objects, story and symbols, and nothing foreign?",
        (
            "the subject is missing, hidden or wrong",
            "the subject is there, with wrong or foreign things",
            "all that was asked for, small slips",
            "exactly what was asked for, and it tells it",
        ),
        "#C13015",
    ),
    Aspect(
        "style",
        "Style",
        "technique and colour",
        "Do technique and palette work: harmony of colours, consistent and skilful handling?",
        (
            "harsh, muddy or broken colours; no consistent style",
            "a style, but flat or uneven",
            "pleasing palette, consistent handling",
            "masterly handling and palette",
        ),
        "#B94994",
    ),
    Aspect(
        "fidelity",
        "Fidelity",
        "sharpness, noise, artifacts",
        "Is it technically clean: sharp where it should be, no noise, blocks, halos or deformations?",
        (
            "blurred, noisy or full of artifacts",
            "visible faults without zooming in",
            "clean; faults only on a close look",
            "flawless at full size",
        ),
        "#147E62",
    ),
    Aspect(
        "material",
        "Material",
        "texture and light",
        "Do surfaces and light convince: texture, shading, reflections, depth?",
        (
            "flat or plastic; light makes no sense",
            "some texture, dull or uneven light",
            "convincing surfaces and light",
            "you could touch it",
        ),
        "#BE8B11",
    ),
)

HEADS: Final = tuple(aspect.name for aspect in ASPECTS)
RATING_COLUMNS: Final = tuple(aspect.column for aspect in ASPECTS)
BY_NAME: Final = {aspect.name: aspect for aspect in ASPECTS}


def band(rating: float) -> Band:
    """The band a rating (0–10) falls into.

    Raises:
        ValueError: the rating is outside 0–10.
    """
    if not MIN_RATING <= rating <= MAX_RATING:
        raise ValueError(f"a rating is between {MIN_RATING:g} and {MAX_RATING:g}, not {rating}")
    return next((b for b in BANDS if rating < b.high), BANDS[-1])
