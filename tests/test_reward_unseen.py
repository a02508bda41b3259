"""A run's figures, computed again from the ratings by other code, for each way of validating."""

import csv
import hashlib
import json
import math
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import spearmanr

from dashboards.headtable import table_rows
from reward.aspects import HEADS
from reward.config import TrainConfig
from reward.errors import InputError
from reward.paired import ACCURACY, COMBINED, F1, FIGURES, LOSS, paired_differences
from reward.training import train
from reward.unseen import Validated, read_validation
from tests.planted import plant

RUNS: dict[str, dict[str, Any]] = {
    "folds": {"pairs": None, "folds": 3},
    "folds, preferences": {"folds": 3},
    "held out": {"folds": 0},
    "pairs alone": {"mode": "pairs", "ratings": None, "folds": 3},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with ratings and preferences, and a run of each kind on them."""
    root = tmp_path_factory.mktemp("unseen")
    planted = plant(root, prompts=12, images=4)
    for name, changes in RUNS.items():
        told = {"ratings": planted.ratings, "pairs": planted.pairs, "backbone": "pixelstats", "epochs": 2} | changes
        list(train(TrainConfig(output=root / "runs" / name, **told)))
    return root


def metrics_of(root: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "runs" / name / "best" / "metrics.json").read_text())
    return found


def ratings_of(root: Path, head: str) -> dict[str, tuple[str, float]]:
    """The prompt and the mean over people of each image's ratings on a head."""
    given: dict[str, list[float]] = {}
    prompt = {}
    with (root / "multihead_ratings.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            prompt[row["image_path"]] = row["prompt_id"]
            if row[f"{head}_rating"]:
                given.setdefault(row["image_path"], []).append(float(row[f"{head}_rating"]))
    return {path: (prompt[path], sum(values) / len(values)) for path, values in given.items()}


def by_path(root: Path, found: Validated) -> dict[str, int]:
    return {str(Path(file).resolve().relative_to(root.resolve())): n for n, file in enumerate(found.data.files)}


def surprise(z: float, label: float) -> float:
    p = 1 / (1 + math.exp(-z))
    return -(label * math.log(p) + (1 - label) * math.log(1 - p))


def named_first(root: Path, a: str, b: str) -> str:
    """Which of two pictures F1 asks about: by a mix of both files' sha256."""
    number = {path: int(hashlib.sha256((root / path).read_bytes()).hexdigest()[:15], 16) for path in (a, b)}
    low, high = sorted((a, b), key=number.__getitem__)
    return low if (number[a] ^ number[b]) % 2 else high


def f_one(answers: list[list[tuple[bool, bool]]]) -> float:
    """Of (is it so, does the model say so) a prompt, each prompt counting the same."""
    hit = sum(sum(a and b for a, b in prompt) / len(prompt) for prompt in answers)
    missed = sum(sum(a and not b for a, b in prompt) / len(prompt) for prompt in answers)
    false = sum(sum(b and not a for a, b in prompt) / len(prompt) for prompt in answers)
    return 2 * hit / (2 * hit + missed + false)


@pytest.mark.parametrize("name", ["folds", "folds, preferences", "held out"])
@pytest.mark.parametrize("head", HEADS)
def test_head_figures_follow_from_the_ratings(root: Path, name: str, head: str) -> None:
    found, metrics = read_validation(root / "runs" / name), metrics_of(root, name)
    place, k = by_path(root, found), HEADS.index(head)
    prompts: dict[str, list[tuple[float, int]]] = {}
    paths = {}
    for path, (prompt, rating) in ratings_of(root, head).items():
        paths[place[path]] = path
        if found.measured[place[path]]:
            prompts.setdefault(prompt, []).append((rating, place[path]))
    right, losses, ties, rhos, errors, answers = [], [], 0, [], [], []
    for images in prompts.values():
        orders, asked = [], []
        for (rating_a, a), (rating_b, b) in combinations(images, 2):
            if round(abs(rating_a - rating_b), 6) < 0.5:
                ties += 1
                continue
            better, worse = (a, b) if rating_a > rating_b else (b, a)
            orders.append(found.scores[better, k] > found.scores[worse, k])
            losses.append(surprise(found.logits[better, k] - found.logits[worse, k], 1.0))
            so = named_first(root, paths[a], paths[b]) == paths[better]
            asked.append((so, so == orders[-1]))
        right += [sum(orders) / len(orders)] if orders else []
        answers += [asked] if asked else []
        means = [round(rating, 6) for rating, _ in images]
        rhos.append(spearmanr(means, [found.scores[n, k] for _, n in images]).statistic)
        errors += [abs(rating - found.scores[n, k]) for rating, n in images]
    result = metrics["heads"][head]
    again = {
        "accuracy": sum(right) / len(right),
        "loss": sum(losses) / len(losses),
        "spearman": sum(rhos) / len(rhos),
        "mae": sum(errors) / len(errors),
        "f1": f_one(answers),
    }
    assert {key: result[key] for key in again} == pytest.approx(again, abs=1e-6)
    assert (result["pairs"], result["ties"], result["prompts"]) == (len(losses), ties, len(right))
    cells = table_rows(metrics)[k]
    assert cells[2] == f"{again['accuracy']:.3f}"
    assert cells[-3:] == [str(len(losses)), str(ties), str(len(right))]


def test_runs_are_compared_by_the_figures_that_they_report(root: Path) -> None:
    folds, held_out = (read_validation(root / "runs" / name) for name in ("folds", "held out"))
    metrics = metrics_of(root, "folds")
    for head, result in {**metrics["heads"], COMBINED: metrics["combined"]}.items():
        for figure, found in paired_differences(folds, folds, head).items():
            assert found.first == pytest.approx(result[figure], abs=1e-9)
            assert (found.pairs, found.prompts, found.interval) == (result["pairs"], result["prompts"], (0.0, 0.0))
    both = paired_differences(folds, held_out, "style")
    known = metrics_of(root, "held out")["heads"]["style"]
    assert [both[figure].second for figure in FIGURES] == pytest.approx([known[figure] for figure in FIGURES], abs=1e-6)
    assert {both[figure].prompts for figure in FIGURES} == {known["prompts"]}
    assert both[F1].interval is None
    overall, alone = metrics_of(root, "pairs alone")["overall"], read_validation(root / "runs" / "pairs alone")
    itself = paired_differences(alone, alone)
    assert [itself[figure].first for figure in FIGURES] == pytest.approx([overall[figure] for figure in FIGURES])
    assert itself[LOSS].pairs == overall["pairs"] + overall["ties"]  # ties of preferences count in the loss
    assert paired_differences(alone, folds)[ACCURACY].prompts <= overall["prompts"]


def test_the_combined_score_of_ratings_alone_follows_from_their_mean(root: Path) -> None:
    found, metrics = read_validation(root / "runs/folds"), metrics_of(root, "folds")
    place = by_path(root, found)
    by_head = [ratings_of(root, head) for head in HEADS]
    prompts: dict[str, list[str]] = {}
    for path, (prompt, _) in by_head[0].items():
        prompts.setdefault(prompt, []).append(path)
    right = []
    for paths in prompts.values():
        orders = []
        for a, b in combinations(paths, 2):
            better = [sum(of[path][1] for of in by_head) / len(HEADS) for path in (a, b)]
            if round(abs(better[0] - better[1]), 6) >= 0.5:
                ahead = found.combined[place[a]] - found.combined[place[b]]
                orders.append((ahead > 0) == (better[0] > better[1]))
        right += [sum(orders) / len(orders)] if orders else []
    assert metrics["combined"]["accuracy"] == pytest.approx(sum(right) / len(right))
    assert float(table_rows(metrics)[-1][2]) == pytest.approx(sum(right) / len(right), abs=5.1e-4)


@pytest.mark.parametrize(
    ("name", "key"), [("folds, preferences", "combined"), ("held out", "combined"), ("pairs alone", "overall")]
)
def test_combined_figures_follow_from_the_preferences(root: Path, name: str, key: str) -> None:
    found, metrics = read_validation(root / "runs" / name), metrics_of(root, name)
    place = by_path(root, found)
    prompts: dict[str, list[bool]] = {}
    losses = []
    for line in (root / "pairs.jsonl").read_text().splitlines():
        pair = json.loads(line)
        a, b = place[pair["img_pos"]], place[pair["img_neg"]]
        if not (found.measured[a] and found.measured[b]):
            continue
        z = found.combined[a] - found.combined[b]
        losses.append(surprise(z, pair["label"]))
        if pair["label"] != 0.5:
            prompts.setdefault(pair["prompt"], []).append((z > 0) == (pair["label"] > 0.5))
    shares = [sum(orders) / len(orders) for orders in prompts.values()]
    assert metrics[key]["accuracy"] == pytest.approx(sum(shares) / len(shares))
    assert metrics[key]["loss"] == pytest.approx(sum(losses) / len(losses), abs=1e-6)
    assert table_rows(metrics)[-1][2] == f"{sum(shares) / len(shares):.3f}"


def test_folders_that_may_not_be_read_are_refused(root: Path) -> None:
    run = root / "runs" / "folds"
    with pytest.raises(InputError, match="outside the folders"):
        read_validation(run, may_read=lambda _: False)
    with pytest.raises(InputError, match="outside the folders"):
        read_validation(run, may_read=lambda path: path.suffix == ".csv")
