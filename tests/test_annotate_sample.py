"""The sample project: whole or not there, the same every time, honest about its ratings, and learnable."""

import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from annotate.exports import Exporter
from annotate.project import SAMPLE_MARKER, Project, open_project
from annotate.sample import ANNOTATORS, TRUTH_FILE, make_sample
from annotate.sample_changes import covered, degraded, flattened, misframed, recoloured
from annotate.store import Store
from reward.aspects import HEADS, RATING_COLUMNS
from reward.backbones.pixelstats import pixel_statistics
from reward.errors import RewardError
from reward.prompts import read_prompts

_REPOSITORY = Path(__file__).parents[1]
_QUALITIES = [f"{head}_quality" for head in HEADS]
_START = "import sys; from pathlib import Path; from annotate.sample import make_sample; make_sample(Path(sys.argv[1]))"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("data") / "sample"
    make_sample(root)
    return Project(root)


@pytest.fixture(scope="module")
def truth(sample: Project) -> pd.DataFrame:
    return pd.read_csv(sample.root / TRUTH_FILE)


@pytest.fixture(scope="module")
def means(sample: Project, truth: pd.DataFrame) -> pd.DataFrame:
    """Mean ratings, in the order of `truth`."""
    ratings = pd.read_csv(sample.per_annotator_csv)
    ratings["image_path"] = ratings["image_path"].str.removeprefix("../")
    return ratings.groupby("image_path")[list(RATING_COLUMNS)].mean().loc[truth["image_path"]]


def digests(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def accuracy(scores: np.ndarray, ratings: np.ndarray, prompts: np.ndarray) -> float:
    """Mean over prompts of the share of pairs, half a point or more apart, that are in the right order."""
    shares = []
    for prompt in np.unique(prompts):
        pairs = [
            (scores[i] - scores[j]) * (ratings[i] - ratings[j]) > 0
            for i, j in combinations(np.flatnonzero(prompts == prompt), 2)
            if abs(ratings[i] - ratings[j]) >= 0.5
        ]
        assert pairs, f"{prompt} has no pair"
        shares.append(np.mean(pairs))
    return float(np.mean(shares))


def test_eight_prompts_of_five_pictures(sample: Project) -> None:
    prompts = read_prompts(sample.prompts_csv)
    folders = {folder.name: sorted(folder.iterdir()) for folder in sample.images.iterdir()}
    assert len(prompts) == 8
    assert folders.keys() == prompts.keys()
    assert {len(pictures) for pictures in folders.values()} == {5}
    for picture in (picture for pictures in folders.values() for picture in pictures):
        with Image.open(picture) as image:
            image.load()
            assert image.mode == "RGB"
            assert 250 <= max(image.size) <= 640


def test_it_says_that_its_ratings_are_simulated(sample: Project) -> None:
    assert sample.is_sample
    text = (sample.root / SAMPLE_MARKER).read_text(encoding="utf-8")
    assert text.startswith("SIMULATED RATINGS")
    assert TRUTH_FILE in text
    for prompt_id in read_prompts(sample.prompts_csv):
        assert f"  {prompt_id}: " in text, "every photograph has a credit"
    names = set(pd.read_csv(sample.per_annotator_csv)["annotator"])
    assert names == set(ANNOTATORS)
    assert all(name.startswith("simulated-") for name in names)
    assert len(names) >= 4


def test_the_ratings_follow_from_the_known_qualities(sample: Project, truth: pd.DataFrame, means: pd.DataFrame) -> None:
    ratings = pd.read_csv(sample.per_annotator_csv)
    values = ratings[list(RATING_COLUMNS)].to_numpy()
    assert len(ratings) == 40 * len(ANNOTATORS)
    assert np.nanmin(values) >= 0
    assert np.nanmax(values) <= 10
    assert np.nanmax(np.abs(values * 10 - np.round(values * 10))) < 1e-9
    assert 0 < np.isnan(values).mean() < 0.1
    assert means.notna().all(axis=None)
    people = ratings.groupby("annotator")[list(RATING_COLUMNS)].mean().mean(axis=1)
    assert people.max() - people.min() > 0.3, "people are biased"
    prompts = truth["prompt_id"].to_numpy()
    for quality, rating in zip(_QUALITIES, RATING_COLUMNS, strict=True):
        assert accuracy(means[rating].to_numpy(), truth[quality].to_numpy(), prompts) > 0.95


def test_every_prompt_has_an_untouched_picture_and_bad_ones_on_every_head(truth: pd.DataFrame) -> None:
    for _, variants in truth.groupby("prompt_id"):
        assert (variants[_QUALITIES].min(axis=1) > 8.5).sum() == 1
        assert (variants[_QUALITIES].min(axis=0) < 6.5).all()
        overall = np.sort(variants[_QUALITIES].mean(axis=1))
        assert overall[-1] - overall[0] > 1.5


def test_all_five_heads_can_be_learnt_from_pixel_statistics(
    sample: Project, truth: pd.DataFrame, means: pd.DataFrame
) -> None:
    X = np.stack([pixel_statistics(Image.open(sample.root / path)) for path in truth["image_path"]])
    prompts = truth["prompt_id"].to_numpy()
    for rating in RATING_COLUMNS:
        y = means[rating].to_numpy()
        scores = np.zeros(len(y))
        for prompt in np.unique(prompts):
            ridge = make_pipeline(StandardScaler(), RidgeCV(np.geomspace(10, 1e5, 13)))
            scores[prompts == prompt] = ridge.fit(X[prompts != prompt], y[prompts != prompt]).predict(
                X[prompts == prompt]
            )
        assert accuracy(scores, y, prompts) > 0.65, rating


def test_the_studio_takes_it_in(sample: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(sample.root, tmp_path / "data" / "sample")
    project = open_project(Path("data"))
    assert project.is_sample
    store = Store.open(project)
    try:
        exporter = Exporter(store)
        assert exporter.flush()
        assert exporter.problems == ()
        assert store.problems == ()
        assert store.progress("newcomer").rated == 0
        assert store.progress("newcomer").total == 40
        assert store.progress("simulated-1").rated == 40
    finally:
        store.close()
    exported = pd.read_csv(project.ratings_csv)
    assert len(exported) == 40
    assert exported["image_path"].str.startswith("data/sample/images/").all()
    assert exported.notna().all(axis=None)
    assert len(pd.read_csv(project.per_annotator_csv)) == 40 * len(ANNOTATORS)
    assert len(project.pairs_jsonl.read_text(encoding="utf-8").splitlines()) == 8 * 10


def test_killed_half_way_then_started_twice_at_once_gives_the_same_sample(sample: Project, tmp_path: Path) -> None:
    root = tmp_path / "data" / "sample"
    command = [sys.executable, "-c", _START, str(root)]
    first = subprocess.Popen(command, cwd=_REPOSITORY)
    deadline = time.monotonic() + 60
    while not list(root.parent.glob("*/images/*/*.jpg")):
        assert first.poll() is None, "finished before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    first.kill()
    first.wait()
    assert not root.exists()

    both = [subprocess.Popen(command, cwd=_REPOSITORY) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert digests(root) == digests(sample.root)
    assert [path.name for path in root.parent.iterdir()] == ["sample"]


def test_a_sample_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / SAMPLE_MARKER).write_text("mine")
    make_sample(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [SAMPLE_MARKER]


def test_anything_else_in_its_place_is_left_alone_too(tmp_path: Path) -> None:
    root = tmp_path / "sample"
    root.mkdir()
    (root / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(RewardError, match="holds something else"):
        make_sample(root)
    assert (root / "holiday.jpg").read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["sample"]


_CHANGES: dict[str, Callable[[Image.Image, float, np.random.Generator], Image.Image]] = {
    "spatial": misframed,
    "icono": lambda image, strength, rng: covered(image, (0.3, 0.3, 0.7, 0.7), image.rotate(90), strength, rng),
    "style": recoloured,
    "fidelity": degraded,
    "material": lambda image, strength, rng: flattened(image, strength),
}


@pytest.mark.parametrize("aspect", _CHANGES)
@pytest.mark.parametrize("seed", range(3))
def test_a_change_grows_with_its_strength(sample: Project, truth: pd.DataFrame, aspect: str, seed: int) -> None:
    best = truth.loc[truth[_QUALITIES].min(axis=1).idxmax(), "image_path"]
    image = Image.open(sample.root / best).convert("RGB")
    original = np.asarray(image, float)
    distances = []
    for strength in (0.0, 0.3, 0.6, 1.0):
        result = _CHANGES[aspect](image, strength, np.random.default_rng(seed))
        distances.append(np.abs(np.asarray(result.resize(image.size), float) - original).mean())
    assert distances[0] == 0
    assert distances == sorted(distances)
    assert distances[1] > 1
