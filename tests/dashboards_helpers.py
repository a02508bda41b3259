"""Real files for the tests of the dashboards: small projects with images and ratings, and run folders by the schema."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dashboards.background import Inquiries
from dashboards.context import Context
from dashboards.desk import RunDesk
from dashboards.device import DeviceFinder
from dashboards.jobs import JobBoard
from dashboards.machine import Machine
from dashboards.roots import Roots
from dashboards.runlist import RunShelf
from dashboards.scorer import ModelShelf
from reward.aspects import HEADS, RATING_COLUMNS

PROMPTS = 6
IMAGES = 4


def make_images(folder: Path, prompts: int = PROMPTS, images: int = IMAGES, size: int = 48) -> list[Path]:
    """PNG images below folder/images/<prompt_id>/, noisier from one to the next."""
    random = np.random.default_rng(7)
    files = []
    for prompt in range(prompts):
        place = folder / "images" / f"p{prompt:02d}"
        place.mkdir(parents=True, exist_ok=True)
        flat = random.uniform(60, 190, 3)
        for image in range(images):
            noise = random.normal(0, 4 + 22 * image, (size, size, 3))
            pixels = np.clip(flat + noise, 0, 255).astype(np.uint8)
            files.append(place / f"{image}.png")
            Image.fromarray(pixels).save(files[-1])
    return files


def make_project(folder: Path, blank: tuple[str, ...] = ("spatial",)) -> Path:
    """A data folder with images, prompts and a ratings CSV; `blank` heads are not rated. Returns the CSV."""
    files = make_images(folder)
    random = np.random.default_rng(11)
    rows = [",".join(("prompt_id", "image_path", *RATING_COLUMNS))]
    for file in files:
        clean = 9 - 2.5 * int(file.stem)
        cells = ["" if h in blank else f"{np.clip(clean + random.normal(0, 0.4), 0, 10):.1f}" for h in HEADS]
        rows.append(",".join((file.parent.name, file.relative_to(folder).as_posix(), *cells)))
    prompts = [f"p{number:02d},a picture number {number}" for number in range(PROMPTS)]
    (folder / "prompts.csv").write_text("\n".join(["prompt_id,prompt", *prompts, ""]), encoding="utf-8")
    (folder / "annotations").mkdir(exist_ok=True)
    path = folder / "annotations" / "multihead_ratings.csv"
    path.write_text("\n".join(row.replace(",images/", f",{folder}/images/") for row in rows) + "\n", encoding="utf-8")
    return path


def metrics_line(epoch: int, *, pairs: bool = False, untrained: tuple[str, ...] = ("spatial",)) -> dict[str, Any]:
    """A line of metrics.jsonl as the contract has it."""
    line: dict[str, Any] = {
        "epoch": epoch,
        "mode": "pairs" if pairs else "multihead",
        "evaluation": "held-out",
        "primary": {"name": "loss", "value": 0.6},
        "importance": None,
        "importance_spread": None,
    }
    if pairs:
        return line | {"overall": _result(epoch, 0)}
    rated = [head for head in HEADS if head not in untrained]
    heads = {h: _result(epoch, k) if h in rated else _untrained() for k, h in enumerate(HEADS)}
    importance = {h: 1 / len(rated) if h in rated else 0.0 for h in HEADS}
    combined = _result(epoch, 5) | {"target": "mean of the rated heads"}
    return line | {"heads": heads, "combined": combined, "importance": importance, "importance_spread": importance}


def write_run(folder: Path, epochs: int = 4, *, pairs: bool = False) -> Path:
    """A finished run folder without weights, as the contract has it."""
    lines = [metrics_line(epoch, pairs=pairs) for epoch in range(1, epochs + 1)]
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"arguments": {}, "backbone": {"spec": "pixelstats"}}), "utf-8")
    for name, epoch in (("best", epochs - 1), ("last", epochs)):
        checkpoint = folder / "checkpoints" / str(epoch)
        checkpoint.mkdir(parents=True)
        (checkpoint / "metrics.json").write_text(json.dumps(lines[epoch - 1]), encoding="utf-8")
        (folder / name).symlink_to(Path("checkpoints") / str(epoch))
    return folder


def make_context(data: Path, outputs: Path, *allowed: Path) -> Context:
    """The parts of a studio on these folders, without a server."""
    from annotate.project import Project

    board = JobBoard(data / "jobs")
    roots = Roots.of(data, outputs, allowed)
    return Context(
        Project(data),
        roots,
        board,
        ModelShelf(),
        DeviceFinder(),
        RunDesk(roots),
        Inquiries(),
        Machine(),
        RunShelf(roots.outputs),
    )


def _result(epoch: int, number: int) -> dict[str, Any]:
    return {
        "trained": True,
        "accuracy": 0.6 + 0.02 * epoch + 0.01 * number,
        "accuracy_interval": [0.5, 0.9],
        "interval_note": None,
        "f1": 0.7,
        "loss": 0.69 - 0.03 * epoch,
        "train_loss": 0.69 - 0.05 * epoch,
        "pairs": 30 + number,
        "ties": number,
        "prompts": 5,
        "evaluation": "held-out",
    }


def _untrained() -> dict[str, Any]:
    return {"trained": False, "reason": "no ratings"}
