"""Text inputs as people really send them: byte-order marks, Windows line ends, no text at all. Outputs whole."""

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


def check_output(flag: str, path: Path | None) -> None:
    """Refuse a file that can't be written, before the work for it is done.

    Raises:
        InputError: its folder isn't there, or it is a folder itself.
    """
    if path is not None and not path.parent.is_dir():
        raise InputError.one(flag, f"there is no folder {path.parent}", "name a file in a folder that is there")
    if path is not None and path.is_dir():
        raise InputError.one(flag, f"{path} is a folder", "name a file")


def write_text(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
