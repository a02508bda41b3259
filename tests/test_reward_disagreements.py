"""Why model and people differ on a pair of the combined score, from ratings in which the reason is planted."""

from pathlib import Path

import numpy as np
import pytest
from dashboards_helpers import make_context, write_run

from dashboards import disputes
from reward.aspects import HEADS
from reward.config import TrainConfig
from reward.dataset import read_dataset
from reward.disagreements import COMBINED, Disagreement, Reason, disagreements
from reward.unseen import Validated
from tests.planted import write_rows
from tests.reward_inputs import draw_prompts, write_ratings

Marks = dict[str, tuple[list[float], list[float]]]  # by person, of a prompt's first and second image

# In each prompt the first image has the better mean.
OPPOSED: Marks = {"ann": ([9, 8, 9, 8, 9], [2, 3, 2, 3, 2]), "bo": ([3, 4, 3, 4, 3], [5, 6, 5, 6, 5])}
AGREED: Marks = {"ann": ([9, 8, 9, 8, 9], [2, 3, 2, 3, 2]), "bo": ([7, 8, 7, 8, 7], [5, 6, 5, 6, 5])}
CLOSE: Marks = {"ann": ([6, 6, 6, 6, 6], [5, 6, 6, 5, 5]), "bo": ([7, 7, 7, 7, 7], [6, 6, 6, 7, 6])}
ONE_HEAD_FOR_IT: Marks = {"ann": ([9, 5, 5, 5, 5], [1, 6, 6, 5, 5]), "bo": ([8, 4, 4, 4, 4], [2, 5, 5, 4, 4])}
ALONE: Marks = {"ann": ([9, 8, 9, 8, 9], [2, 3, 2, 3, 2])}


def rated(root: Path, prompts: list[Marks], *, named: bool = True) -> Validated:
    """Two images a prompt, rated so, and a model that prefers the second of each, a little less from one to the next.

    Without names a file has the means over people.
    """
    images = draw_prompts(root, len(prompts), 2)
    rows: list[list[object]] = []
    means = {}
    for n, image in enumerate(images):
        marks = {who: both[n % 2] for who, both in prompts[n // 2].items() if both[n % 2]}
        rows += [[*image, *values, who] for who, values in marks.items()]
        means[n] = np.mean(list(marks.values()), axis=0).tolist()
    path = root / "ratings.csv"
    path = write_rows(path, rows) if named else write_ratings(path, images, means)
    data = read_dataset(TrainConfig(output=root / "run", ratings=path, backbone="pixelstats"))
    combined = np.array([0.0 if n % 2 == 0 else 6.3 - n / 100 for n in range(len(data.files))])
    scores = np.repeat(combined[:, None], len(HEADS), axis=1)
    everything = np.ones(len(combined), dtype=bool)
    return Validated(data, scores, [""] * len(combined), everything, scores, scores, combined)


def told(root: Path, prompts: list[Marks], head: str = COMBINED, *, named: bool = True) -> list[Disagreement]:
    found, wrong = disagreements(rated(root, prompts, named=named), head)
    assert wrong == len(found) == len(prompts)
    return found


def test_people_who_order_a_pair_in_opposite_ways_are_told_of_the_combined_score(tmp_path: Path) -> None:
    opposed, agreed, close, one_head = told(tmp_path, [OPPOSED, AGREED, CLOSE, ONE_HEAD_FOR_IT])
    assert opposed.reason is Reason.PEOPLE_DIFFER
    assert opposed.said == (pytest.approx((8.6, 2.4)), pytest.approx((3.4, 5.4)))
    assert opposed.ratings == pytest.approx((6.0, 3.9))
    assert agreed.reason is Reason.MODEL_WRONG
    assert close.reason is Reason.CLOSE
    assert one_head.reason is Reason.MODEL_WRONG  # what counts is a person's mean over heads, not a head
    assert [one.reason for one in told(tmp_path, [OPPOSED, AGREED], "style")] == [opposed.reason, agreed.reason]


def test_a_person_is_heard_on_the_heads_that_they_rated_on_both_images(tmp_path: Path) -> None:
    nan = float("nan")
    found = rated(tmp_path, [AGREED])
    people = found.data.by_person
    assert people is not None
    row = np.flatnonzero((people.image == 0) & (people.person == people.names.index("bo")))
    people.values[row] = [nan, nan, 4, nan, nan]
    assert disagreements(found, COMBINED)[0][0].said[1] == (4, 5)
    assert disagreements(found, COMBINED)[0][0].reason is Reason.PEOPLE_DIFFER
    people.values[row] = nan
    assert len(disagreements(found, COMBINED)[0][0].said) == 1


def test_a_shifted_rater_is_told_of_the_combined_score_too(tmp_path: Path) -> None:
    """Cy rates everything 4 points higher, and of the last pair the first image alone."""
    usual: Marks = {"ann": ([5] * 5, [2] * 5), "bo": ([5] * 5, [2] * 5), "cy": ([9] * 5, [6] * 5)}
    last = told(tmp_path, [*[usual] * 6, {"ann": ([4] * 5, [4] * 5), "cy": ([8] * 5, [])}])[-1]
    assert last.ratings == (6, 4)
    assert last.reason is Reason.RATER_SHIFTED


@pytest.mark.parametrize("head", [COMBINED, "style"])
def test_where_people_aren_t_told_apart_nobody_says_that_they_agree(tmp_path: Path, head: str) -> None:
    first, close = told(tmp_path / "unnamed", [OPPOSED, CLOSE], head, named=False)
    assert (first.said, first.reason) == ((), Reason.UNKNOWN)
    assert close.reason is Reason.CLOSE
    (alone,) = told(tmp_path / "alone", [ALONE], head)
    assert (len(alone.said), alone.reason) == (1, Reason.UNKNOWN)


def test_the_room_says_what_is_known_of_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(disputes.REMEDIES) == set(Reason)
    write_run(tmp_path / "outputs/first")
    context = make_context(tmp_path, tmp_path / "outputs")
    for name, named in (("named", True), ("unnamed", False)):
        found = rated(tmp_path / name, [OPPOSED, AGREED], named=named)
        monkeypatch.setattr(context.desk, "validated", lambda _, found=found: found)
        card = disputes.disputes(context, "first", COMBINED).card
        assert "Combined gets 2 validation pairs wrong." in card
        assert ("1 where people differ" in card) == named
        assert ("people agree;" in card) == named
        assert ("2 where agreement unknown" in card) != named
        assert ("of 2 people 1 order them as the mean does, 1 the other way round" in card) == named
        assert "rated 6.00" in card
        assert "The model is over 99 % sure of the wrong order" in card
