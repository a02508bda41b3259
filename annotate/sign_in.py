"""The sign-in page and what its form does; signing out. The page needs no script and loads nothing."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from annotate.accounts import fold
from annotate.attempts import Attempts, network_of
from annotate.errors import TooManyTriesError
from annotate.gate import SIGN_IN, SIGN_OUT
from annotate.identity import person_in
from annotate.sessions import Sessions
from reward.aspects import ASPECTS

PAGE: Final = Path(__file__).with_name("sign_in.html")
TRIES_A_NAME: Final = 10  # from one address: who guesses elsewhere doesn't shut out the person whose name it is
TRIES_A_NAME_ANYWHERE: Final = 100
TRIES_AN_ADDRESS: Final = 50
WITHIN_SECONDS: Final = 15 * 60.0
WRONG: Final = "Name or password is wrong."
_LOGO: Final = "".join(
    f'<i style="background:{aspect.colour};height:{height}px"></i>'
    for aspect, height in zip(ASPECTS, (12, 20, 15, 24, 17), strict=True)
)
_YEAR: Final = 365 * 24 * 3600  # the server knows when a session ends; the cookie may stay longer
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def sign_in_router(sessions: Sessions) -> APIRouter:
    """`GET` and `POST /sign-in`, `POST /sign-out`."""
    router = APIRouter(include_in_schema=False)
    by_address, by_name, by_both = (
        Attempts(most, WITHIN_SECONDS) for most in (TRIES_AN_ADDRESS, TRIES_A_NAME_ANYWHERE, TRIES_A_NAME)
    )

    @router.get(SIGN_IN)
    def get_page(request: Request, again: str | None = None) -> Response:
        signed_in = person_in(request.scope) is not None
        return _home() if signed_in and (again is None or not sessions.in_use()) else _page("", "", 200)

    @router.post(SIGN_IN)
    def post_page(
        request: Request, name: Annotated[str, Form()] = "", password: Annotated[str, Form()] = ""
    ) -> Response:
        if not sessions.in_use():
            return _home()
        address = network_of(request.client.host if request.client else "")
        person = fold(name)[:64]
        counts = ((by_address, address), (by_name, person), (by_both, f"{address} {person}"))
        if wait := _take_all(counts):
            refused = TooManyTriesError(wait)
            return _page(name, str(refused), refused.status, {"Retry-After": str(int(wait) + 1)})
        account = sessions.accounts.check(name, password)
        if account is None:
            return _page(name, WRONG, 401)
        for attempts, key in counts:
            attempts.give_back(key)
        earlier = request.cookies.get(sessions.cookie)
        if earlier:
            sessions.end(earlier)
        answer = _home()
        token, encrypted = sessions.begin(account), _is_encrypted(request)
        answer.set_cookie(sessions.cookie, token, _YEAR, httponly=True, samesite="lax", secure=encrypted)
        return answer

    @router.post(SIGN_OUT)
    def post_sign_out(request: Request) -> Response:
        token = request.cookies.get(sessions.cookie)
        if token:
            sessions.end(token)
        answer = RedirectResponse(SIGN_IN, 303, {"Cache-Control": "no-store"})
        answer.delete_cookie(sessions.cookie, httponly=True, samesite="lax", secure=_is_encrypted(request))
        return answer

    return router


def _take_all(counts: Sequence[tuple[Attempts, str]]) -> float:
    """Count a try everywhere, or, where one refuses, nowhere; the seconds until it may be tried, or 0."""
    for number, (attempts, key) in enumerate(counts):
        if wait := attempts.take(key):
            for earlier, its_key in counts[:number]:
                earlier.give_back(its_key)
            return wait
    return 0.0


def _home() -> RedirectResponse:
    return RedirectResponse("/", 303, {"Cache-Control": "no-store"})


def _page(name: str, problem: str, status: int, more: dict[str, str] | None = None) -> HTMLResponse:
    text = PAGE.read_text(encoding="utf-8")
    focus = ("", " autofocus") if name else (" autofocus", "")
    for mark, value in (
        ("<!--logo-->", _LOGO),
        ("<!--name-->", escape(name[:64])),
        ("<!--problem-->", escape(problem)),
        ("<!--focus-name-->", focus[0]),
        ("<!--focus-password-->", focus[1]),
    ):
        text = text.replace(mark, value)
    return HTMLResponse(text, status, _HEADERS | (more or {}))


def _is_encrypted(request: Request) -> bool:
    return request.url.scheme == "https"
