"""Arguments of a training run: one frozen dataclass whose fields are the CLI's flags and the form's inputs."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

from reward.errors import Fault, InputError

Mode = Literal["multihead", "pairs"]
MODES: Final[tuple[str, ...]] = get_args(Mode)
Target = Literal["corrected", "mean"]
TARGETS: Final[tuple[str, ...]] = get_args(Target)
TRACKERS: Final = ("tensorboard", "trackio", "wandb")

# DataComp-XL: the strongest ViT-L-14 of open_clip's list with an MIT licence and plain GELU, so that the architecture's
# name alone tells how to run it ("openai" and "dfn2b" need quick_gelu; dfn2b's licence excludes commercial use).
DEFAULT_BACKBONE: Final = "openclip:ViT-L-14/datacomp_xl_s13b_b90k"

_EPOCHS: Final[dict[str, int]] = {"multihead": 15, "pairs": 10}
MOST_EPOCHS: Final = 100_000
_BATCH_SIZE: Final[dict[str, int]] = {"multihead": 4, "pairs": 8}


def _flag(default: Any, text: str, **more: Any) -> Any:
    return field(default=default, metadata={"help": text, **more})


@dataclass(frozen=True)
class TrainConfig:
    """What `train_reward.py` is told. Checks itself: an InputError names each faulty flag."""

    mode: Mode = _flag("multihead", "multihead: five heads from ratings; pairs: one score from pairs", choices=MODES)
    ratings: Path | None = _flag(None, "ratings CSV (multihead)", metavar="CSV")
    pairs: Path | None = _flag(
        None, "pairs JSONL; in multihead mode the target of the combination weights", metavar="JSONL"
    )
    prompts: Path | None = _flag(None, "prompts CSV; default: prompts.csv beside the data, if any", metavar="CSV")
    output: Path = _flag(Path("outputs/multihead_reward_model"), "run folder to make", metavar="DIR")
    epochs: int | None = _flag(None, "passes over the pairs; default 15, in pairs mode 10")
    batch_size: int | None = _flag(None, "pairs a step; default 4, in pairs mode 8")
    learning_rate: float = _flag(1e-4, "AdamW's step size")
    min_rating_diff: float = _flag(0.5, "smallest difference of ratings that makes a win; below it a tie")
    targets: Target = _flag(
        "corrected",
        "corrected: take out each annotator's bias and let consistent ones count for more; mean: plain mean ratings",
        choices=TARGETS,
    )
    backbone: str = _flag(
        DEFAULT_BACKBONE,
        "frozen image encoder: openclip:ARCH/TAG, openclip:ARCH@WEIGHTS_FILE, or pixelstats",
        metavar="SPEC",
    )
    folds: int | None = _flag(
        None, "cross-validation with that many folds; 0 = hold prompts out; default 5 under 50 prompts, else 0"
    )
    val_fraction: float | None = _flag(None, "hold that share of the prompts out instead of folds; default 0.2")
    seed: int = _flag(0, "split, order and initial weights follow from it")
    device: str = _flag("auto", "auto, cpu, cuda or mps")
    image_root: Path | None = _flag(None, "where relative image paths are looked for first", metavar="DIR")
    cache_dir: Path | None = _flag(
        None, "where embeddings are kept; default $REWARD_CACHE_DIR, else ~/.cache/reward-studio", metavar="DIR"
    )
    resume: bool = _flag(False, "go on from last/ of a run that was stopped")
    overwrite: bool = _flag(False, "replace a run that --output already holds")
    events: Path | None = _flag(None, "append every event as a JSON line, for programs that watch", metavar="FILE")
    log_to: str | None = _flag(
        None,
        f"also log every epoch to {', '.join(TRACKERS)}, or several with commas; none is installed by default",
        metavar="NAME",
    )

    def __post_init__(self) -> None:
        if faults := list(self._faults()):
            raise InputError(faults)

    @property
    def total_epochs(self) -> int:
        """`epochs`, or the mode's default."""
        return self.epochs if self.epochs is not None else _EPOCHS.get(self.mode, 1)

    @property
    def share_held_out(self) -> float:
        """`val_fraction`, or its default."""
        return self.val_fraction if self.val_fraction is not None else 0.2

    @property
    def folds_wanted(self) -> int | None:
        """`folds`; 0 where a share to hold out was asked for; None = decided by the number of prompts."""
        return 0 if self.folds is None and self.val_fraction is not None else self.folds

    @property
    def pairs_per_step(self) -> int:
        """`batch_size`, or the mode's default."""
        return self.batch_size if self.batch_size is not None else _BATCH_SIZE.get(self.mode, 1)

    @property
    def trackers(self) -> tuple[str, ...]:
        """The names in `log_to`, each once."""
        return tuple(dict.fromkeys(name.strip() for name in (self.log_to or "").split(",") if name.strip()))

    def _faults(self) -> "list[Fault]":
        checks = (
            ("--mode", self.mode in MODES, f"{self.mode!r} is no mode", f"one of {', '.join(MODES)}"),
            (
                "--ratings",
                self.mode != "multihead" or self.ratings is not None,
                "missing",
                "multihead mode trains on a ratings CSV",
            ),
            (
                "--pairs",
                self.mode != "pairs" or self.pairs is not None,
                "missing",
                "pairs mode trains on a pairs JSONL",
            ),
            ("--targets", self.targets in TARGETS, f"{self.targets!r} is no kind", f"one of {', '.join(TARGETS)}"),
            ("--epochs", self.total_epochs >= 1, f"{self.epochs} is too few", "at least 1"),
            # Beyond this it is a slip; the number itself may have hundreds of digits.
            ("--epochs", self.total_epochs <= MOST_EPOCHS, "that is too many", f"at most {MOST_EPOCHS:,}"),
            ("--batch-size", self.pairs_per_step >= 1, f"{self.batch_size} is too few", "at least 1"),
            (
                "--learning-rate",
                0 < self.learning_rate <= 1,
                f"{self.learning_rate:g} is out of range",
                "above 0, at most 1",
            ),
            (
                "--min-rating-diff",
                0 <= self.min_rating_diff <= 10,
                f"{self.min_rating_diff:g} is out of range",
                "0 to 10",
            ),
            (
                "--val-fraction",
                0 < self.share_held_out < 1,
                f"{self.share_held_out:g} is out of range",
                "between 0 and 1",
            ),
            (
                "--folds",
                self.folds in (None, 0) or (self.folds or 0) >= 3,
                f"{self.folds} is too few",
                "0, or at least 3",
            ),
            ("--seed", 0 <= self.seed < 2**31, f"{self.seed} is out of range", "a whole number from 0 to 2147483647"),
            (
                "--log-to",
                self.log_to is None or (self.trackers and set(self.trackers) <= set(TRACKERS)),
                f"{self.log_to!r} is no tracker",
                f"{', '.join(TRACKERS)}, or several with commas",
            ),
            (
                "--val-fraction",
                self.resume or self.val_fraction is None or not self.folds,  # a run goes on as it began
                f"contradicts --folds {self.folds}: with folds nothing is held out",
                "give one of the two",
            ),
            ("--resume", not (self.resume and self.overwrite), "contradicts --overwrite", "give one of the two"),
        )
        return [Fault(flag, None, problem, remedy) for flag, ok, problem, remedy in checks if not ok]


@dataclass(frozen=True)
class Flag:
    """One argument as the CLI and the form show it."""

    field: str
    default: Any
    help: str
    kind: type
    choices: tuple[str, ...] | None = None
    metavar: str | None = None

    @property
    def option(self) -> str:
        """The command line's spelling: `--batch-size`."""
        return "--" + self.field.replace("_", "-")


_KINDS: Final[dict[str, type]] = {
    **dict.fromkeys(("ratings", "pairs", "prompts", "output", "image_root", "cache_dir", "events"), Path),
    **dict.fromkeys(("epochs", "batch_size", "folds", "seed"), int),
    **dict.fromkeys(("learning_rate", "min_rating_diff", "val_fraction"), float),
    **dict.fromkeys(("resume", "overwrite"), bool),
}

FLAGS: Final = tuple(
    Flag(
        item.name,
        item.default,
        item.metadata["help"],
        _KINDS.get(item.name, str),
        item.metadata.get("choices"),
        item.metadata.get("metavar"),
    )
    for item in fields(TrainConfig)
)
