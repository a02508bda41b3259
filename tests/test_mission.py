"""The published commands and Python lines, word for word, on files at the published paths that the studio wrote."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from annotate.exports import Exporter
from annotate.judgement import check_rating
from annotate.project import Project
from annotate.store import Store
from reward.aspects import HEADS
from tests.reward_inputs import PROJECT

MULTIHEAD = (
    "train_reward.py --mode multihead --ratings data/annotations/multihead_ratings.csv "
    "--output outputs/multihead_reward_model --epochs 15 --batch-size 4 --learning-rate 1e-4 --min-rating-diff 0.5"
)
PAIRS = (
    "train_reward.py --mode pairs --pairs data/annotations/pairs.jsonl "
    "--output outputs/reward_model --epochs 10 --batch-size 8 --learning-rate 1e-4"
)
LINES = """
from dspo.reward import MultiHeadReward
model = MultiHeadReward.from_pretrained("outputs/multihead_reward_model/best")
images = ["data/images/p01/1.png", "data/images/p02/2.png"]
scores = model(images, return_individual=True)
combined = model(images)
importance = model.get_head_importance()
import json
print(json.dumps([{head: s.tolist() for head, s in scores.items()}, combined.tolist(), importance]))
"""


@pytest.fixture
def rated(make_project: Callable[..., Project], open_store: Callable[[Project], Store]) -> Path:
    """A working directory whose data/ two people have rated through the store, exported by the studio's exporter."""
    project = make_project(prompts=5, images=4)
    store = open_store(project)
    random = np.random.default_rng(0)
    for number, image in enumerate(store.images()):
        for name in ("Ada", "Bo"):
            ratings = {head: round(float(random.uniform(0, 10)), 1) for head in HEADS}
            store.save_rating(check_rating(image.id, name, ratings, [], 2.0, f"{name}-{number:08d}"))
    assert Exporter(store).flush()
    return project.root.parent


def run(folder: Path, command: str) -> str:
    script, *arguments = command.split()
    done = subprocess.run(
        [sys.executable, str(PROJECT / script), *arguments, "--backbone", "pixelstats"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_published_commands_and_lines(rated: Path) -> None:
    text = (rated / "data/annotations/multihead_ratings.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "prompt_id,image_path," + ",".join(f"{head}_rating" for head in HEADS)
    assert ",data/images/p01/" in text
    run(rated, MULTIHEAD)
    best = json.loads((rated / "outputs/multihead_reward_model/best/metrics.json").read_text())
    assert set(best["heads"]) == set(HEADS)
    assert all({"accuracy", "f1", "loss", "pairs", "ties"} <= best["heads"][head].keys() for head in HEADS)
    assert {"accuracy", "f1", "loss", "pairs", "ties"} <= best["combined"].keys()
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n{LINES}"],
        cwd=rated,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    scores, combined, importance = json.loads(done.stdout.splitlines()[-1])
    assert list(scores) == list(HEADS)
    assert all(len(values) == 2 for values in [*scores.values(), combined])
    assert sum(importance.values()) == pytest.approx(1)


def test_pairs_that_the_studio_wrote_train_too(rated: Path) -> None:
    run(rated, PAIRS)
    best = json.loads((rated / "outputs/reward_model/best/metrics.json").read_text())
    assert {"accuracy", "f1", "loss", "pairs", "ties"} <= best["overall"].keys()
