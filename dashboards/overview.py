"""The overview room without its components: a project's numbers as cards and tables."""

from collections.abc import Sequence
from html import escape
from typing import Final

from annotate.image_list import list_page
from annotate.overview import Overview, PersonSummary, PromptSummary, project_overview
from annotate.store import Store
from dashboards import cards, markup
from reward.errors import RewardError

MOST_ROWS: Final = 100
MOST_PROBLEMS: Final = 12


def show_overview(store: Store) -> str:
    """The room's content. Whatever is wrong is said in it; nothing is raised."""
    try:
        with store.reading() as db:
            found = project_overview(db, store.campaign.ratings_per_image)
    except RewardError as error:
        return cards.problem("The project can't be read", str(error))
    numbers = _numbers(found) + _coverage(found, store.campaign.ratings_per_image)
    return unusable(store.problems) + numbers + _people(found.people) + _prompts(found.prompts)


def show_images(store: Store, words: str, state: str, page: float | None) -> tuple[str, int]:
    """The images with their number of ratings, a page of them; and the number of the page that is shown."""
    try:
        with store.reading() as db:
            found = list_page(db, store.campaign.ratings_per_image, words, state, int(page or 1))
    except RewardError as error:
        return cards.problem("The project can't be read", str(error)), 1
    if not found.total:
        return cards.empty("No image", "Nothing in this project is like that."), 1
    rows = [
        [
            escape(image.path),
            f'<span title="{escape(image.text)}">{escape(image.prompt_id)}</span>',
            cards.count(image.ratings),
            image.state,
        ]
        for image in found.images
    ]
    last = found.first + len(rows) - 1
    where = f"Images {found.first:,}–{last:,} of {found.total:,}; page {found.page:,} of {found.pages:,}."
    return cards.detail(where) + markup.table(("Image", "Prompt", "Ratings", "State"), rows), found.page


def unusable(problems: Sequence[str]) -> str:
    """The files of the project that can't be used, each with its reason; empty where there is none."""
    if not problems:
        return ""
    more = len(problems) - MOST_PROBLEMS
    shown = [*problems[:MOST_PROBLEMS], *([f"… and {more:,} more"] if more > 0 else [])]
    files = "file of the project can't be used" if len(problems) == 1 else "files of the project can't be used"
    items = "".join(f"<p>{escape(line)}</p>" for line in shown)
    return f'<div class="studio-warning" role="status"><strong>{len(problems):,} {files}</strong>{items}</div>'


def seconds_words(seconds: float | None) -> str:
    """A duration as a person reads it."""
    return "–" if seconds is None else f"{seconds:.1f} s"


def pace_words(pace: float | None) -> str:
    """A pace as a person reads it."""
    return "–" if pace is None else f"{pace:,.0f} an hour"


def _numbers(found: Overview) -> str:
    return cards.tiles(
        [
            ("images", cards.count(found.images)),
            ("done", cards.count(found.coverage.done)),
            ("begun", cards.count(found.coverage.begun)),
            ("untouched", cards.count(found.coverage.untouched)),
            ("prompts", cards.count(len(found.prompts))),
            ("people", cards.count(len(found.people))),
            ("images rated, a person each", cards.count(found.ratings)),
            ("ratings an image", f"{found.ratings_an_image:.1f}"),
            ("median time a rating", seconds_words(found.seconds)),
        ]
    )


def _coverage(found: Overview, wanted: int) -> str:
    """How many images are done, begun and untouched, and what makes one done."""
    if not found.images:
        return ""
    if wanted:
        each = f"{wanted:,} {'person is' if wanted == 1 else 'different people are'} to rate each image"
    else:
        each = f"everybody is to rate each image, so far {found.target:,} {'person' if found.target == 1 else 'people'}"
    done = found.coverage.done
    words = f"{done:,} of {found.images:,} images are done ({100 * done // found.images} %): {each}."
    return markup.progress_bar(done / found.images, "Images done") + cards.detail(words)


def _people(people: Sequence[PersonSummary]) -> str:
    if not people:
        return cards.empty("Nobody has rated yet", "Open the Rate tab, enter a name and rate the first image.")
    rows = [
        [
            escape(person.name),
            cards.count(person.rated),
            seconds_words(person.seconds),
            pace_words(person.pace),
            _day(person.last),
        ]
        for person in people[:MOST_ROWS]
    ]
    return _part("People", ("Person", "Images rated", "Median time", "Pace", "Last rating"), rows, len(people))


def _prompts(prompts: Sequence[PromptSummary]) -> str:
    if not prompts:
        return ""
    rows = [
        [
            f'<span title="{escape(prompt.text)}">{escape(prompt.id)}</span>',
            *(
                cards.count(number)
                for number in (
                    prompt.coverage.images,
                    prompt.coverage.done,
                    prompt.coverage.begun,
                    prompt.coverage.untouched,
                    prompt.ratings,
                )
            ),
        ]
        for prompt in prompts[:MOST_ROWS]
    ]
    return _part("Prompts", ("Prompt", "Images", "Done", "Begun", "Untouched", "Ratings"), rows, len(prompts))


def _part(heading: str, columns: Sequence[str], rows: list[list[str]], total: int) -> str:
    more = cards.detail(f"The first {MOST_ROWS} of {total:,}.") if total > MOST_ROWS else ""
    return f'<h3 class="studio-sub">{heading}</h3>{markup.table(columns, rows)}{more}'


def _day(created: str) -> str:
    """The minute of an ISO time in UTC."""
    return escape(created[:16].replace("T", " "))
