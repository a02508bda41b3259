"""The rooms of the analysis tab without their components, on models that were really trained."""

from pathlib import Path

import pytest
from dashboards_helpers import make_context

from dashboards import versus
from dashboards.context import Context
from reward.config import TrainConfig
from reward.training import train
from tests.planted import plant


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a run on it, and one of pairs mode."""
    place = tmp_path_factory.mktemp("rooms")
    planted = plant(place / "data", prompts=12, images=4)
    told = {"pairs": planted.pairs, "backbone": "pixelstats", "epochs": 2, "folds": 3}
    list(train(TrainConfig(output=place / "outputs/first", ratings=planted.ratings, **told)))
    list(train(TrainConfig(output=place / "outputs/overall", mode="pairs", **told)))
    return place


@pytest.fixture
def context(place: Path) -> Context:
    return make_context(place / "data", place / "outputs")


def test_a_waterfall_ends_where_the_combined_difference_is(context: Context) -> None:
    prompts = versus.prompts_of(context, "first")
    assert len(prompts) == 12
    first, second, *_ = versus.images_of(context, "first", "p3")
    answer = versus.compare(context, "first", "best", ("p3", first, second), [])
    assert answer.versus is not None
    *steps, whole = reversed(answer.figure().data)
    assert sum(step.x[0] for step in steps) == pytest.approx(whole.x[0], abs=1e-6)
    assert steps[-1].base[0] + steps[-1].x[0] == pytest.approx(whole.x[0], abs=1e-6)
    assert "The model expects people to prefer" in answer.card
    assert "95 % interval" in answer.card
    assert "is ahead of" in answer.card


def test_uploads_are_compared_with_a_run_of_pairs_too(context: Context, place: Path) -> None:
    files = [str(file) for file in sorted((place / "data/images/p1").glob("*.png"))]
    answer = versus.compare(context, "overall", "best", (None, None, None), files)
    assert answer.versus is not None
    assert answer.versus.parts == ()
    alone = versus.compare(context, "first", "best", (None, None, None), files[:1])
    assert "add the other one" in alone.card


@pytest.mark.parametrize("image", ["/etc/hostname", "../../secret.png", "p4/0.png", None])
def test_only_images_of_the_prompt_can_be_chosen(context: Context, image: str | None) -> None:
    answer = versus.compare(context, "first", "best", ("p3", "p3/0.png", image), [])
    assert answer.versus is None
    assert "none of this prompt" in answer.card


def test_a_run_on_data_outside_the_folders_shows_no_image(place: Path, tmp_path: Path) -> None:
    elsewhere = make_context(tmp_path, place / "outputs")
    answer = versus.compare(elsewhere, "first", "best", ("p3", "p3/0.png", "p3/1.png"), [])
    assert "outside the folders that may be read here" in answer.card
    allowed = make_context(tmp_path, place / "outputs", place / "data")
    assert versus.compare(allowed, "first", "best", ("p3", "p3/0.png", "p3/1.png"), []).versus is not None
