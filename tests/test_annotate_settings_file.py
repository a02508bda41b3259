"""Settings saved while the studio runs: checked, in use at once, comments kept, no other edit overwritten."""

from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from annotate.errors import ConflictError
from annotate.project import Project
from annotate.settings import Campaign, read_campaign
from annotate.settings_file import SettingsFile, fault_words
from annotate.store import Store
from dashboards.settings_tab import given_values
from reward.errors import InputError

TOML = '# our campaign\norder = "prompt" # for now\n\n# how many\nratings_per_image = 2\n'


@pytest.fixture
def store(make_project: Callable[..., Project], open_store: Callable[[Project], Store]) -> Store:
    project = make_project(prompts=2, images=3)
    project.settings.write_text(TOML, encoding="utf-8")
    return open_store(project)


def test_what_is_saved_holds_at_once_and_comments_stay(store: Store) -> None:
    file = SettingsFile(store)
    before = file.read()
    assert "random" not in store.next_tasks("Ada")[0].why
    saved = file.save(asdict(replace(before, order="random", repeats=0.1)), before)
    assert store.next_tasks("Bob")[0].why == "Images come in random order."
    assert saved == store.campaign == read_campaign(store.project.settings)
    text = store.project.settings.read_text(encoding="utf-8")
    assert text.startswith('# our campaign\norder = "random" # for now\n\n# how many\nratings_per_image = 2\n')
    assert "repeats = 0.1" in text
    assert "lease_minutes" not in text


def test_what_is_wrong_is_refused_with_what_would_be_right(store: Store) -> None:
    file = SettingsFile(store)
    wrong = asdict(file.read()) | {"order": "backwards", "repeats": 0.9, "ratings_per_image": 2.5}
    with pytest.raises(InputError) as caught:
        file.save(wrong, file.read())
    words = fault_words(caught.value)
    assert "order is 'backwards'; right would be one of prompt, random, informative." in words
    assert "repeats is 0.9; right would be a number from 0 to 0.5." in words
    assert "ratings_per_image is 2.5; right would be a whole number from 0 to 1000." in words
    assert store.project.settings.read_text(encoding="utf-8") == TOML
    assert store.campaign == Campaign(ratings_per_image=2)


def test_another_edit_is_not_overwritten(store: Store) -> None:
    file = SettingsFile(store)
    before = file.read()
    store.project.settings.write_text('strip = "off"\n', encoding="utf-8")
    for opened in (before, None):
        with pytest.raises(ConflictError, match="changed on disk"):
            file.save(asdict(before), opened)
    store.project.settings.write_text("what is this", encoding="utf-8")
    with pytest.raises(InputError, match="can't be read"):
        file.save(asdict(before), before)
    store.project.settings.unlink()
    assert file.save({"strip": "on"}, Campaign()).strip == "on"
    assert store.project.settings.read_text(encoding="utf-8") == 'strip = "on"\n'


def test_a_form_gives_whole_numbers_as_such() -> None:
    given = given_values({"ratings_per_image": 3.0, "repeats": 0.0, "votes_per_pair": None, "lease_minutes": 2.5})
    assert given == {"ratings_per_image": 3, "repeats": 0.0, "lease_minutes": 2.5}
    assert type(given["ratings_per_image"]) is int
