"""Which images must stay on one side of a split: connected components over prompts, prompt texts and contents."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reward.errors import InputError

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Link:
    """What may join images: (N,) one key an image, "" = none, and what such a key is called in a message."""

    kind: str
    keys: Sequence[str]


def split_groups(links: Sequence[Link]) -> Ints:
    """(N,) group number of each image: images that share any key of any link are one group."""
    import pandas as pd

    count = len(links[0].keys)
    rows, columns, offset = [], [], count
    for link in links:
        codes, names = pd.factorize(np.asarray(link.keys, dtype=object))
        present = np.array([key != "" for key in link.keys])
        rows.append(np.flatnonzero(present))
        columns.append(codes[present] + offset)
        offset += len(names)
    labels = _components(np.concatenate(rows), np.concatenate(columns), offset)
    _, numbers = np.unique(labels[:count], return_inverse=True)
    return numbers.astype(np.int64)


def bipartite_components(left: Ints, right: Ints, lefts: int, rights: int) -> Ints:
    """(lefts + rights,) component number of each node of the graph with edges left[e] – right[e], lefts first."""
    return _components(left, right + lefts, lefts + rights)


def _components(a: Ints, b: Ints, nodes: int) -> Ints:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(nodes, nodes))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def check_groups(groups: Ints, prompts: Sequence[str], links: Sequence[Link], source: str) -> None:
    """Refuse data that can't be split: a single group, or several prompts joined into over half the images.

    Raises:
        InputError: names what joins the prompts.
    """
    sizes = np.bincount(groups)
    largest = int(sizes.argmax())
    members = np.flatnonzero(groups == largest).tolist()
    names = sorted({prompts[i] for i in members})
    if len(sizes) == 1 and len(names) == 1:
        raise InputError.one(
            source, f"there is only one prompt ({names[0]})", "validation holds whole prompts out: rate a second one"
        )
    if len(names) == 1 or 2 * len(members) <= len(groups):
        return
    reason = _what_joins(members, prompts, links)
    raise InputError.one(
        source,
        f"{len(names)} prompts with {len(members)} of {len(groups)} images hang together through {reason}, "
        "so that nothing independent can be held out",
        "remove or separate what joins them",
    )


def _what_joins(members: list[int], prompts: Sequence[str], links: Sequence[Link]) -> str:
    """The keys that stand under the most prompts within a group, in words."""
    found: list[tuple[int, str]] = []
    for link in links:
        under: dict[str, set[str]] = {}
        for i in members:
            if link.keys[i]:
                under.setdefault(link.keys[i], set()).add(prompts[i])
        found += [
            (len(ids), f"{link.kind} {key!r} (under {len(ids)} prompts)") for key, ids in under.items() if len(ids) > 1
        ]
    found.sort(key=lambda item: (-item[0], item[1]))
    return " and ".join(text for _, text in found[:3]) or "shared images"


def hold_out(groups: Ints, eligible: Bools, fraction: float, seed: int) -> Bools:
    """(N,) True for images of the groups held out: about `fraction` of the groups, at least one, never all.

    Args:
        eligible: (N,) images that are in a pair; groups without any are never held out.

    Which groups is drawn by `seed`.
    """
    candidates = np.unique(groups[eligible])
    if len(candidates) < 2:
        raise InputError.one(
            "--val-fraction", "fewer than two prompts have pairs", "rate two or more images of at least two prompts"
        )
    count = min(max(1, round(fraction * len(candidates))), len(candidates) - 1)
    chosen = np.random.default_rng(seed).permutation(candidates)[:count]
    return np.isin(groups, chosen)


def folds(groups: Ints, eligible: Bools, count: int, seed: int) -> Ints:
    """(N,) fold number 0…count−1 of each image, by group, −1 for images of groups that are in no pair.

    Groups are dealt to the folds in turn, so sizes differ by one group at most.
    """
    candidates = np.random.default_rng(seed).permutation(np.unique(groups[eligible]))
    number = np.full(int(groups.max()) + 1, -1, dtype=np.int64)
    number[candidates] = np.arange(len(candidates)) % count
    return number[groups]
