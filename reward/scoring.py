"""Scores of image files by a trained model, as a table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reward.aspects import HEADS
from reward.embeddings import EmbeddingCache, default_cache_dir, embed_in_chunks

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
    on_progress: Callable[[int], None] = lambda _: None,
) -> "pd.DataFrame":
    """Score image files; embeddings are taken from and kept in the cache.

    Args:
        on_progress: told how many images are done.

    Returns:
        One row a path, in order: image, the five heads (NaN where untrained), combined.

    Raises:
        InputError: images that are missing or can't be decoded, all of them named.
    """
    import pandas as pd

    parts = list(score_in_chunks(model, paths, cache_dir, on_progress))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["image", *HEADS, "combined"])


def score_in_chunks(
    model: "MultiHeadReward",
    paths: Sequence[Path],
    cache_dir: Path | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> "Iterator[pd.DataFrame]":
    """As `score_files`, for more images than should be in memory at once: a part of the table at a time."""
    import pandas as pd
    import torch

    cache = EmbeddingCache(cache_dir or default_cache_dir())
    for start, part in embed_in_chunks(paths, model.backbone, cache, on_progress):
        with torch.inference_mode():
            scores = model.head_scores(torch.from_numpy(part.vectors).to(model.device))
            columns = {**model.by_head(scores), "combined": model.combine(scores)}
        images = [str(path) for path in paths[start : start + len(scores)]]
        yield pd.DataFrame({"image": images, **{name: values.cpu().numpy() for name, values in columns.items()}})


def scores_frame(images: Sequence[str], scores: Sequence[Mapping[str, float | None]]) -> "pd.DataFrame":
    """The table of `score_files` from scores by column that are there already; None becomes NaN."""
    import pandas as pd

    columns = {name: [row.get(name) for row in scores] for name in (*HEADS, "combined")}
    return pd.DataFrame({"image": list(images), **{name: pd.Series(v, dtype="float32") for name, v in columns.items()}})
