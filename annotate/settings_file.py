"""Writes `studio.toml` for a running studio: checked, whole at any moment, and in use at once."""

import threading
from collections.abc import Mapping
from dataclasses import asdict

from annotate.errors import ConflictError, StorageError
from annotate.files import ChangedMeanwhileError, Signature, replace_atomically
from annotate.settings import Campaign, check_campaign, read_campaign
from annotate.store import Store
from reward.errors import InputError

_CHANGED = "studio.toml changed on disk since you opened it, so nothing was saved."


class SettingsFile:
    """The settings of one project. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writing = threading.Lock()

    def read(self) -> Campaign:
        """The settings as the file has them.

        Raises:
            InputError: the file is faulty.
        """
        return read_campaign(self._store.project.settings)

    def save(self, values: Mapping[str, object], opened: Campaign | None) -> Campaign:
        """Write the settings and let the studio go by them; comments in the file stay.

        Args:
            opened: the settings that their writer began with.

        Raises:
            InputError: a value can't be used, or the file on disk is faulty; each fault says what would be right.
            ConflictError: the file says something else than `opened` by now; it is as it was.
            StorageError: the disk refuses; the file is as it was.
        """
        path = self._store.project.settings
        wanted = check_campaign(path, values)
        with self._writing:
            before = Signature.of(path)
            if self.read() != opened:
                raise ConflictError(_CHANGED)
            try:
                replace_atomically(path, [_written(self._text(), opened or Campaign(), wanted).encode()], before)
            except ChangedMeanwhileError as error:
                raise ConflictError(_CHANGED) from error
            except OSError as error:
                raise StorageError(f"{path} can't be written ({error.strerror}); nothing was saved.") from error
            self._store.use_campaign(wanted)
        return wanted

    def _text(self) -> str:
        try:
            return self._store.project.settings.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""


def fault_words(error: InputError) -> str:
    """A line a fault, without the file's path."""
    return "\n".join(f"{fault.problem}; right would be {fault.remedy}." for fault in error.faults)


def _written(text: str, before: Campaign, wanted: Campaign) -> str:
    """The file with what differs put in its place."""
    import tomlkit

    document = tomlkit.parse(text)
    known = asdict(before)
    for name, value in asdict(wanted).items():
        if value != known[name]:
            document[name] = value
    return tomlkit.dumps(document)
