"""Drafts: what a person touched of a rating before saving it; one a person and image, gone when the rating is saved."""

import json
from collections.abc import Sequence
from typing import Any

from sqlite_utils import Database

from annotate.judgement import Draft
from reward.aspects import HEADS


def put_draft(db: Database, draft: Draft, now: str) -> None:
    """Keep a draft in place of the earlier one; a blank one only removes that."""
    if draft.is_blank:
        remove_draft(db, draft.image_id, draft.annotator)
        return
    body = {"values": draft.values, "unjudged": draft.unjudged, "seconds": draft.seconds, "revises": draft.revises}
    db.execute(
        "INSERT INTO drafts (annotator, image_id, body, updated) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (annotator, image_id) DO UPDATE SET body = excluded.body, updated = excluded.updated",
        [draft.annotator, draft.image_id, json.dumps(body), now],
    )


def remove_draft(db: Database, image_id: int, annotator: str) -> None:
    """Forget a draft, if there is one."""
    db.execute("DELETE FROM drafts WHERE annotator = ? AND image_id = ?", [annotator, image_id])


def drafts_of(db: Database, image_ids: Sequence[int], annotator: str) -> dict[int, Draft]:
    """A person's drafts of these images, by image."""
    query = "SELECT image_id, body FROM drafts WHERE annotator = ? AND image_id IN (SELECT value FROM json_each(?))"
    rows = db.execute(query, [annotator, json.dumps(image_ids)]).fetchall()
    return {int(row[0]): _draft(int(row[0]), annotator, json.loads(row[1])) for row in rows}


def one_draft(db: Database, image_id: int, annotator: str) -> Draft | None:
    """The draft of a person and image."""
    return drafts_of(db, [image_id], annotator).get(image_id)


def _draft(image_id: int, annotator: str, body: dict[str, Any]) -> Draft:
    values = tuple(body["values"]) if len(body["values"]) == len(HEADS) else (None,) * len(HEADS)
    return Draft(image_id, annotator, values, tuple(body["unjudged"]), body["seconds"], body["revises"])


def drafted_images(db: Database, annotator: str) -> list[int]:
    """The images that a person has drafts of and didn't skip since, the one touched last first."""
    rows = db.execute(
        "SELECT d.image_id FROM drafts d WHERE d.annotator = :annotator AND NOT EXISTS (SELECT 1 FROM skips s WHERE "
        "s.annotator = :annotator AND s.image_id = d.image_id AND s.created >= d.updated) ORDER BY d.updated DESC",
        {"annotator": annotator},
    )
    return [int(row[0]) for row in rows]
