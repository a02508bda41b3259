"""Who may do what: one table, asked by the JSON routes, by the page's events and by Gradio's own routes."""

from typing import Final, Literal, get_args

Role = Literal["annotator", "reviewer", "engineer", "admin"]
Permission = Literal["rate", "analyse", "review", "train", "manage"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)

# rate: rate images, see one's own ratings · analyse: runs, scores, uploads to score · review: agreement between people,
# adjudication · train: start and stop trainings · manage: people, import and export, settings
PERMISSIONS: Final[dict[Permission, frozenset[Role]]] = {
    "rate": frozenset(ROLES),
    "analyse": frozenset({"reviewer", "engineer", "admin"}),
    "review": frozenset({"reviewer", "admin"}),
    "train": frozenset({"engineer", "admin"}),
    "manage": frozenset({"admin"}),
}
