"""From a backbone's specification, or a checkpoint's record of one, to the backbone itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from reward.backbones.base import Backbone
from reward.errors import BackboneError

_FORMS: Final = "openclip:ARCH/TAG, openclip:ARCH@WEIGHTS_FILE, or pixelstats"


def _openclip(rest: str) -> Backbone:
    from reward.backbones.openclip import OpenClipBackbone

    architecture, at, weights = rest.partition("@")
    if at:
        if not architecture or not weights:
            raise BackboneError(f"backbone 'openclip:{rest}' names no weights file; give {_FORMS}")
        return OpenClipBackbone(architecture, weights=Path(weights).expanduser())
    architecture, slash, tag = rest.partition("/")
    if not slash or not architecture or not tag:
        raise BackboneError(f"backbone 'openclip:{rest}' has neither a tag nor a file; give {_FORMS}")
    return OpenClipBackbone(architecture, tag=tag)


def _pixelstats(rest: str) -> Backbone:
    from reward.backbones.pixelstats_backbone import PixelStatsBackbone

    if rest:
        raise BackboneError(f"pixelstats takes no {rest!r}; give {_FORMS}")
    return PixelStatsBackbone()


BACKBONES: Final[dict[str, Callable[[str], Backbone]]] = {"openclip": _openclip, "pixelstats": _pixelstats}


def make_backbone(spec: str) -> Backbone:
    """The backbone that `spec` names, weights not yet loaded.

    Raises:
        BackboneError: not a known form, or what it names can't be had. Nothing else is ever taken instead.
    """
    kind, _, rest = spec.partition(":")
    if kind not in BACKBONES:
        raise BackboneError(f"unknown backbone {spec!r}; give {_FORMS}")
    return BACKBONES[kind](rest)


def matching_backbone(spec: str, identity: dict[str, Any]) -> Backbone:
    """The backbone `spec`, refused if it isn't the one that a checkpoint was trained on.

    Raises:
        BackboneError: as `make_backbone`, or its identity differs; the message names what differs.
    """
    return check_identity(make_backbone(spec), identity)


def recorded_backbone(record: dict[str, Any], spec: str | None, local: bool) -> Backbone:
    """The backbone of a checkpoint. A checkpoint from a hub (not `local`) is not believed when it names a file.

    Args:
        record: `spec` and `identity` of config.json.
        spec: to be used in place of the recorded one.

    Raises:
        BackboneError: as `matching_backbone`; or it stands on a weights file that the caller has to name.
    """
    identity = record["identity"]
    if spec is not None:
        return matching_backbone(spec, identity)
    if local:
        return matching_backbone(record["spec"], identity)
    if identity.get("library") != "open_clip":
        return matching_backbone("pixelstats", identity)
    from reward.backbones.openclip import OpenClipBackbone

    architecture, tag = str(identity.get("architecture")), identity.get("pretrained")
    if not tag:
        raise BackboneError(
            f"this checkpoint stands on a weights file with sha256 {identity.get('weights_sha256')}; "
            f"pass backbone='openclip:{architecture}@FILE' with your copy of it"
        )
    return check_identity(OpenClipBackbone(architecture, tag=str(tag)), identity)


def public_spec(spec: str) -> str:
    """The specification without the folder of a weights file, which is nobody else's business."""
    head, at, file = spec.partition("@")
    return head + at + Path(file).name if at else spec


def check_identity(backbone: Backbone, identity: dict[str, Any]) -> Backbone:
    """The backbone, refused if it isn't the one that a checkpoint was trained on.

    Raises:
        BackboneError: its identity differs; the message names what differs.
    """
    if backbone.identity != identity:
        keys = sorted({*identity, *backbone.identity})
        if identity.get("library") != backbone.identity.get("library"):
            keys = ["library"]
        differing = [key for key in keys if identity.get(key) != backbone.identity.get(key)]
        raise BackboneError(
            f"this checkpoint was not trained on {backbone.spec}: {', '.join(differing)} differ "
            f"(trained on {_short(identity, differing)}, given {_short(backbone.identity, differing)})"
        )
    return backbone


def _short(identity: dict[str, Any], keys: list[str]) -> str:
    return ", ".join(f"{key} {str(identity.get(key))[:40]}" for key in keys)
