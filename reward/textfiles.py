"""Text inputs as people really send them: byte-order marks, Windows line ends, and files that are no text."""

from pathlib import Path

from reward.errors import InputError


def read_text(path: Path, kind: str) -> str:
    """The file's text without byte-order mark.

    Args:
        kind: what the file should be, for the message ("a ratings CSV").

    Raises:
        InputError: missing, not a file, empty, binary or not UTF-8.
    """
    if not path.exists():
        raise InputError.one(path, "the file does not exist", f"give the path of {kind}")
    if not path.is_file():
        raise InputError.one(path, "this is a folder", f"give the path of {kind}")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError.one(path, f"can't be read ({error.strerror})", "check its permissions") from error
    if not raw or raw.isspace():
        raise InputError.one(path, "the file is empty", f"give {kind} with at least one row")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError.one(path, "not UTF-8 text", f"save {kind} as UTF-8", line) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError.one(path, "binary content, not text", f"give {kind} as UTF-8 text", line)
    return text
