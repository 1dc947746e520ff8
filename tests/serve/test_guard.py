"""Who may ask and how much: every route, every header that opens a door, every limit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from starlette.types import Receive

from tests.serve.conftest import TOKEN
from tests.serve.test_app import HELLO
from tuneproof.hosts import is_known_host, is_loopback, is_own_origin, list_hosts
from tuneproof.serve.app import build_app
from tuneproof.serve.guard import Gate, Guard
from tuneproof.serve.load import Served


@pytest.fixture
def guarded(served: Served) -> Iterator[TestClient]:
    """A client without the token of a server that wants one."""
    app = build_app(served, Gate(frozenset({"localhost"}), TOKEN, body_bytes=10_000, body_seconds=0.2))
    with TestClient(app, base_url="http://localhost") as opened:
        yield opened


def list_routes(served: Served) -> list[tuple[str, str]]:
    """(method, path) of every route there is."""
    app = build_app(served, Gate(frozenset()))
    assert isinstance(app, Guard)
    assert isinstance(app.app, FastAPI)
    routes = app.app.routes
    assert len([route for route in routes if isinstance(route, APIRoute)]) >= 6
    return [(method, str(getattr(route, "path", ""))) for route in routes for method in getattr(route, "methods", [])]


def test_every_route_wants_the_token(guarded: TestClient, served: Served) -> None:
    routes = list_routes(served)
    assert {"/v1/chat/completions", "/metrics", "/health", "/openapi.json"} <= {path for _, path in routes}
    for method, path in [*routes, ("GET", "/nothing")]:
        for header in (
            {},
            {"authorization": "Bearer wrong"},
            {"authorization": TOKEN},
            {"authorization": f"Basic {TOKEN}"},
        ):
            response = guarded.request(method, path, headers=header)
            assert response.status_code == 401, (method, path, header)
            assert TOKEN not in response.text
        assert guarded.request(method, f"{path}?token={TOKEN}&api_key={TOKEN}").status_code == 401
    assert guarded.get("/health", headers={"authorization": f"bearer {TOKEN}"}).status_code == 200
    assert guarded.get("/health").json()["error"]["code"] == "invalid_api_key"
    assert guarded.get("/health").headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost", True),
        ("localhost:8000", True),
        ("LOCALHOST", True),
        ("127.0.0.1:8000", True),
        ("192.168.1.7", True),
        ("[::1]:8000", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost@evil.example", False),
        ("evil.example#localhost", False),
        ("localhost:port", False),
        ("", False),
        ("localhost, evil.example", False),
    ],
)
def test_only_names_of_this_machine_are_answered_to(host: str, known: bool, client: TestClient) -> None:
    assert is_known_host(host, frozenset({"localhost"})) == known
    response = client.get("/health", headers={"host": host})
    assert response.status_code == (200 if known else 403)


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("http://localhost:8000", True),
        ("http://LOCALHOST:8000", True),
        ("http://localhost", False),
        ("http://localhost:8001", False),
        ("https://evil.example", False),
        ("http://localhost:8000.evil.example", False),
        ("http://evil.example@localhost:8000", False),
        ("null", False),
        ("", False),
    ],
)
def test_pages_of_others_may_not_ask(origin: str, own: bool, client: TestClient) -> None:
    assert is_own_origin(origin, "localhost:8000") == own
    headers = {"host": "localhost:8000", "origin": origin}
    response = client.post("/v1/chat/completions", headers=headers, json={"model": "nobody", "messages": HELLO})
    assert response.status_code == (404 if own else 403)
    assert "access-control-allow-origin" not in response.headers
    preflight = client.options("/v1/chat/completions", headers={**headers, "access-control-request-method": "POST"})
    assert preflight.status_code == (405 if own else 403)


def test_names_of_the_machine_itself_are_known_on_open_addresses_only() -> None:
    assert list_hosts("127.0.0.1") == {"localhost", "127.0.0.1"}
    assert len(list_hosts("0.0.0.0")) > 2
    addresses = ("127.0.0.1", "127.8.8.8", "::1", "localhost", "0.0.0.0", "::", "192.168.1.7", "example.org")
    assert [is_loopback(host) for host in addresses] == [True] * 4 + [False] * 4


def test_a_large_body_is_refused_before_it_is_read(guarded: TestClient) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    for length in ("10001", "9" * 30, "-1", "1e3"):
        response = guarded.post("/v1/chat/completions", headers={**headers, "content-length": length}, content=b"{}")
        assert response.status_code == 413, length
        assert response.headers["connection"] == "close"
    read = 0

    def drip() -> Iterator[bytes]:
        nonlocal read
        while read < 200_000:
            read += 1000
            yield b" " * 1000

    assert guarded.post("/v1/chat/completions", headers=headers, content=drip()).status_code == 413


def send_body(receive: Receive, gate: Gate) -> int:
    """The status that a request with this body gets from a guard before an app that must not see it."""
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def app(*given: Any) -> None:
        raise AssertionError("the app must not see it")

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(app, gate)(scope, receive, send))
    return int(told[0]["status"])


def test_a_body_that_is_counted_while_it_comes_is_not_read_to_its_end() -> None:
    """Chunked, so no length is told: reading stops at the limit."""
    sent = 0

    async def receive() -> dict[str, Any]:
        nonlocal sent
        sent += 1
        return {"type": "http.request", "body": b" " * 1000, "more_body": True}

    assert send_body(receive, Gate(frozenset({"localhost"}), body_bytes=10_000)) == 413
    assert sent == 11


def test_a_body_that_never_ends_is_given_up() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError("never")

    assert send_body(receive, Gate(frozenset({"localhost"}), body_seconds=0.05)) == 408


def test_a_web_socket_is_closed() -> None:
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def nothing(*given: Any) -> Any:
        raise AssertionError("never")

    asyncio.run(Guard(nothing, Gate(frozenset()))({"type": "websocket", "headers": []}, nothing, send))
    assert told == [{"type": "websocket.close", "code": 1008}]
