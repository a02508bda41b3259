"""The trainer as a command: exit codes, one clear message a fault, stopped, killed, and on a full disk."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reward.model import MultiHeadReward
from reward.training import train
from tests.reward_inputs import HEADER, PROJECT, config, run_trainer, same, simple_ratings, weights


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    return simple_ratings(tmp_path, prompts=6, images=4)


def test_ctrl_c_exits_130_with_last_complete(ratings: Path, tmp_path: Path) -> None:
    output = tmp_path / "a"
    command = [
        sys.executable, PROJECT / "train_reward.py", "--ratings", ratings, "--backbone", "pixelstats",
        "--output", output, "--epochs", "100000", "--events", tmp_path / "events.jsonl",
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    deadline = time.monotonic() + 120
    while not (output / "best").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    MultiHeadReward.from_pretrained(output / "last")
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert events[-1]["event"] == "interrupted"
    assert {"reading", "encoding", "split", "epoch"} <= {event["event"] for event in events}


@pytest.mark.parametrize("when", [0.0, 0.15, 0.4])
def test_a_killed_training_leaves_no_half_written_checkpoint(ratings: Path, tmp_path: Path, when: float) -> None:
    output = tmp_path / "a"
    command = [
        sys.executable, PROJECT / "train_reward.py", "--ratings", ratings, "--backbone", "pixelstats",
        "--output", output, "--epochs", "100000", "--batch-size", "64",
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (output / "best").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(when)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=30)
    for link in ("best", "last"):
        assert MultiHeadReward.from_pretrained(output / link).metrics is not None
    lines = (output / "metrics.jsonl").read_text().splitlines()
    done = int(json.loads((output / "last/metrics.json").read_text())["epoch"])
    assert len(lines) - done in (0, 1)
    list(train(config(ratings, output, epochs=done + 1, resume=True, batch_size=64)))
    assert len((output / "metrics.jsonl").read_text().splitlines()) == done + 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--mode", "multihead"], "--ratings: missing"),
        (["--mode", "pairs"], "--pairs: missing"),
        (["--ratings", "r.csv", "--epochs", "0"], "--epochs: 0 is too few"),
        (["--ratings", "r.csv", "--epochs", "9" * 99], "--epochs: that is too many; at most 100,000"),
        (["--ratings", "r.csv", "--val-fraction", "1"], "--val-fraction: 1 is out of range"),
        (["--ratings", "r.csv", "--learning-rate", "0"], "--learning-rate: 0 is out of range"),
        (["--ratings", "r.csv", "--batch-size", "-1"], "--batch-size: -1 is too few"),
        (["--ratings", "nowhere.csv"], "nowhere.csv: the file does not exist"),
        (["--ratings", "r.csv", "--device", "tpu9"], "--device: 'tpu9' is no device"),
        (["--ratings", "r.csv", "--folds", "4", "--val-fraction", "0.3"], "--val-fraction: contradicts --folds 4"),
        (["--ratings", "r.csv", "--resume", "--overwrite"], "--resume: contradicts --overwrite"),
    ],
)
def test_bad_arguments_exit_2_and_write_nothing(tmp_path: Path, arguments: list[str], expected: str) -> None:
    done = run_trainer(*arguments, "--output", "out", "--backbone", "pixelstats", cwd=tmp_path)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["embeddings.db", "no/such/folder.jsonl"])
def test_a_damaged_cache_and_an_impossible_events_file_are_one_line(ratings: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "embeddings.db").write_text("this is no database" * 100)
    option = "--cache-dir" if name.endswith("db") else "--events"
    given = tmp_path if name.endswith("db") else tmp_path / name
    done = run_trainer("--ratings", ratings, "--backbone", "pixelstats", "--output", tmp_path / "out", option, given)
    assert done.returncode == 1
    assert name in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_an_output_that_can_not_be_made_is_refused_before_anything_is_encoded(ratings: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    places = {tmp_path / "taken/run": "taken is a file"}
    if Path("/proc/self").is_dir():  # Linux: nobody may write there
        places |= {Path("/proc/self/run"): "can't be written to"}
    for output, expected in places.items():
        done = run_trainer("--ratings", ratings, "--backbone", "pixelstats", "--output", output)
        assert done.returncode == 2
        assert expected in done.stderr
        assert "encoding" not in done.stderr


def test_a_finished_run_whose_figures_are_damaged_has_finished_all_the_same(ratings: Path, tmp_path: Path) -> None:
    run = ("--ratings", ratings, "--backbone", "pixelstats", "--output", tmp_path / "out", "--epochs", "1")
    assert run_trainer(*run).returncode == 0
    for damaged in ("{", "{}", '{"heads": {"style": {}}}'):
        (tmp_path / "out/best/metrics.json").write_text(damaged)
        done = run_trainer(*run, "--resume", "--events", tmp_path / "events.jsonl")
        assert done.returncode == 0, done.stderr
        assert "best epoch 1" in done.stdout
        assert json.loads((tmp_path / "events.jsonl").read_text().splitlines()[-1])["event"] == "finished"


def test_faults_of_all_files_come_at_once_and_nothing_is_written(ratings: Path, tmp_path: Path) -> None:
    ratings.write_text(ratings.read_text() + "p9,gone.png,1,2,3,4,5\n")
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("{broken\n")
    done = run_trainer("--ratings", ratings, "--pairs", pairs, "--output", tmp_path / "out", "--backbone", "pixelstats")
    assert done.returncode == 2
    assert f"{ratings}:26: image gone.png: the file does not exist" in done.stderr
    assert f"{pairs}:1: broken JSON" in done.stderr
    assert not (tmp_path / "out").exists()


def test_no_pair_above_the_difference(ratings: Path, tmp_path: Path) -> None:
    rows = [line.split(",")[:2] for line in ratings.read_text().splitlines()[1:]]
    ratings.write_text("\n".join([HEADER, *(f"{p},{i},5,5,5,5,5.{n % 3}" for n, (p, i) in enumerate(rows))]) + "\n")
    done = run_trainer("--ratings", ratings, "--output", tmp_path / "out", "--backbone", "pixelstats")
    assert done.returncode == 2
    assert "--min-rating-diff: no two images of a prompt differ by 0.5 or more" in done.stderr
    assert "(the largest difference is 0.2)" in done.stderr


def test_a_picture_shared_by_all_prompts_is_named(ratings: Path, tmp_path: Path) -> None:
    source = ratings.parent / "images/p0/0.png"
    for prompt in range(1, 6):
        (ratings.parent / f"images/p{prompt}/0.png").write_bytes(source.read_bytes())
    done = run_trainer("--ratings", ratings, "--output", tmp_path / "out", "--backbone", "pixelstats")
    assert done.returncode == 2
    assert "hang together through the picture" in done.stderr
    assert not (tmp_path / "out").exists()


def test_weights_that_can_not_be_had_name_the_other_ways(ratings: Path, tmp_path: Path) -> None:
    spec = "openclip:ViT-L-14@/nowhere.safetensors"
    done = run_trainer("--ratings", ratings, "--backbone", spec, "--output", tmp_path / "out")
    assert done.returncode == 1
    assert "weights file /nowhere.safetensors not found" in done.stderr
    assert "pixelstats" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_the_checkpoints_whole_and_says_so(ratings: Path, tmp_path: Path) -> None:
    """Files may grow to 100 kB or 3 MB only, which fails as a full disk does: within the model, or within the state."""
    output = tmp_path / "a"
    list(train(config(ratings, output, epochs=1)))
    before = {link: weights(output, link) for link in ("best", "last")}
    assert (output / "last/training_state.safetensors").stat().st_size > 3_000_000
    for most in (100_000, 3_000_000):
        code = (
            f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
            "from reward.cli import main; sys.exit(main(sys.argv[1:]))"
        )
        arguments = ["--ratings", ratings, "--output", output, "--backbone", "pixelstats", "--epochs", "2", "--resume"]
        command = [sys.executable, "-c", code, *map(str, arguments)]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 1
        assert "epoch 2 can't be saved" in done.stderr
        assert "Traceback" not in done.stderr
        assert not list((output / "checkpoints").glob(".*"))
        assert same(weights(output), before["last"])
        MultiHeadReward.from_pretrained(output / "best")
    list(train(config(ratings, output, epochs=2, resume=True)))
    assert len((output / "metrics.jsonl").read_text().splitlines()) == 2
