"""Training from files to a run folder, as a generator of events: the CLI and the studio watch the same loop."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reward.aspects import HEADS
from reward.backbones.base import Backbone
from reward.backbones.registry import make_backbone
from reward.checkpoints import RunFolder
from reward.claim import check_unclaimed, claimed
from reward.config import TrainConfig
from reward.dataset import Dataset, group_images, read_dataset
from reward.devices import pick_device
from reward.embeddings import EmbeddingCache, Embeddings, default_cache_dir, embed_files
from reward.errors import InputError, InterruptedTrainingError
from reward.evaluation import Evaluation, Evaluator
from reward.events import Encoding, Epoch, Event, Finished, Reading, Split, Warning
from reward.fitting import Fit
from reward.heads import HIDDEN
from reward.inputs import changed_since
from reward.losses import Objective
from reward.model import MultiHeadReward
from reward.model_config import OVERALL, ModelConfig
from reward.modelcard import model_card
from reward.problem import multihead_problem, pairs_problem
from reward.raters import RaterModel
from reward.runrecord import recorded_arguments, recorded_inputs, run_record
from reward.threads import threads_for
from reward.validation import Validation, make_validation, snapshot

# Chosen by benchmarks/objectives.py: see docs/decisions/0003-objective.md.
OBJECTIVE: Final = Objective(ratings=0.1)
_MEAN_ROWS: Final = 65_536


def train(config: TrainConfig, should_stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Train as `config` says and leave a run folder; yields what happens as it happens.

    Args:
        should_stop: asked between steps; True ends the run with `last/` complete.

    Raises:
        InputError: bad input; nothing has been written.
        BackboneError: the backbone can't be had; nothing has been written.
        InterruptedTrainingError: `should_stop` said so.
    """
    run = RunFolder(config.output)
    run.tidy()
    run.check_free(config)
    check_unclaimed(run.path)
    device = pick_device(config.device)
    kept = run.inputs(config) if config.resume else None
    data = read_dataset(config, kept=kept)
    if config.resume:
        run.check_same_run(recorded_arguments(config), recorded_inputs(data))
        run.read_state()
    _check_folds(config, data)
    yield from _reading(data)
    for file in changed_since(data.sources) if kept is not None else ():
        yield Warning(f"{file} has changed since the run began: it goes on with what it began with; a new run reads it")
    del kept
    backbone = make_backbone(config.backbone).to(device)
    embedded: list[Embeddings] = []
    yield from _encode(config, data, backbone, should_stop, embedded)
    embeddings = embedded[0]
    groups = group_images(data, embeddings.hashes)
    validation = make_validation(groups, data.in_a_pair, config.folds_wanted, config.share_held_out, config.seed)
    split = _split(data, validation)
    yield split
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    recorded = {"spec": backbone.spec, "identity": backbone.identity}
    record = run_record(config, recorded, data, embeddings.hashes, created) | {"split": asdict(split)}
    loop = _Loop(config, run, data, validation, embeddings, backbone, record, device)
    try:
        yield from loop.run_epochs(should_stop)
    except InterruptedTrainingError:
        raise
    except Exception:
        run.failed()
        raise


def _check_folds(config: TrainConfig, data: Dataset) -> None:
    """Refuse more folds than prompts before anything is encoded; shared pictures may leave fewer groups still."""
    prompts = len(np.unique(data.prompt[data.in_a_pair]))
    if (config.folds_wanted or 0) > prompts:
        raise InputError.one(
            "--folds", f"{config.folds} folds, but only {prompts} prompts have pairs", "fewer folds, or more prompts"
        )


def _split(data: Dataset, validation: Validation) -> Split:
    measured = np.logical_or.reduce([one.measures for one in validation.rounds])
    train = validation.sides.train
    return Split(
        train_prompts=len(np.unique(data.prompt[train])),
        val_prompts=len(np.unique(data.prompt[measured])),
        train_images=int(np.count_nonzero(train)),
        val_images=int(np.count_nonzero(measured)),
        folds=len(validation.rounds) if len(validation.rounds) > 1 else 0,
    )


def _reading(data: Dataset) -> Iterator[Event]:
    pairs = data.pairs
    wins = dict(zip(HEADS, pairs.wins.tolist(), strict=True)) if pairs is not None else {}
    ties = dict(zip(HEADS, pairs.ties.tolist(), strict=True)) if pairs is not None else {}
    if pairs is None:
        wins = {OVERALL: int(np.count_nonzero(data.combined.label != 0.5))}
        ties = {OVERALL: len(data.combined) - wins[OVERALL]}
    yield Reading(len(data.files), len(data.prompt_names), wins, ties)
    for note in data.notes:
        yield Warning(note)
    if pairs is not None:
        for number, head in enumerate(HEADS):
            if np.isnan(data.ratings[:, number]).all():
                yield Warning(f"{head} has no ratings: its head stays untrained")


def _encode(
    config: TrainConfig,
    data: Dataset,
    backbone: Backbone,
    should_stop: Callable[[], bool],
    result: list[Embeddings],
) -> Iterator[Event]:
    """Yields progress while a thread encodes; the embeddings are appended to `result`."""
    progress: SimpleQueue[Encoding | None] = SimpleQueue()
    failure: list[BaseException] = []

    def tell(event: Encoding) -> None:
        progress.put(event)
        if should_stop():
            raise InterruptedTrainingError("stopped while encoding; what is encoded is kept")

    def work() -> None:
        try:
            cache = EmbeddingCache(config.cache_dir or default_cache_dir())
            result.append(embed_files(data.files, backbone, cache, tell))
        except BaseException as error:  # whatever it is, it belongs to the caller's thread
            failure.append(error)
        finally:
            progress.put(None)

    thread = Thread(target=work, name="encode")
    thread.start()
    while (event := progress.get()) is not None:
        yield event
    thread.join()
    if failure:
        raise failure[0]


@dataclass(frozen=True)
class _Loop:
    """The epochs of one run."""

    config: TrainConfig
    run: RunFolder
    data: Dataset
    validation: Validation
    embeddings: Embeddings
    backbone: Backbone
    record: dict[str, Any]
    device: torch.device

    def run_epochs(self, should_stop: Callable[[], bool]) -> Iterator[Event]:
        config, validation = self.config, self.validation
        work = self._work()
        with threads_for(work):
            fit = self._fit()
        evaluator = Evaluator(
            self.data, self.embeddings.hashes, validation.rounds, validation.sides.train, validation.name, config.seed
        )
        yield from _rater_notes(fit.problem.raters)
        if not config.resume:
            self.run.create(self.record, self.data.sources, overwrite=config.overwrite)
        self.data.forget_content()
        with claimed(self.run.path):
            yield from self._held(fit, evaluator, should_stop, work)

    def _held(self, fit: Fit, evaluator: Evaluator, should_stop: Callable[[], bool], work: int) -> Iterator[Event]:
        """The epochs, while the folder is this training's."""
        config, validation = self.config, self.validation
        epoch = self._resume(fit) if config.resume else self._begin(fit, evaluator)
        while epoch < config.total_epochs:
            epoch += 1
            with threads_for(work):
                fit.run_epoch(epoch, should_stop)
                scores = fit.scores()
                current = evaluator.evaluate(epoch, validation.unseen(scores), fit.train_losses)
                chosen = validation.choose(epoch, fit, scores, current, evaluator)
            self.run.add_metrics(current.metrics)
            if chosen is not None:
                self.run.save(chosen.epoch, self._model(chosen.stack, evaluator, chosen.evaluation), ("best",))
            model = self._model(snapshot(fit), evaluator, current)
            self.run.save(epoch, model, ("last",), self._state(fit, epoch))
            yield Epoch(epoch, config.total_epochs, current.metrics, chosen is not None)
            if should_stop():
                raise InterruptedTrainingError(f"stopped after epoch {epoch}; last/ is complete")
        names = HEADS if config.mode == "multihead" else (OVERALL,)
        for head, reason in fit.dead_heads().items():
            yield Warning(f"{names[head]}: {reason}")
        yield Finished(str(self.run.path), validation.best_epoch)

    def _work(self) -> int:
        """Multiplications of the largest single step: of the optimizer on the CPU, or of a fit to all images."""
        images, dim = self.embeddings.vectors.shape
        step = self.config.pairs_per_step * dim * HIDDEN * len(HEADS) * len(self.validation.sides.left_out)
        return int(max(step if self.device.type == "cpu" else 0, images * dim * min(images, dim)))

    def _fit(self) -> Fit:
        config, vectors, sides = self.config, self.embeddings.vectors, self.validation.sides
        if config.mode == "multihead":
            problem = multihead_problem(self.data, vectors, sides, OBJECTIVE)
        else:
            problem = pairs_problem(self.data, vectors, sides)
        return Fit(problem, config.learning_rate, config.pairs_per_step, config.seed, self.device)

    def _begin(self, fit: Fit, evaluator: Evaluator) -> int:
        """Put a `last/` from before the first epoch into the run folder, so that stopping never leaves none."""
        if fit.problem.raters is not None:
            self.run.write_raters(fit.problem.raters)
        evaluation = evaluator.evaluate(0, self.validation.unseen(fit.scores()), fit.train_losses)
        self.run.save(0, self._model(snapshot(fit), evaluator, evaluation), ("last",), self._state(fit, 0))
        return 0

    def _resume(self, fit: Fit) -> int:
        # Again, now that the folder is this training's: another may have replaced the run since.
        self.run.check_same_run(self.record["arguments"], self.record["inputs"])
        self.run.check_same_images(self.record)
        state = self.run.read_state()
        epoch = load_state(fit, state)
        self.validation.load_state(_under("validation.", state))
        self.run.truncate_metrics(epoch)
        return epoch

    def _state(self, fit: Fit, epoch: int) -> dict[str, Tensor]:
        return {
            **save_state(fit, epoch),
            **{f"validation.{name}": value for name, value in self.validation.state().items()},
        }

    def _model(self, stack: dict[str, Tensor], evaluator: Evaluator, evaluation: Evaluation) -> MultiHeadReward:
        """The model with these parameters, ready to be saved."""
        multihead = self.config.mode == "multihead"
        config = ModelConfig(
            embedding_dim=self.backbone.dim,
            backbone=self.record["backbone"],
            mode=self.config.mode,
            heads=HEADS if multihead else (OVERALL,),
            trained=tuple(evaluator.trained) if multihead else (OVERALL,),
            score_unit="rating points, 0–10" if multihead else "centred logit",
            target=self.data.target,
        )
        model = MultiHeadReward(config, self.backbone)
        model.stack.load_state_dict({name: value for name, value in stack.items() if name != "train_losses"})
        with torch.no_grad():
            model.head_temperature.copy_(torch.from_numpy(evaluation.head_temperatures))
            if evaluation.combination is not None and evaluation.units is not None:
                slope, level = (
                    torch.from_numpy(part).float() for part in (evaluation.units.slope, evaluation.units.level)
                )
                model.stack.centre.mul_(slope).add_(level)
                model.stack.scale.mul_(slope)
                model.combination_logits[model.trained] = torch.from_numpy(evaluation.combination.logits).float()
                model.combined_temperature.fill_(evaluation.combination.temperature)
            else:
                mean = _mean_score(model, self.embeddings.vectors, self.validation.sides.train)
                model.stack.centre -= mean  # only differences are learned: centre the logit
        model.metrics = evaluation.metrics
        model.card = model_card(config, evaluation.metrics, self.record, self.data)
        return model


def _rater_notes(raters: RaterModel | None) -> Iterator[Event]:
    for number, head in enumerate(HEADS if raters is not None else ()):
        assert raters is not None
        for note in raters.notes(number):
            yield Warning(f"{head}: {note}")


def _mean_score(model: MultiHeadReward, vectors: npt.NDArray[np.floating], train: npt.NDArray[np.bool_]) -> Tensor:
    rows = np.flatnonzero(train)
    parts = np.array_split(rows, len(rows) // _MEAN_ROWS + 1)  # the embeddings may not fit into memory
    return torch.cat([model.head_scores(torch.from_numpy(vectors[part])) for part in parts]).mean()


def _under(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def save_state(fit: Fit, epoch: int) -> dict[str, Tensor]:
    """All that a continuation needs; order and dropout follow from (seed, epoch), so no generator's state is in it."""
    state = {"epoch": torch.tensor(epoch)}
    for name, value in fit.stack.state_dict().items():
        state[f"stack.{name}"] = value.detach().cpu().contiguous()
    for name, value in fit.optimizer.state().items():
        state[f"optimizer.{name}"] = value.cpu().contiguous()
    return state


def load_state(fit: Fit, state: dict[str, Tensor]) -> int:
    """Put `save_state`'s tensors back; the epoch they were taken after."""
    fit.stack.load_state_dict(_under("stack.", state))
    fit.optimizer.load_state(_under("optimizer.", state))
    return int(state["epoch"])
