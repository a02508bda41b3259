"""Pieces of HTML: the numbers they show, and that nothing from outside becomes markup."""

from pathlib import Path

import pytest
from dashboards_helpers import make_images, metrics_line, write_run

from dashboards import cards, forecastcard, headtable, markup, runcards
from dashboards.background import Answer
from dashboards.datasummary import DataSummary, HeadData
from dashboards.jobfiles import Job
from dashboards.jobstate import JobState, JobStatus
from dashboards.progress import Progress
from dashboards.runs import Checkpoint, Run
from dashboards.scorer import SCORE_COLUMNS, Score

EVIL = "<img src=x onerror=alert(1)>"


def status(state: JobState, message: str = "") -> JobStatus:
    return JobStatus(Job("id", Path("jobs/id"), (), Path(f"outputs/{EVIL}"), 0.0), state, 1, 60.0, message)


def every_card_of_evil(tmp_path: Path) -> dict[str, str]:
    run = Run(EVIL, tmp_path, {"backbone": {"spec": EVIL}}, ("best",))
    line = metrics_line(1) | {"evaluation": EVIL}
    line["heads"]["spatial"]["reason"] = EVIL
    summary = DataSummary(Path("x"), 1, 1, 1, 1, (HeadData(EVIL, "#000000", 1, 1, 1),), (EVIL,), ((EVIL, EVIL),))
    named = {"missing": [EVIL], "duplicates": [EVIL], "new": 1, "images": 1, "device": EVIL}
    return {
        "empty": cards.empty(EVIL, EVIL),
        "problem": cards.problem(EVIL, EVIL),
        "data": cards.data_card(summary),
        "run": runcards.run_card(status(JobState.FAILED, EVIL), Progress(EVIL, EVIL, 0.5, warnings=(EVIL,))),
        "machine": runcards.run_card(status(JobState.RUNNING), Progress("x"), EVIL),
        "log": runcards.log_card([EVIL]),
        "line": runcards.line_card([status(JobState.WAITING)], status(JobState.RUNNING)),
        "heads": runcards.epoch_table(line),
        "fault": cards.fault(EVIL),
        "forecast": forecastcard.forecast_card(Answer(named)),
        "no forecast": forecastcard.forecast_card(Answer(problem=EVIL)),
        "weights": forecastcard.weights_line({"words": EVIL, "state": "unknown"}),
        "badge": cards.badge_card(Checkpoint(run, "best", tmp_path, line)),
        "metrics": headtable.head_table(line),
        "warning": cards.warning(EVIL, EVIL),
        "behind": markup.behind((EVIL,), [[EVIL]], EVIL),
        "notes": markup.notes([EVIL]),
        "scores": cards.scores_card([Score(EVIL, Path(EVIL), {}, EVIL)]),
        "header": cards.header(EVIL, Path(f'"{EVIL}'), sample=True),
        "title": cards.title(EVIL, EVIL),
    }


def test_nothing_from_outside_becomes_markup(tmp_path: Path) -> None:
    for name, html in every_card_of_evil(tmp_path).items():
        assert EVIL not in html, name
        assert "&lt;img src=x" in html, name


def test_a_failed_run_shows_its_message() -> None:
    html = runcards.run_card(status(JobState.FAILED, "ratings.csv:3: style_rating is 12"), Progress("reading"))
    assert "ratings.csv:3: style_rating is 12" in html
    assert 'data-state="failed"' in html


def test_a_running_one_shows_its_bar_and_an_ended_one_none() -> None:
    running = runcards.run_card(status(JobState.RUNNING), Progress("training", fraction=0.4))
    assert 'aria-valuenow="40"' in running
    assert "progressbar" not in runcards.run_card(status(JobState.FINISHED), Progress("done", fraction=1.0))


def test_many_faults_are_cut_and_counted() -> None:
    html = cards.problem("Faults", "\n".join(f"line {number}" for number in range(20)))
    assert "line 11" in html
    assert "line 12<" not in html
    assert "and 8 more" in html


def test_the_sample_says_that_its_ratings_are_simulated() -> None:
    assert "simulated ratings" in cards.header("Sample", Path("data/sample"), sample=True)
    assert "simulated" not in cards.header("mine", Path("data"), sample=False)


def test_scores_have_a_thumbnail_and_say_no_ratings(tmp_path: Path) -> None:
    file = make_images(tmp_path, 1, 1)[0]
    known: dict[str, float | None] = dict.fromkeys(SCORE_COLUMNS, 6.25)
    html = cards.scores_card([Score("a.png", file, known | {"spatial": None})])
    assert html.count("6.25") == 5
    assert html.count("no ratings") == 1
    assert "data:image/jpeg;base64," in html
    assert str(tmp_path) not in html


def test_the_badge_tells_the_backbone_and_the_evaluation(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "first")
    run = Run("first", folder, {"backbone": {"spec": "pixelstats"}}, ("best",))
    html = cards.badge_card(Checkpoint(run, "best", folder / "best", metrics_line(3)))
    for words in ("pixelstats", "held-out", "mean of the rated heads"):
        assert words in html


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_has_a_card(state: JobState) -> None:
    assert f'data-state="{state}"' in runcards.run_card(status(state, "why"), Progress("reading"))
