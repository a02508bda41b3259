"""The multi-head reward model: a frozen backbone, a head an aspect, and combination weights for one final score."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import torch
from huggingface_hub import ModelCard, ModelHubMixin, constants
from torch import Tensor, nn

from reward.aspects import HEADS
from reward.backbones.base import Backbone
from reward.backbones.registry import make_backbone, public_spec, recorded_backbone
from reward.devices import pick_device
from reward.errors import CheckpointError
from reward.events import plain
from reward.guidance import check_prompts
from reward.heads import HeadStack
from reward.hub import CARD, METRICS, check_name, checkpoint_folder, hub_errors
from reward.images import as_rgb, load_rgb
from reward.model_config import ModelConfig, check_weights
from reward.modelcard import OWN_TARGET, TITLE, card_with_weights, metrics_with_weights

if TYPE_CHECKING:
    from PIL import Image

    Picture = str | Path | Image.Image
    Images = Tensor | Picture | Sequence[Picture]

_CHUNK: Final = 16  # images encoded at once when a list is scored


class MultiHeadReward(
    nn.Module,
    ModelHubMixin,
    library_name="reward-studio",
    tags=["reward-model", "image-quality", "preference"],
):
    """Scores pictures aspect by aspect and as a whole.

    The backbone is frozen and always in eval mode; only heads and combination weights are saved with the model.
    Embeddings come from single pictures, so a picture's score doesn't depend on its batch.
    """

    def __init__(self, config: ModelConfig, encoder: Backbone | None = None) -> None:
        """An untrained model; trained ones come from `from_pretrained` or a training run.

        Args:
            encoder: the backbone; None builds the one that `config` names. (Not called `backbone`: the hub mixin
                would fill an argument of that name from config.json.)
        """
        super().__init__()
        self.config = config
        self.backbone = encoder if encoder is not None else make_backbone(config.backbone["spec"])
        self.stack = HeadStack(config.members, len(config.heads), config.embedding_dim, config.hidden, config.dropout)
        self.combination_logits = nn.Parameter(torch.zeros(len(config.heads)))
        self.register_buffer("head_temperature", torch.ones(len(config.heads)))
        self.register_buffer("combined_temperature", torch.ones(()))
        trained = torch.tensor([name in config.trained for name in config.heads])
        self.register_buffer("trained", trained, persistent=False)
        self.metrics: dict[str, Any] | None = None
        self.card: str | None = None
        self.eval()

    head_temperature: Tensor
    combined_temperature: Tensor
    trained: Tensor

    @property
    def device(self) -> torch.device:
        """Where the heads are."""
        return self.combination_logits.device

    @property
    def preprocess(self) -> Callable[["Image.Image"], Tensor]:
        """PIL image → the (3, H, W) tensor that `forward` takes, stacked.

        Raises:
            BackboneError: the backbone takes no tensors.
        """
        if not self.backbone.takes_pixels:
            self.backbone.preprocess_tensor(torch.empty(0))
        return self.backbone.prepare

    def preprocess_tensor(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) pixels in [0, 1] of any size → the tensor that `forward` takes; differentiable.

        Raises:
            BackboneError: the backbone takes no tensors.
        """
        return self.backbone.preprocess_tensor(pixels)

    def forward(self, images: "Images", return_individual: bool = False) -> Tensor | dict[str, Tensor]:
        """Score pictures.

        Args:
            images: (B, 3, H, W) as `preprocess` or `preprocess_tensor` make it (gradients reach it), or a path, a PIL
                image, or a list of either (no gradients).
            return_individual: the heads' scores instead of the combined one.

        Returns:
            (B,) combined scores; or a dict with (B,) scores of each aspect in rating units, NaN where it is untrained.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and isinstance(images, Tensor)):
            scores = self.head_scores(self.embed(images))
            return self.by_head(scores) if return_individual else self.combine(scores)

    def score(self, prompts: str | Sequence[str], images: "Images") -> float | list[float]:
        """Combined scores in the calling convention of ImageReward: the prompt first, plain floats back.

        The prompts are counted but not used: this model sees the picture alone, and can't tell whether it shows what
        the prompt asked for.

        Args:
            prompts: one for all images, or a list with one for each.
            images: as for `forward`.

        Returns:
            A float for a single picture, a list of floats for a list or a tensor.

        Raises:
            InputError: not as many prompts as images.
        """
        single = isinstance(images, str | Path) or not isinstance(images, Tensor | Sequence)
        check_prompts(prompts, 1 if single else len(images))  # type: ignore[arg-type]  # a list or a tensor
        with torch.no_grad():
            scores: list[float] = self.combine(self.head_scores(self.embed(images))).tolist()
        return scores[0] if single else scores

    def by_head(self, scores: Tensor) -> dict[str, Tensor]:
        """(B, H) head scores → (B,) scores of each of the five aspects, NaN where there is no such head."""
        by_name = dict(zip(self.config.heads, scores.unbind(dim=1), strict=True))
        unknown = scores.new_full((len(scores),), math.nan)
        return {head: by_name.get(head, unknown) for head in HEADS}

    def embed(self, images: "Images") -> Tensor:
        """(B, D) embeddings; arguments as for `forward`."""
        if isinstance(images, Tensor):
            return self.backbone.encode(images).to(self.device)
        if isinstance(images, str | Path) or not isinstance(images, Sequence):
            images = [images]
        chunks = []
        with torch.no_grad():
            for start in range(0, len(images), _CHUNK):
                prepared = [self.backbone.prepare(_as_rgb(image)) for image in images[start : start + _CHUNK]]
                chunks.append(self.backbone.encode(torch.stack(prepared)).to(self.device))
        return torch.cat(chunks) if chunks else torch.empty(0, self.config.embedding_dim, device=self.device)

    def head_scores(self, embeddings: Tensor) -> Tensor:
        """(B, D) embeddings → (B, H) scores, in the order of `config.heads`; NaN for untrained heads."""
        scores: Tensor = self.stack(embeddings).mean(dim=0)
        return torch.where(self.trained, scores, math.nan)

    def weights(self) -> Tensor:
        """(H,) combination weights: softmax over the trained heads, 0 for the others."""
        return torch.softmax(self.combination_logits.masked_fill(~self.trained, -math.inf), dim=0)

    def combine(self, scores: Tensor) -> Tensor:
        """(B, H) head scores → (B,) combined scores: Σ w_k s_k over the trained heads."""
        return torch.where(self.trained, scores, 0) @ self.weights()

    def get_head_importance(self) -> dict[str, float]:
        """Weight of each head, a share of 1; 0 for an untrained one. NaN in pairs mode, whose data can't tell."""
        if self.config.mode == "pairs":
            return dict.fromkeys(HEADS, math.nan)
        return dict(zip(self.config.heads, self.weights().tolist(), strict=True))

    def with_head_weights(
        self, weights: Mapping[str, float], run: Mapping[str, str] | None = None
    ) -> "MultiHeadReward":
        """A copy that combines the heads by weights of one's own; its config tells which model it is from.

        Args:
            weights: of every trained head, at least 0; scaled to sum to 1.
            run: the run that the heads were trained in, as `reward.lineage.origin` tells it.

        Raises:
            InputError: names what is wrong with the weights.
        """
        shares = check_weights(weights, self.config)
        lineage = {"from_sha256": self.fingerprint(), "weights": shares, "parent": self.config.lineage}
        lineage |= {"run": dict(run)} if run else {}
        config = replace(self.config, target=OWN_TARGET, lineage=lineage)
        own = MultiHeadReward(config, self.backbone)
        own.load_state_dict(self.state_dict(), strict=False)
        with torch.no_grad():
            given = torch.tensor([shares.get(head, 0.0) for head in config.heads])
            own.combination_logits.copy_(given.log())
        own.combined_temperature.fill_(math.nan)  # a probability would need weights that were learned
        own.card = card_with_weights(self.card or TITLE, shares)
        own.metrics = metrics_with_weights(self.metrics, shares) if self.metrics is not None else None
        return own.to(self.device)

    def fingerprint(self) -> str:
        """sha256 of the heads' tensors: which model this is, whatever its folder is called."""
        digest = hashlib.sha256()
        for name, value in sorted(self.head_state().items()):
            digest.update(name.encode() + value.numpy().tobytes())
        return digest.hexdigest()

    def generate_model_card(self, *_: Any, **__: Any) -> ModelCard:
        """The README.md that is saved beside the weights."""
        return ModelCard(self.card or TITLE)

    def _save_pretrained(self, save_directory: Path) -> None:
        """Config, heads and metrics; the backbone's weights never."""
        from safetensors.torch import save_file

        config = json.dumps(plain(asdict(self.config)), indent=2, ensure_ascii=False)
        (save_directory / constants.CONFIG_NAME).write_text(config + "\n", encoding="utf-8")
        save_file(self.head_state(), save_directory / constants.SAFETENSORS_SINGLE_FILE)
        if self.metrics is not None:
            text = json.dumps(plain(self.metrics), indent=2, ensure_ascii=False)
            (save_directory / METRICS).write_text(text + "\n", encoding="utf-8")

    def push_to_hub(self, repo_id: str, **kwargs: Any) -> str:
        """Upload config.json, model.safetensors, metrics.json and README.md; the backbone's weights never.

        Folders of this machine stay out of what is uploaded: of a backbone's weights file only the name is told.

        Args:
            repo_id: `user/name`.
            **kwargs: huggingface_hub's own (`private`, `token`, `commit_message`, `branch`, `create_pr` …).

        Returns:
            The commit's address.

        Raises:
            CheckpointError: the hub can't be reached or refuses.
        """
        public = copy(self)
        recorded = self.config.backbone
        public.config = replace(self.config, backbone=recorded | {"spec": public_spec(recorded["spec"])})
        with hub_errors(repo_id, "pushed"):
            return str(super(MultiHeadReward, public).push_to_hub(repo_id, **kwargs))

    def head_state(self) -> dict[str, Tensor]:
        """The tensors a checkpoint holds."""
        return {
            name: value.detach().cpu().contiguous()
            for name, value in self.state_dict().items()
            if not name.startswith("backbone.")
        }

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **kwargs: Any) -> Self:
        """Load a checkpoint: a folder such as `outputs/run/best`, or a hub id.

        Args:
            pretrained_model_name_or_path: folder or hub id.
            **kwargs: `backbone` = a specification to use in place of the recorded one (say, a weights file that has
                moved; its content must be the same); `device`; and huggingface_hub's own (`revision`, `token` …).

        Raises:
            CheckpointError: missing, damaged or of a future format.
            BackboneError: the backbone can't be had or isn't the one the heads were trained on.
        """
        check_name(pretrained_model_name_or_path)
        name = str(pretrained_model_name_or_path)
        with hub_errors(name, "loaded"):
            try:
                return super().from_pretrained(name, **kwargs)
            except (json.JSONDecodeError, UnicodeDecodeError) as error:
                raise CheckpointError(f"{name}: config.json is damaged ({error})") from error

    @classmethod
    def _decode_arg(cls, expected_type: Any, value: Any) -> Any:
        """config.json is read by `ModelConfig.from_json`, which checks it, not field by field."""
        return value

    @classmethod
    def _from_pretrained(
        cls,
        *,
        model_id: str,
        revision: str | None,
        cache_dir: str | Path | None,
        force_download: bool,
        local_files_only: bool,
        token: str | bool | None,
        **model_kwargs: Any,
    ) -> Self:
        """Heads from safetensors only, every tensor there and none left over."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        unknown = sorted(set(model_kwargs) - {"config", "backbone", "device"})
        if unknown:
            raise TypeError(f"from_pretrained() got unexpected arguments: {', '.join(unknown)}")
        target = pick_device(model_kwargs.get("device", "cpu"))
        folder = checkpoint_folder(
            model_id,
            revision=revision,
            cache_dir=cache_dir,
            force_download=force_download,
            local_files_only=local_files_only,
            token=token,
        )
        settings = ModelConfig.from_json(model_kwargs.get("config") or {})
        local = Path(model_id).is_dir()
        encoder = recorded_backbone(settings.backbone, model_kwargs.get("backbone"), local)
        file = folder / constants.SAFETENSORS_SINGLE_FILE
        model = cls(settings, encoder)
        try:
            state = load_file(file)
        except SafetensorError as error:
            raise CheckpointError(f"{file}: damaged ({error})") from error
        model._load_heads(state, str(file))
        model._read_companions(folder)
        return model.to(target)

    def _read_companions(self, folder: Path) -> None:
        """The metrics and the card beside the weights, so that saving again keeps them."""
        if (folder / CARD).is_file():
            self.card = (folder / CARD).read_text(encoding="utf-8", errors="replace")
        file = folder / METRICS
        if file.is_file():
            try:
                self.metrics = json.loads(file.read_text(encoding="utf-8"))
            except ValueError as error:
                raise CheckpointError(f"{file}: damaged ({error})") from error

    def _load_heads(self, state: dict[str, Tensor], source: str) -> None:
        """Strict on names and shapes of everything but the backbone."""
        expected = self.head_state()
        wrong = [
            name
            for name in sorted({*expected, *state})
            if name not in expected or name not in state or expected[name].shape != state[name].shape
        ]
        if wrong:
            raise CheckpointError(f"{source}: doesn't fit its config.json ({', '.join(wrong[:4])})")
        self.load_state_dict(state, strict=False)


def _as_rgb(image: "str | Path | Image.Image") -> "Image.Image":
    if isinstance(image, str | Path):
        try:
            return load_rgb(Path(image))
        except ValueError as error:
            raise ValueError(f"{image}: {error}") from error
    return as_rgb(image)
