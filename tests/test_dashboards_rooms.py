"""The rooms of the analysis tab without their components, on models that were really trained."""

import csv
import io
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from dashboards_helpers import make_context

from annotate.project import open_project
from annotate.store import Store
from dashboards import analysis, disputes, figures, headtable, mixing, scoring, twomodels, versus, weights, where
from dashboards.context import Context
from dashboards.runs import list_runs
from reward.aspects import HEADS
from reward.config import TrainConfig
from reward.disagreements import Reason, disagreements
from reward.errors import RewardError
from reward.model import MultiHeadReward
from reward.training import train
from tests.planted import plant
from tests.reward_inputs import PROJECT


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a run on it, and one of pairs mode."""
    place = tmp_path_factory.mktemp("rooms")
    planted = plant(place / "data", prompts=12, images=4)
    told = {"pairs": planted.pairs, "backbone": "pixelstats", "epochs": 2, "folds": 3}
    list(train(TrainConfig(output=place / "outputs/first", ratings=planted.ratings, **told)))
    list(train(TrainConfig(output=place / "outputs/again", ratings=planted.ratings, **told | {"seed": 1})))
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
    assert answer.figure().layout.title.subtitle.text.endswith("n = 2 images; whiskers: the weight's 95 % interval")
    for step, (*_, part, bounds) in zip(steps, versus.rows(answer.versus, answer.weights), strict=False):
        low, high = (float(bound) for bound in bounds.split(" – "))
        assert low <= float(part) + 1e-3
        assert step.x[0] + step.error_x.array[0] == pytest.approx(high, abs=1e-3)
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


OWN = {"spatial": 50.0, "icono": 0.0, "style": 20.0, "fidelity": 20.0, "material": 10.0}


def test_the_ranking_is_by_these_weights_and_by_scores_of_models_that_have_not_seen_the_image(
    context: Context, place: Path
) -> None:
    ranked, data = weights.rank(context, "first", "best", OWN)
    model = MultiHeadReward.from_pretrained(place / "outputs/first/best").with_head_weights(OWN)
    assert model.get_head_importance() == pytest.approx({head: value / 100 for head, value in OWN.items()})
    scores = data.scores @ [OWN[head] / 100 for head in HEADS]
    assert [one.score for one in ranked] == pytest.approx(sorted(scores.tolist(), reverse=True), abs=1e-6)
    seen = model([str(file) for file in data.data.files])
    assert max(abs(scores - np.array(seen.tolist()))) > 0.05
    assert sorted(one.place for one in ranked) == sorted(one.before for one in ranked) == list(range(1, 49))
    learned = weights.learned_weights(context, "first", "best")
    assert all(one.place == one.before for one in weights.rank(context, "first", "best", learned)[0])
    card = weights.ranking_card(context, "first", "best", OWN)
    assert card.count("<figure") == 24
    assert "validation pairs are in the right order; what is right says: overall preferences" in card


def test_of_a_run_that_held_prompts_out_only_those_are_ranked(context: Context, place: Path, tmp_path: Path) -> None:
    ratings = json.loads((place / "outputs/first/config.json").read_text())["arguments"]["ratings"]
    told = {"ratings": Path(ratings), "backbone": "pixelstats", "epochs": 1, "val_fraction": 0.25}
    list(train(TrainConfig(output=tmp_path / "outputs/held", **told)))
    held = make_context(place / "data", tmp_path / "outputs")
    ranked, data = weights.rank(held, "held", "best", OWN)
    assert {one.number for one in ranked} == set(np.flatnonzero(data.measured))
    assert 0 < len(ranked) < len(data.data.files)
    model = MultiHeadReward.from_pretrained(tmp_path / "outputs/held/best").with_head_weights(OWN)
    scores = model([str(data.data.files[one.number]) for one in ranked])
    assert [one.score for one in ranked] == pytest.approx(scores.tolist(), abs=1e-4)
    card = weights.ranking_card(held, "held", "best", OWN)
    assert f"{len(ranked)} validation images, each scored by a model that has not seen its prompt." in card


def test_saved_weights_are_what_the_command_gives(context: Context, place: Path, tmp_path: Path) -> None:
    assert "Saved as mine" in weights.save(context, "first", "best", OWN, "mine")
    told = ",".join(f"{head}={value}" for head, value in OWN.items())
    command = [sys.executable, "-m", "reward.reweigh", "--model", place / "outputs/first/best", "--set-weights", told]
    subprocess.run([*command, "--output", tmp_path / "shell"], check=True, cwd=PROJECT, capture_output=True)
    for file in ("config.json", "model.safetensors", "README.md"):
        assert (place / "outputs/mine/best" / file).read_bytes() == (tmp_path / "shell" / file).read_bytes(), file
    assert json.loads((place / "outputs/mine/best/config.json").read_text())["lineage"]["weights"]["spatial"] == 0.5
    assert ("mine", "") in [(run.name, run.problem) for run in list_runs(place / "outputs")]
    report = analysis.report(context, "mine", "best")
    assert "Weights set by hand" in report.table
    assert "Spatial 50%" in report.table
    assert "a run called mine already" in weights.save(context, "first", "best", OWN, "mine")


@pytest.mark.parametrize("name", ["../mine", "/tmp/mine", ""])
def test_weights_are_saved_among_the_runs_alone(context: Context, name: str) -> None:
    assert "is not such a name" in weights.save(context, "first", "best", OWN, name)


def test_weights_that_can_t_be_are_refused(context: Context) -> None:
    for wrong in (dict.fromkeys(HEADS, 0.0), OWN | {"style": -1.0}, {"style": 1.0}):
        assert "These weights can" in weights.ranking_card(context, "first", "best", wrong)
    with pytest.raises(RewardError, match="no heads to weigh"):
        weights.learned_weights(context, "overall", "best")


def test_disagreements_are_the_pairs_in_the_wrong_order_largest_margin_first(context: Context) -> None:
    run = analysis.find_run(context, "first")
    found = context.desk.validated(run)
    metrics = json.loads((run.folder / "best/metrics.json").read_text())["heads"]["style"]
    told, wrong = disagreements(found, "style")
    assert 0 < wrong == len(told) < metrics["pairs"]
    assert [one.probability for one in told] == sorted(one.probability for one in told)
    for one in told:
        assert one.probability < 0.5
        assert one.ratings is not None
        assert one.ratings[0] - one.ratings[1] >= 0.5 - 1e-6
        agree, opinions = sum(a > b for a, b in one.said), sum(a != b for a, b in one.said)
        assert (one.reason is Reason.PEOPLE_DIFFER) == (opinions > 0 and agree / opinions < 2 / 3)
        if one.reason is Reason.CLOSE:
            assert one.ratings[0] - one.ratings[1] < 1
    card = disputes.disputes(context, "first", "style").card
    assert f"Style gets {wrong} validation pairs wrong." in card
    assert card.count("<figure>") == 2 * min(wrong, disputes.MOST_SHOWN)


def test_overall_disagreements_and_heads_that_are_none(context: Context) -> None:
    assert "validation pairs wrong" in disputes.disputes(context, "overall", "combined").card
    for run, head in (("overall", "style"), ("first", "beauty")):
        assert "has no head called" in disputes.disputes(context, run, head).card
    assert "There is no run called" in disputes.disputes(context, "gone", "style").card


def test_a_folder_is_scored_sorted_and_written_as_csv_and_parquet(
    context: Context, place: Path, tmp_path: Path
) -> None:
    broken = place / "data/images/p0/broken.png"
    broken.write_text("not a picture")
    seen: list[tuple[int, int]] = []
    report = scoring.score(context, "first", "best", [], str(place / "data/images"), lambda *done: seen.append(done))
    broken.unlink()
    assert seen[-1] == (48, 49)
    combined = [one.scores["combined"] for one in report.sorted_by("combined")[:-1]]
    assert combined == sorted(combined, reverse=True)
    assert report.sorted_by("combined")[0].percentile == pytest.approx(100 * 47 / 48)
    assert report.sorted_by("combined")[-2].percentile == 0
    table = report.table("style")
    assert "Best by Style" in table
    assert "1 could not be read" in table
    csv_file, parquet = scoring.write_files(context, report, tmp_path)
    rows = {row["image"]: row for row in csv.DictReader(io.StringIO(csv_file.read_text()))}
    assert len(rows) == 49
    assert rows["p0/broken.png"]["problem"] == "not an image that Pillow can read"
    assert parquet is not None
    frame = pq.read_table(parquet).to_pandas()
    assert list(frame.columns) == ["image", *HEADS, "combined"]
    for image, value in zip(frame["image"], frame["combined"], strict=True):
        assert float(rows[image]["combined"]) == pytest.approx(value, abs=1e-4)


def test_a_folder_outside_is_not_scored(context: Context) -> None:
    report = scoring.score(context, "first", "best", [], "/etc")
    assert "--allow" in report.trouble
    assert not report.any_scored


def test_maps_stand_beside_the_image_a_head_each(context: Context, place: Path) -> None:
    card = where.maps(context, "first", "best", ("p2", "p2/1.png"), [], where.COVER)
    assert card.count("<figure>") == 7
    assert "Combined: up to" in card
    assert "row " in card
    assert "train with an openclip backbone" in where.maps(
        context, "first", "best", ("p2", "p2/1.png"), [], where.GRADIENTS
    )
    for chosen, words in ((("p2", "/etc/hostname"), "none of this prompt"), ((None, None), "No image yet")):
        assert words in where.maps(context, "first", "best", chosen, [], where.COVER)
    assert "no method called" in where.maps(context, "first", "best", ("p2", "p2/1.png"), [], "magic")


class Loaded(HTMLParser):
    """What a page would fetch, run or show: references, scripts, and the texts of its tables' cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        self._in_cell = tag in ("td", "th") or (self._in_cell and tag in ("abbr", "span"))
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.cells[-1] += data


@pytest.mark.parametrize("run", ["first", "overall"])
def test_a_report_has_the_numbers_of_the_page_and_asks_nobody_for_anything(
    context: Context, place: Path, tmp_path: Path, run: str
) -> None:
    file = analysis.write_report(context, run, "best", tmp_path, pictures=True)
    text = file.read_text()
    found = Loaded(text)
    assert found.tags.isdisjoint({"script", "link", "iframe", "object", "embed", "form", "base", "a"})
    assert all(one.startswith("data:image/jpeg;base64,") for one in found.references)
    assert len(found.references) == 12
    assert not re.search(r"url\(|@import|https?://", text)
    assert "prefers-color-scheme: dark" in text
    assert file.stat().st_size < 400_000
    metrics = json.loads((place / "outputs" / run / "best/metrics.json").read_text())
    page = Loaded(analysis.report(context, run, "best").table).cells
    wanted = [cell for row in headtable.table_rows(metrics) for cell in row]
    assert page[: len(wanted) + 15][-len(wanted) :] == wanted
    assert page[: len(wanted) + 15] == found.cells[: len(wanted) + 15]
    card = (place / "outputs" / run / "best/README.md").read_text()
    for result in [*metrics.get("heads", {}).values(), metrics.get("combined"), metrics.get("overall")]:
        if result:
            for key in ("accuracy", "f1", "loss"):
                assert f"{result[key]:.3f}" in found.cells
                assert f" {result[key]:.3f} |" in card
    epochs = [json.loads(line) for line in (place / "outputs" / run / "metrics.jsonl").read_text().splitlines()]
    behind = [cell for row in figures.curve_rows(epochs) for cell in row]
    assert any(found.cells[at : at + len(behind)] == behind for at in range(len(found.cells)))
    assert re.search(r"For all heads together n = \d+ validation pairs of 12 prompts\.", text)
    facts = card.partition("## Data\n\n")[2].splitlines()[0]
    assert escape(facts) in text


def test_a_report_is_written_from_the_shell_too(place: Path, tmp_path: Path) -> None:
    written = tmp_path / "first.html"
    command = [sys.executable, "-m", "dashboards.report"]
    told = [place / "outputs/first", "--output", written, "--no-pictures"]
    done = subprocess.run([*command, *told], check=True, cwd=PROJECT, capture_output=True, text=True)
    assert done.stdout.strip() == f"{written}: {written.stat().st_size / 1000:,.0f} kB"
    assert Loaded(written.read_text()).references == []
    nothing = subprocess.run([*command, tmp_path, "--output", written], cwd=PROJECT, capture_output=True, text=True)
    assert nothing.returncode == 1
    assert nothing.stderr == f"{tmp_path} holds no run; name a folder below outputs\n"


def test_a_report_without_the_runs_images_says_why(place: Path, tmp_path: Path) -> None:
    elsewhere = make_context(tmp_path, place / "outputs")
    text = analysis.write_report(elsewhere, "first", "best", tmp_path, pictures=True).read_text()
    assert "outside the folders that may be read here" in text
    assert "<img" not in text
    with pytest.raises(RewardError, match="no run called"):
        analysis.write_report(elsewhere, "gone", "best", tmp_path, pictures=True)


def test_heads_of_independent_aspects_are_told_apart(context: Context) -> None:
    words, figure, table = mixing.mixing(context, "first")
    assert figure is not None
    assert len(figure.data[0].x) == 10
    assert table.count("<tr>") == 11
    assert "Below the diagonal the model" in words
    assert "single score" in mixing.mixing(context, "overall")[0]
    assert "no run called" in mixing.mixing(context, "gone")[0]


def test_two_models_are_compared_on_what_both_validated(context: Context) -> None:
    other = twomodels.compare(context, ("first", "best"), ("again", "best"), [])
    assert [one.head for one in other.heads] == [*HEADS, "combined"]
    style = other.of("style")
    assert style is not None
    runs = [context.desk.validated(analysis.find_run(context, name)) for name in ("first", "again")]
    sides = [one.scores[:, HEADS.index("style")] for one in runs]
    assert len(style.image) == 48
    assert style.mean_size == pytest.approx(abs(sides[0] - sides[1]).mean())
    assert 0.3 < style.correlation < 1
    told = other.told("style")
    assert told.count("<img") == 12
    assert f"{abs(sides[0] - sides[1]).max():.2f}" in told
    assert other.figure("style") is not None


def test_units_are_never_mixed(context: Context, place: Path) -> None:
    files = [str(file) for file in sorted((place / "data/images/p1").glob("*.png"))]
    mixed = twomodels.compare(context, ("first", "best"), ("overall", "best"), files)
    assert [(one.head, one.unit) for one in mixed.heads] == [("combined", "place among these images, 0–100")]
    assert "overall scores preferences, not rating points" in mixed.card
    assert sorted(mixed.heads[0].first) == pytest.approx([0, 100 / 3, 200 / 3, 100])
    validated = twomodels.compare(context, ("first", "best"), ("overall", "best"), [])
    assert [(one.head, one.unit) for one in validated.heads] == [("combined", "log-odds against the prompt's mean")]
    assert "Not both models have this" in validated.told("style")
    both = twomodels.compare(context, ("first", "best"), ("again", "best"), files)
    assert {one.unit for one in both.heads} == {"rating points"}


def test_models_that_can_t_be_compared(context: Context) -> None:
    for second, words in (
        ((None, "best"), "Choose another run"),
        (("first", "best"), "the same checkpoint"),
        (("first", "last"), "drop images to compare them on"),
        (("gone", "best"), "no run called"),
    ):
        assert words in twomodels.compare(context, ("first", "best"), second, []).told("style")


def test_an_image_goes_back_to_the_queue(place: Path) -> None:
    project = open_project(place / "data")
    store = Store.open(project)
    try:
        context = replace(make_context(place / "data", place / "outputs"), project=project, store=store)
        files = disputes.disputes(context, "first", "style").files
        ours = disputes.to_ask_for(context, files)
        assert ours
        assert "is in the rating queue" in disputes.send_back(context, ours[0], "style", "Is it blurred?", "Rex")
        assert "in the queue already" in disputes.send_back(context, ours[0], "style", "Is it blurred?", "Rex")
        first = store.next_tasks("Ada")[0]
        assert first.image.path == ours[0]
        assert first.why == "Rex asks for one more rating: “Is it blurred?”. Look at Style above all."
        for image, head, note, by in (
            ("../secret.png", "style", "", "Rex"),
            (ours[0], "beauty", "", "Rex"),
            (ours[0], "style", "x" * 201, "Rex"),
            (ours[0], "style", "", ""),
        ):
            assert "The image was not sent back" in disputes.send_back(context, image, head, note, by)
    finally:
        store.close()
    assert disputes.to_ask_for(make_context(place / "outputs", place / "outputs"), files) == []


def test_maps_share_one_scale(context: Context) -> None:
    card = where.maps(context, "first", "best", ("p2", None), [], where.COVER)
    assert card.count("<figure>") == 7
    most = re.search(r"−([\d.]+)</span>", card)
    assert most is not None
    assert f"<span>{most[1]}</span><em>score points lost when covered; one scale for all maps" in card
    largest = max(float(value) for value in re.findall(r"up to ([\d.]+)<", card))
    assert float(most[1]) == pytest.approx(largest)


def test_two_people_who_save_at_once_don_t_meet(context: Context, place: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda _: weights.save(context, "first", "best", OWN, "at_once"), range(2)))
    assert sum("Saved as at_once" in card for card in told) == 1
    assert sum("a run called at_once already" in card for card in told) == 1
    assert MultiHeadReward.from_pretrained(place / "outputs/at_once/best").config.lineage
    assert list((place / "outputs").glob(".at_once*")) == []
    report = analysis.report(context, "at_once", "best")
    first = json.loads((place / "outputs/first/best/metrics.json").read_text())
    assert report.metrics["heads"] == first["heads"]
    assert "weights set by hand" in report.table
