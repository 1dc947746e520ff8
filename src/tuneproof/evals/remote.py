"""A question to a model behind an OpenAI-compatible server.

The only door of this package to a network, and it is opened only for a config that names a judge.

    ask_model(Endpoint("http://127.0.0.1:8000/v1", "judge", None), "Which is better?")
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tuneproof.errors import UsageError

TRIES = 5
FIRST_WAIT = 1.0
"""Seconds before the second try; doubled each time."""
LONGEST_WAIT = 60.0
TIMEOUT = 120.0
LONGEST_REPLY = 1 << 20
BUSY = {408, 425, 429, 500, 502, 503, 504, 529}
"""Statuses after which the same question may succeed."""
SHOWN = 200


class Endpoint(NamedTuple):
    """A server, its model, and the key to it."""

    base_url: str
    """Up to and without `/chat/completions`."""
    model: str
    key: str | None


def read_host(url: str) -> str | None:
    """The server's name, without what a URL may hold of secrets; None for what is no web address."""
    try:
        address = urlsplit(url)
        return address.hostname if address.scheme in ("http", "https") else None
    except ValueError:
        return None


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would carry the key to another server."""

    def redirect_request(self, *_: Any) -> None:
        """None: the redirect is an error."""


def ask_model(endpoint: Endpoint, prompt: str, pause: Callable[[float], None] = time.sleep) -> str:
    """The model's reply, at temperature 0 where the server takes it.

    A busy server or a broken connection is tried again, 5 times in all, with growing waits or as the server asks.
    Raises UsageError with the server's words when it refuses or stays away.
    """
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": [{"role": "user", "content": prompt}],
        "temperature": 0,
    }
    wait, tried = FIRST_WAIT, 0
    while True:
        tried += 1
        try:
            return _read_reply(endpoint, _post(endpoint, body))
        except HTTPError as error:
            told = error.read(LONGEST_REPLY).decode("utf-8", "replace")
            if error.code == 400 and "temperature" in told and "temperature" in body:
                del body["temperature"]
                continue
            if error.code not in BUSY or tried == TRIES:
                raise _refuse(endpoint, f"{error.code} {told}") from error
            pause(_read_wait(error, wait))
        except (URLError, OSError, HTTPException) as error:
            if tried == TRIES:
                raise _refuse(endpoint, f"{type(error).__name__}: {error}") from error
            pause(wait)
        wait = min(2 * wait, LONGEST_WAIT)


def _post(endpoint: Endpoint, body: dict[str, Any]) -> bytes:
    headers = {"Content-Type": "application/json"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    url = endpoint.base_url.rstrip("/") + "/chat/completions"
    request = Request(url, json.dumps(body).encode(), headers, method="POST")
    with build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as response:
        content: bytes = response.read(LONGEST_REPLY)
    return content


def _read_reply(endpoint: Endpoint, content: bytes) -> str:
    """The text of the reply; empty where the model said nothing."""
    try:
        return str(json.loads(content)["choices"][0]["message"]["content"] or "")
    except (ValueError, LookupError, TypeError) as error:
        raise _refuse(endpoint, content.decode("utf-8", "replace")) from error


def _read_wait(error: HTTPError, wait: float) -> float:
    """Seconds to wait: what the server asks for, where it does in seconds."""
    asked = error.headers.get("Retry-After", "")
    return min(float(asked), LONGEST_WAIT) if asked.isdigit() else wait


def _refuse(endpoint: Endpoint, why: str) -> UsageError:
    shown = " ".join(why.split())
    shown = shown.replace(endpoint.key, "***") if endpoint.key else shown
    return UsageError("judge.failed", where=read_host(endpoint.base_url), why=shown[:SHOWN])
