"""The room "Agreement" without its components: words for nothing, cards, flags, and the chart."""

from collections.abc import Callable

import numpy as np
import pytest

from annotate.adjudications import Adjudication
from annotate.agreement_desk import AgreementDesk
from annotate.judgement import Rating
from annotate.project import Project
from annotate.store import Store
from dashboards import adjudication, agreement_room
from reward.aspects import HEADS

MakeDesk = Callable[..., AgreementDesk]


@pytest.fixture
def make_desk(make_project: Callable[..., Project], open_store: Callable[[Project], Store]) -> MakeDesk:
    def make(people: int, settings: str = "") -> AgreementDesk:
        project = make_project(prompts=11, images=2, size=(16, 16))
        project.settings.write_text(settings, encoding="utf-8")
        store, random = open_store(project), np.random.default_rng(0)
        for image_id in range(1, 23):
            quality = random.uniform(2, 8)
            for number in range(people):
                given = np.clip(quality + random.normal(0, 1, len(HEADS)), 0, 10).round(1)
                values = (4.0,) * len(HEADS) if number == 3 else tuple(given.tolist())
                name = f"<i>{number}</i>"
                store.save_rating(Rating(image_id, name, values, seconds=9.0, key=f"key-{number}-{image_id}"))
        return AgreementDesk(store)

    return make


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "as it is set, everybody rates each image"),
        ("ratings_per_image = 3", "as it is set, 3 people rate each image"),
        ("ratings_per_image = 1", "nobody gets an image that is rated: set 2 or more"),
    ],
)
def test_nothing_yet_says_what_to_do(make_desk: MakeDesk, settings: str, words: str) -> None:
    desk = make_desk(people=1, settings=settings)
    assert not desk.agreement().comparable
    assert words in agreement_room.nothing_yet(desk)
    assert "People agree" in adjudication.disputed_cards(desk, "", adjudication.OPEN)


def test_tables_name_who_carries_no_signal_and_escape_names(make_desk: MakeDesk) -> None:
    found = make_desk(people=4).agreement()
    card = agreement_room.people_card(found)
    assert "&lt;i&gt;3&lt;/i&gt; gives every image 4 on every aspect." in card
    assert "<i>3" not in card
    assert card.count(">yes</span>") == 3
    assert agreement_room.head_card(found).count("<tr>") == 6
    chart = agreement_room.bias_chart(found)
    assert [trace.name for trace in chart.data] == ["Spatial", "Iconographic", "Style", "Fidelity", "Material"]
    assert all(len(trace.x) == 4 for trace in chart.data)
    assert agreement_room.bias_rows(found)[0][0] == "<i>0</i>"


def test_figures_follow_new_ratings(make_desk: MakeDesk) -> None:
    desk = make_desk(people=2)
    first = desk.agreement()
    assert desk.agreement() is first
    desk.store.save_rating(Rating(1, "Zoe", (1.0,) * len(HEADS), key="key-of-zoe"))
    assert [one.name for one in desk.agreement().people][-1] == "Zoe"


def test_cards_of_what_is_open_and_of_what_is_settled(make_desk: MakeDesk) -> None:
    desk = make_desk(people=3)
    worst = desk.open_disputes(None, 1)[0]
    assert f'data-image="{worst.image_id}" data-head="{worst.head}" data-newest=""' in (
        adjudication.disputed_cards(desk, "", adjudication.OPEN)
    )
    assert adjudication.disputed_cards(desk, "style", adjudication.OPEN).count("<article") == 12
    desk.store.adjudicate(Adjudication(worst.image_id, worst.head, 5.0, "Rita", "<b>why</b>"), None)
    assert (worst.image_id, worst.head) not in [(one.image_id, one.head) for one in desk.open_disputes(None, 500)]
    card = adjudication.disputed_cards(desk, "", adjudication.SETTLED)
    assert card.count("<article") == 1
    assert "Adjudicated 5 by Rita: &lt;b&gt;why&lt;/b&gt;" in card
    assert f'data-newest="1" data-stands="true" data-studio="{desk.store.identity}"' in card
    desk.store.adjudicate(Adjudication(worst.image_id, worst.head, None, "Sam"), None)
    assert "Nothing is adjudicated" in adjudication.disputed_cards(desk, "", adjudication.SETTLED)
    assert "Sam revoked the adjudicated value" in adjudication.disputed_cards(desk, "", adjudication.OPEN)
