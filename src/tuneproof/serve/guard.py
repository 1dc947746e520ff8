"""Who may ask, and how much: in front of every route, before a body is read.

- Token: where one is set, every path wants `Authorization: Bearer TOKEN`; nothing else is looked at before it.
- Host: a name must be one of this machine's, an address is always fine. A web page that lets its own name point here
  (DNS rebinding) sends that name.
- Origin: a browser sends it with another page's request; only this server's own is let through. No CORS header is sent.
- Body: at most so many bytes, counted while they come, within so many seconds.

In: an ASGI app and a `Gate`. Out: an ASGI app.

    app = Guard(app, Gate(hosts=frozenset({"localhost"}), token=None))
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tuneproof.hosts import is_known_host, is_own_origin
from tuneproof.serve.faults import Fault, quote

BODY_BYTES = 2 * 1024 * 1024
BODY_SECONDS = 30.0
"""For a body that comes drop by drop."""


class Gate(NamedTuple):
    """What is let through."""

    hosts: frozenset[str]
    """Names, in lower case, that this machine is asked by."""
    token: str | None = None
    body_bytes: int = BODY_BYTES
    body_seconds: float = BODY_SECONDS


class Guard:
    """Lets through what the gate allows; answers everything else itself."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app = app
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            # There is no WebSocket here.
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            self._check(read_headers(scope))
            body = Body(self.gate, receive)
            await body.read()
        except Fault as fault:
            # What is left of the body is not read, so the connection cannot be used again.
            fault.headers["connection"] = "close"
            await fault.respond()(scope, receive, send)
            return
        await self.app(scope, body.receive, send)

    def _check(self, headers: Mapping[str, str]) -> None:
        gate = self.gate
        if gate.token is not None and not has_token(headers.get("authorization", ""), gate.token):
            raise Fault(
                401,
                "A valid token is needed: Authorization: Bearer TOKEN.",
                code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )
        host = headers.get("host", "")
        if not is_known_host(host, gate.hosts):
            raise Fault(403, f"This server is not asked by the name {quote(host)}.", code="unknown_host")
        origin = headers.get("origin")
        if origin is not None and not is_own_origin(origin, host):
            raise Fault(403, f"Pages of {quote(origin)} may not ask here.", code="unknown_origin")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > gate.body_bytes:
            raise Fault(413, f"The body may have {gate.body_bytes} bytes.", code="body_too_large")


class Body:
    """A request's body, read whole before the app sees it, within bounds."""

    def __init__(self, gate: Gate, receive: Receive) -> None:
        self.gate = gate
        self._receive = receive
        self._read: bytes | None = None

    async def read(self) -> None:
        """Read it. Raises Fault when it is too large or takes too long."""
        try:
            self._read = await asyncio.wait_for(self._read_all(), self.gate.body_seconds)
        except asyncio.TimeoutError:
            raise Fault(408, "The body took too long.", code="timeout") from None

    async def _read_all(self) -> bytes:
        read = bytearray()
        while True:
            message = await self._receive()
            read += message.get("body", b"")
            if len(read) > self.gate.body_bytes:
                raise Fault(413, f"The body may have {self.gate.body_bytes} bytes.", code="body_too_large")
            if not message.get("more_body"):
                return bytes(read)

    async def receive(self) -> Message:
        """What the app reads: the body at once, then whether the client is still there."""
        if self._read is not None:
            body, self._read = self._read, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self._receive()


def has_token(given: str, token: str) -> bool:
    """Whether an Authorization header has the token; takes the same time for every wrong one."""
    scheme, _, word = given.partition(" ")
    wanted = token.encode("utf-8")
    same = hmac.compare_digest(word.strip().encode("latin-1", errors="replace"), wanted)
    return scheme.lower() == "bearer" and same


def read_headers(scope: Scope) -> dict[str, str]:
    """Headers by their names; of one that comes twice the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
