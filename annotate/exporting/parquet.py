"""Parquet with the images' own bytes: Hugging Face `datasets` loads its column `image` as pictures.

One row a rated image: prompt, means, and what each person said. Written a few images at a time.
"""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from annotate.catalogue import ImageRow
from annotate.exporting.current import Current
from annotate.image_bytes import real_file
from reward.aspects import HEADS, RATING_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP_BYTES: Final = 32 * 2**20
_GROUP_ROWS: Final = 500


def parquet_file(current: Current) -> Iterator[bytes]:
    """The file, a row group at a time.

    Raises:
        NotFoundError: an image's file is gone.
    """
    for image in current.rated:
        real_file(current.project, image)  # before the first byte: a half-sent file can't be taken back
    return _pieces(current)


def parquet_schema() -> "pa.Schema":
    """The columns; the metadata tells `datasets` that `image` is a picture."""
    import pyarrow as pa

    said = [("annotator", pa.string()), *((head, pa.float64()) for head in HEADS),
            ("cannot_judge", pa.list_(pa.string())), ("seconds", pa.float64())]  # fmt: skip
    fields = [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        *((name, pa.string()) for name in ("prompt_id", "prompt", "image_path")),
        *((column, pa.float64()) for column in RATING_COLUMNS),
        ("ratings", pa.list_(pa.struct(said))),
    ]
    features = json.dumps({"info": {"features": {"image": {"_type": "Image"}}}})
    return pa.schema(fields).with_metadata({"huggingface": features})


def _pieces(current: Current) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = _Sink()
    schema = parquet_schema()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for rows in _groups(_row(current, image) for image in current.rated):
            writer.write_table(pa.Table.from_pylist(rows, schema))
            yield sink.take()
    yield sink.take()


def _row(current: Current, image: ImageRow) -> dict[str, Any]:
    people = sorted(current.snapshot.people(image.id).items())
    said = [
        {
            "annotator": name,
            **dict(zip(HEADS, row.values, strict=True)),
            "cannot_judge": list(row.unjudged),
            "seconds": row.seconds,
        }
        for name, row in people
    ]
    content = real_file(current.project, image).read_bytes()
    return {
        "image": {"bytes": content, "path": image.path.rsplit("/", 1)[-1]},
        "prompt_id": image.prompt_id,
        "prompt": image.prompt,
        "image_path": current.paths[image.id],
        **dict(zip(RATING_COLUMNS, current.snapshot.means(image.id), strict=True)),
        "ratings": said,
    }


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """As many rows together as memory bears; none where there are none."""
    waiting: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        waiting.append(row)
        size += len(row["image"]["bytes"])
        if size >= _GROUP_BYTES or len(waiting) >= _GROUP_ROWS:
            yield waiting
            waiting, size = [], 0
    if waiting:
        yield waiting


class _Sink:
    """A file to write to, whose content is taken away as it grows."""

    closed = False

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: "pa.Buffer") -> int:
        self._waiting.append(bytes(data))
        return len(self._waiting[-1])

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._waiting)
        self._waiting.clear()
        return taken
