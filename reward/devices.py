"""Which device computes: `auto` takes the first of cuda, mps and cpu that is there."""

import torch

from reward.errors import InputError


def pick_device(name: str) -> torch.device:
    """The torch device for `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        InputError: unknown, or not on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError.one("--device", f"{name!r} is no device", "auto, cpu, cuda or mps") from error
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present.get(device.type, False):
        raise InputError.one("--device", f"there is no {name} on this machine", "auto takes what is there")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError.one("--device", f"there is no {name} on this machine", "auto takes what is there")
    return device
