"""Guidelines: nothing in the Markdown harms a rater, images are the project's own, and no edit is lost."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from annotate.api import build_api
from annotate.errors import BadRequestError, ConflictError, StorageError
from annotate.exports import Exporter
from annotate.guidelines import LONGEST, Guidelines, render
from annotate.project import Project
from annotate.store import Store
from dashboards.guidelines_tab import show_preview

Open = Callable[[Project], Store]
Make = Callable[..., Project]


def nowhere(_path: str) -> None:
    return None


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](file:///etc/passwd)",
        "[x](//elsewhere.example)",
        "[x](api/leave)",
        '[x](https://example.org/"onmouseover="alert(1))',
        "![x](https://elsewhere.example/pixel.png)",
        "![x](images/../studio.db)",
        "![x](api/images/1)",
        '![x" onerror="alert(1)](images/p01/9.png)',
        "<https://example.org/?a=1&b=%22><b>",
    ],
)
def test_nothing_harmful_comes_through(evil: str) -> None:
    html = render(evil, nowhere).html
    for tag in ("<script", "<img", "<b>"):
        assert tag not in html
    for target in ("java", "data", "file", "//", "api"):
        assert f'href="{target}' not in html.lower()
    assert '"onmouseover' not in html
    assert '" onerror' not in html


def test_links_tell_the_other_site_nothing() -> None:
    html = render("[more](https://example.org/a?b=1&c=2)", nowhere).html
    assert html == (
        '<p><a href="https://example.org/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">more</a></p>\n'
    )


def test_images_are_the_projects_own(make_project: Make, open_store: Open) -> None:
    store = open_store(make_project(prompts=1, images=2))
    guidelines = Guidelines(store)
    shown = guidelines.render("## Poor\n\n![left & right](images/p01/2.png) ![gone](images/p01/7.png)")
    number = next(image.id for image in store.images() if image.path == "p01/2.png")
    assert "<h2>Poor</h2>" in shown.html
    assert f'<img src="api/images/{number}?v=' in shown.html
    assert 'alt="left &amp; right"' in shown.html
    assert shown.missing == ("images/p01/7.png",)
    assert "images/p01/7.png" in show_preview(guidelines, "![gone](images/p01/7.png)")
    assert "No guidelines" in show_preview(guidelines, "  \n")


def test_no_edit_is_lost(make_project: Make, open_store: Open) -> None:
    store = open_store(make_project(prompts=1, images=1))
    file = store.project.guidelines
    one, other = Guidelines(store), Guidelines(store)
    one.save("first\r\nline", "")
    assert file.read_bytes() == b"first\nline"
    with pytest.raises(ConflictError, match="changed on disk"):
        other.save("mine", "")
    with pytest.raises(ConflictError, match="changed on disk"):
        other.save("never opened", None)
    file.write_bytes(b"an editor's\r\nwords")
    with pytest.raises(ConflictError, match="changed on disk"):
        one.save("second", "first\nline")
    assert one.read() == "an editor's\nwords"
    with pytest.raises(BadRequestError, match="at most 100,000"):
        one.save("x" * (LONGEST + 1), one.read())
    one.save(" ", one.read())
    assert not file.exists()
    file.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(StorageError, match="no UTF-8 text"):
        one.save("x", "")
    assert file.read_bytes() == b"\xff\xfe\xff"


def test_the_route(make_project: Make, open_store: Open) -> None:
    store = open_store(make_project(prompts=1, images=1))
    with TestClient(build_api(store.project, store, Exporter(store)), base_url="http://localhost") as client:
        assert client.get("/api/desk").json()["guidelines"] is False
        assert client.get("/api/guidelines").status_code == 404
        store.project.guidelines.write_text("# Look *twice*\n\n![one](images/p01/1.png)", encoding="utf-8")
        assert client.get("/api/desk").json()["guidelines"] is True
        answer = client.get("/api/guidelines")
        assert "<h1>Look <em>twice</em></h1>" in answer.json()["html"]
        address = answer.json()["html"].partition('src="')[2].partition('"')[0]
        assert client.get(f"/{address}").headers["content-type"] == "image/png"
        again = client.get("/api/guidelines", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
