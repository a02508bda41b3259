"""A run's validation looked at again: its images, and what models that hadn't seen them made of them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from reward.aspects import HEADS
from reward.backbones.registry import matching_backbone
from reward.checkpoints import CONFIG, STATE
from reward.combination import fit_temperature, prompt_weights
from reward.config import FLAGS, TrainConfig
from reward.dataset import Dataset, group_images, read_dataset
from reward.embeddings import EmbeddingCache, default_cache_dir, embed_files
from reward.errors import CheckpointError, InputError, RewardError
from reward.evaluation import Evaluator
from reward.events import Encoding
from reward.inputs import read_inputs
from reward.model import MultiHeadReward
from reward.units import fit_units
from reward.validation import HoldOut, Validation, make_validation

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_OF_NO_MATTER: Final = ("output", "resume", "overwrite", "events", "cache_dir", "device", "log_to")


@dataclass(frozen=True)
class Validated:
    """The N images of a run and how they were scored in its validation.

    Attributes:
        data: images, ratings and pairs as the run read them.
        vectors: (N, D) embeddings.
        hashes: (N) content sha256.
        measured: (N,) images whose pairs the run's figures stand on.
        scores: (N, H) in rating points (pairs mode: logits), by a model that hasn't seen the image; else NaN.
        logits: (N, H) τ times the score; a pair's probability on a head is σ of the difference.
        combined: (N,) the same of the combined score. Only images of one prompt can be compared.
    """

    data: Dataset
    vectors: npt.NDArray[np.floating]
    hashes: list[str]
    measured: Bools
    scores: Floats
    logits: Floats
    combined: Floats


def read_validation(
    run: Path,
    cache_dir: Path | None = None,
    may_read: Callable[[Path], bool] = lambda _: True,
    on_progress: Callable[[Encoding], None] = lambda _: None,
) -> Validated:
    """Read a run's data again and find the scores behind the figures of its `best/`.

    Args:
        run: the run's folder.
        cache_dir: where embeddings are kept.
        may_read: asked for every image, and every input file of which the run keeps no copy; False refuses.

    Raises:
        InputError: an image, or an input that isn't kept, is missing, has changed since, or may not be read.
        CheckpointError: the run is damaged, or has no `best/` yet.
        BackboneError: the backbone can't be had.
    """
    record = _record(run)
    config = _config(record)
    kept = read_inputs(run, record["inputs"], may_read)
    data = read_dataset(config, check_images=False, kept=kept)
    del kept
    data.forget_content()
    elsewhere = [file for file in data.files if not file.is_absolute() and not file.is_file()]
    if elsewhere:
        raise InputError.one(elsewhere[0], "the file does not exist", "start from the folder where the run was started")
    if refused := [file for file in data.files if not may_read(file.resolve())]:
        raise InputError.one(refused[0], "outside the folders that may be read here", "allow its folder")
    if missing := [file for file in data.files if not file.is_file()]:
        raise InputError.one(missing[0], "the file does not exist", "put the run's images back")
    backbone = matching_backbone(record["backbone"]["spec"], record["backbone"]["identity"])
    embedded = embed_files(data.files, backbone, EmbeddingCache(cache_dir or default_cache_dir()), on_progress)
    if hashlib.sha256("\n".join(sorted(embedded.hashes)).encode()).hexdigest() != record.get("images"):
        raise InputError.one(run.name, "its images have changed since the training", "train anew")
    groups = group_images(data, embedded.hashes)
    validation = make_validation(groups, data.in_a_pair, config.folds_wanted, config.share_held_out, config.seed)
    model = MultiHeadReward.from_pretrained(run / "best", backbone=record["backbone"]["spec"])
    measured = np.logical_or.reduce([one.measures for one in validation.rounds])
    if isinstance(validation, HoldOut):
        scores, logits, combined = _by_model(model, embedded.vectors)
    else:
        scores, logits, combined = _by_folds(run, data, validation, config)
    for values in (scores, logits, combined):
        values[~measured] = np.nan
    return Validated(data, embedded.vectors, embedded.hashes, measured, scores, logits, combined)


def _by_model(model: MultiHeadReward, vectors: npt.NDArray[np.floating]) -> tuple[Floats, Floats, Floats]:
    """Of a run that held prompts out: the model itself hasn't seen them."""
    import torch

    with torch.inference_mode():
        scores = model.head_scores(torch.from_numpy(vectors))
        combined = (model.combine(scores) * model.combined_temperature).numpy().astype(np.float64)
        logits = (scores * model.head_temperature).numpy().astype(np.float64)
    return scores.numpy().astype(np.float64), logits, combined


def _by_folds(run: Path, data: Dataset, validation: Validation, config: TrainConfig) -> tuple[Floats, Floats, Floats]:
    """Of a cross-validated run: the copies that left a fold out, as they were when each stopped."""
    from safetensors import SafetensorError, safe_open

    file = run / "last" / STATE
    try:
        with safe_open(file, framework="numpy") as state:
            raw = np.asarray(state.get_tensor("validation.stopped"), dtype=np.float64)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{file}: the folds' scores can't be read ({error})") from error
    if len(raw) != len(data.files):
        raise CheckpointError(f"{run.name}: it was stopped before its folds had scored every image")
    if data.pairs is None:
        return raw, raw.copy(), raw[:, 0].copy()
    scores, tau = np.full(raw.shape, np.nan), np.ones(raw.shape)
    for one in validation.rounds:
        in_points = fit_units(raw[one.fits], data.ratings[one.fits])(raw)
        scores[one.measures] = in_points[one.measures]
        tau[one.measures] = _temperatures(data, one.fits, in_points)
    hashes = [""] * len(raw)
    evaluator = Evaluator(data, hashes, validation.rounds, validation.sides.train, validation.name, config.seed)
    untrained = [number for number, head in enumerate(HEADS) if head not in evaluator.trained]
    scores[:, untrained] = np.nan
    return scores, scores * tau, evaluator.combined_logits(raw)


def _temperatures(data: Dataset, fits: Bools, scores: Floats) -> Floats:
    """(H,) τ of each head, fitted to the pairs of the images in `fits`; 1 where there are none."""
    assert data.pairs is not None
    pairs, tau = data.pairs, np.ones(scores.shape[1])
    inside = fits[pairs.first] & fits[pairs.second]
    for head in range(len(tau)):
        rows = inside & (pairs.sign[:, head] != 0)
        if rows.any():
            delta = scores[pairs.first[rows], head] - scores[pairs.second[rows], head]
            label = (pairs.sign[rows, head] + 1) / 2.0
            tau[head] = fit_temperature(delta, label, prompt_weights(pairs.prompt[rows]))
    return tau


def _record(run: Path) -> dict[str, Any]:
    file = run / CONFIG
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        (
            record["backbone"]["spec"],
            record["backbone"]["identity"],
            record["inputs"].items(),
            record["arguments"].items(),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{file}: damaged, the run's data can't be found") from error
    found: dict[str, Any] = record
    return found


def _config(record: dict[str, Any]) -> TrainConfig:
    kinds = {flag.field: flag.kind for flag in FLAGS}
    known = {item.name for item in fields(TrainConfig)} - set(_OF_NO_MATTER)
    given = {name: value for name, value in record["arguments"].items() if name in known}
    paths = {name: Path(value) for name, value in given.items() if kinds.get(name) is Path and isinstance(value, str)}
    if given.get("folds"):
        given["val_fraction"] = None  # earlier runs may have been given both
    try:
        return TrainConfig(**{**given, **paths})
    except (TypeError, RewardError) as error:
        raise CheckpointError(f"{CONFIG}: damaged, the run's arguments can't be understood ({error})") from error
