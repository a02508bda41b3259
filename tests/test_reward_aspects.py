"""The table of aspects and the bands of the scale."""

import pytest

from reward.aspects import ASPECTS, BANDS, HEADS, RATING_COLUMNS, band


def test_the_published_heads_and_columns() -> None:
    assert HEADS == ("spatial", "icono", "style", "fidelity", "material")
    assert tuple(f"{head}_rating" for head in HEADS) == RATING_COLUMNS


@pytest.mark.parametrize(
    ("rating", "name"),
    [(0, "poor"), (3.9, "poor"), (4, "average"), (6.9, "average"), (7, "good"), (9, "excellent"), (10, "excellent")],
)
def test_bands(rating: float, name: str) -> None:
    assert band(rating).name == name


@pytest.mark.parametrize("rating", [-0.1, 10.1, float("nan")])
def test_a_rating_outside_the_scale_has_no_band(rating: float) -> None:
    with pytest.raises(ValueError) as caught:
        band(rating)
    assert "between 0 and 10" in str(caught.value)


def test_every_aspect_describes_every_band_and_has_a_colour_of_its_own() -> None:
    assert all(len(aspect.anchors) == len(BANDS) for aspect in ASPECTS)
    assert len({aspect.colour for aspect in ASPECTS}) == len(ASPECTS)
