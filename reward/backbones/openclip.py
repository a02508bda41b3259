"""OpenCLIP image encoders as backbones: `openclip:ARCH/TAG` from open_clip's list, `openclip:ARCH@FILE` from a file."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from reward.backbones.base import Backbone
from reward.errors import BackboneError

if TYPE_CHECKING:
    from PIL import Image

Precision = Literal["float32", "tf32", "bfloat16"]
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)

_OTHER_WAYS = (
    "Ways to get an encoder: `openclip:ARCH@FILE` with a weights file copied onto this machine (safetensors or .pt), "
    "`openclip:ARCH/TAG` on a machine that reaches the hub (or with its cache copied here), or `pixelstats`, "
    "which needs no weights"
)

_LARGE: Final = 1024  # ViT-L's width; smaller towers gain nothing by a core for each picture
_OVERSHOOT: Final = 0.5  # a decoder's pixels may leave [0, 1]; those in [-1, 1] or [0, 255] go further


class OpenClipBackbone(Backbone):
    """The image tower of an OpenCLIP model; embeddings have length 1.

    Cheap to make: only the identity is worked out (a weights file is hashed). Weights load at first use.

    Attributes:
        precision: how a GPU multiplies, one of `PRECISIONS`. "tf32" by measurement (docs/benchmarks.md): four times as
            fast as "float32" with scores less than a thousandth of a point apart, where "bfloat16" moves them ten times
            as far and gains nothing once images are decoded too. Other devices compute in float32.
    """

    def __init__(self, architecture: str, *, tag: str | None = None, weights: Path | None = None) -> None:
        """Exactly one of `tag` (a pretrained tag of open_clip's list) and `weights` (a file) is given.

        Raises:
            BackboneError: unknown architecture or tag, or no such file.
        """
        super().__init__()
        self.spec = f"openclip:{architecture}" + (f"/{tag}" if tag else f"@{weights}")
        self.takes_pixels = True
        self._architecture, self._tag, self._weights = architecture, tag, weights
        self._device = torch.device("cpu")
        self.visual: torch.nn.Module | None = None
        self.precision: Precision = "tf32"
        model_config, tag_config = self._configs()
        self._quick_gelu = bool(model_config.get("quick_gelu") or tag_config.get("quick_gelu"))
        self._preprocess = _preprocess_config(model_config, tag_config)
        self.dim = int(model_config["embed_dim"])
        self.worth_a_core = int(model_config.get("vision_cfg", {}).get("width") or 0) >= _LARGE
        self.identity = {
            "library": "open_clip",
            "architecture": architecture,
            **({"pretrained": tag} if tag else {"weights_sha256": _file_sha256(weights) if weights else None}),
            "quick_gelu": self._quick_gelu,
            "preprocess": self._preprocess,
            "normalised": True,
        }

    @property
    def key(self) -> str:
        """As `Backbone.key`; embeddings in bfloat16 are kept apart from the others."""
        return f"{super().key}-bfloat16" if self._computes_in() == "bfloat16" else super().key

    def _computes_in(self) -> Precision:
        return self.precision if self._device.type == "cuda" else "float32"

    @property
    def device(self) -> torch.device:
        """Where the image tower is, or will be."""
        return self._device

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "OpenClipBackbone":
        """Where `to`, `cuda` and `cpu` end: remembers the device for weights that are yet to come."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._device = fn(torch.empty(0, device=self._device)).device
        return self

    @cached_property
    def transform(self) -> Any:
        """open_clip's own preprocessing: PIL image or (…, 3, H, W) pixels in [0, 1] → normalised pixels."""
        from open_clip.transform import PreprocessCfg, image_transform_v2

        return image_transform_v2(PreprocessCfg(**self._preprocess), is_train=False)

    def prepare(self, image: "Image.Image") -> Tensor:
        """(3, H, W) float32 as the encoder takes it."""
        pixels: Tensor = self.transform(image)
        return pixels

    def preparation(self) -> "Callable[[Image.Image], Tensor]":
        """See `Backbone.preparation`."""
        made: Callable[[Image.Image], Tensor] = self.transform
        return made

    def preprocess_tensor(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) pixels in [0, 1], any size → (B, 3, h, w) as the encoder takes them, differentiably.

        Raises:
            BackboneError: another shape or type, or values of another range, such as [-1, 1] or [0, 255].
        """
        if pixels.ndim != 4 or pixels.shape[1] != 3 or not pixels.is_floating_point():
            raise BackboneError(f"expected (B, 3, H, W) floats in [0, 1], got {tuple(pixels.shape)} {pixels.dtype}")
        lowest, highest = torch.stack(pixels.detach().aminmax()).tolist() if pixels.numel() else (0, 1)
        if lowest < -_OVERSHOOT or highest > 1 + _OVERSHOOT:
            raise BackboneError(
                f"expected pixels in [0, 1], got {lowest:.3g} to {highest:.3g}; pixels in [-1, 1] are to be given as "
                "(pixels / 2 + 0.5).clamp(0, 1), those in [0, 255] as pixels / 255"
            )
        prepared: Tensor = self.transform(pixels)
        return prepared

    def encode(self, batch: Tensor) -> Tensor:
        """(B, 3, h, w) prepared pixels → (B, D) float32 of length 1."""
        self.load()
        assert self.visual is not None
        pixels = batch.to(self._device, next(self.visual.parameters()).dtype, non_blocking=batch.is_pinned())
        with _multiplying(self._computes_in()):
            features = self.visual(pixels)
        if isinstance(features, tuple):  # CoCa's tower returns tokens beside the pooled embedding
            features = features[0]
        return functional.normalize(features.float(), dim=-1)

    def load(self) -> None:
        """Load the image tower's weights; the text tower is dropped.

        Raises:
            BackboneError: the weights can't be had or don't fit the architecture.
        """
        if self.visual is not None:
            return
        import open_clip

        source = self._tag if self._tag else str(self._weights)
        try:
            model = open_clip.create_model(
                self._architecture,
                pretrained=source,
                force_quick_gelu=self._quick_gelu,
                require_pretrained=True,
                pretrained_text=False,
                output_dict=False,
            )
        except Exception as error:  # open_clip, torch, safetensors and the hub client each raise their own
            why = _first_line(error)
            if self._weights is not None:
                kind = type(error).__name__
                why = f"the file is damaged, or doesn't hold weights of {self._architecture} ({kind}: {why})"
            raise BackboneError(f"can't load {self.spec}: {why}. {_OTHER_WAYS}.") from error
        self.visual = model.visual.requires_grad_(False).eval().to(self._device)

    def _configs(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """open_clip's configuration of the architecture and of the tag ({} for a file)."""
        import open_clip

        # Only names of its list: open_clip would also follow `local-dir:` and `hf-hub:` in an architecture's name.
        listed = self._architecture in open_clip.list_models()
        model_config = open_clip.get_model_config(self._architecture) if listed else None
        if model_config is None:
            raise BackboneError(f"open_clip knows no architecture {self._architecture!r}; try ViT-L-14 or ViT-B-32")
        if self._weights is not None:
            if not self._weights.is_file():
                raise BackboneError(f"weights file {self._weights} not found. {_OTHER_WAYS}.")
            return model_config, {}
        tag_config = open_clip.get_pretrained_cfg(self._architecture, self._tag)
        if not tag_config:
            tags = ", ".join(open_clip.list_pretrained_tags_by_model(self._architecture)) or "none"
            raise BackboneError(f"{self._architecture} has no pretrained tag {self._tag!r}; it has: {tags}")
        return model_config, tag_config


@contextmanager
def _multiplying(precision: Precision) -> Iterator[None]:
    """Within, products on a GPU are computed so; the settings are the whole process's, so they are put back."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    if precision != "float32":
        matmul.allow_tf32 = cudnn.allow_tf32 = True
    try:
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bfloat16"):
            yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


def _preprocess_config(model_config: dict[str, Any], tag_config: dict[str, Any]) -> dict[str, Any]:
    """Size, mean, deviation, interpolation … as open_clip would set them for these weights, as JSON knows them."""
    from open_clip.transform import PreprocessCfg, merge_preprocess_dict

    merged = merge_preprocess_dict(asdict(PreprocessCfg()), tag_config)
    merged["size"] = model_config["vision_cfg"].get("image_size", 224)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in merged.items()}


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0].rstrip(".:") if text else type(error).__name__
