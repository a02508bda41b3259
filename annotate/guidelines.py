"""How to rate in a project: `guidelines.md` in its folder, shown to raters as HTML that can do no harm."""

import threading
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from annotate.answers import image_facts
from annotate.errors import BadRequestError, ConflictError, StorageError
from annotate.files import ChangedMeanwhileError, Signature, replace_atomically, sync_folder
from annotate.project import Project
from annotate.store import Store

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LONGEST: Final = 100_000
_FOLDER: Final = "images/"
_CHANGED: Final = "guidelines.md changed on disk since you opened it, so nothing was saved."

Addresses = Callable[[str], str | None]


@dataclass(frozen=True)
class Rendered:
    """Guidelines as safe HTML, and the images that they name and the project doesn't have."""

    html: str
    missing: tuple[str, ...]


class Guidelines:
    """One project's guidelines. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writing = threading.Lock()

    def read(self) -> str:
        """The Markdown, with plain line feeds; empty where there is none.

        Raises:
            StorageError: the file can't be read, or is no text.
        """
        return _read(self._store.project)

    def render(self, text: str) -> Rendered:
        """The Markdown as raters see it."""
        addresses: dict[str, str] = {}
        if "![" in text:
            for image in self._store.images():
                if image.active:
                    facts = image_facts(image)
                    addresses[image.path] = facts["screen_url"] or facts["url"]
        return render(text, addresses.get)

    def save(self, text: str, opened: str | None) -> None:
        """Put `text` in place of `opened`, the text that its writer began with; an empty one removes the file.

        Raises:
            BadRequestError: the text is too long.
            ConflictError: the file holds something else than `opened` by now; it is as it was.
            StorageError: the disk refuses; the file is as it was.
        """
        if len(text) > LONGEST:
            raise BadRequestError(f"The guidelines have {len(text):,} characters; at most {LONGEST:,} can be kept.")
        path = self._store.project.guidelines
        with self._writing:
            before = Signature.of(path)
            if self.read() != opened:
                raise ConflictError(_CHANGED)
            try:
                if text.strip():
                    replace_atomically(path, [text.replace("\r\n", "\n").encode()], before)
                else:
                    path.unlink(missing_ok=True)
                    sync_folder(path.parent)
            except ChangedMeanwhileError as error:
                raise ConflictError(_CHANGED) from error
            except OSError as error:
                raise StorageError(f"{path} can't be written ({error.strerror}); nothing was saved.") from error


def render(text: str, address_of: Addresses) -> Rendered:
    """Markdown as HTML: raw HTML is shown as text, links lead to http and https, images are the project's own.

    Args:
        address_of: where an image is shown, by its path below `images/`; None where there is no such image.
    """
    missing: list[str] = []
    html = _markdown().render(text, {"address_of": address_of, "missing": missing})
    return Rendered(str(html), tuple(dict.fromkeys(missing)))


def _read(project: Project) -> str:
    try:
        return project.guidelines.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StorageError(f"{project.guidelines} can't be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise StorageError(f"{project.guidelines} is no UTF-8 text; save it as UTF-8.") from error


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt("js-default", {"html": False})
    parser.add_render_rule("link_open", _link)
    parser.add_render_rule("image", _image)
    return parser


def _link(_renderer: Any, tokens: Sequence[Any], at: int, _options: Any, _env: Any) -> str:
    target = str(tokens[at].attrGet("href") or "")
    if not target.lower().startswith(("http://", "https://")):
        return "<a>"
    return f'<a href="{escape(target)}" target="_blank" rel="noopener noreferrer">'


def _image(renderer: Any, tokens: Sequence[Any], at: int, options: Any, env: MutableMapping[str, Any]) -> str:
    token = tokens[at]
    source = unquote(str(token.attrGet("src") or ""))
    words = escape(renderer.renderInlineAsText(token.children or [], options, env))
    address = env["address_of"](source.removeprefix(_FOLDER)) if source.startswith(_FOLDER) else None
    if address is None:
        env["missing"].append(source)
        return words
    return f'<img src="{escape(address)}" alt="{words}" title="{words}" loading="lazy">'
