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
    """By head; empty where the file doesn't tell people apart, is gone, has changed since, or may not be read."""
    try:
        trained = read_run(trained_run(run.folder))
    except RewardError:
        return {}
    arguments, inputs = ((trained.config if trained else {}).get(key) for key in ("arguments", "inputs"))
    given: Any = arguments.get("ratings") if isinstance(arguments, dict) else None
    if not isinstance(given, str) or not isinstance(inputs, dict) or not isinstance(arguments, dict):
        return {}
    file, root = Path(given).resolve(), arguments.get("image_root")
    if not roots.may_read(file):
        return {}
    try:
        about = file.stat()
    except OSError:
        return {}
    recorded = str(inputs.get(given))
    return _agreement(file, (about.st_mtime_ns, about.st_size), recorded, root if isinstance(root, str) else None)


@lru_cache(maxsize=50)
def _agreement(
    file: Path, _stamp: tuple[int, int], recorded: str, image_root: str | None
) -> "Mapping[str, HeadAgreement]":
    """Read once as long as the file stays as it is."""
    from annotate.alpha import head_agreements
    from annotate.rated import rated_of_table
    from reward.images import content_sha256
    from reward.ratings import read_ratings

    try:
        if content_sha256(file) != recorded:
            return {}
        table = read_ratings(file, Path(image_root) if image_root else None, check_images=False)
    except (RewardError, OSError):
        return {}
    if not table.has_annotators:
        return {}
    return {one.head: one for one in head_agreements(rated_of_table(table))}
