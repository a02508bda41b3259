"""Scores of image files by a trained model, as a table."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reward.aspects import HEADS
from reward.embeddings import EmbeddingCache, default_cache_dir, embed_files
from reward.events import Encoding

if TYPE_CHECKING:
    import pandas as pd

    from reward.model import MultiHeadReward


def load_model(directory: str | Path, backbone: str | None = None, device: str = "auto") -> "MultiHeadReward":
    """A trained model; errors as `MultiHeadReward.from_pretrained`."""
    from reward.model import MultiHeadReward

    return MultiHeadReward.from_pretrained(directory, backbone=backbone, device=device)


def score_files(
    model: "MultiHeadReward",
    paths: Sequence[Path],
    cache_dir: Path | None = None,
    on_progress: Callable[[Encoding], None] = lambda _: None,
) -> "pd.DataFrame":
    """Score image files; embeddings are taken from and kept in the cache.

    Returns:
        One row a path, in order: image, the five heads (NaN where untrained), combined.

    Raises:
        InputError: images that are missing or can't be decoded, all of them named.
    """
    import pandas as pd
    import torch

    from reward.errors import Fault, InputError

    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise InputError([Fault(str(path), None, "the file does not exist", "correct the path") for path in missing])
    columns = ["image", *HEADS, "combined"]
    if not paths:
        return pd.DataFrame(columns=columns)
    cache = EmbeddingCache(cache_dir or default_cache_dir())
    embedded = embed_files(paths, model.backbone, cache, on_progress)
    with torch.inference_mode():
        scores = model.head_scores(torch.from_numpy(embedded.vectors).to(model.device))
        combined = model.combine(scores).cpu().numpy()
    by_name = dict(zip(model.config.heads, scores.cpu().numpy().T, strict=True))
    table = pd.DataFrame({"image": [str(path) for path in paths]})
    for head in HEADS:
        table[head] = by_name.get(head, float("nan"))
    table["combined"] = combined
    return table[columns]
