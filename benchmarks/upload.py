"""One image dropped on the page, until its table of scores stands, against the bare encode and heads on such a file.

    python benchmarks/upload.py

With ViT-L-14, random weights, and with pixelstats. The page's side takes the file in, looks whether it is an image and
whether it is known, encodes and keeps it, scores it, finds its place among the run's images, and draws its thumbnail.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.encoder import QUICK, REAL, draw_photographs, random_backbone
from benchmarks.ratios import ROUNDS, Row, in_turn, main, ratios
from reward.aspects import HEADS, RATING_COLUMNS
from reward.config import TrainConfig
from reward.training import train

PROMPTS, IMAGES = 8, 5
SIZE = (1024, 768)


def train_a_run(folder: Path, backbone: str, prompts: int) -> None:
    """A run on pictures of a few pixels with ratings that mean nothing: what it has learned plays no part."""
    files = draw_photographs(folder / "data/images", "jpg", (64, 48), prompts * IMAGES)
    lines = [",".join(["prompt_id", "image_path", *RATING_COLUMNS])]
    for number, file in enumerate(files):
        lines.append(",".join([f"p{number // IMAGES}", str(file), *[str(number % IMAGES)] * len(HEADS)]))
    ratings = folder / "data/ratings.csv"
    ratings.write_text("\n".join(lines) + "\n", encoding="utf-8")
    list(train(TrainConfig(ratings=ratings, output=folder / "outputs/run", backbone=backbone, epochs=1, device="cpu")))


def one_upload(folder: Path, times: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """The page's way and the bare one, each to be called `times` times: every file is a new one to the page."""
    from dashboards import scoring
    from tests.dashboards_helpers import make_context

    context = make_context(folder / "data", folder / "outputs")
    files = draw_photographs(folder / "dropped", "jpg", SIZE, times)
    model = context.shelf.use(folder / "outputs/run/best", lambda one: one)
    dropped, scored = iter(files), iter(files)

    def page() -> object:
        report = scoring.score(context, "run", "best", [str(next(dropped))])
        return report.table(scoring.AS_GIVEN)

    return page, lambda: model.score("", str(next(scored)))


def rows(quick: bool) -> Iterator[Row]:
    prompts, architecture, rounds = (6, QUICK, 1) if quick else (PROMPTS, REAL, ROUNDS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["REWARD_CACHE_DIR"] = str(folder / "cache")
        random = random_backbone(folder, architecture)
        for kind, backbone, count in ((architecture, random.spec, rounds), ("pixelstats", "pixelstats", 5 * rounds)):
            place = folder / kind
            train_a_run(place, backbone, prompts)
            upload, bare = one_upload(place, 1 + count)
            upload(), bare()
            measured = in_turn([upload, bare], count)
            what = f"one upload scored ÷ bare encode and heads, {kind}"
            yield Row(what, ratios(measured), most=1.1)
            beside = [1000 * (page - alone) for page, alone in measured]
            yield Row(f"… what the page does beside it, {kind}", beside, unit=" ms")


if __name__ == "__main__":
    main(rows, __doc__)
