"""Drafts: what a person touched of a rating before saving it; one a person and image, gone when the rating is saved."""

import json

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


def one_draft(db: Database, image_id: int, annotator: str) -> Draft | None:
    """The draft of a person and image."""
    row = db.execute(
        "SELECT body FROM drafts WHERE annotator = ? AND image_id = ?", [annotator, image_id]
    ).fetchone()  # fmt: skip
    if row is None:
        return None
    body = json.loads(row[0])
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
