"""After a training of the project's own ratings: where images come in informative order, they are ranked anew.

Runs in the training's runner, which outlives the studio; what it prints goes to `ranking.txt` in the job's folder.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from annotate.project import Project
from annotate.settings import read_campaign
from reward.errors import InputError

LOG: Final = "ranking.txt"


def rank_images(folder: Path) -> int | None:
    """Rank a project's images by the model that a job has made; the command's exit code, None where there is no need.

    Args:
        folder: of the job that has ended well, `<data>/jobs/<id>`.
    """
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    project = Project(folder.absolute().parent.parent)
    command = ranking_command(project, job["arguments"], Path(job["output"]))
    if command is None:
        return None
    with (folder / LOG).open("wb") as log:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode


def ranking_command(project: Project, arguments: Sequence[str], output: Path) -> list[str] | None:
    """What ranks the project's images; None where the order isn't informative or the ratings weren't the project's.

    Args:
        arguments: of the training; output: its run folder.
    """
    try:
        informative = read_campaign(project.settings).order == "informative"
    except InputError:  # the studio says so when it starts
        return None
    told = {flag: value for flag, value in pairwise(arguments) if flag.startswith("--")}
    ratings = Path(told.get("--ratings", "")).absolute()
    if not informative or not told.get("--ratings") or ratings.parent != project.annotations.absolute():
        return None
    by_person = project.per_annotator_csv if project.per_annotator_csv.is_file() else ratings
    command = [sys.executable, "-m", "reward.informative", "--model", str(output / "best")]
    command += ["--images", str(project.images), "--ratings", str(by_person), "--output", str(project.priorities)]
    for flag in ("--image-root", "--device", "--cache-dir"):
        command += [flag, told[flag]] if flag in told else []
    return command
