"""How far the people whose ratings a run learned from agree: Krippendorff's α a head, from the run's ratings file."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboards.roots import Roots
from dashboards.runs import Run, read_run
from reward.errors import RewardError
from reward.lineage import trained_run

if TYPE_CHECKING:
    from annotate.alpha import HeadAgreement


def agreement_of(run: Run, roots: Roots) -> "Mapping[str, HeadAgreement]":
    """By head; empty where the file doesn't tell people apart, is gone without a copy, or may not be read."""
    try:
        folder = trained_run(run.folder)
        trained = read_run(folder)
        arguments, inputs = ((trained.config if trained else {}).get(key) for key in ("arguments", "inputs"))
        given: Any = arguments.get("ratings") if isinstance(arguments, dict) else None
        if not isinstance(given, str) or not isinstance(inputs, dict) or not isinstance(arguments, dict):
            return {}
        root = arguments.get("image_root")
        about = Path(given), str(inputs.get(given)), Path(root) if isinstance(root, str) else None
        return _agreement(folder, roots, *about)
    except (RewardError, OSError):
        return {}


@lru_cache(maxsize=50)
def _agreement(
    run: Path, roots: Roots, file: Path, sha256: str, image_root: Path | None
) -> "Mapping[str, HeadAgreement]":
    """Read once: what a run learned from stays as it was."""
    from annotate.alpha import head_agreements
    from annotate.rated import rated_of_table
    from reward.inputs import read_inputs
    from reward.ratings import read_ratings

    content = read_inputs(run, {str(file): sha256}, roots.may_read)[file]
    table = read_ratings(file, image_root, check_images=False, content=content)
    if not table.has_annotators:
        return {}
    return {one.head: one for one in head_agreements(rated_of_table(table))}
