"""Numbers on the page = numbers in metrics.json = numbers worked out from the ratings by hand, for three runs.

Nothing of the engine's measuring is used: `by_hand` follows the definitions in docs/training.md in plain Python. Only
the scores are the engine's: the saved model's on images that it never saw, else those of copies that left a fold out.
"""

import csv
import hashlib
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from dashboards_helpers import make_context
from scipy.stats import spearmanr

from dashboards import analysis
from dashboards.headtable import COLUMNS
from dashboards.report import Pictures, build_report
from dashboards.runs import read_checkpoint, read_run
from reward.aspects import BY_NAME, HEADS
from reward.config import TrainConfig
from reward.model import MultiHeadReward
from reward.training import train
from reward.unseen import read_validation
from tests.planted import plant, write_rows

RUNS: dict[str, dict[str, Any]] = {
    "folds": {"folds": 5},
    "share": {"val_fraction": 0.4},
    "preferences": {"folds": 5, "pairs": "pairs.jsonl"},
}
UNRATED = "spatial"
THINLY_RATED = "material"
SHOWN = {
    "accuracy": "Accuracy",
    "f1": "F1",
    "loss": "Loss",
    "spearman": "Spearman",
    "mae": "MAE",
    "pairs": "Pairs",
    "ties": "Ties",
    "prompts": "Prompts",
}

Rating = dict[str, float]  # by image path


@dataclass(frozen=True)
class Pair:
    """Two images of a prompt: how surely the first is better (½ = nobody can tell), and its logit by the model."""

    prompt: str
    images: tuple[str, str]
    label: float
    logit: float


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures rated in whole points (so that there are ties), one head not at all, one thinly; a run of each kind."""
    root = tmp_path_factory.mktemp("numbers")
    planted = plant(root, prompts=12, images=4)
    with planted.ratings.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    for row in rows:
        row[2:7] = [str(round(float(cell))) for cell in row[2:7]]
        row[2 + HEADS.index(UNRATED)] = ""
        if row[1].endswith(("0.png", "3.png")) and row[0] != "p5":
            row[2 + HEADS.index(THINLY_RATED)] = ""
    write_rows(root / "multihead_ratings.csv", rows)
    for name, changes in RUNS.items():
        told = changes | ({"pairs": root / changes["pairs"]} if "pairs" in changes else {})
        output = root / "outputs" / name
        list(train(TrainConfig(ratings=planted.ratings, output=output, backbone="pixelstats", epochs=2, **told)))
    return root


def mean_ratings(root: Path, head: str) -> Rating:
    """The mean over people of what they gave each image on a head."""
    given: dict[str, list[float]] = defaultdict(list)
    with (root / "multihead_ratings.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row[f"{head}_rating"]:
                given[row["image_path"]].append(float(row[f"{head}_rating"]))
    return {path: sum(values) / len(values) for path, values in given.items()}


def by_prompt(paths: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        found[path.split("/")[1]].append(path)
    return found


def label_of(ahead: float) -> float:
    """1 or 0: the first or the second is better by half a point or more; ½ below that."""
    return 0.5 if round(abs(ahead), 6) < 0.5 else float(ahead > 0)


def rated_pairs(ratings: Rating, logits: Rating) -> list[Pair]:
    """All pairs of a prompt's images that are rated and measured."""
    prompts = by_prompt(path for path in ratings if path in logits)
    return [
        Pair(prompt, (a, b), label_of(ratings[a] - ratings[b]), logits[a] - logits[b])
        for prompt, paths in prompts.items()
        for a, b in combinations(paths, 2)
    ]


def mean_pairs(heads: dict[str, Rating], logits: Rating) -> list[Pair]:
    """The same for the mean over the heads that are rated on both images."""
    found = []
    for prompt, paths in by_prompt(logits).items():
        for a, b in combinations(paths, 2):
            if shared := [ratings for ratings in heads.values() if a in ratings and b in ratings]:
                first, second = (sum(ratings[path] for ratings in shared) / len(shared) for path in (a, b))
                found.append(Pair(prompt, (a, b), label_of(first - second), logits[a] - logits[b]))
    return found


def preferred_pairs(root: Path, logits: Rating) -> list[Pair]:
    """What people chose, of images that are measured."""
    found = []
    for line in (root / "pairs.jsonl").read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        a, b = told["img_pos"], told["img_neg"]
        if a in logits and b in logits:
            found.append(Pair(told["prompt"], (a, b), told["label"], logits[a] - logits[b]))
    return found


def by_hand(root: Path, pairs: list[Pair], *, ties_in_loss: bool = False) -> dict[str, float]:
    """Accuracy, F1 and loss of pairs, and their counts, each as docs/training.md has it."""
    won: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.label != 0.5:
            won[pair.prompt].append(pair)
    shares, hits, misses, alarms = [], 0.0, 0.0, 0.0
    for asked in won.values():
        shares.append(sum((pair.logit > 0) if pair.label > 0.5 else (pair.logit < 0) for pair in asked) / len(asked))
        for pair in asked:
            named = named_first(root, *pair.images)
            is_better = (pair.label > 0.5) == (named == pair.images[0])
            right = (pair.logit > 0) if pair.label > 0.5 else (pair.logit < 0)
            said_better = is_better == right
            hits += (is_better and said_better) / len(asked)
            misses += (is_better and not said_better) / len(asked)
            alarms += (said_better and not is_better) / len(asked)
    in_loss = [pair for pair in pairs if ties_in_loss or pair.label != 0.5]
    return {
        "accuracy": sum(shares) / len(shares),
        "f1": 2 * hits / (2 * hits + misses + alarms),
        "loss": sum(surprise(pair.logit, pair.label) for pair in in_loss) / len(in_loss),
        "pairs": sum(len(asked) for asked in won.values()),
        "ties": len(pairs) - sum(len(asked) for asked in won.values()),
        "prompts": len(won),
    }


def named_first(root: Path, a: str, b: str) -> str:
    """Which of two pictures F1 calls the first: drawn by the last bit of the first 60 bits of both files' sha256."""
    number = {path: int(hashlib.sha256((root / path).read_bytes()).hexdigest()[:15], 16) for path in (a, b)}
    low, high = sorted((a, b), key=number.__getitem__)
    return low if (number[a] ^ number[b]) & 1 else high


def surprise(logit: float, label: float) -> float:
    p = 1 / (1 + math.exp(-logit))
    return -label * math.log(p) - (1 - label) * math.log(1 - p)


def agreement(ratings: Rating, scores: Rating) -> dict[str, float]:
    """Mean over prompts of Spearman's correlation; mean distance in rating points."""
    known = [path for path in ratings if path in scores]
    rhos = []
    for paths in by_prompt(known).values():
        given = [round(ratings[path], 6) for path in paths]
        if len(paths) >= 3 and len(set(given)) > 1:
            rhos.append(float(spearmanr(given, [scores[path] for path in paths]).statistic))
    return {
        "spearman": sum(rhos) / len(rhos),
        "mae": sum(abs(ratings[path] - scores[path]) for path in known) / len(known),
    }


def scored(root: Path, name: str) -> dict[str, tuple[Rating, Rating]]:
    """(scores, logits) of each head, and under "combined", of the measured images by models that haven't seen them."""
    found = read_validation(root / "outputs" / name)
    paths = [str(Path(file).resolve().relative_to(root.resolve())) for file in found.data.files]
    measured = [n for n, is_measured in enumerate(found.measured) if is_measured]
    columns = {head: (found.scores[:, k], found.logits[:, k]) for k, head in enumerate(HEADS)}
    columns["combined"] = (found.combined, found.combined)
    if name == "share":  # as anybody would load and call it
        assert len(measured) == 5 * 4
        model = MultiHeadReward.from_pretrained(root / "outputs" / name / "best")
        files = [root / path for path in paths]
        heads, combined = model(files, return_individual=True), model(files)
        taus = dict(zip(HEADS, model.head_temperature.tolist(), strict=True))
        columns = {head: (values.numpy(), values.numpy() * taus[head]) for head, values in heads.items()}
        columns["combined"] = (combined.numpy(), combined.numpy() * model.combined_temperature.item())
    else:
        assert len(measured) == 12 * 4
    return {
        key: ({paths[n]: float(score[n]) for n in measured}, {paths[n]: float(logit[n]) for n in measured})
        for key, (score, logit) in columns.items()
    }


def rows_of(html: str) -> dict[str, dict[str, str]]:
    """The table of heads within a page: label → column → what stands there."""
    rows = [
        [unescape(re.sub("<[^>]+>", "", cell)).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
        for row in re.findall(r"<tr>(.*?)</tr>", html, re.S)
    ]
    return {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rows if len(row) == len(COLUMNS)}


@pytest.mark.parametrize("name", RUNS)
def test_page_and_metrics_and_ratings_say_the_same(root: Path, name: str) -> None:
    by_model, heads = scored(root, name), {head: mean_ratings(root, head) for head in HEADS if head != UNRATED}
    expected = {}
    for head, ratings in heads.items():
        scores, logits = by_model[head]
        expected[head] = by_hand(root, rated_pairs(ratings, logits)) | agreement(ratings, scores)
    logits = by_model["combined"][1]
    preferred = name == "preferences"
    pairs = preferred_pairs(root, logits) if preferred else mean_pairs(heads, logits)
    expected["combined"] = by_hand(root, pairs, ties_in_loss=preferred)

    metrics = json.loads((root / "outputs" / name / "best" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["heads"][UNRATED] == {"trained": False, "reason": "no ratings"}
    results = {**metrics["heads"], "combined": metrics["combined"]}
    for key, figures in expected.items():
        assert {figure: results[key][figure] for figure in figures} == pytest.approx(figures, abs=2e-6), key
        assert figures["ties"] > 0, f"{key}: the data should hold ties"
    assert expected[THINLY_RATED]["pairs"] < expected["style"]["pairs"] / 2

    found = read_checkpoint(read_run(root / "outputs" / name) or pytest.fail("no run"), "best")
    page = analysis.report(make_context(root, root / "outputs"), name, "best").table
    for html in (page, build_report(found, Pictures())):
        shown = rows_of(html)
        assert list(shown)[-6:] == [*(BY_NAME[head].label for head in HEADS), "Combined"]
        assert {shown[BY_NAME[UNRATED].label][column] for column in SHOWN.values()} == {"–"}
        for key, figures in expected.items():
            label = BY_NAME[key].label if key in BY_NAME else "Combined"
            told = {figure: shown[label][SHOWN[figure]] for figure in figures}
            assert told == {k: f"{v:.3f}" if isinstance(v, float) else f"{v:,}" for k, v in figures.items()}, label
