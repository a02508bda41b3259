"""The import room without its components: what was given in, what would come in and what did, as cards out."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from annotate.importing.log import newest_imports
from annotate.importing.look import look
from annotate.importing.people import name_check
from annotate.importing.plan import Options, Plan, Source
from annotate.importing.take_in import Taken, take_in
from annotate.importing.target import import_target, own_project
from annotate.store import Store
from dashboards import cards, markup
from dashboards.roots import Roots
from reward.errors import InputError, RewardError

MOST_FAULTS: Final = 50
_NOTHING: Final = ("Nothing to import yet", "Drop files above, or name a folder, to see what would come in.")


@dataclass(frozen=True)
class Given:
    """What a person gave into the room's form, as it came: nothing of it is checked yet."""

    files: Sequence[str]
    folder: str
    prompt: str
    annotator: str
    replace: bool
    skip_unknown: bool

    @property
    def blank(self) -> bool:
        """Whether there is nothing to import."""
        return not self.files and not self.folder.strip()


def preview(store: Store, roots: Roots, given: Given) -> tuple[str, bool]:
    """What would come in, as a card, and whether it may be taken in. Nothing is raised."""
    if given.blank:
        return cards.empty(*_NOTHING) + _earlier(store), False
    try:
        options = _options(given, roots)
        with import_target(store) as target, look(target, _sources(given, roots), options) as plan:
            return _plan_card(plan, store), plan.adds and not plan.faults
    except RewardError as error:
        return cards.problem("This can't be imported", str(error)), False


def carry_out(store: Store, roots: Roots, given: Given) -> str:
    """Take it in after looking at it anew, and tell what came in. Nothing is raised."""
    if given.blank:
        return cards.empty(*_NOTHING)
    try:
        options = _options(given, roots)
        with import_target(store) as target, look(target, _sources(given, roots), options) as plan:
            if plan.faults:
                return _plan_card(plan, store)
            return _taken_card(take_in(target, plan, options), store)
    except RewardError as error:
        return cards.problem("Nothing was taken in", str(error))


def _options(given: Given, roots: Roots) -> Options:
    name = name_check()(given.annotator or Options.annotator)
    return Options(given.prompt.strip(), name, given.replace, given.skip_unknown, roots.data, roots.may_read)


def _sources(given: Given, roots: Roots) -> list[Source]:
    sources = [Source.of(Path(file)) for file in given.files]
    if given.folder.strip():
        sources.append(Source.of(roots.existing_folder(given.folder, "Folder")))
    return sources


def _plan_card(plan: Plan, store: Store) -> str:
    counts = cards.tiles([(what, cards.count(number)) for what, number in plan.counts.items() if number])
    notes = markup.notes(plan.notes)
    if plan.faults:
        return _faults_card(InputError(plan.faults)) + counts + notes
    if not plan.adds:
        return cards.empty("Nothing new in this", "All of it is here already, or left out.") + counts + notes
    return cards.detail("This would come in:") + counts + _where(store) + notes


def _faults_card(error: InputError) -> str:
    lines = [str(fault) for fault in error.faults]
    more = f"<p>… and {len(lines) - MOST_FAULTS:,} more</p>" if len(lines) > MOST_FAULTS else ""
    told = "".join(f"<p>{escape(line)}</p>" for line in lines[:MOST_FAULTS])
    found = "one fault" if len(lines) == 1 else f"{len(lines):,} faults"
    return (
        f'<div class="studio-problem" role="alert"><strong>{found}: nothing is taken in until they are mended'
        f"</strong>{told}{more}</div>"
    )


def _taken_card(taken: Taken, store: Store) -> str:
    counts = [
        ("images", taken.images),
        ("prompts", taken.prompts),
        ("ratings", taken.ratings),
        ("preferences", taken.preferences),
    ]
    told = cards.tiles([(what, cards.count(number)) for what, number in counts if number])
    return cards.detail("Taken in:") + (told or cards.detail("Nothing new.")) + _where(store)


def _where(store: Store) -> str:
    """In the sample: that imports go into the person's own project."""
    if not store.project.is_sample:
        return ""
    own = own_project(store.project).root
    return cards.warning(
        "Not into this sample",
        f"It goes into your own project, {own}. Restart the studio afterwards to open that instead of the sample.",
    )


def _earlier(store: Store) -> str:
    known = newest_imports(store)
    if not known:
        return ""
    rows = [[escape(one.name), escape(one.created[:16].replace("T", " "))] for one in known]
    return f'<h3 class="studio-sub">Tables taken in last</h3>{markup.table(("File", "When (UTC)"), rows)}'
