"""Who may come in, and how much they may send: each refusal, and that it comes before any route."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from tests.report.conftest import write_begun, write_complete
from tuneproof.web import Settings, build_app
from tuneproof.web.guard import BODY_LIMIT, POLICY

NAMES = (
    "..%2fcomplete", "%2e%2e%2fcomplete", "..%5Ccomplete", "C:%5C", "CON", "complete%00", "%00", ".web", "outside",
    "a" * 10_000, "~", "complete%20",
)  # fmt: skip


def make_client(settings: Settings) -> TestClient:
    return TestClient(build_app(settings), base_url="http://127.0.0.1:8321")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete run, and a link to one outside of the folder."""
    tmp_path = tmp_path_factory.mktemp("guard")
    write_complete(write_begun(tmp_path / "runs" / "complete"))
    write_complete(write_begun(tmp_path / "elsewhere" / "outside"))
    (tmp_path / "runs" / "outside").symlink_to(tmp_path / "elsewhere" / "outside", target_is_directory=True)
    return tmp_path / "runs"


@pytest.fixture(scope="module")
def client(runs: Path) -> Iterator[TestClient]:
    with make_client(Settings(runs)) as made:
        yield made


@pytest.fixture
def locked(runs: Path) -> Iterator[TestClient]:
    with make_client(Settings(runs, token="geheim")) as made:
        yield made


@pytest.mark.parametrize("host", ["127.0.0.1:8321", "localhost", "LOCALHOST:1", "[::1]:8321", "192.0.2.7"])
def test_this_machine_is_known_by_its_addresses(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::1", "a b"]
)
def test_a_name_that_somebody_points_here_opens_nothing(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 403


def test_a_name_of_a_proxy_can_be_let_in(runs: Path) -> None:
    with make_client(Settings(runs, hosts=("Lab.example",))) as client:
        assert client.get("/", headers={"host": "lab.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_another_page_changes_nothing(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/machine", headers=headers).status_code == 403
    assert client.put("/files/rows.jsonl", content=b"{}", headers=headers).status_code == 403


def test_a_link_from_elsewhere_opens_a_page(client: TestClient) -> None:
    assert client.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200


def test_our_own_page_may_ask(client: TestClient) -> None:
    own = {"origin": "http://127.0.0.1:8321", "sec-fetch-site": "same-origin"}
    assert client.post("/checks", json={"files": ["none"]}, headers=own).status_code == 404


def list_routes(client: TestClient) -> list[tuple[str, str]]:
    """(method, path) of every route, with names put in."""
    from tuneproof.web.routes import entry, jobs, live, new, play, report, runs

    routers = (entry, jobs, live, new, play, report, runs)
    routes = [one for module in routers for one in module.router.routes if isinstance(one, APIRoute)]
    return [(method, route.path.replace("{name}", "complete")) for route in routes for method in route.methods or ()]


def test_every_route_asks_for_the_token(locked: TestClient) -> None:
    routes = list_routes(locked)
    assert len(routes) > 25
    for method, path in routes:
        if path.startswith("/static/") or path in ("/login", "/health"):
            continue
        assert locked.request(method, path, headers={"authorization": "Bearer no"}).status_code == 401, path


def test_a_reader_without_a_token_is_led_to_the_login(locked: TestClient) -> None:
    answer = locked.get("/runs/complete", headers={"accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_the_login_sets_a_cookie_that_is_not_the_token(locked: TestClient) -> None:
    wrong = locked.post("/login", data={"token": "geheimer"}, follow_redirects=False)
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers
    right = locked.post("/login", data={"token": "geheim"}, follow_redirects=False)
    cookie = right.headers["set-cookie"]
    assert "geheim" not in cookie
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert locked.get("/").status_code == 200
    locked.post("/logout")
    assert locked.get("/").status_code == 401


def test_the_token_may_come_in_a_header_and_never_in_an_address(locked: TestClient) -> None:
    assert locked.get("/", headers={"authorization": "Bearer geheim"}).status_code == 200
    assert locked.get("/?token=geheim").status_code == 401
    assert locked.get("/", headers={"authorization": "Basic geheim"}).status_code == 401
    assert locked.get("/", headers={"cookie": "tuneproof=geheim"}).status_code == 401
    assert locked.get("/", headers={"cookie": 'tuneproof="\\'}).status_code == 401


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "path", ["/runs/{}", "/runs/{}/report.html", "/runs/{}/pieces", "/jobs/{}", "/static/{}/app.css"]
)
def test_only_names_of_the_list_open_anything(client: TestClient, name: str, path: str) -> None:
    """A link that leads out of the folder is none of its runs; the audit hook sees that no such file is opened."""
    opened: list[str] = []
    hooks.append(opened)
    answer = client.get(path.format(name), headers={"accept": "text/html"})
    hooks.remove(opened)
    assert answer.status_code == 404
    assert not [path for path in opened if "elsewhere" in path or path.endswith(("passwd", "\x00"))]


hooks: list[list[str]] = []


def _note_opening(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        for opened in hooks:
            opened.append(str(arguments[0]))


sys.addaudithook(_note_opening)


def test_a_body_that_is_too_long_is_refused_before_it_is_read(client: TestClient) -> None:
    long = b"x" * (BODY_LIMIT + 1)
    assert client.post("/checks", content=long).status_code == 413

    def pour() -> Iterator[bytes]:
        yield long

    # In pieces, its length is not announced.
    assert client.post("/checks", content=pour(), headers={"content-type": "application/json"}).status_code == 413
    assert client.post("/checks", headers={"content-length": "-1"}).status_code == 413


def test_a_file_has_a_limit_of_its_own_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with make_client(Settings(tmp_path, upload_limit=100_000)) as client:
        assert client.put("/files/rows.jsonl", content=b"x" * 100_000).status_code == 200

        def pour() -> Iterator[bytes]:
            for _ in range(11):
                yield b"x" * 10_000

        assert client.put("/files/rows.jsonl", content=pour()).status_code == 413
        assert client.put("/files/rows.jsonl", content=b"x" * 100_001).status_code == 413
    kept = [path for path in (tmp_path / ".web" / "files").rglob("*") if path.is_file()]
    assert [path.stat().st_size for path in kept] == [100_000]


@pytest.mark.parametrize(
    "path", ["/", "/new", "/runs/complete", "/login", "/health", "/nothing", "/runs/complete/pieces"]
)
def test_every_answer_carries_the_policy(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"accept": "text/html"})
    assert answer.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers


def test_a_refusal_carries_the_policy_too(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).headers["content-security-policy"] == POLICY


def test_there_is_no_page_that_describes_the_interface(client: TestClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404
