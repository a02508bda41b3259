"""Training from files to a run folder, as a generator of events: the CLI and the studio watch the same loop."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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
from reward.checkpoints import RunFolder, run_record
from reward.config import TrainConfig
from reward.dataset import Dataset, Partition, read_dataset, split_dataset
from reward.devices import pick_device
from reward.embeddings import EmbeddingCache, Embeddings, default_cache_dir, embed_files
from reward.errors import InterruptedTrainingError
from reward.evaluation import Evaluation, Evaluator
from reward.events import Encoding, Epoch, Event, Finished, Reading, Split, Warning
from reward.fitting import Fit, multihead_problem, pairs_problem
from reward.groups import folds
from reward.model import OVERALL, ModelConfig, MultiHeadReward
from reward.modelcard import model_card

INNER_FOLDS: Final = 5


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
    run.check_free(config)
    device = pick_device(config.device)
    data = read_dataset(config)
    yield from _reading(data)
    backbone = make_backbone(config.backbone).to(device)
    embedded: list[Embeddings] = []
    yield from _encode(config, data, backbone, should_stop, embedded)
    embeddings = embedded[0]
    partition = split_dataset(data, embeddings.hashes, config.val_fraction, config.seed)
    yield Split(
        *(len(np.unique(data.prompt[side])) for side in (partition.train, partition.val)),
        *(int(np.count_nonzero(side)) for side in (partition.train, partition.val)),
    )
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    recorded = {"spec": backbone.spec, "identity": backbone.identity}
    record = run_record(config, recorded, data.sources, created)
    loop = _Loop(config, run, data, partition, embeddings, backbone, record, device)
    yield from loop.run_epochs(should_stop)


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


@dataclass
class _Loop:
    """The epochs of one run."""

    config: TrainConfig
    run: RunFolder
    data: Dataset
    partition: Partition
    embeddings: Embeddings
    backbone: Backbone
    record: dict[str, Any]
    device: torch.device
    best: float = field(default=float("inf"))
    best_epoch: int = 0

    def run_epochs(self, should_stop: Callable[[], bool]) -> Iterator[Event]:
        config = self.config
        fit = self._fit()
        evaluator = Evaluator(self.data, self.partition, self.embeddings.hashes, config.seed)
        epoch = self._resume(fit) if config.resume else self._begin(fit, evaluator)
        while epoch < config.total_epochs:
            epoch += 1
            losses = fit.run_epoch(epoch, should_stop)
            evaluation = evaluator.evaluate(epoch, *fit.scores(), losses)
            # Without anything held out to measure on, the last epoch is as good a guess as any.
            better = not evaluation.primary >= self.best
            if better:
                self.best, self.best_epoch = evaluation.primary, epoch
            self.run.add_metrics(evaluation.metrics)
            links = ("best", "last") if better else ("last",)
            self.run.save(epoch, self._model(fit, evaluator, evaluation), self._state(fit, epoch), links)
            yield Epoch(epoch, config.total_epochs, evaluation.metrics, better)
            if should_stop():
                raise InterruptedTrainingError(f"stopped after epoch {epoch}; last/ is complete")
        yield Finished(str(self.run.path), self.best_epoch)

    def _fit(self) -> Fit:
        config, data, train = self.config, self.data, self.partition.train
        inner = folds(self.partition.groups, data.in_a_pair & train, INNER_FOLDS, config.seed)
        inner[~train] = -1
        count = min(INNER_FOLDS, len(np.unique(self.partition.groups[data.in_a_pair & train])))
        make = multihead_problem if config.mode == "multihead" else pairs_problem
        problem = make(data, self.embeddings.vectors, train, inner, count if count >= 2 else 0)
        return Fit(problem, config.learning_rate, config.pairs_per_step, config.seed, self.device)

    def _begin(self, fit: Fit, evaluator: Evaluator) -> int:
        """Make the run folder with a `last/` from before the first epoch, so that stopping never leaves none."""
        self.run.create(self.record)
        evaluation = evaluator.evaluate(0, *fit.scores(), [float("nan")] * fit.problem.heads)
        self.run.save(0, self._model(fit, evaluator, evaluation), self._state(fit, 0), ("last",))
        return 0

    def _resume(self, fit: Fit) -> int:
        self.run.check_same_run(self.record)
        state = self.run.read_state()
        epoch = load_state(fit, state)
        self.best, self.best_epoch = float(state["best"]), int(state["best_epoch"])
        self.run.truncate_metrics(epoch)
        return epoch

    def _state(self, fit: Fit, epoch: int) -> dict[str, Tensor]:
        best = {"best": torch.tensor(self.best, dtype=torch.float64), "best_epoch": torch.tensor(self.best_epoch)}
        return {**save_state(fit, epoch), **best}

    def _model(self, fit: Fit, evaluator: Evaluator, evaluation: Evaluation) -> MultiHeadReward:
        """The model as it is after this epoch, ready to be saved."""
        multihead = self.config.mode == "multihead"
        config = ModelConfig(
            embedding_dim=self.backbone.dim,
            backbone=self.record["backbone"],
            mode=self.config.mode,
            heads=HEADS if multihead else (OVERALL,),
            trained=tuple(evaluator.trained) if multihead else (OVERALL,),
            hidden=fit.stack.hidden,
            dropout=fit.stack.dropout,
            score_unit="rating points, 0–10" if multihead else "centred logit",
            target=self.data.target,
        )
        model = MultiHeadReward(config, self.backbone)
        model.stack.load_state_dict(fit.stack.member(0).state_dict())
        with torch.no_grad():
            model.head_temperature.copy_(torch.from_numpy(evaluation.head_temperatures))
            if evaluation.combination is not None:
                model.combination_logits[model.trained] = torch.from_numpy(evaluation.combination.logits).float()
                model.combined_temperature.fill_(evaluation.combination.temperature)
            else:
                mean = _mean_score(model, self.embeddings.vectors[self.partition.train])
                model.stack.centre -= mean  # only differences are learned: centre the logit
        model.metrics = evaluation.metrics
        model.card = model_card(config, evaluation.metrics, self.record, self.data)
        return model


def _mean_score(model: MultiHeadReward, vectors: npt.NDArray[np.float32]) -> Tensor:
    return model.head_scores(torch.from_numpy(vectors)).mean()


def save_state(fit: Fit, epoch: int) -> dict[str, Tensor]:
    """All that a continuation needs; order and dropout follow from (seed, epoch), so no generator's state is in it."""
    state = {"epoch": torch.tensor(epoch)}
    for name, value in fit.stack.state_dict().items():
        state[f"stack.{name}"] = value.detach().cpu().contiguous()
    for index, moments in fit.optimizer.state_dict()["state"].items():
        for name, value in moments.items():
            state[f"optimizer.{index}.{name}"] = torch.as_tensor(value).cpu().contiguous()
    return state


def load_state(fit: Fit, state: dict[str, Tensor]) -> int:
    """Put `save_state`'s tensors back; the epoch they were taken after."""
    fit.stack.load_state_dict({key.removeprefix("stack."): v for key, v in state.items() if key.startswith("stack.")})
    optimizer = fit.optimizer.state_dict()
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in state.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".")
            moments.setdefault(int(index), {})[name] = value
    optimizer["state"] = moments
    fit.optimizer.load_state_dict(optimizer)
    return int(state["epoch"])
