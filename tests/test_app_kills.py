"""The studio killed with SIGKILL while people rate over HTTP: nothing acknowledged is lost, and all files are true."""

import random
from pathlib import Path

from dashboards_server import StudioProcess

from benchmarks.rating_kills import faults, rate_and_kill, read_database
from benchmarks.serving import make_images

KILLS = 2


def test_after_each_kill_every_acknowledged_rating_is_there_and_the_files_are_true(tmp_path: Path) -> None:
    data, chance, acknowledged = tmp_path / "data", random.Random(1), list[str]()
    make_images(data, 300)
    for number in range(KILLS + 1):
        studio = StudioProcess(data, tmp_path / "outputs", cwd=tmp_path)
        try:
            assert faults(data, acknowledged) == []
            if number < KILLS:
                before = len(acknowledged)
                assert rate_and_kill(studio.url, studio.kill, chance, acknowledged) == []
                assert len(acknowledged) > before
        finally:
            studio.close()
    assert len(read_database(data, "SELECT id FROM ratings")) > 0
    for name in ("multihead_ratings.csv", "ratings_per_annotator.csv", "pairs.jsonl"):
        assert (data / "annotations" / name).stat().st_size > 0
