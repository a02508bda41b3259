"""The room Runs: all runs in a table, and what can be done with one of them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboards import cards, runactions, watch
from dashboards.clock import clock, running
from dashboards.context import Context
from dashboards.jobstate import JobState
from dashboards.rooms import LATEST, QUIET
from dashboards.runlist import NEWEST, SORTS, chosen_rows
from dashboards.runnotes import LONGEST_NOTE, read_notes
from dashboards.runtable import run_table
from reward.errors import RewardError

if TYPE_CHECKING:
    import gradio as gr

REFRESH_SECONDS = 3.0

Parts = dict[str, Any]
# A run's name and what was given with it → what became of it, as a card, and the run's name from then on.
Work = Callable[..., tuple[str, str | None]]


def build_runs(context: Context, room: "gr.Tab") -> None:
    """Put the room's components where the caller stands (within `room`) and wire them."""
    import gradio as gr

    parts: Parts = {}
    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("All runs", "Accuracy of the combined score on prompts that the model was not trained on"))
        with gr.Row(elem_classes="studio-inline"):
            parts["words"] = gr.Textbox(
                label="Filter",
                placeholder="words of name, note or backbone",
                elem_id="runs-filter",
                max_lines=1,
                scale=3,
            )
            parts["sort"] = gr.Dropdown(list(SORTS), value=NEWEST, label="Sort", elem_id="runs-sort", min_width=150)
            parts["archived"] = gr.Checkbox(False, label="Archived ones too", elem_id="runs-archived", min_width=150)
        parts["table"] = gr.HTML(elem_id="runs-table")
    with gr.Column(elem_classes="studio-panel"):
        gr.HTML(cards.title("One run", "Write to it, take it away, or remove it"))
        parts["run"] = gr.Dropdown([], label="Run", elem_id="runs-run", allow_custom_value=True)
        parts["message"] = gr.HTML(elem_id="runs-message")
        _details(parts)
    _wire(context, room, parts)


def _details(parts: Parts) -> None:
    import gradio as gr

    with gr.Column(visible=False) as details:
        with gr.Row(elem_classes="studio-inline"):
            parts["note"] = gr.Textbox(
                label="Note", lines=2, max_length=LONGEST_NOTE, elem_id="runs-note", scale=4, min_width=220
            )
            parts["save"] = gr.Button("Save the note", elem_id="runs-save", min_width=170)
        with gr.Row(elem_classes="studio-inline"):
            parts["name"] = gr.Textbox(label="New name", elem_id="runs-name", max_lines=1, scale=4, min_width=220)
            parts["rename"] = gr.Button("Rename", elem_id="runs-rename", min_width=170)
        with gr.Row():
            parts["further"] = gr.Button("Go on", visible=False, elem_id="runs-further", min_width=140)
            parts["archive"] = gr.Button("Archive", elem_id="runs-archive", min_width=140)
            parts["tensorboard"] = gr.Button("Write TensorBoard files", elem_id="runs-tensorboard", min_width=190)
            parts["zip"] = gr.Button("Prepare a zip", elem_id="runs-zip", min_width=140)
            parts["download"] = gr.DownloadButton("Download", visible=False, elem_id="runs-download", min_width=140)
        with gr.Accordion("Push to a hub", open=False, elem_id="runs-hub"):
            gr.HTML(
                cards.detail(
                    "Uploads best/ (heads, figures, card; no images, no names of raters) to the hub that this computer "
                    "is signed in to."
                )
            )
            with gr.Row(elem_classes="studio-inline"):
                parts["repository"] = gr.Textbox(
                    label="Repository", placeholder="user/name", elem_id="runs-repository", max_lines=1, scale=3
                )
                parts["private"] = gr.Checkbox(True, label="Private", elem_id="runs-private", min_width=120)
                parts["push"] = gr.Button("Push", elem_id="runs-push", min_width=120)
        delete_box = gr.Accordion("Delete", open=False, elem_id="runs-delete-box")
        with delete_box:
            parts["dependents"] = gr.HTML(elem_id="runs-dependents")
        with delete_box, gr.Row(elem_classes="studio-inline"):
            parts["confirm"] = gr.Textbox(
                label="To delete it for good, type its name", elem_id="runs-confirm", max_lines=1, scale=3
            )
            parts["delete"] = gr.Button("Delete the run", variant="stop", elem_id="runs-delete", min_width=170)
    parts["details"] = details


def _wire(context: Context, room: "gr.Tab", parts: Parts) -> None:
    import gradio as gr

    drawn = gr.State((0, 0))  # marks of the table and of the choice of runs that the page has
    shown = [parts["table"], parts["run"], drawn]
    asked = [parts[name] for name in ("words", "sort", "archived", "run")]
    one = [
        parts[name] for name in ("details", "note", "name", "further", "archive", "download", "confirm", "dependents")
    ]
    private: dict[str, Any] = {"api_visibility": "private", **QUIET}

    def table(words: str, sort: str, archived: bool, current: str | None) -> list[Any]:
        html, names = _listed(context, words, sort, archived)
        choice = gr.update(choices=names, value=current if current in names else None)
        return [html, choice, (hash(html), hash(repr(choice)))]

    def opened(before: tuple[int, int], *asked: Any) -> list[Any]:
        """As `table`, of what the page doesn't have yet."""
        html, choice, now = table(*asked)
        return [gr.skip() if now[0] == before[0] else html, gr.skip() if now[1] == before[1] else choice, now]

    def refresh(before: tuple[int, int], words: str, sort: str, archived: bool) -> list[Any]:
        html, _ = _listed(context, words, sort, archived)
        return [gr.skip(), gr.skip()] if hash(html) == before[0] else [html, (hash(html), before[1])]

    def details(name: str | None) -> list[Any]:
        return _one(context, name)

    def act(work: Work, *values: Any) -> list[Any]:
        """Do it, say what became of it, and show the table and the run as they are then."""
        *given, words, sort, archived, name = values
        message, now = _told(work, name, *given)
        return [message, *table(words, sort, archived, now), *_one(context, now)]

    def wire(button: str, work: Work, *inputs: str, api_name: str) -> None:
        def handler(*values: Any) -> list[Any]:
            return act(work, *values)

        given = [parts[name] for name in inputs]
        parts[button].click(handler, [*given, *asked], [parts["message"], *shown, *one], api_name=api_name, **QUIET)

    listing = [parts["words"].change, parts["sort"].change, parts["archived"].change]
    gr.on(listing, table, asked, shown, api_name="list_runs", **LATEST, **QUIET)
    parts["run"].change(details, parts["run"], one, **private)
    # States change while one looks at them; the clock starts when the room is first opened.
    ticking = clock(REFRESH_SECONDS)
    listed = room.select(opened, [drawn, *asked], shown, **LATEST, **private)
    listed.then(lambda: running(True), None, ticking, **private)
    ticking.tick(refresh, [drawn, *asked[:3]], [parts["table"], drawn], **private)
    wire("save", _save_note(context), "note", api_name="note_run")
    wire("rename", _rename(context), "name", api_name="rename_run")
    wire("archive", _archive(context), api_name="archive_run")
    wire("further", _go_on(context), api_name="go_on_with_run")
    wire("delete", _delete(context), "confirm", api_name="delete_run")
    _wire_downloads(context, parts)


def _listed(context: Context, words: str, sort: str, archived: bool) -> tuple[str, list[str]]:
    """The table of the runs that are wanted, and their names."""
    every = context.runs.rows()
    jobs = context.board.by_output()
    rows = chosen_rows(every, words, sort, archived=archived, jobs=jobs)
    waiting = [status.job.name for status in jobs.values() if status.state is JobState.WAITING]
    line = cards.detail(f"Waiting in line, see New run: {', '.join(waiting)}.") if waiting else ""
    return line + run_table(rows, jobs, len(every)), [row.name for row in rows]


def _wire_downloads(context: Context, parts: Parts) -> None:
    import gradio as gr
    from gradio.utils import get_upload_folder

    def prepare(name: str | None) -> list[Any]:
        folder = Path(get_upload_folder())
        folder.mkdir(parents=True, exist_ok=True)
        try:
            file = runactions.write_zip(context, name or "", folder)
        except (RewardError, OSError) as error:
            return [cards.problem("There is no zip", str(error)), gr.update(visible=False)]
        size = file.stat().st_size / 1e6
        return ["", gr.update(value=str(file), label=f"Download {file.name} ({size:.1f} MB)", visible=True)]

    def write_tensorboard(name: str | None) -> str:
        try:
            epochs = runactions.write_tensorboard(context, name or "")
        except (RewardError, OSError) as error:
            return cards.problem("There are no TensorBoard files", str(error))
        where = f"tensorboard --logdir {context.roots.outputs}"
        return cards.done(f"{epochs} epochs of {name} are written, also for its zip. To look at them here: {where}")

    def push(name: str | None, repository: str, private: bool) -> str:
        try:
            address = runactions.push(context, name or "", repository, private=private)
        except RewardError as error:
            return cards.problem("It was not pushed", str(error))
        return cards.done(f"Pushed: {address}")

    told = [parts["message"], parts["download"]]
    parts["zip"].click(prepare, parts["run"], told, api_name="zip_run", show_progress="minimal")
    parts["tensorboard"].click(
        write_tensorboard, parts["run"], parts["message"], api_name="write_tensorboard", show_progress="minimal"
    )
    given = [parts[name] for name in ("run", "repository", "private")]
    # With show_progress the page says that it is at work: an upload takes as long as the line allows.
    parts["push"].click(push, given, parts["message"], api_name="push_run", show_progress="minimal")


def _one(context: Context, name: str | None) -> list[Any]:
    """What the panel of one run shows: whether at all, note, name, what can be done."""
    import gradio as gr

    try:
        run = context.run(name) if name else None
    except RewardError:
        run = None
    if run is None:
        return [gr.update(visible=False), "", "", gr.update(visible=False), gr.skip(), gr.update(visible=False), "", ""]
    notes, job = read_notes(run.folder), context.board.of_run(run.folder)
    further = watch.further(job) if job is not None and not watch.finished(run) else ""
    if not further and not (job is not None and job.state.open) and watch.resumable(run):
        further = "Go on"
    return [
        gr.update(visible=True),
        notes.note,
        run.name,
        gr.update(value=further or "Go on", visible=bool(further)),
        "Take out of the archive" if notes.archived else "Archive",
        gr.update(visible=False),
        "",
        _dependents_card(context, run.name),
    ]


def _dependents_card(context: Context, name: str) -> str:
    """What would lose its images and ratings with a run; empty where nothing would."""
    names = runactions.dependents(context, name)
    if not names:
        return ""
    told = f"{', '.join(names)}: weights of one's own, whose images and ratings are those of {name}."
    return cards.warning("Without it, these can't be looked into any more", told)


def _told(work: Work, name: str | None, *given: Any) -> tuple[str, str | None]:
    """Do `work`: what became of it as a card, and the run's name from now on."""
    try:
        return work(name or "", *given)
    except (RewardError, OSError) as error:
        return cards.problem("Nothing was changed", str(error)), name


def _save_note(context: Context) -> Work:
    def work(name: str, note: str) -> tuple[str, str | None]:
        runactions.set_note(context, name, str(note or ""))
        return cards.done("The note is saved."), name

    return work


def _rename(context: Context) -> Work:
    def work(name: str, new_name: str) -> tuple[str, str | None]:
        now = runactions.rename(context, name, str(new_name or ""))
        return cards.done(f"{name} is now called {now}."), now

    return work


def _archive(context: Context) -> Work:
    def work(name: str) -> tuple[str, str | None]:
        archived = not read_notes(context.run(name).folder).archived
        runactions.set_archived(context, name, archived)
        return cards.done(f"{name} is {'in' if archived else 'out of'} the archive."), name

    return work


def _go_on(context: Context) -> Work:
    def work(name: str) -> tuple[str, str | None]:
        return watch.go_on(context, name) or cards.done(f"{name} goes on; see New run."), name

    return work


def _delete(context: Context) -> Work:
    def work(name: str, confirmation: str) -> tuple[str, str | None]:
        runactions.delete(context, name, str(confirmation or ""))
        return cards.done(f"{name} is deleted."), None

    return work
