"""Agreement: α by hand and by the reference, intervals that cover, planted people told apart, real people's figures."""

import time

import krippendorff
import numpy as np
import pytest

from annotate import agreement
from annotate.agreement import Agreement
from annotate.alpha import head_agreements
from annotate.disputed import disputed_at, most_disputed
from annotate.rated import Rated, rated_of_table
from annotate.raters import PersonReport, person_reports
from reward.aspects import HEADS
from reward.raters import PersonRatings, RaterModel
from reward.ratings import read_ratings
from tests.planted import plant


def rated_of(table: np.ndarray, an_image: int = 4, seconds: float | None = None) -> Rated:
    """From (images, people) for the first head alone, or (images, people, heads); `an_image` images a prompt."""
    cells = table if table.ndim == 3 else np.full((*table.shape, len(HEADS)), np.nan)
    if table.ndim == 2:
        cells[..., 0] = table
    image, person = (part.ravel() for part in np.indices(cells.shape[:2]))
    values = cells.reshape(-1, len(HEADS))
    given = ~np.isnan(values).all(axis=1)
    names = [f"person {number:02d}" for number in range(cells.shape[1])]
    people = PersonRatings(image[given], person[given], values[given], names)
    spent = np.full(given.sum(), np.nan if seconds is None else seconds)
    images = len(cells)
    return Rated(people, np.arange(images) // an_image, spent, np.arange(images) + 1)


def test_alpha_of_four_ratings_by_hand() -> None:
    # Images rated (1, 3) and (5, 5): D_o = (2·4 + 0) / 4 = 2; all pairs of 1, 3, 5, 5: D_e = 2·44 / (4·3) = 22/3.
    head = head_agreements(rated_of(np.array([[1.0, 3.0], [5.0, 5.0], [2.0, np.nan]])))[0]
    assert head.alpha == pytest.approx(1 - 2 / (22 / 3))
    assert (head.images, head.people, head.prompts) == (2, 2, 1)
    assert head.interval is None
    assert "1 prompts, 10 are needed" in head.note


def test_alpha_is_the_reference_implementations() -> None:
    random = np.random.default_rng(5)
    table = np.clip(random.uniform(1, 9, (60, 1)) + random.normal(0, 2, (60, 6)), 0, 10).round(1)
    table[random.random(table.shape) < 0.5] = np.nan
    found = head_agreements(rated_of(table))[0]
    assert found.alpha == pytest.approx(krippendorff.alpha(table.T, level_of_measurement="interval"), abs=1e-12)
    assert found.interval is not None
    assert found.interval[0] < found.alpha < found.interval[1]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([[5.0, np.nan], [np.nan, 3.0]], "no image was rated by two people"),
        ([[5.0, 5.0], [5.0, 5.0]], "everybody gave the same rating"),
    ],
)
def test_too_little_is_said_in_words(table: list[list[float]], words: str) -> None:
    head = head_agreements(rated_of(np.array(table)))[0]
    assert (head.alpha, head.interval, head.word) == (None, None, "too little")
    assert words in head.note


def test_nobody_rated_anything() -> None:
    none = PersonRatings(np.empty(0, int), np.empty(0, int), np.empty((0, len(HEADS))), [])
    nothing = Rated(none, np.empty(0, int), np.empty(0), np.empty(0, int))
    found = Agreement.of(nothing)
    assert not found.comparable
    assert found.people == []
    assert {head.note for head in found.heads} == {"nobody rated anything"}
    assert most_disputed(nothing) == []


def test_the_interval_covers_the_alpha_that_was_planted() -> None:
    random, hits, rounds = np.random.default_rng(3), 0, 120
    of_prompt, of_image, noise = 1.0, 1.5, 1.2
    truth = (of_prompt**2 + of_image**2) / (of_prompt**2 + of_image**2 + noise**2)
    for number in range(rounds):
        quality = np.repeat(random.normal(5, of_prompt, 40), 4) + random.normal(0, of_image, 160)
        table = quality[:, None] + random.normal(0, noise, (160, 4))
        interval = head_agreements(rated_of(table), seed=number)[0].interval
        assert interval is not None
        hits += interval[0] <= truth <= interval[1]
    assert 0.88 <= hits / rounds <= 0.99


def planted_people(seed: int = 1) -> tuple[Rated, dict[str, int]]:
    """160 images by people of whom some are out of the ordinary; returns their numbers by what is odd about them."""
    random = np.random.default_rng(seed)
    odd = {"high": 0, "narrow": 1, "random": 2, "constant": 3, "one mark": 4, "against": 5}
    quality = random.uniform(2, 8, (160, len(HEADS)))
    table = quality[:, None, :] + random.normal(0, 0.8, (160, 9, len(HEADS)))
    table[:, odd["high"]] += 1.5
    table[:, odd["narrow"]] = 5 + 0.3 * (table[:, odd["narrow"]] - 5)
    table[:, odd["random"]] = random.uniform(0, 10, (160, len(HEADS)))
    table[:, odd["constant"]] = 7
    table[:, odd["one mark"]] = quality.mean(axis=1, keepdims=True) + random.normal(0, 0.1, (160, len(HEADS)))
    table[:, odd["against"]] = 10 - table[:, odd["against"]]
    return rated_of(np.clip(table, 0, 10).round(1)), odd


def test_planted_people_are_told_apart() -> None:
    rated, odd = planted_people()
    reports = person_reports(rated)
    by = {name: reports[number] for name, number in odd.items()}
    plain = [report for number, report in enumerate(reports) if number not in odd.values()]
    model = RaterModel.of(rated.people, rated.images)
    assert by["high"].bias == pytest.approx(tuple(fit.bias[0] for fit in model.fits))
    assert by["high"].mean_bias == pytest.approx(np.mean(by["high"].bias))
    assert by["high"].mean_bias - np.mean([one.mean_bias for one in plain]) == pytest.approx(1.5, abs=0.2)
    assert by["narrow"].spread < 0.5 * by["narrow"].others_spread
    assert plain[0].spread == pytest.approx(np.hypot(6 / 12**0.5, 0.8), abs=0.1)
    assert by["one mark"].halo > 0.95
    assert abs(plain[0].halo) < 0.1
    assert by["one mark"].others_halo < 0.4
    assert {name for name in odd if by[name].no_signal} == {"random", "constant", "against"}
    assert "includes 0" in by["random"].no_signal[0]
    assert by["constant"].no_signal == ("gives every image 7 on every aspect",)
    assert by["against"].no_signal[0].startswith("goes against the others (correlation -0.")
    assert all(one.no_signal == one.notes == () for one in plain)
    assert all(0.5 < one.interval[0] < one.correlation < one.interval[1] for one in plain)


def test_correlation_is_that_within_prompts_with_the_mean_of_the_others() -> None:
    random = np.random.default_rng(2)
    table = (random.uniform(2, 8, (80, 1)) + random.normal(0, 1, (80, 4))).round(1)
    table[random.random(table.shape) < 0.3] = np.nan
    one = person_reports(rated_of(table))[2]
    with np.errstate(invalid="ignore"):
        rest = np.delete(table, 2, axis=1)
        others = np.array([np.nanmean(row) if (~np.isnan(row)).any() else np.nan for row in rest])
    both = ~np.isnan(table[:, 2]) & ~np.isnan(others)
    x, y, prompt = table[both, 2], others[both], (np.arange(80) // 4)[both]
    within = [(values - np.array([values[prompt == p].mean() for p in prompt])) for values in (x, y)]
    assert one.correlation == pytest.approx(np.corrcoef(*within)[0, 1])
    assert one.shared == both.sum()


def test_quick_people_and_two_people_and_few_images() -> None:
    random = np.random.default_rng(4)
    noise = random.uniform(0, 10, (60, 2)).round(1)
    quick = person_reports(rated_of(noise, seconds=1.2))
    assert all("takes 1.2 s an image" in one.no_signal[1] for one in quick)
    assert all("of two it can't be told whose fault" in one.no_signal[0] for one in quick)
    few = person_reports(rated_of(noise[:8]))[0]
    assert few.no_signal == ()
    assert few.notes == ("8 images in common with others are too few to judge by; 20 are needed",)
    alone = noise.copy()
    alone[:30, 0], alone[30:, 1] = np.nan, np.nan
    report = person_reports(rated_of(alone))[0]
    assert report.notes == ("shares no image with others: nothing to compare",)
    assert report.bias[0] is None
    assert report.correlation is None


def test_repeats_tell_how_consistent_a_person_is() -> None:
    change = np.array([[0.5, -1.0, np.nan, 3.0, 0.0], [1.1, 0, 0, 0, 0]])
    rated = rated_of(np.array([[1.0, 2.0], [3.0, 3.0]]))
    rated = Rated(rated.people, rated.prompt, rated.seconds, rated.image_ids, np.array([1, 0]), change)
    other, one = person_reports(rated)
    assert (one.repeats, one.repeat_error, one.repeat_within) == (4, pytest.approx(4.5 / 4), 0.75)
    assert (other.repeats, other.repeat_within) == (5, 0.8)


def test_the_most_disputed_images_come_first() -> None:
    table = np.full((4, 3, len(HEADS)), np.nan)
    table[0, :, 0] = (1, 9, 5)
    table[1, :, 0] = (4, 5, 6)
    table[2, :2, 1] = (0, 10)
    table[3, 0, 0] = 2
    rated = rated_of(table)
    found = most_disputed(rated)
    assert [(one.image_id, one.head) for one in found] == [(3, "icono"), (1, "spatial"), (2, "spatial")]
    assert found[1].ratings == (("person 01", 9), ("person 02", 5), ("person 00", 1))
    assert (found[1].low, found[1].high, found[1].mean, found[1].spread) == (1, 9, 5, 4)
    assert [one.image_id for one in most_disputed(rated, ["spatial"], most=1)] == [1]
    assert [one.image_id for one in most_disputed(rated, without=[(3, "icono")])] == [1, 2]
    alone = disputed_at(rated, 4, "spatial")
    assert alone is not None
    assert alone.spread is None
    assert disputed_at(rated, 4, "style") is disputed_at(rated, 99, "style") is None


def test_ten_thousand_images_by_fifty_people_take_seconds() -> None:
    random = np.random.default_rng(0)
    quality, bias = random.uniform(1, 9, (10_000, 1, 5)), random.normal(0, 0.8, (50, 5))
    rated = rated_of(np.clip(quality + bias + random.normal(0, 1, (10_000, 50, 5)), 0, 10).round(1))
    started = time.process_time()
    found = Agreement.of(rated)
    assert time.process_time() - started < 12  # two on an idle machine; this only catches another order of magnitude
    assert all(head.images == 10_000 and head.interval for head in found.heads)


def test_real_people(avt, capsys: pytest.CaptureFixture[str]) -> None:
    """The published α of all 27 prompts: icono .54, style .30, fidelity .34, material .46; these are 20 of them."""
    file = avt / "ratings_per_annotator.csv"
    found = Agreement.of(rated_of_table(read_ratings(file, check_images=False)))
    alphas = [head.alpha for head in found.heads]
    assert alphas[0] is None
    assert alphas[1:] == pytest.approx([0.54, 0.28, 0.30, 0.38], abs=0.006)
    assert [one.name for one in found.people if one.no_signal] == ["b50"]
    assert agreement.main(["--ratings", str(file), "--most", "1"]) == 0
    printed = capsys.readouterr().out
    assert "Iconographic     0.54     0.45 – 0.62     100       20      22" in printed
    assert "NO SIGNAL: does not follow the others (correlation -0.14" in printed
    assert printed.count("people differ: ") == 1


def test_the_command_says_what_it_needs(avt, capsys: pytest.CaptureFixture[str]) -> None:
    assert agreement.main([]) == 2
    assert agreement.main(["--ratings", str(avt / "multihead_ratings.csv")]) == 2
    assert "no annotator column" in capsys.readouterr().err


def test_planted_raters_of_pictures(tmp_path) -> None:
    planted = plant(tmp_path, prompts=12, images=4)
    reports = person_reports(rated_of_table(read_ratings(planted.ratings, check_images=False)))
    assert [one.name for one in reports] == ["anna", "bo", "chen", "dora", "emil", "fay"]
    given = np.array([one.bias for one in reports], dtype=float)
    assert np.corrcoef(given.ravel(), planted.bias.ravel())[0, 1] > 0.97
    assert all(isinstance(one, PersonReport) and not one.no_signal for one in reports)
