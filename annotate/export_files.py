"""Keeps the exported files true to the store: takes in what someone edited, then writes what has changed.

One pass is `ExportFiles.sync`; `annotate.exports` calls it from its thread. A file that isn't our last export is
taken in or, if faulty, left alone: it is never overwritten.
"""

import hashlib
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from annotate.catalogue import ImageRow
from annotate.csv_files import MEANS_HEADER, PEOPLE_HEADER, csv_line, means_line, people_lines
from annotate.edits import Cells, KnownImages, means_cells, means_edits, people_cells, people_edits, read_edited
from annotate.export_log import Export
from annotate.files import ChangedMeanwhileError, Signature, replace_atomically
from annotate.judgement import Rating, StoredRating
from annotate.pairs_file import PromptPairs, pair_lines, shortened_prompts, vote_lines, voted_pairs
from annotate.preferences import Pair, Votes
from annotate.shares import Share
from annotate.snapshot import Snapshot
from annotate.store import Store
from reward.errors import InputError

# Pairs grow with the square of a prompt's images. So that the CSVs and the saves don't wait for them, they are made a
# little at a time, resting longer than working; a file that can't keep up is written all the same now and then.
_PAIRS_WORK_S = 0.25
_PAIRS_REST = 4.0
_PAIRS_LAG_S = 10.0
# Lets the threads that save have the interpreter, about as often as it changes hands by itself. After each prompt it
# would be most of the time where prompts are many and small.
_BREATH_S, _BREATHLESS_S = 0.001, 0.005


@dataclass
class _File:
    """One exported file and what is known of it."""

    path: Path
    name: str  # among all that the store's exports are written to
    seen: Signature | None = None  # the file as we last wrote it or took it in
    touched: Signature | None = None  # a foreign file met at the last pass: taken in once it stands still
    judged: tuple[Signature, int] | None = None  # a faulty foreign file, with the catalogue it was judged by
    written_for: tuple[int, int, int] = (-1, -1, -1)  # newest rating, newest vote, catalogue version
    problem: str | None = None


@dataclass
class _Lines:
    """The lines of the files, kept from pass to pass: by image for the CSVs, by prompt for the pairs."""

    means: dict[int, str] = field(default_factory=dict)
    people: dict[int, str] = field(default_factory=dict)
    pairs: dict[str, PromptPairs] = field(default_factory=dict)
    stale_prompts: set[str] = field(default_factory=set)


class ExportFiles:
    """The three exported files of a share of a store's ratings. Used by one thread at a time."""

    def __init__(self, store: Store, share: Share) -> None:
        self._store = store
        self._share = share
        project = store.project
        self._means, self._people, self._pairs = (
            _File(share.folder / path.name, share.prefix + path.name)
            for path in (project.ratings_csv, project.per_annotator_csv, project.pairs_jsonl)
        )
        self._snapshot = Snapshot()
        self._newest = 0  # rating of the store that was looked at, ours or not
        self._votes = Votes()
        self._newest_vote = 0
        self._voted: dict[str, list[Pair]] = {}  # by prompt, of the images that are there; empty where nobody was asked
        self._lines = _Lines()
        self._images: dict[int, ImageRow] = {}
        self._by_prompt: dict[str, dict[int, str]] = {}
        self._version = -1
        self._pairs_due = 0.0
        self._pairs_written = 0.0

    def sync(self, *, trusting: bool = False, all_files: bool = True) -> bool:
        """One pass: edits in, changes out. Returns whether everything is settled now.

        Args:
            trusting: take in an edited file at once; else only if it stood still since the last pass, because
                someone may be in the midst of writing it.
            all_files: also the pairs when they are at rest after a long write.
        """
        self._refresh()
        settled = all([self._take_in(self._people, trusting), self._take_in(self._means, trusting)])
        self._refresh()
        self._write(self._means, MEANS_HEADER, self._lines.means)
        self._write(self._people, PEOPLE_HEADER, self._lines.people)
        if not all_files and time.monotonic() < self._pairs_due:
            return False
        started = time.monotonic()
        pairs_settled = self._write_pairs(math.inf if all_files else _PAIRS_WORK_S)
        self._pairs_due = time.monotonic() + _PAIRS_REST * (time.monotonic() - started)
        return settled and pairs_settled

    def problems(self) -> list[str]:
        """What a person should know about the files, one sentence each."""
        faults = [file.problem for file in (self._means, self._people, self._pairs) if file.problem]
        return faults + shortened_prompts(self._lines.pairs)

    def _refresh(self) -> None:
        """Bring snapshot and lines up to the store's newest rating."""
        version = self._store.catalogue_version
        rows = self._store.ratings_since(self._newest)
        self._newest = rows[-1].id if rows else self._newest
        changed = self._snapshot.add(self._share.of(rows))
        moved = version != self._version
        if moved:
            self._images = {image.id: image for image in self._store.images() if image.active}
            self._by_prompt = {}
            for image in self._images.values():
                self._by_prompt.setdefault(image.prompt_id, {})[image.id] = self._path(image)
            self._lines = _Lines(stale_prompts=set(self._by_prompt))
            self._version = version
            changed = self._snapshot.images()
        self._refresh_votes(moved)
        for image_id in sorted(changed & self._images.keys()):
            image = self._images[image_id]
            place = (image_id, image.prompt_id, self._by_prompt[image.prompt_id][image_id])
            self._lines.means[image_id] = means_line(self._snapshot, *place)
            self._lines.people[image_id] = people_lines(self._snapshot, *place)
            if not self._voted:
                self._lines.stale_prompts.add(image.prompt_id)

    def _refresh_votes(self, moved: bool) -> None:
        """Bring the votes up to date; the first one, or the last that is taken back, changes what all pairs are."""
        rows = self._store.preferences.since(self._newest_vote)
        self._newest_vote = rows[-1].id if rows else self._newest_vote
        changed = self._votes.add(row for row in rows if self._share.includes(row.annotator))
        if not changed and not moved:
            return
        had_votes = bool(self._voted)
        self._voted = voted_pairs(self._votes, {image.id: image.prompt_id for image in self._images.values()})
        if had_votes != bool(self._voted):
            self._lines.stale_prompts.update(self._by_prompt)
        for pair in changed:
            if (image := self._images.get(pair[0])) is not None:
                self._lines.stale_prompts.add(image.prompt_id)

    def _path(self, image: ImageRow) -> str:
        return self._store.project.exported_path(self._store.project.images / image.path)

    # Edits in

    def _take_in(self, file: _File, trusting: bool) -> bool:
        """Import the file if someone edited it. Returns False while it may still be being written."""
        current = Signature.of(file.path)
        if current is None or current == file.seen:
            file.touched = None
            if current is None:
                file.seen, file.problem = None, None
            return True
        if file.judged == (current, self._version):
            return True
        if not trusting and file.touched != current:
            file.touched = current
            return False
        digest = hashlib.sha256(file.path.read_bytes()).hexdigest()
        try:
            if not self._recognise(file, digest):
                self._import(file, digest)
        except InputError as error:
            more = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
            file.problem = f"{error.faults[0]}{more}. The studio doesn't touch the edited file until this is mended."
            file.judged = (current, self._version)
        else:
            file.problem = None
            file.seen = current
        return True

    def _recognise(self, file: _File, digest: str) -> bool:
        """Whether the file is an export of ours, finished or begun when the studio was killed; then that is noted."""
        export = next((e for e in self._store.known_exports(file.name) if e.sha256 == digest), None)
        if export is not None:
            self._store.record_export(file.name, export)
        return export is not None

    def _import(self, file: _File, digest: str) -> None:
        images = self._known_images()
        said = read_edited(file.path, images, per_annotator=file is self._people)
        rows = self._share.of(self._store.ratings_since(0))
        # Where the studio was killed while writing, the edit began from either export: the one it is nearer to.
        bases = self._store.known_exports(file.name)
        edits = [self._edits(file, said, base, rows, images) for base in bases]
        base, fewest = min(zip(bases, edits, strict=True), key=lambda both: len(both[1]))
        self._store.import_ratings(fewest, file.name, digest, base.last_rating_id)

    def _edits(
        self, file: _File, said: Cells, base: Export, rows: Iterable[StoredRating], images: KnownImages
    ) -> list[Rating]:
        """The ratings that bring into the store what the file says otherwise than the export `base`."""
        was = Snapshot(row for row in rows if row.id <= base.last_rating_id)
        # An image that came (back) after that export wasn't in it: its missing row is no edit.
        exported = {i: text for i, text in images.prompt_ids.items() if self._images[i].active_since <= base.written}
        then = KnownImages(images.by_path, images.by_file, exported)
        if file is self._people:
            now = people_cells(self._snapshot, images)
            return people_edits(said, people_cells(was, then), now, self._snapshot)
        edits = means_edits(said, means_cells(was, then), means_cells(self._snapshot, images), base.last_rating_id)
        return [replace(edit, annotator=self._share.correction_name) for edit in edits]

    def _known_images(self) -> KnownImages:
        folder = self._store.project.images
        return KnownImages(
            {path: image_id for paths in self._by_prompt.values() for image_id, path in paths.items()},
            {(folder / image.path).resolve(): image.id for image in self._images.values()},
            {image.id: image.prompt_id for image in self._images.values()},
        )

    # Changes out

    def _write(self, file: _File, header: tuple[str, ...], lines: dict[int, str]) -> None:
        true = file.written_for == self._state(file)
        if true and file.seen is not None and Signature.of(file.path) == file.seen:
            return
        body = "".join(lines.get(image_id, "") for image_id in self._images)
        self._put(file, [csv_line(header).encode(), body.encode()], empty=not body)

    def _write_pairs(self, seconds: float) -> bool:
        """Work on the pairs for about so long; returns whether they are all made."""
        file = self._pairs
        current = Signature.of(file.path)
        if current is None:
            file.seen = None
        elif current != file.seen:
            if file.judged == (current, self._version):
                return True
            if not self._is_ours(file):
                file.judged = (current, self._version)
                file.problem = (
                    f"Someone edited {file.name}: the studio leaves it alone. "
                    "Rename or delete it to have it written anew."
                )
                return True
            file.seen = current
        file.problem = None
        self._make_pairs(seconds)
        lines, now = self._lines, time.monotonic()
        late = now - self._pairs_written > _PAIRS_LAG_S and lines.pairs.keys() >= self._by_prompt.keys()
        if late or not lines.stale_prompts:
            parts = [lines.pairs[prompt_id].lines for prompt_id in self._by_prompt]
            self._put(file, parts, empty=not any(parts), final=not lines.stale_prompts)
            self._pairs_written = now
        return not lines.stale_prompts

    def _make_pairs(self, seconds: float) -> None:
        breathed = time.monotonic()
        until = breathed + seconds
        stale = self._lines.stale_prompts
        while stale and (now := time.monotonic()) < until:
            if now - breathed > _BREATHLESS_S:
                time.sleep(_BREATH_S)
                breathed = time.monotonic()
            prompt_id = stale.pop()
            paths = self._by_prompt[prompt_id]
            text = self._images[next(iter(paths))].prompt
            if self._voted:
                made = vote_lines(text, paths, self._voted.get(prompt_id, ()), self._votes)
            else:
                made = pair_lines(text, paths, self._snapshot)
            self._lines.pairs[prompt_id] = made

    def _is_ours(self, file: _File) -> bool:
        """Whether the file is our last export, or just what we would write now (the database may be a new one)."""
        data = file.path.read_bytes()
        if self._recognise(file, hashlib.sha256(data).hexdigest()):
            return True
        self._make_pairs(math.inf)
        return data == b"".join(self._lines.pairs[prompt_id].lines for prompt_id in self._by_prompt)

    def _state(self, file: _File) -> tuple[int, int, int]:
        return self._snapshot.last_id, self._votes.last_id if file is self._pairs else 0, self._version

    def _put(self, file: _File, parts: list[bytes], *, empty: bool, final: bool = True) -> None:
        """Write a file if it is ours and not yet true (or, not `final`, truer than it was); none is begun empty."""
        current = Signature.of(file.path)
        state = self._state(file)
        if file.problem or current != file.seen or (current is None and empty):
            return
        if current is not None and file.written_for == state:
            return
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        last = self._store.known_exports(file.name)[0]
        export = self._store.begin_export(file.name, digest.hexdigest(), self._snapshot.last_id)
        try:
            if current is None or last.sha256 != export.sha256:
                file.seen = replace_atomically(file.path, parts, current)
            self._store.record_export(file.name, export)
        except ChangedMeanwhileError:
            return  # the next pass takes it in
        if final:
            file.written_for = state
