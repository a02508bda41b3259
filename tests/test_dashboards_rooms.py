"""The rooms of the analysis tab without their components, on models that were really trained."""

import asyncio
import csv
import io
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pyarrow.parquet as pq
import pytest
from dashboards_helpers import make_context, write_run

from annotate.alpha import head_agreements
from annotate.identity import Person, note_person
from annotate.project import open_project
from annotate.rated import rated_of_table
from annotate.store import Store
from dashboards import (
    analysis,
    disputes,
    figures,
    headtable,
    mixing,
    runactions,
    runpeople,
    scoring,
    twomodels,
    versus,
    weights,
    where,
)
from dashboards.context import Context
from dashboards.disputes_tab import build_disputes
from dashboards.report import main as report_main
from dashboards.rooms import Choice
from dashboards.runnotes import RunNotes, write_notes
from dashboards.runpeople import agreement_of
from dashboards.runs import list_runs
from dashboards.scoring_tab import build_scoring
from dashboards.versus_tab import build_versus
from dashboards.where_tab import build_where
from reward.aspects import HEADS
from reward.config import TrainConfig
from reward.disagreements import Reason, disagreements
from reward.errors import RewardError
from reward.model import MultiHeadReward
from reward.ratings import read_ratings
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


def test_an_upload_that_is_no_image_is_told_by_its_name_alone(context: Context, place: Path, tmp_path: Path) -> None:
    good = place / "data/images/p1/0.png"
    text, cut = tmp_path / "text.png", tmp_path / "cut.png"
    text.write_text("no picture")
    cut.write_bytes(good.read_bytes()[:-200])
    told = versus.compare(context, "first", "best", (None, None, None), [str(text), str(good)]).card
    assert "text.png: not an image that Pillow can read" in told
    assert str(tmp_path) not in told
    told = versus.compare(context, "first", "best", (None, None, None), [str(good), str(cut)]).card
    assert "cut.png: is cut off: its end is missing" in told


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
    results = headtable.share(analysis.report(context, "first", "best").metrics["combined"]["accuracy"])
    assert "own weights, fitted to these very prompts, reach 0." in card
    assert f"Results says {results}: there the weights of each fold are fitted to the other folds" in card


def test_the_models_own_weights_are_no_gain_over_results(context: Context) -> None:
    learned = weights.learned_weights(context, "first", "best")
    card = weights.ranking_card(context, "first", "best", {head: round(100 * one) for head, one in learned.items()})
    assert "▲" not in card
    assert "▼" not in card
    results = headtable.share(analysis.report(context, "first", "best").metrics["combined"]["accuracy"])
    assert f"These are the model&#x27;s own weights: {results} " in card
    assert "With these weights" not in card


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
    assert weights.save(context, "first", "best", OWN, "mine").startswith(
        '<div class="studio-done" role="status">Saved'
    )
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
    run = context.run("first")
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
    for column, words in (("style", "highest Style first"), (scoring.AS_GIVEN, "in the order given")):
        drawn = report.figure(column)
        first = [one for one in report.sorted_by(column) if not one.problem][: figures.MOST_BARS]
        assert list(drawn.data[-1].y) == [one.scores["combined"] for one in first]
        assert words in drawn.layout.title.subtitle.text
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


def test_leaving_the_folder_field_scores_nothing_twice(context: Context, place: Path) -> None:
    room = Room(context, lambda parts, choice, _: build_scoring(parts, (choice.run, choice.checkpoint)), "score")
    sort = next(one for one in room.events() if one.fn.__name__ == "shown")
    assert [one.elem_id for one in sort.outputs] == ["analyse-scores", "analyse-bars"]
    enter = next(one for one in room.events() if one.api_name == "score_images")
    leave = next(one for one in room.events() if one.fn.__name__ == "score" and one is not enter)
    assert enter.concurrency_id == leave.concurrency_id
    given = ("first", "best", None, str(place / "data/images/p1"), "combined")
    *_, asked = enter.fn(None, *given)
    assert enter.fn(None, *given) != [gr.skip()] * 6
    assert leave.fn(asked, *given) == [gr.skip()] * 6
    *_, report, asked = leave.fn(asked, *given[:3], str(place / "data/images/p2"), "combined")
    assert len(report.scores) == 4
    assert leave.fn(asked, *given) != [gr.skip()] * 6


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
        self._in_cell = tag in ("td", "th") or (self._in_cell and tag in ("abbr", "span", "small"))
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
    people = agreement_of(context.run(run), context.roots)
    wanted = [cell for row in headtable.table_rows(metrics, people) for cell in row]
    whole = len(wanted) + len(headtable.COLUMNS)
    assert page[:whole][-len(wanted) :] == wanted
    assert page[:whole] == found.cells[:whole]
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


def test_a_report_from_the_shell_says_that_a_run_is_not_whole(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(place / "outputs/first", tmp_path / "outputs/half", symlinks=True)
    config = tmp_path / "outputs/half/config.json"
    record = json.loads(config.read_text())
    for epochs, told in ((2, False), (7, True)):
        config.write_text(json.dumps(record | {"arguments": record["arguments"] | {"epochs": epochs}}))
        argv = [str(config.parent), "--output", str(tmp_path / "half.html"), "--no-pictures"]
        assert report_main(argv) == 0
        assert ("stopped or killed after 2 of 7 epochs" in (tmp_path / "half.html").read_text()) == told
    page = analysis.write_report(
        make_context(place / "data", tmp_path / "outputs"), "half", "best", tmp_path, pictures=False
    )
    assert "stopped or killed after 2 of 7 epochs" in page.read_text()
    capsys.readouterr()


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
    runs = [context.desk.validated(context.run(name)) for name in ("first", "again")]
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


def test_the_other_run_is_one_on_the_same_images_and_archived_ones_come_last(context: Context, tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    here = make_context(context.project.root, outputs)
    for name in ("first", "again"):
        shutil.copytree(context.roots.outputs / name, outputs / name, symlinks=True)
    write_run(outputs / "elsewhere")
    names = [name for _, name in analysis.run_choices(here)]
    assert names[0] == "elsewhere"
    assert twomodels.likely_other(here, "first", ["elsewhere", "again"]) == "again"
    assert twomodels.likely_other(here, "elsewhere", ["first", "again"]) is None
    write_notes(outputs / "elsewhere", RunNotes(archived=True))
    assert [name for _, name in analysis.run_choices(here)] == [*names[1:], "elsewhere"]
    assert analysis.run_choices(here)[-1][0].endswith(" · archived")


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
        sent = disputes.send_back(context, ours[0], "style", "Is it blurred?", "Rex")
        assert f'<div class="studio-done" role="status">{ours[0]} is in the rating queue.' in sent
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


def test_a_request_is_signed_by_the_account_that_is_signed_in(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "data/images", tmp_path / "images")
    shutil.copy(place / "data/prompts.csv", tmp_path / "prompts.csv")
    project = open_project(tmp_path)
    store = Store.open(project)
    try:
        context = replace(make_context(place / "data", place / "outputs"), project=project, store=store)
        room = Room(context, build_disputes, "disputes")
        ask = next(one for one in room.events() if one.api_name == "send_back")
        who = next(one for one in room.events() if [part.elem_id for part in one.outputs] == ["disputes-by"])
        for account, path, name in (("Ada", "p1/0.png", "Ada"), (None, "p2/0.png", "Somebody")):
            scope: dict[str, Any] = {}
            note_person(scope, Person(account, "reviewer"))
            request = SimpleNamespace(request=SimpleNamespace(scope=scope))
            assert "is in the rating queue" in ask.fn(path, "style", "Blurred?", "Somebody", request)
            field = who.fn(request)
            assert (field.get("value"), field.get("interactive")) == ((name, False) if account else (None, None))
            why = [task.why for task in store.next_tasks(f"rater of {path}") if task.image.path == path]
            assert why[0].startswith(f"{name} asks for one more rating")
    finally:
        store.close()


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


class Room:
    """One room alone on a page, whose events are called as the page calls them."""

    def __init__(self, context: Context, build: Any, room: str) -> None:
        asyncio.run(self._build(context, build, room))

    async def _build(self, context: Context, build: Any, room: str) -> None:
        # In a running loop: without one, Gradio makes one for each lock that it needs, and closes none.
        with gr.Blocks() as self._page:
            self.choice = Choice(gr.Dropdown([]), gr.Radio(["best", "last"]), gr.State(room))
            with gr.Tab(room, id=room) as self.tab:
                build(context, self.choice, self.tab)

    def events(self) -> list[Any]:
        """All events of the page."""
        return list(self._page.fns.values())

    def fire(self, part: Any, event: str, *values: Any) -> dict[str, Any]:
        """What the handlers of a component's event put into which element."""
        told: dict[str, Any] = {}
        for one in self.events():
            if (part._id, event) in one.targets:
                given = values[-len(one.inputs) :] if one.inputs else ()
                found = one.fn(*given)
                found = found if len(one.outputs) > 1 else [found]
                told |= dict(zip([str(output.elem_id) for output in one.outputs], found, strict=True))
        return told


@pytest.mark.parametrize("part", ["run", "checkpoint"])
def test_another_model_answers_anew_for_the_images_that_are_chosen(context: Context, part: str) -> None:
    room = Room(context, build_versus, "versus")
    changed = getattr(room.choice, part)
    chosen = ("p3", "p3/1.png", "p3/2.png", None)
    told = {run: room.fire(changed, "change", "versus", run, "best", *chosen) for run in ("first", "again")}
    for run, found in told.items():
        assert found["versus-prompt"]["value"] == "p3"
        assert [found[f"versus-{side}"]["value"] for side in "ab"] == ["p3/1.png", "p3/2.png"]
        assert found["versus-answer"] == versus.compare(context, run, "best", chosen[:3], []).card
    assert told["first"]["versus-table"] != told["again"]["versus-table"]
    gone = room.fire(changed, "change", "versus", "gone", "best", *chosen)
    assert "Nothing to compare yet" in gone["versus-answer"]
    assert gone["versus-table"] == ""


def test_a_room_that_is_opened_again_keeps_what_was_chosen(context: Context) -> None:
    room = Room(context, build_versus, "versus")
    again = room.fire(room.tab, "select", "first", "best", "p5", "p5/2.png", "p5/0.png", None)
    assert [again[f"versus-{name}"]["value"] for name in ("prompt", "a", "b")] == ["p5", "p5/2.png", "p5/0.png"]
    assert again["versus-a"]["choices"][0] == ("0.png", "p5/0.png")  # a narrow field shows what differs
    first = room.fire(room.tab, "select", "first", "best", None, None, None, None)
    assert first["versus-prompt"]["value"] == versus.prompts_of(context, "first")[0][1]
    assert first["versus-a"]["value"] != first["versus-b"]["value"]
    where_room = Room(context, build_where, "where")
    found = where_room.fire(where_room.tab, "select", "first", "p5", "p5/2.png")
    assert [found[f"where-{name}"]["value"] for name in ("prompt", "image")] == ["p5", "p5/2.png"]
    assert "where-maps" not in found


@pytest.mark.parametrize("part", ["run", "checkpoint"])
def test_maps_go_with_the_model_that_they_are_of(context: Context, part: str) -> None:
    room = Room(context, build_where, "where")
    told = room.fire(getattr(room.choice, part), "change", "where", "again", "p2", "p2/1.png")
    assert "No maps of this model yet" in told["where-maps"]
    assert "Draw the maps" in told["where-maps"]
    assert "Scores by again, last/." in where.maps(context, "again", "last", ("p2", "p2/1.png"), [], where.COVER)


@pytest.fixture
def own(place: Path, tmp_path: Path) -> Context:
    """A studio with a trained run and weights of one's own saved from it."""
    shutil.copytree(place / "outputs/first", tmp_path / "outputs/trained", symlinks=True)
    context = make_context(place / "data", tmp_path / "outputs")
    assert "Saved as mine" in weights.save(context, "trained", "best", OWN, "mine")
    return context


def test_weights_of_ones_own_have_the_data_of_the_run_that_they_are_from(own: Context, place: Path) -> None:
    assert [name for _, name in analysis.run_choices(own)] == ["trained", "mine"]
    assert "those of trained." in analysis.report(own, "mine", "best").table
    assert runactions.dependents(own, "trained") == ["mine"]
    assert runactions.dependents(own, "mine") == []
    again = {"mine": OWN, "mine_again": OWN | {"style": 90.0}}
    assert "Saved as mine_again" in weights.save(own, "mine", "best", again["mine_again"], "mine_again")
    (own.roots.outputs / "trained").rename(own.roots.outputs / "renamed")
    for name, given in again.items():
        assert versus.prompts_of(own, name) == versus.prompts_of(own, "renamed")
        answer = versus.compare(own, name, "best", ("p3", "p3/0.png", "p3/1.png"), [])
        assert answer.versus is not None
        assert "no probability can be told" in answer.card
        ranked, _ = weights.rank(own, name, "best", given)
        assert all(one.place == one.before for one in ranked)
        assert "validation pairs are in the right order" in weights.ranking_card(own, name, "best", given)
        heads = [disputes.disputes(own, run, "style").card for run in (name, "renamed")]
        assert heads[0] == heads[1]
        assert "Choose a head" in disputes.disputes(own, name, "combined").card
        assert mixing.mixing(own, name)[2] == mixing.mixing(own, "renamed")[2]
        report = scoring.score(own, name, "best", [str(place / "data/images/p1/0.png")])
        assert report.scores[0].percentile is not None
        told = twomodels.compare(own, ("renamed", "best"), (name, "best"), []).heads
        assert [one.head for one in told] == list(HEADS)


def test_weights_that_name_no_run_are_told_by_their_heads(own: Context) -> None:
    file = own.roots.outputs / "mine/best/config.json"
    config = json.loads(file.read_text())
    del config["lineage"]["run"]
    file.write_text(json.dumps(config))
    assert versus.prompts_of(own, "mine") == versus.prompts_of(own, "trained")
    shutil.rmtree(own.roots.outputs / "trained")
    with pytest.raises(RewardError, match="no run here has these heads"):
        versus.prompts_of(own, "mine")


def test_every_room_says_that_the_run_behind_such_weights_is_gone(own: Context, place: Path) -> None:
    shutil.rmtree(own.roots.outputs / "trained")
    gone = "These weights were saved from run trained, which is no longer there"
    assert gone in analysis.report(own, "mine", "best").table
    assert gone in weights.ranking_card(own, "mine", "best", OWN)
    assert gone in disputes.disputes(own, "mine", "style").card
    assert gone in mixing.mixing(own, "mine")[0]
    assert gone in analysis.errors(own, "mine", "style")[0]
    with pytest.raises(RewardError, match=gone):
        versus.prompts_of(own, "mine")
    files = [str(place / f"data/images/p1/{number}.png") for number in range(2)]
    assert versus.compare(own, "mine", "best", (None, None, None), files).versus is not None
    report = scoring.score(own, "mine", "best", files)
    assert report.any_scored
    assert gone in report.card


def test_the_head_table_tells_how_far_people_agree(own: Context, place: Path, tmp_path: Path) -> None:
    ratings, width = place / "data/multihead_ratings.csv", len(headtable.COLUMNS)
    style = next(one for one in head_agreements(rated_of_table(read_ratings(ratings))) if one.head == "style")
    assert style.interval is not None
    for name in ("trained", "mine"):
        cells = Loaded(analysis.report(own, name, "best").table).cells[: 7 * width]
        at = cells.index("People's α")
        shown = {cells[start]: cells[start + at] for start in range(width, 7 * width, width)}
        assert shown["Style"] == f"{style.alpha:.2f} ({style.interval[0]:.2f} – {style.interval[1]:.2f})"
        assert shown["Combined"] == "–"
    trained = own.run("trained")
    elsewhere = make_context(tmp_path, own.roots.outputs).roots
    assert agreement_of(trained, elsewhere)["style"].alpha == style.alpha  # of the run's own copy
    shutil.rmtree(trained.folder / "inputs")
    runpeople._agreement.cache_clear()
    assert agreement_of(trained, own.roots)["style"].alpha == style.alpha  # where it was
    assert agreement_of(trained, make_context(tmp_path / "data", own.roots.outputs).roots) == {}
    changed = {str(ratings): "0" * 64}
    (trained.folder / "config.json").write_text(json.dumps(trained.config | {"inputs": changed}))
    assert agreement_of(trained, own.roots) == {}
