"""What it costs to begin: `import reward` without torch, and `train_reward.py --help`.

    python benchmarks/startup.py

Fresh processes, a bare interpreter and `import torch` in turn with them.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.ratios import ROUNDS, Row, in_turn, main, ratios

ROOT = Path(__file__).resolve().parents[1]


def process(*arguments: str) -> Callable[[], object]:
    """Runs a Python process to its end."""
    return lambda: subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def rows(quick: bool) -> Iterator[Row]:
    loaded = "import sys, reward; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True)
    yield Row("import reward: torch loaded (0 = no)", [float(done.stdout.strip() == "True")], most=0)
    sides = (
        process("train_reward.py", "--help"),
        process("-c", "import reward"),
        process("-c", "import torch"),
        process("-c", "pass"),
    )
    for side in sides if not quick else ():
        side()  # once, so that files are in the page cache
    measured = in_turn(sides, 1 if quick else 2 * ROUNDS)
    yield Row("train_reward.py --help", [seconds[0] for seconds in measured], most=0.5, unit=" s")
    yield Row("train_reward.py --help ÷ a bare interpreter", ratios(measured, 0, 3))
    yield Row("import reward ÷ a bare interpreter", ratios(measured, 1, 3))
    yield Row("import torch ÷ import reward", ratios(measured, 2, 1))


if __name__ == "__main__":
    main(rows, __doc__)
