"""Label Studio tasks: an image each, with an annotation a person; read back by `annotate.importing.label_studio`.

Label Studio knows people by e-mail and refuses those it doesn't know, so who rated stands in each result's `meta`.
"""

import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from annotate.catalogue import ImageRow
from annotate.exporting.current import Current
from annotate.exporting.tables import gathered
from annotate.judgement import StoredRating
from reward.aspects import ASPECTS, HEADS, MAX_RATING, MIN_RATING, RATING_STEP

CANNOT_JUDGE: Final = "cannot_judge"
IMAGE: Final = "image"
LOCAL_FILES: Final = "/data/local-files/?d="


def label_studio_json(current: Current) -> Iterator[bytes]:
    """A JSON array of tasks, one an image that people rated."""
    return gathered(_text(current))


def labelling_config() -> str:
    """The template to paste into Label Studio's labelling interface: a number an aspect, and what can't be judged."""
    numbers = "".join(
        f'  <Header value="{aspect.label}: {aspect.description}" size="5"/>\n'
        f'  <Number name="{aspect.name}" toName="{IMAGE}" min="{MIN_RATING:g}" max="{MAX_RATING:g}" '
        f'step="{RATING_STEP:g}"/>\n'
        for aspect in ASPECTS
    )
    choices = "".join(f'    <Choice value="{head}"/>\n' for head in HEADS)
    return (
        f'<View>\n  <Text name="prompt" value="$prompt"/>\n  <Image name="{IMAGE}" value="${IMAGE}"/>\n{numbers}'
        f'  <Header value="Can\'t judge" size="5"/>\n'
        f'  <Choices name="{CANNOT_JUDGE}" toName="{IMAGE}" choice="multiple">\n{choices}  </Choices>\n</View>\n'
    )


def _text(current: Current) -> Iterator[str]:
    lead = "[\n"
    for image in current.images:
        people = sorted(current.snapshot.people(image.id).items())
        if people:
            yield lead + json.dumps(_task(image, current.paths[image.id], people), ensure_ascii=False)
            lead = ",\n"
    yield "\n]\n" if lead == ",\n" else "[]\n"


def _task(image: ImageRow, path: str, people: list[tuple[str, StoredRating]]) -> dict[str, Any]:
    data = {
        IMAGE: LOCAL_FILES + quote(path.removeprefix("/")),
        "prompt": image.prompt,
        "prompt_id": image.prompt_id,
        "image_path": path,
    }
    return {"data": data, "annotations": [_annotation(name, rating) for name, rating in people]}


def _annotation(name: str, rating: StoredRating) -> dict[str, Any]:
    results = [
        _result(head, "number", value, name)
        for head, value in zip(HEADS, rating.values, strict=True)
        if value is not None
    ]
    if rating.unjudged:
        results.append(_result(CANNOT_JUDGE, "choices", list(rating.unjudged), name))
    told = {} if rating.seconds is None else {"lead_time": rating.seconds}
    return {"result": results, "created_at": rating.created, **told}


def _result(control: str, kind: str, value: object, name: str) -> dict[str, Any]:
    return {
        "from_name": control,
        "to_name": IMAGE,
        "type": kind,
        "value": {kind: value},
        "meta": {"annotator": name},
    }
