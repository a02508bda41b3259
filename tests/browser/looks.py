"""In which widths and colours a page is looked at: two of the four, all four with EVERY_LOOK=1 in the environment."""

import os
from typing import Final

import pytest

WIDE_LIGHT, NARROW_DARK = (1280, False), (390, True)
_LOOKS: Final = [WIDE_LIGHT, NARROW_DARK, *([(1280, True), (390, False)] if os.environ.get("EVERY_LOOK") else [])]

each_look = pytest.mark.parametrize(
    ("width", "dark"), _LOOKS, ids=[f"{width}-{'dark' if dark else 'light'}" for width, dark in _LOOKS]
)
