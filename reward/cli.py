"""`python train_reward.py`: arguments to a TrainConfig, events to a progress bar, errors to an exit code."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TextIO

from reward.config import FLAGS, TrainConfig
from reward.errors import InputError, InterruptedTrainingError, RewardError
from reward.events import Encoding, Epoch, Event, Failed, Finished, Interrupted, Reading, Split, Warning

if TYPE_CHECKING:
    from tqdm import tqdm

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_BAD_INPUT: Final = 2
EXIT_INTERRUPTED: Final = 130


def build_parser() -> argparse.ArgumentParser:
    """The command line, one argument a field of TrainConfig."""
    parser = argparse.ArgumentParser(
        prog="train_reward.py",
        description="Train a multi-head reward model from a CSV of 0–10 ratings, or one score from binary pairs.",
        epilog="Exit codes: 0 done, 1 failed, 2 bad input (nothing written), 130 interrupted (last/ is complete).",
    )
    add_flags(parser, [flag.field for flag in FLAGS])
    return parser


def add_flags(parser: argparse.ArgumentParser, fields: Sequence[str]) -> None:
    """Give `parser` the arguments of these fields of TrainConfig."""
    for flag in FLAGS:
        if flag.field not in fields:
            continue
        shown = "" if flag.default is None or flag.kind is bool else f" (default: {flag.default})"
        options: dict[str, Any] = {"help": (flag.help + shown).replace("%", "%%"), "default": flag.default}
        if flag.kind is bool:
            options["action"] = "store_true"
        else:
            options |= {"type": flag.kind, "choices": flag.choices, "metavar": flag.metavar}
        parser.add_argument(flag.option, **options)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = vars(build_parser().parse_args(argv))
    events: Path | None = arguments["events"]
    try:
        return _run(TrainConfig(**arguments))
    except InterruptedTrainingError as error:
        return _end(EXIT_INTERRUPTED, str(error), Interrupted(str(error)), events)
    except InputError as error:
        return _end(EXIT_BAD_INPUT, str(error), Failed(str(error)), events)
    except RewardError as error:
        return _end(EXIT_FAILED, str(error), Failed(str(error)), events)
    except OSError as error:  # a full disk, a folder that may not be written to
        message = f"{error.filename or arguments['output']}: {error.strerror or error}"
        return _end(EXIT_FAILED, message, Failed(message), events)


def report(command: Callable[[], int]) -> int:
    """Run `command`; what a person can cause becomes a message on stderr and its exit code."""
    try:
        return command()
    except InputError as error:
        print(error, file=sys.stderr)
        return EXIT_BAD_INPUT
    except RewardError as error:
        print(error, file=sys.stderr)
        return EXIT_FAILED
    except OSError as error:  # a full disk, a folder that may not be written to
        print(f"{error.filename}: {error.strerror}" if error.filename else error, file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


@contextmanager
def image_bar(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal's stderr; yields what to tell how many images are done."""
    from tqdm import tqdm

    with tqdm(total=total, unit="image", dynamic_ncols=True, disable=None) as bar:

        def show(done: int) -> None:
            bar.update(done - bar.n)

        yield show


def _run(config: TrainConfig) -> int:
    import logging

    from reward.images import silence_bomb_warnings
    from reward.trackers import Tracking
    from reward.training import train

    # open_clip and the hub client log failures that our own message says better.
    logging.disable(logging.CRITICAL)
    silence_bomb_warnings()
    tracking = Tracking(config)
    stop = _stop_on_sigint()
    printer = _Printer(sys.stdout, sys.stderr)
    try:
        for event in train(config, stop):
            printer.show(event)
            tracking.show(event)
            _record(event, config.events)
    finally:
        printer.close()
        tracking.close()
    return EXIT_OK


def _end(code: int, message: str, event: Event, events: Path | None) -> int:
    print(message, file=sys.stderr)
    with suppress(OSError):  # the events file itself may be what failed
        _record(event, events)
    return code


def _record(event: Event, path: Path | None) -> None:
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.write(event.to_json(time.time()) + "\n")


def _stop_on_sigint() -> Callable[[], bool]:
    """Whether Ctrl-C was pressed. The first one ends the run in order, a second one at once."""
    pressed = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    signal.signal(signal.SIGINT, on_signal)
    return lambda: pressed


class _Printer:
    """Results to `out`, a progress bar to `err`."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out, self._err = out, err
        self._bar: tqdm[Any] | None = None

    def show(self, event: Event) -> None:
        match event:
            case Reading():
                pairs = ", ".join(f"{head} {count}" for head, count in event.pairs.items())
                self._say(f"{event.images} images of {event.prompts} prompts; pairs with a winner: {pairs}")
            case Encoding():
                self._encode(event)
            case Split():
                if event.folds:
                    self._say(f"training on {event.train_prompts} prompts, {event.folds}-fold cross-validation")
                else:
                    self._say(f"training on {event.train_prompts} prompts, validating on {event.val_prompts}")
            case Epoch():
                self._say(_epoch_line(event))
            case Warning():
                self._say(f"warning: {event.message}")
            case Finished():
                with suppress(OSError, ValueError, LookupError, TypeError):  # damaged; the run is over
                    self._say(_results(Path(event.output) / "best" / "metrics.json"))
                self._say(f"best epoch {event.best_epoch}; model in {event.output}/best")

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _say(self, text: str) -> None:
        self.close()
        print(text, file=self._out, flush=True)

    def _encode(self, event: Encoding) -> None:
        if event.done == event.total and self._bar is None:
            self._say(f"all {event.total} embeddings are in the cache ({event.backbone})")
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(
                total=event.total,
                initial=event.done,
                unit="image",
                desc=f"encoding on {event.device}",
                file=self._err,
                dynamic_ncols=True,
            )
        self._bar.update(event.done - self._bar.n)


def _epoch_line(event: Epoch) -> str:
    metrics = event.metrics
    shown = metrics["combined"] if "combined" in metrics else metrics["overall"]
    parts = [f"epoch {event.epoch}/{event.epochs}", f"{metrics['primary']['name']} {metrics['primary']['value']:.4f}"]
    if shown["accuracy"] is not None:
        parts.append(f"accuracy {shown['accuracy']:.3f}")
    for head, values in metrics.get("heads", {}).items():
        if values.get("accuracy") is not None:
            parts.append(f"{head} {values['accuracy']:.2f}")
    return "  ".join(parts) + ("  *" if event.best else "")


def _results(path: Path) -> str:
    """What the model that was kept is worth, a line a head."""
    metrics = json.loads(path.read_text(encoding="utf-8"))
    lines = ["", f"{'':9s}{'accuracy':>9s}  {'95 % interval':15s}{'F1':>7s}{'weight':>8s}{'pairs':>9s}"]
    named = metrics.get("heads", {}) | {name: metrics[name] for name in ("combined", "overall") if name in metrics}
    for name, values in named.items():
        if not values.get("trained", True):
            lines.append(f"{name:9s}  {values['reason']}")
            continue
        bounds = values["accuracy_interval"]
        interval = f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else values["interval_note"]
        figures = [values["accuracy"], values["f1"], (metrics.get("importance") or {}).get(name)]
        accuracy, f1, weight = ("" if figure is None else f"{figure:.3f}" for figure in figures)
        lines.append(f"{name:9s}{accuracy:>9s}  {interval:15s}{f1:>7s}{weight:>8s}{values['pairs']:>9,d}")
    return "\n".join([*lines, ""])
