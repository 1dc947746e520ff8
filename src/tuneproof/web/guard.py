"""Who may come in, and how much they may send: everything that is settled before a route is reached.

- The Host header names this machine, so that a name which someone else's DNS points here (rebinding) opens nothing.
- What changes something comes from our own pages: Origin, and where the browser sends it Sec-Fetch-Site.
- With a token every request carries it: as `Authorization: Bearer`, or as the cookie that the login page sets. It never
  stands in an address.
- A body is no longer than its route allows, whether its length is announced or not.
- Every answer carries the policy under which the browser runs our own files and nothing else.

In and out: ASGI.

    app = Guard(app, settings)
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tuneproof.hosts import is_known_host, is_own_origin, list_hosts
from tuneproof.web.settings import Settings

SAFE_METHODS = ("GET", "HEAD")
COOKIE = "tuneproof"
OPEN_PATHS = ("/login", "/health")
"""What needs no token; so do the files below /static/, which anyone can read in the package."""
BODY_LIMIT = 2**16
UPLOADS = "/files/"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: a browser then sends the origin of a form as `null`, and who logs in would come from elsewhere.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class TooLarge(HTTPException):
    """A body is longer than its route allows; raised to the route that reads it."""

    def __init__(self) -> None:
        super().__init__(413, "too large", {"Connection": "close"})


class Guard:
    """Stands before the app; see the module's docstring."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.hosts = list_hosts(settings.host) | {name.lower() for name in settings.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with the limits set."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # There are no web sockets here.
        sent = _add_headers(send)
        refusal = self.refuse(scope)
        if refusal is not None:
            await refusal(scope, receive, sent)
            return
        limit = self.settings.upload_limit if scope["path"].startswith(UPLOADS) else BODY_LIMIT
        await self.app(scope, _limit_body(receive, limit), sent)

    def refuse(self, scope: Scope) -> Response | None:
        """The answer to a request that may not pass; None where it may."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not is_known_host(host, self.hosts):
            return PlainTextResponse("unknown host", 403)
        if not comes_from_us(headers, host, scope["method"]):
            return PlainTextResponse("another origin", 403)
        length = headers.get("content-length", "0")
        limit = self.settings.upload_limit if scope["path"].startswith(UPLOADS) else BODY_LIMIT
        if not length.isdigit() or int(length) > limit:
            return PlainTextResponse("too large", 413, headers={"Connection": "close"})
        path = scope["path"]
        if self.settings.token is None or path in OPEN_PATHS or path.startswith("/static/"):
            return None
        return None if knows_token(headers, self.settings.token) else _ask_token(headers, scope["method"])


def comes_from_us(headers: Headers, host: str, method: str) -> bool:
    """Whether a request was made by one of our pages, or by no page at all."""
    origin = headers.get("origin")
    if origin is not None and not is_own_origin(origin, host):
        return False
    # A link from elsewhere may open a page; it may not change anything.
    return method in SAFE_METHODS or headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def make_session(token: str) -> str:
    """What the cookie holds: it proves that the token was known, and is not the token."""
    return hmac.new(token.encode(), b"tuneproof web session", hashlib.sha256).hexdigest()


def knows_token(headers: Headers, token: str) -> bool:
    """Whether a request carries the token, or the cookie made of it. Compared in constant time."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
        return True
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return False
    return cookie is not None and hmac.compare_digest(cookie.value.encode(), make_session(token).encode())


def _ask_token(headers: Headers, method: str) -> Response:
    """A reader is led to the login page; a program gets 401."""
    if method in SAFE_METHODS and "text/html" in headers.get("accept", ""):
        return RedirectResponse("/login", 303)
    return PlainTextResponse("token needed", 401, headers={"WWW-Authenticate": "Bearer"})


def _limit_body(receive: Receive, limit: int) -> Receive:
    """`receive`, which raises TooLarge as soon as more than `limit` bytes have come."""
    taken = 0

    async def take() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise TooLarge
        return message

    return take


def _add_headers(send: Send, extra: Iterable[tuple[str, str]] = HEADERS.items()) -> Send:
    async def write(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in extra:
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return write
