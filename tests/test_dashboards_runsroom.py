"""The room of runs: the table, what is wrong with a run, notes, rename, delete, zip; with real folders."""

import json
import shutil
import time
import zipfile
from dataclasses import replace
from html import unescape
from importlib.util import find_spec
from pathlib import Path

import pytest
from dashboards_helpers import make_context, make_project, write_run
from safetensors.numpy import save_file

from dashboards import comparison, growth, runactions, runs_tab, watch
from dashboards.context import Context
from dashboards.jobfiles import Job, write_job, write_json
from dashboards.jobstate import JobState, JobStatus
from dashboards.runlist import BACKBONE, BEST, F1, LOSS, NAME, SORTS, STATE, STATES, RunRow, RunShelf, chosen_rows
from dashboards.runnotes import RunNotes, read_notes
from dashboards.runs import read_run
from dashboards.runtable import run_table, sparkline
from reward.checkpoints import RunFolder
from reward.claim import claimed
from reward.config import TrainConfig
from reward.errors import InterruptedTrainingError, RewardError
from reward.events import Finished
from reward.training import train
from tests.reward_inputs import simple_ratings


@pytest.fixture
def context(tmp_path: Path) -> Context:
    make_project(tmp_path / "data")
    for name in ("first", "second"):
        whole_run(tmp_path / "outputs" / name)
    return make_context(tmp_path / "data", tmp_path / "outputs")


def whole_run(folder: Path) -> Path:
    """A run whose checkpoints have weights, by the schema."""
    import numpy as np

    write_run(folder)
    for checkpoint in (folder / "checkpoints").iterdir():
        (checkpoint / "config.json").write_text(json.dumps({"format_version": 1}))
        save_file({"centre": np.zeros(3, dtype=np.float32)}, checkpoint / "model.safetensors")
        (checkpoint / "training_state.safetensors").write_bytes(b"x")
    (folder / "raters.json").write_text("{}")
    return folder


def job_of(context: Context, run: Path, code: int | None = 0) -> Path:
    folder = context.board.folder / "20260101-120000-abcdef"
    folder.mkdir(parents=True)
    write_job(Job(folder.name, folder, (), run, time.time() - 3600))
    if code is not None:
        write_json(folder / "exit.json", {"code": code, "time": time.time()})
    return folder


def row(context: Context, name: str) -> RunRow:
    return next(row for row in context.runs.rows() if row.name == name)


def test_runs_are_listed_sorted_and_filtered(context: Context, tmp_path: Path) -> None:
    runactions.set_note(context, "second", "with corrected ratings")
    rows = context.runs.rows()
    assert [one.name for one in chosen_rows(rows, sort=NAME)] == ["first", "second"]
    assert [one.name for one in chosen_rows(rows, "CORRECTED pixel")] == ["second"]
    assert row(context, "first").curve == pytest.approx([0.67, 0.69, 0.71, 0.73])
    assert row(context, "first").accuracy == pytest.approx(0.71)
    better = tmp_path / "outputs/second/best/metrics.json"
    content = json.loads(better.read_text())
    content["combined"]["accuracy"] = 0.99
    better.write_text(json.dumps(content))
    assert [one.name for one in chosen_rows(context.runs.rows(), sort=BEST)] == ["second", "first"]
    runactions.set_archived(context, "second", True)
    assert [one.name for one in chosen_rows(context.runs.rows())] == ["first"]
    assert len(chosen_rows(context.runs.rows(), archived=True)) == 2
    html = run_table(context.runs.rows(), {}, 2)
    assert html.count("<polyline") == 2
    assert "with corrected ratings" in html
    assert "No run matches" in run_table([], {}, 2)
    assert "No runs yet" in run_table([], {}, 0)
    assert sparkline([None, 0.5]) == ""


def test_files_that_differ_are_named_without_their_folders(context: Context) -> None:
    for name, sha256 in (("first", "1" * 64), ("second", "2" * 64)):
        config = context.roots.outputs / name / "config.json"
        config.write_text(json.dumps({"arguments": {}, "inputs": {f"/a/{name}/ratings.csv": sha256}}))
    table = comparison.compare(context, ["first", "second"]).arguments_table()
    assert f"sha256 of ratings.csv</th><td>{'1' * 12}</td><td>{'2' * 12}</td>" in table


def sorted_names(rows: list[RunRow], by: str, jobs: dict[Path, JobStatus] | None = None) -> list[str]:
    return [one.name for one in chosen_rows(rows, sort=by, jobs=jobs)]


def test_runs_are_sorted_by_every_figure_and_those_without_come_last(context: Context) -> None:
    one, two = context.runs.rows()
    bare = replace(one, run=replace(one.run, name="bare", folder=Path("bare")), f1=None, loss=None, accuracy=None)
    rows = [bare, replace(one, f1=0.7, loss=0.6), replace(two, f1=0.8, loss=0.7)]
    assert sorted_names(rows, F1) == [two.name, one.name, "bare"]
    assert sorted_names(rows, LOSS) == [one.name, two.name, "bare"]
    assert sorted_names(rows, BEST)[-1] == "bare"
    other = replace(two, run=replace(two.run, config={"backbone": {"spec": "a-backbone"}}))
    assert sorted_names([one, other], BACKBONE) == [two.name, one.name]
    job_of(context, two.run.folder, None)
    jobs = context.board.by_output()
    unfinished = replace(two, wanted=99)
    assert str(jobs[two.run.folder.absolute()].state) == "lost"
    assert sorted_names([one, unfinished], STATE, jobs) == [two.name, one.name]
    assert all(chosen_rows(rows, sort=by) for by in SORTS)


def test_every_state_has_its_place() -> None:
    assert {str(state) for state in JobState} <= set(STATES)


def test_two_hundred_runs_are_all_in_the_table(context: Context) -> None:
    first = row(context, "first")
    rows = [replace(first, run=replace(first.run, name=f"run{number}")) for number in range(200)]
    html = run_table(rows, {}, 200)
    assert html.count("<polyline") == 200
    assert "200 runs." in html
    assert "2 of 200 runs." in run_table(rows[:2], {}, 200)
    assert "the first 500 are shown" in run_table(rows * 3, {}, 600)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        (
            "best/config.json",
            b'{"format_version": 99}',
            "it has format 99, this version reads up to 1: update the studio",
        ),
        ("best/model.safetensors", b"\0" * 40, "model.safetensors is damaged"),
        ("best/metrics.json", b"rubbish", "metrics.json is damaged: it is not JSON"),
        ("best/metrics.json", b"[]", "metrics.json is damaged: it holds no JSON object"),
        ("config.json", b"{", "config.json is damaged: it is not JSON"),
        ("metrics.jsonl", b"\xff\xfe\n{]\n", "metrics.jsonl is damaged: 2 lines of it are no epoch's figures"),
        ("metrics.jsonl", b'{"epoch": 1, "heads": {}}\n{"epoch": 2, "hea', ""),
        ("studio.json", b"7", ""),
    ],
)
def test_a_damaged_run_is_named_and_harms_no_other(context: Context, file: str, content: bytes, words: str) -> None:
    (context.roots.outputs / "first" / file).write_bytes(content)
    html = run_table(context.runs.rows(), context.board.by_output(), 2)
    assert (f"first: {words}" in unescape(html)) == bool(words)
    assert "second:" not in html
    assert comparison.compare(context, ["first", "second"]).runs
    assert comparison.compare(context, ["first", "second"]).arguments_table()


def test_weights_set_by_hand_have_no_figures_and_no_fault(context: Context) -> None:
    best = context.roots.outputs / "by_hand" / "best"
    shutil.copytree(context.roots.outputs / "first" / "best", best)
    (best / "metrics.json").unlink()
    (best / "config.json").write_text(json.dumps({"format_version": 1, "lineage": {"weights": {"style": 1.0}}}))
    found = row(context, "by_hand")
    assert (found.problem, found.accuracy, found.state(None)) == ("", None, "weighed by hand")


def test_a_weights_file_that_was_cut_off_is_found(context: Context) -> None:
    weights = context.roots.outputs / "first/best/model.safetensors"
    assert row(context, "first").problem == ""
    weights.write_bytes(weights.read_bytes()[:-4])
    assert "model.safetensors is damaged" in row(context, "first").problem


def test_a_run_is_read_again_only_where_it_changed(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = RunShelf(context.roots.outputs)
    before = shelf.rows()
    assert [a is b for a, b in zip(before, shelf.rows(), strict=True)] == [True, True]
    runactions.set_note(context, "first", "seen")
    after = {one.name: one for one in shelf.rows()}
    assert after["first"].notes.note == "seen"
    assert after["second"] in before


def test_renaming_takes_the_jobs_along(context: Context) -> None:
    job = job_of(context, context.roots.outputs / "first")
    runactions.set_note(context, "first", "kept")
    assert runactions.rename(context, "first", " third ") == "third"
    assert not (context.roots.outputs / "first").exists()
    assert read_notes(context.roots.outputs / "third") == RunNotes("kept")
    assert context.board.find(job.name).output == context.roots.outputs / "third"
    assert row(context, "third").state(context.board.of_run(context.roots.outputs / "third")) == "finished"


@pytest.mark.parametrize("name", ["second", "../third", "", "a/b", "/tmp/x", ".hidden"])
def test_a_name_that_is_taken_or_leads_elsewhere_is_refused(context: Context, name: str) -> None:
    with pytest.raises(RewardError):
        runactions.rename(context, "first", name)
    assert sorted(path.name for path in context.roots.outputs.iterdir()) == ["first", "second"]


@pytest.mark.parametrize("name", ["../data", "..", "/etc", "nothing", ""])
def test_no_action_takes_a_name_that_is_no_run(context: Context, name: str, tmp_path: Path) -> None:
    for act in (
        lambda: runactions.set_note(context, name, "x"),
        lambda: runactions.set_archived(context, name, True),
        lambda: runactions.rename(context, name, "new"),
        lambda: runactions.delete(context, name, name),
        lambda: runactions.write_zip(context, name, tmp_path),
        lambda: runactions.push(context, name, "a/b", private=True),
    ):
        with pytest.raises(RewardError):
            act()
    assert "studio-problem" in watch.go_on(context, name)
    assert "studio-problem" in comparison.compare(context, ["first", name]).message


def test_deleting_asks_for_the_name_and_leaves_nothing(context: Context) -> None:
    job = job_of(context, context.roots.outputs / "first")
    with pytest.raises(RewardError, match="type its name: first"):
        runactions.delete(context, "first", "second")
    assert (context.roots.outputs / "first").is_dir()
    runactions.delete(context, "first", " first ")
    assert [path.name for path in context.roots.outputs.iterdir()] == ["second"]
    assert not job.exists()


def test_what_is_at_work_is_neither_renamed_nor_deleted(context: Context) -> None:
    folder = context.board.folder / "20260101-120000-abcdef"
    folder.mkdir(parents=True)
    write_job(Job(folder.name, folder, (), context.roots.outputs / "first", time.time()))
    with pytest.raises(RewardError, match="first is not over: it is starting"):
        runactions.rename(context, "first", "third")
    with pytest.raises(RewardError, match="Stop it first"):
        runactions.delete(context, "first", "first")
    assert "already" in watch.go_on(context, "first") or "studio-problem" in watch.go_on(context, "first")


def asked_for_its_curve(context: Context, name: str, code: int | None = 1) -> Path:
    """What a learning curve leaves beside the studio: at work, or failed with this exit code."""
    place = context.board.folder / "learning-curves" / name
    place.mkdir(parents=True)
    write_job(Job(name, place, (), context.roots.outputs / name / growth.RESULT, time.time()))
    (place / "log.txt").write_text("it failed so\n")
    if code is not None:
        write_json(place / "exit.json", {"code": code, "time": time.time()})
    return place


def test_a_learning_curve_goes_with_its_run(context: Context) -> None:
    asked_for_its_curve(context, "third").rename(context.board.folder / "learning-curves/left")  # of a run long gone
    asked_for_its_curve(context, "third")
    asked_for_its_curve(context, "first")
    runactions.rename(context, "first", "third")
    assert "it failed so" in growth.look(context, "third").card
    whole_run(context.roots.outputs / "first")
    assert "Nobody has asked yet" in growth.look(context, "first").card
    runactions.delete(context, "third", "third")
    whole_run(context.roots.outputs / "third")
    assert "Nobody has asked yet" in growth.look(context, "third").card


def test_a_run_whose_curve_is_being_found_stays(context: Context) -> None:
    asked_for_its_curve(context, "first", code=None)
    for act in (
        lambda: runactions.rename(context, "first", "third"),
        lambda: runactions.delete(context, "first", "first"),
    ):
        with pytest.raises(RewardError, match="The learning curve of first is being found"):
            act()
    assert (context.roots.outputs / "first").is_dir()


def test_the_curve_of_a_run_that_was_removed_by_hand_is_not_shown_of_the_next_one(context: Context) -> None:
    asked_for_its_curve(context, "first")
    config = context.roots.outputs / "first/config.json"
    for created, words in (("2020-01-01T00:00:00+00:00", "it failed so"), ("2999-01-01T00:00:00+00:00", "Nobody has")):
        config.write_text(json.dumps({"created": created}))
        assert words in growth.look(context, "first").card


def test_a_run_that_a_shell_trains_is_left_alone(context: Context) -> None:
    folder = context.roots.outputs / "first"
    (folder / "config.json").write_text(json.dumps({"arguments": {"epochs": 15}}))
    with claimed(folder):
        assert row(context, "first").state(None) == "running"
        assert not runs_tab._one(context, "first")[3]["visible"]
        for act in (
            lambda: runactions.rename(context, "first", "third"),
            lambda: runactions.delete(context, "first", "first"),
            lambda: runactions.set_archived(context, "first", True),
        ):
            with pytest.raises(RewardError, match="first is not over: it is being trained from a shell"):
                act()
        assert "is at work already" in watch.go_on(context, "first")
    assert row(context, "first").state(None) == "unfinished"
    assert runs_tab._one(context, "first")[3]["visible"]
    runactions.delete(context, "first", "first")


@pytest.mark.parametrize("absolute", [True, False])
def test_a_run_from_a_shell_is_gone_on_with_by_its_own_words(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absolute: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    started: list[list[str]] = []
    monkeypatch.setattr(context.board, "start", lambda told, output: started.append(told))
    ratings = tmp_path / "data/annotations/multihead_ratings.csv"
    given = str(ratings if absolute else ratings.relative_to(tmp_path))
    recorded = {"mode": "multihead", "ratings": given, "pairs": None, "output": "outputs/first", "epochs": 15}
    config = {"arguments": recorded | {"backbone": "pixelstats"}, "backbone": {"spec": "pixelstats"}}
    (context.roots.outputs / "first/config.json").write_text(json.dumps(config))
    assert runs_tab._one(context, "first")[3] == {"value": "Go on", "visible": True, "__type__": "update"}
    assert watch.go_on(context, "first") == ""
    told = started[0]
    assert told[told.index("--ratings") + 1] == given
    assert "--resume" in told
    monkeypatch.chdir(tmp_path / "data")
    if not absolute:
        (tmp_path / "data/data/annotations").mkdir(parents=True)
        (tmp_path / "data/data/annotations/multihead_ratings.csv").write_text("another one")
        monkeypatch.chdir(tmp_path / "outputs")
        assert "Go on with it there: the same command with --resume" in watch.go_on(context, "first")
        assert len(started) == 1


def test_a_run_killed_before_its_last_checkpoint_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context(tmp_path / "data", tmp_path / "outputs")
    output = context.roots.outputs / "cut"
    config = TrainConfig(
        ratings=make_project(tmp_path / "data"), output=output, backbone="pixelstats", epochs=2, folds=0, device="cpu"
    )
    save = RunFolder.save

    def cut_short(self: RunFolder, epoch: int, *more: object) -> None:
        if epoch == 2:
            raise KeyboardInterrupt  # as a kill: the line of metrics is there, the checkpoint is not
        save(self, epoch, *more)  # type: ignore[arg-type]  # handed on as they are

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "save", cut_short)
        with pytest.raises(KeyboardInterrupt):
            list(train(config))
    run = read_run(output)
    assert run is not None
    assert len((output / "metrics.jsonl").read_text().splitlines()) == 2
    assert not watch.finished(run)
    assert watch.resumable(run)
    started: list[list[str]] = []
    monkeypatch.setattr(context.board, "start", lambda told, output: started.append(told))
    assert watch.go_on(context, "cut") == ""
    for _ in range(2):  # the second time there is nothing left to do
        assert isinstance(list(train(replace(config, resume=True)))[-1], Finished)
        epochs = [json.loads(line)["epoch"] for line in (output / "metrics.jsonl").read_text().splitlines()]
        assert epochs == [1, 2]
    assert watch.finished(run)
    assert "nothing to go on with" in watch.go_on(context, "cut")
    job_of(context, output, -9)  # killed when all was done
    assert watch.go_on(context, "cut") == ""
    assert len(started) == 2


def test_a_run_is_gone_on_with_though_its_ratings_are_gone(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ratings = simple_ratings(tmp_path / "data", prompts=6, images=3)
    output = context.roots.outputs / "cut"
    told = TrainConfig(ratings=ratings, output=output, backbone="pixelstats", epochs=2, folds=0)
    with pytest.raises(InterruptedTrainingError):
        list(train(told, lambda: (output / "last").exists()))
    ratings.unlink()
    started: list[list[str]] = []
    monkeypatch.setattr(context.board, "start", lambda told, output: started.append(told))
    assert watch.go_on(context, "cut") == ""
    assert started[0][started[0].index("--ratings") + 1] == str(ratings)
    shutil.rmtree(output / "inputs")
    assert "there is no file" in watch.go_on(context, "cut")


def test_the_zip_has_what_can_be_used_and_names_nobody(context: Context, tmp_path: Path) -> None:
    (context.roots.outputs / "first/inputs").mkdir()
    (context.roots.outputs / "first/inputs/0-ratings_per_annotator.csv").write_text("prompt_id,image_path,annotator")
    file = runactions.write_zip(context, "first", tmp_path)
    with zipfile.ZipFile(file) as archive:
        assert sorted(archive.namelist()) == [
            *(f"first/best/{name}" for name in ("config.json", "metrics.json", "model.safetensors")),
            "first/config.json",
            *(f"first/last/{name}" for name in ("config.json", "metrics.json", "model.safetensors")),
            "first/metrics.jsonl",
        ]
        assert archive.testzip() is None


def test_tensorboards_files_are_written_and_go_into_the_zip(context: Context, tmp_path: Path) -> None:
    if find_spec("tensorboard") is None:
        with pytest.raises(RewardError, match="pip install tensorboard"):
            runactions.write_tensorboard(context, "first")
        place = context.roots.outputs / "first/tensorboard"
        assert not place.exists()
        place.mkdir()
        (place / "events.out.tfevents.1700000000.this-computer.1.0").write_bytes(b"x")
    else:
        assert runactions.write_tensorboard(context, "first") == 4
    with zipfile.ZipFile(runactions.write_zip(context, "first", tmp_path)) as archive:
        names = [name for name in archive.namelist() if "tensorboard" in name]
    assert names == ["first/tensorboard/events.out.tfevents.000"]


def test_no_tensorboard_files_of_a_run_that_is_at_work(context: Context) -> None:
    with claimed(context.roots.outputs / "first"), pytest.raises(RewardError, match="is not over"):
        runactions.write_tensorboard(context, "first")


def test_a_hub_name_is_checked_before_anything_is_loaded(context: Context) -> None:
    for name in ("", "model", "a/b/c", "a /b"):
        with pytest.raises(RewardError, match="is written user/name"):
            runactions.push(context, "first", name, private=True)


def test_what_differs_is_told_and_what_is_the_same_is_not(context: Context, tmp_path: Path) -> None:
    for name, epochs in (("first", 5), ("second", 15)):
        arguments = {"epochs": epochs, "seed": 0, "output": name}
        arguments |= {"pairs": None, "folds": None} if name == "first" else {"pairs": "p.jsonl", "folds": 3}
        content = {"arguments": arguments, "inputs": {"r.csv": "a" * 64}}
        (context.roots.outputs / name / "config.json").write_text(json.dumps(content))
    found = comparison.compare(context, ["first", "second"])
    told = found.arguments_table()
    assert "--epochs" in told
    assert "--pairs</th><td>none</td>" in told
    assert "--folds</th><td>automatic</td>" in told
    assert "--seed" not in told
    assert "--output" not in told
    assert "71.0%" in found.figures_table("combined")
    assert "no ratings" in found.figures_table("spatial")
    assert [len(figure.data) for figure in found.curves("style")] == [2, 2]
    assert "No epoch was measured" in str(found.curves("spatial")[0].layout.annotations)
    untold = comparison.differences(context, ["first", "second"], "combined")
    assert "can't be told" in untold
    assert "no head called" in comparison.differences(context, ["first", "second"], "x")
    assert "Choose two runs" in comparison.compare(context, ["first", "first"]).message
    assert "At most 8" in comparison.compare(context, [str(n) for n in range(9)]).message
