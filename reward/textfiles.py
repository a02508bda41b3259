"""Text inputs as people really send them: byte-order marks, Windows line ends, and files that are no text."""

from pathlib import Path

from reward.errors import InputError


def read_bytes(path: Path, kind: str) -> bytes:
    """The file's content.

    Args:
        kind: what the file should be, for the message ("a ratings CSV").

    Raises:
        InputError: missing, not a file or not readable.
    """
    if not path.exists():
        raise InputError.one(path, "the file does not exist", f"give the path of {kind}")
    if not path.is_file():
        raise InputError.one(path, "this is a folder", f"give the path of {kind}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError.one(path, f"can't be read ({error.strerror})", "check its permissions") from error


def read_text(path: Path, kind: str, content: bytes | None = None) -> str:
    """The file's text without byte-order mark.

    Args:
        content: the file's, where it has been read already or `path` holds something else by now.

    Raises:
        InputError: as `read_bytes`; or empty, binary or not UTF-8.
    """
    raw = read_bytes(path, kind) if content is None else content
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
