"""Whether a backbone's weights are on this machine, can be fetched, or neither; nothing is downloaded to find out.

`python -m reward.backbones.availability SPEC…` prints it as a line of JSON, by specification.
"""

import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from reward.backbones.registry import public_spec
from reward.errors import BackboneError, CheckpointError
from reward.hub import hub_errors

State = Literal["built in", "cached", "file", "downloadable", "unreachable", "unknown"]

_HUB_SECONDS: Final = 5.0
_URL_CACHE: Final = Path("~/.cache/clip")  # where open_clip keeps what it fetches by address


@dataclass(frozen=True)
class Availability:
    """Where a backbone's weights are. `words` is a sentence for the page; `size` in bytes, 0 = not known."""

    spec: str
    state: State
    words: str
    size: int = 0

    @property
    def here(self) -> bool:
        """Whether it can be used without a download."""
        return self.state in ("built in", "cached", "file")


def availability(spec: str, *, ask_hub: bool = False) -> Availability:
    """Look for the weights that `spec` names.

    Args:
        ask_hub: where they are not on this machine, ask the hub for their size; it waits five seconds at most.
    """
    kind, _, rest = spec.partition(":")
    if kind == "pixelstats" and not rest:
        return Availability(spec, "built in", "Needs no weights.")
    _, at, file = rest.partition("@")
    if kind == "openclip" and at:
        return _weights_file(spec, Path(file).expanduser())
    try:
        config = _tag_config(spec)
    except BackboneError as error:
        return Availability(spec, "unknown", f"{str(error)[:1].upper()}{str(error)[1:]}.")
    repository, _, name = str(config.get("hf_hub") or "").rpartition("/")
    if not repository:
        return _by_address(spec, str(config.get("url") or ""))
    return _on_the_hub(spec, repository, name, ask_hub)


def _tag_config(spec: str) -> dict[str, object]:
    """open_clip's entry of the tag; the same errors as when the backbone is made."""
    import open_clip

    from reward.backbones.registry import make_backbone

    make_backbone(spec)
    architecture, _, tag = spec.partition(":")[2].partition("/")
    return dict(open_clip.get_pretrained_cfg(architecture, tag) or {})


def _weights_file(spec: str, file: Path) -> Availability:
    if not file.is_file():
        return Availability(spec, "unknown", f"There is no weights file {file.name} where the specification says.")
    size = file.stat().st_size
    return Availability(spec, "file", f"Weights from the file {file.name}, {_gigabytes(size)}.", size)


def _by_address(spec: str, url: str) -> Availability:
    file = _URL_CACHE.expanduser() / url.rpartition("/")[2]
    if url and file.is_file():
        size = file.stat().st_size
        return Availability(spec, "cached", f"Weights on this machine, {_gigabytes(size)}.", size)
    host = url.partition("://")[2].partition("/")[0]
    return Availability(spec, "downloadable", f"Weights not on this machine: a download from {host} at the start.")


def _on_the_hub(spec: str, repository: str, name: str, ask_hub: bool) -> Availability:
    from huggingface_hub import try_to_load_from_cache

    for file in _file_names(name):
        found = try_to_load_from_cache(repository, file)
        if isinstance(found, str):
            size = Path(found).stat().st_size
            return Availability(spec, "cached", f"Weights on this machine, {_gigabytes(size)}.", size)
    if not ask_hub:
        return Availability(spec, "downloadable", f"Weights not on this machine: a download of {repository}.")
    try:
        size = _size_on_the_hub(repository, name)
    except CheckpointError:
        return Availability(
            spec,
            "unreachable",
            "Weights not on this machine, and their hub can't be reached from here: "
            f"copy a weights file and name {public_spec(spec).partition('/')[0]}@FILE, or take pixel statistics.",
        )
    told = f"of {_gigabytes(size)} " if size else ""
    return Availability(
        spec, "downloadable", f"Weights not on this machine: a download {told}at the start, once.", size
    )


def _size_on_the_hub(repository: str, name: str) -> int:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    failure: CheckpointError | None = None
    for file in _file_names(name):
        try:
            with hub_errors(repository, "asked for"):
                return get_hf_file_metadata(hf_hub_url(repository, file), timeout=_HUB_SECONDS).size or 0
        except CheckpointError as error:
            failure = error
    assert failure is not None
    raise failure


def _file_names(name: str) -> tuple[str, ...]:
    """The names that open_clip tries, in its order."""
    from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME

    if not name:
        return (HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME)
    stem, _, suffix = name.rpartition(".")
    return (f"{stem}.safetensors", name) if suffix in ("bin", "pth") else (name,)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"


def main(argv: Sequence[str]) -> int:
    """Print the availability of each specification; always 0."""
    print(json.dumps({spec: dataclasses.asdict(availability(spec, ask_hub=True)) for spec in argv}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
