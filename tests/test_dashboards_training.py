"""The training tab's offer of the pairs that people judged directly."""

from pathlib import Path

import pytest

from annotate.project import Project
from dashboards.beforehand import judged_pairs

LINE = '{"prompt": "a disc", "img_pos": "a.png", "img_neg": "b.png", "label": 1.0%s}\n'


@pytest.mark.parametrize("place", ["annotations", "annotations/own"])
def test_only_pairs_that_people_judged_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path / "data")
    path = project.root / place / "pairs.jsonl"
    assert judged_pairs(project) == ("", 0)
    path.parent.mkdir(parents=True)
    for text in ("", "no JSON\n", "[]\n", LINE % ""):
        path.write_text(text)
        assert judged_pairs(project) == ("", 0)
    path.write_text(2 * (LINE % ', "votes": 3'))
    assert judged_pairs(project) == (f"data/{place}/pairs.jsonl", 2)
