"""The export room without its components: a line a form, each with its download, and the commands that do the same."""

from html import escape
from typing import Final

from annotate.exporting.current import take_current
from annotate.exporting.formats import FORMATS
from annotate.exporting.label_studio import labelling_config
from annotate.store import Store
from dashboards import cards
from reward.errors import RewardError

_SHELL: Final = "python -m annotate.exporting --data {folder} --format {form} --output {file}"


def show_exports(store: Store) -> str:
    """The downloads; in the sample those of real and of simulated people apart. Nothing is raised."""
    if not store.project.is_sample:
        return _downloads(store, simulated=False)
    return (
        '<h3 class="studio-sub">Real people’s ratings</h3>'
        + _downloads(store, simulated=False)
        + '<h3 class="studio-sub">The sample’s simulated ratings</h3>'
        + _downloads(store, simulated=True)
    )


def show_commands(store: Store) -> str:
    """The same from the shell, and the template for Label Studio."""
    folder = store.project.root
    lines = [_SHELL.format(folder=folder, form=form.name, file=form.file) for form in FORMATS.values()]
    return (
        cards.detail("While no studio has the folder open:")
        + _code("\n".join(lines))
        + cards.detail("For Label Studio, paste this as the labelling interface:")
        + _code(labelling_config())
    )


def _downloads(store: Store, *, simulated: bool) -> str:
    try:
        current = take_current(store, simulated=simulated)
    except RewardError as error:
        return cards.problem("The ratings can't be read", str(error))
    forms = [form for form in FORMATS.values() if current.rated or (form.of_votes and current.voted)]
    if not forms:
        return cards.empty("No ratings to export yet", "Rate images first, or import ratings.")
    query = "?simulated=true" if simulated else ""
    rows = "".join(
        f"<li><div><strong>{escape(form.label)}</strong><span>{escape(form.words)}</span></div>"
        f'<a class="studio-download" href="api/export/{form.name}{query}" download="{escape(form.file)}" '
        f'aria-label="Download {escape(form.label)}">Download</a></li>'
        for form in forms
    )
    told = cards.detail(f"{len(current.rated):,} rated images of {len(current.images):,}, as they stand now.")
    return f'{told}<ul class="studio-downloads">{rows}</ul>'


def _code(text: str) -> str:
    return f'<pre class="studio-code" tabindex="0"><code>{escape(text)}</code></pre>'
