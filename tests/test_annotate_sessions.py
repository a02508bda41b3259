"""Signing in over HTTP: cookies, what ends a session, limits, and that nobody acts in another person's name."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from accounts_parts import PASSWORD, add_people, open_accounts, sign_in, signed_in
from fastapi import FastAPI
from fastapi.testclient import TestClient

from annotate.api import build_api
from annotate.attempts import Attempts, network_of
from annotate.declared import declared_needs
from annotate.exports import Exporter
from annotate.permissions import PERMISSIONS, ROLES
from annotate.project import Project
from annotate.sessions import LIFE, LOOK_SECONDS, Sessions
from annotate.sign_in import TRIES_A_NAME, TRIES_A_NAME_ANYWHERE, TRIES_AN_ADDRESS, WRONG
from annotate.store import Store
from reward.aspects import HEADS

MakeProject = Callable[..., Project]
OpenStore = Callable[[Project], Store]


@pytest.fixture
def store(make_project: MakeProject, open_store: OpenStore) -> Store:
    return open_store(make_project(prompts=2, images=2))


def start(store: Store, **options: Any) -> FastAPI:
    """The app as a studio that has just been started has it."""
    sessions = Sessions(open_accounts(store.project.database), **options)
    return build_api(store.project, store, Exporter(store), sessions=sessions)


@pytest.fixture
def app(store: Store) -> FastAPI:
    add_people(store.project.database, Root="admin", Ada="annotator", Bob="annotator")
    return start(store)


def rating(**changes: Any) -> dict[str, Any]:
    full = dict.fromkeys(HEADS, 5.0)
    return {"key": "key-0001", "annotator": "Ada", "image_id": 1, "ratings": full, **changes}


def is_in(client: TestClient, name: str = "Ada") -> bool:
    answer = client.get("/api/next", params={"annotator": name})
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


def test_without_accounts_anybody_rates_under_any_name(store: Store) -> None:
    client = TestClient(start(store), base_url="http://localhost")
    assert client.get("/api/desk").json()["account"] is None
    assert client.post("/api/ratings", json=rating()).status_code == 200
    for method in ("GET", "POST"):
        answer = client.request(method, "/sign-in", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_without_accounts_nobody_gets_in_where_accounts_are_required(store: Store) -> None:
    client = TestClient(start(store, required=True), base_url="http://localhost")
    assert client.get("/api/desk").status_code == 401
    assert sign_in(client, "Ada").status_code == 401


def test_with_accounts_everything_but_the_sign_in_page_asks_for_a_session(app: FastAPI) -> None:
    client = TestClient(app, base_url="http://localhost")
    assert client.get("/sign-in").status_code == 200
    api = ("/openapi.json", "/api/desk", "/api/images/1", "/pad/x/pad.js")
    for path in ("/", *api, "/nothing", "/sign-in/", "/SIGN-IN"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (401, {"detail": "You are signed out.", "sign_in": True}), path
        page = client.get(path, headers={"accept": "text/html,*/*"}, follow_redirects=False)
        assert (page.status_code, page.headers["location"]) == (303, "/sign-in")
    assert client.post("/api/ratings", json=rating()).status_code == 401


def test_the_first_account_ends_single_user_mode_at_once(store: Store) -> None:
    client = TestClient(start(store), base_url="http://localhost")
    assert is_in(client)
    add_people(store.project.database, Root="admin")
    time.sleep(LOOK_SECONDS + 0.1)
    assert not is_in(client)


def test_the_cookie_is_for_the_server_alone(app: FastAPI) -> None:
    for scheme in ("http", "https"):
        client = TestClient(app, base_url=f"{scheme}://localhost")
        cookie = sign_in(client, "Ada").headers["set-cookie"].lower()
        for flag in ("httponly", "samesite=lax", "path=/", "max-age="):
            assert flag in cookie
        assert ("secure" in cookie) == (scheme == "https")
        assert "domain" not in cookie
        assert is_in(client)


def test_the_token_itself_is_nowhere_in_the_database(app: FastAPI, store: Store) -> None:
    client = signed_in(app, "Ada")
    (token,) = client.cookies.values()
    stored = [str(value) for row in store._db.execute("SELECT * FROM sessions") for value in row]
    assert len(stored) == 4
    assert not any(token in value for value in stored)


def test_a_session_survives_a_restart(app: FastAPI, store: Store) -> None:
    client = signed_in(app, "Ada")
    again = TestClient(start(store), base_url="http://localhost", cookies=dict(client.cookies))
    assert is_in(again)
    assert again.get("/api/desk").json()["account"] == {"name": "Ada", "role": "annotator"}


def test_signing_out_ends_the_session_and_no_other(app: FastAPI) -> None:
    here, there = signed_in(app, "Ada"), signed_in(app, "Ada")
    token = dict(here.cookies)
    assert is_in(here)
    answer = here.post("/sign-out", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert not here.cookies
    assert not is_in(TestClient(app, base_url="http://localhost", cookies=token))
    assert is_in(there)


@pytest.mark.parametrize(
    "change",
    [
        lambda accounts: accounts.set_active("Ada", False),
        lambda accounts: accounts.set_password("Ada", "another horse"),
        lambda accounts: accounts.set_role("Ada", "reviewer"),
    ],
    ids=["disable", "new password", "change of role"],
)
def test_what_another_process_changes_ends_all_sessions_soon(app: FastAPI, store: Store, change: Any) -> None:
    clients = [signed_in(app, "Ada"), signed_in(app, "Ada")]
    other = signed_in(app, "Bob")
    assert all(is_in(client) for client in clients)
    elsewhere = open_accounts(store.project.database)
    change(elsewhere)
    deadline = time.monotonic() + 30
    while any(is_in(client) for client in clients):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    elsewhere.set_active("Ada", True)
    assert not any(is_in(client) for client in clients)
    assert is_in(other, "Bob")


def test_a_password_changed_while_somebody_signs_in_leaves_no_session(store: Store) -> None:
    add_people(store.project.database, Root="admin")
    accounts = open_accounts(store.project.database)
    sessions = Sessions(accounts)
    checked = accounts.check("Root", PASSWORD)
    assert checked is not None
    accounts.set_password("Root", "another horse")
    assert sessions.person(sessions.begin(checked)) is None


def test_a_session_ends_a_month_after_it_was_used_last(store: Store) -> None:
    add_people(store.project.database, Root="admin")
    at = [datetime.now(UTC)]
    app = start(store, clock=lambda: at[0])
    client = signed_in(app, "Root")
    for days in (20, 20, 20):
        at[0] += timedelta(days=days)
        assert is_in(client, "Root")
    at[0] += LIFE
    assert not is_in(client, "Root")


def test_a_session_is_read_from_the_database_once(app: FastAPI, store: Store) -> None:
    sessions = Sessions(open_accounts(store.project.database))
    account = sessions.accounts.check("Ada", PASSWORD)
    assert account is not None
    token = sessions.begin(account)
    asked: list[str] = []
    sessions._reader.conn.set_trace_callback(asked.append)
    for _ in range(200):
        assert sessions.person(token) is not None
    assert len(asked) <= 3  # the version, whether there are accounts, the session


# Wrong passwords


def test_unknown_names_and_wrong_passwords_are_answered_alike(app: FastAPI, store: Store) -> None:
    open_accounts(store.project.database).set_active("Bob", False)
    client = TestClient(app, base_url="http://localhost")
    texts = []
    for name, password in (("Ada", "wrong"), ("Eve", "wrong"), ("Bob", PASSWORD)):
        answer = sign_in(client, name, password)
        assert answer.status_code == 401
        texts.append(answer.text.replace(f'value="{name}"', ""))
    assert len(set(texts)) == 1
    assert WRONG in texts[0]
    assert not client.cookies


@pytest.mark.parametrize("name", ["Ada", "Nobody"])
def test_a_name_is_tried_so_often_and_no_more(app: FastAPI, name: str) -> None:
    client = TestClient(app, base_url="http://localhost")
    statuses = [sign_in(client, name, f"guess {number}").status_code for number in range(TRIES_A_NAME + 2)]
    assert statuses == [401] * TRIES_A_NAME + [429] * 2
    refused = sign_in(client, name.upper())  # the right password, too late
    assert refused.status_code == 429
    assert "Try again in 15 min" in refused.text
    assert 0 < int(refused.headers["retry-after"]) <= 901
    assert sign_in(client, "Bob").status_code == 303


def test_who_guesses_elsewhere_shuts_nobody_out_until_they_guess_from_many_places(app: FastAPI) -> None:
    guesser = [TestClient(app, base_url="http://localhost", client=(f"10.0.0.{place}", 1)) for place in range(11)]
    owner = TestClient(app, base_url="http://localhost")
    for place in guesser[:9]:
        for number in range(TRIES_A_NAME):
            assert sign_in(place, "Ada", f"guess {number}").status_code == 401
    assert sign_in(guesser[0], "Ada").status_code == 429
    assert sign_in(owner, "Ada").status_code == 303
    for number in range(TRIES_A_NAME_ANYWHERE - 9 * TRIES_A_NAME):
        assert sign_in(guesser[9], "Ada", f"guess {number}").status_code == 401
    assert sign_in(guesser[10], "Ada").status_code == 429


def test_an_address_tries_so_often_and_no_more(app: FastAPI) -> None:
    client = TestClient(app, base_url="http://localhost")
    statuses = [sign_in(client, f"Guess {number}").status_code for number in range(TRIES_AN_ADDRESS + 1)]
    assert statuses == [401] * TRIES_AN_ADDRESS + [429]
    assert sign_in(client, "Ada").status_code == 429
    elsewhere = TestClient(app, base_url="http://localhost", client=("10.0.0.9", 1))
    assert sign_in(elsewhere, "Ada").status_code == 303


def test_signing_in_often_is_no_wrong_try(app: FastAPI) -> None:
    for _ in range(TRIES_AN_ADDRESS + 2):
        signed_in(app, "Ada")


def test_tries_are_forgotten_with_time_and_bounded_in_number() -> None:
    at = [0.0]
    attempts = Attempts(2, 60, lambda: at[0])
    assert [attempts.take("a"), attempts.take("a"), attempts.take("a")] == [0, 0, 60]
    at[0] = 61
    assert attempts.take("a") == 0
    for number in range(20_000):
        at[0] += 0.1
        attempts.take(str(number))
    assert len(attempts._tries) <= 10_001


def test_an_ipv6_household_counts_as_one_address() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1") != network_of("10.0.0.2")


def test_the_sign_in_page_shows_what_was_typed_as_text(app: FastAPI) -> None:
    client = TestClient(app, base_url="http://localhost")
    answer = sign_in(client, '"><script>alert(1)</script>')
    assert "<script>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    huge = client.post("/sign-in", data={"name": "x" * 100_000, "password": "x"})
    assert huge.status_code == 413


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
def test_other_pages_can_t_sign_people_in_or_out(app: FastAPI, path: str) -> None:
    client = signed_in(app, "Ada")
    sent = {"name": "Bob", "password": PASSWORD}
    assert client.post(path, data=sent, headers={"origin": "http://evil.example"}).status_code == 403
    assert client.get("/sign-in", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/api/desk").json()["account"]["name"] == "Ada"


# In whose name


def test_nobody_acts_in_another_persons_name(app: FastAPI, store: Store) -> None:
    client = signed_in(app, "Ada")
    ask = {"annotator": "Bob"}
    answers = [
        client.post("/api/ratings", json=rating(annotator="Bob")),
        client.put("/api/drafts", json={"annotator": "Bob", "image_id": 1, "ratings": {"style": 3}}),
        client.post("/api/skip", json={"annotator": "Bob", "image_id": 1}),
        client.post("/api/leave", json={"annotator": "Bob"}),
        *(client.get(f"/api/{path}", params=ask) for path in ("next", "ratings", "progress")),
    ]
    for answer in answers:
        told = {"detail": "You are signed in as Ada, so you can't rate as Bob.", "sign_in": True}
        assert (answer.status_code, answer.json()) == (403, told)
    for table in ("ratings", "drafts", "skips", "leases"):
        assert store._db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] == 0
    assert client.post("/api/ratings", json=rating(annotator="ada")).status_code == 403  # the name as it is written
    assert client.post("/api/ratings", json=rating()).status_code == 200


def test_every_route_says_what_it_needs_and_holds_to_it(app: FastAPI, store: Store) -> None:
    add_people(store.project.database)
    clients = {role: signed_in(app, f"the {role}") for role in ROLES}
    nobody = TestClient(app, base_url="http://localhost")
    needs = declared_needs(app)
    assert {path for method, path in needs if needs[method, path] == "nothing"} == {"/sign-in"}
    for (method, path), need in needs.items():
        if path in {"/sign-in", "/sign-out"}:
            continue
        place = path.replace("{image_id}", "1")
        assert nobody.request(method, place).status_code == 401
        for role, client in clients.items():
            allowed = need == "session" or role in PERMISSIONS[need]
            assert (client.request(method, place).status_code == 403) != allowed, (method, path, role)


def test_a_route_that_says_nothing_stops_the_start(app: FastAPI) -> None:
    app.get("/api/everything")(lambda: {})
    with pytest.raises(RuntimeError, match="/api/everything: say who may call it"):
        declared_needs(app)
