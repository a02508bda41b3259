"""What comes back of planted aspects, weights and biases: the trainer's command on generated pictures, several times.

    python benchmarks/recovery.py --seeds 5

For each head: held-out accuracy, importance beside the planted weight, how often its 95 % interval holds that weight,
and the correlation of people's biases with the planted ones.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reward.aspects import HEADS
from tests.planted import PEOPLE, WEIGHTS, plant
from tests.reward_inputs import run_trainer


def recover(root: Path, prompts: int, images: int, seed: int) -> np.ndarray:
    """(heads, 4): accuracy, importance, whether its interval holds the planted weight, correlation of biases."""
    planted = plant(root, prompts, images, seed)
    done = run_trainer(
        "--ratings", planted.ratings, "--pairs", planted.pairs, "--backbone", "pixelstats",
        "--output", root / "run", "--cache-dir", root / "cache",
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    best = json.loads((root / "run/best/metrics.json").read_text(encoding="utf-8"))
    raters = json.loads((root / "run/raters.json").read_text(encoding="utf-8"))["heads"]
    rows = []
    for number, head in enumerate(HEADS):
        bias = [raters[head]["people"][who]["bias"] for who in PEOPLE]
        agreement = np.corrcoef(bias, planted.bias[:, number])[0, 1]
        low, high = best["importance_interval"][head]
        holds = low <= WEIGHTS[head] <= high
        rows.append((best["heads"][head]["accuracy"], best["importance"][head], holds, agreement))
    return np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--prompts", type=int, default=60)
    parser.add_argument("--images", type=int, default=5)
    arguments = parser.parse_args()
    found = []
    for seed in range(arguments.seeds):
        with tempfile.TemporaryDirectory() as folder:
            found.append(recover(Path(folder), arguments.prompts, arguments.images, seed))
    accuracy, importance, holds, agreement = np.moveaxis(np.array(found), -1, 0)
    print("| head | accuracy, mean | worst | weight | importance, mean | furthest off | in interval | bias r, worst |")
    print("|---|---|---|---|---|---|---|---|")
    for number, head in enumerate(HEADS):
        off = np.abs(importance[:, number] - WEIGHTS[head]).max()
        print(
            f"| {head} | {accuracy[:, number].mean():.3f} | {accuracy[:, number].min():.3f} | {WEIGHTS[head]:.2f} "
            f"| {importance[:, number].mean():.3f} | {off:.3f} "
            f"| {int(holds[:, number].sum())} of {len(found)} | {agreement[:, number].min():.3f} |"
        )


if __name__ == "__main__":
    main()
