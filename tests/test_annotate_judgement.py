"""Every check that a rating passes, with the message a person reads when it fails."""

import math

import pytest

from annotate.errors import BadRequestError
from annotate.judgement import Rating, check_annotator, check_rating
from reward.aspects import HEADS

FULL: dict[str, object] = dict.fromkeys(HEADS, 5.0)


def check(
    ratings: object = None, cannot: object = (), name: object = "Ada", seconds: object = 1, key: str = "k" * 8
) -> Rating:
    return check_rating(1, name, FULL if ratings is None else ratings, cannot, seconds, key)  # type: ignore[arg-type]  # wrong kinds are the point


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, "Style must be a number, not 'True'"),
        ("7", "Style must be a number, not '7'"),
        ([7], "Style must be a number"),
        (math.nan, "Style must lie between 0 and 10, not at nan"),
        (math.inf, "Style must lie between 0 and 10, not at inf"),
        (10**400, "Style must lie between 0 and 10, not at inf"),
        (-0.1, "Style must lie between 0 and 10, not at -0.1"),
        (10.1, "Style must lie between 0 and 10, not at 10.1"),
        (7.25, "Style must be on a step of 0.1, not at 7.25"),
        (None, "Not rated yet: Style. Rate each head or mark it as can't judge."),
    ],
)
def test_a_wrong_value_is_named(value: object, message: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        check({**FULL, "style": value})
    assert message in str(caught.value)


def test_every_step_of_the_scale_is_taken_as_it_is() -> None:
    for tenth in range(101):
        assert check({**FULL, "style": tenth / 10}).values[2] == tenth / 10
    assert check({**FULL, "style": 0.1 + 0.2}).values[2] == 0.3
    assert math.copysign(1, check({**FULL, "style": -0.0}).values[2] or 0.0) == 1


def test_each_head_is_rated_or_marked_but_not_both() -> None:
    rating = check({**FULL, "icono": None}, ["icono", "icono"])
    assert (rating.values[1], rating.unjudged) == (None, ("icono",))
    with pytest.raises(BadRequestError) as caught:
        check({}, ["icono"])
    assert "Not rated yet: Spatial, Style, Fidelity, Material." in str(caught.value)
    with pytest.raises(BadRequestError) as caught:
        check(FULL, ["icono"])
    assert "Iconographic is both rated and marked" in str(caught.value)


@pytest.mark.parametrize("where", ["ratings", "cannot"])
def test_an_unknown_head_is_named(where: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        check({**FULL, "beauty": 3} if where == "ratings" else None, ["beauty"] if where == "cannot" else [])
    assert "There is no head 'beauty'; the heads are spatial, icono, style, fidelity, material." in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "1 to 64 characters"),
        ("   ", "1 to 64 characters"),
        ("x" * 65, "1 to 64 characters"),
        ("a\nb", "control characters"),
        ("a\x00b", "control characters"),
        ("a\u2028b", "control characters"),
        ("a\ud800b", "control characters"),
        ("=cmd()", "spreadsheets would run it"),
        ("+1", "spreadsheets would run it"),
        ("-1", "spreadsheets would run it"),
        ("@a", "spreadsheets would run it"),
        ("Edited-CSV", "is kept for corrections"),
    ],
)
def test_a_name_that_can_not_be_stored_is_refused(name: str, message: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        check_annotator(name)
    assert message in str(caught.value)


def test_other_names_are_kept() -> None:
    for name in ('O\'Brien "Bob"', "x" * 64, "李雷", "a=b", "<b>", "simulated-1"):
        assert check_annotator(name) == name
    assert check_annotator(" Zoe\u0308 ") == "Zoë"


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, "3", True, 10**9])
def test_a_wrong_time_is_refused(seconds: object) -> None:
    with pytest.raises(BadRequestError) as caught:
        check(seconds=seconds)
    assert "seconds must be a number" in str(caught.value)


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "has space", "ümlaut-key"])
def test_a_wrong_key_is_refused(key: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        check(key=key)
    assert "key must be 8 to 64 letters" in str(caught.value)
