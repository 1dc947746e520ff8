"""A server on an address: bound before the model is loaded, closed when the last answer is out.

In: run folders, an address. Out: nothing; it runs until a signal comes, then refuses what is new, finishes what it has,
and lets the signal through. A connection that sends no whole request within `HEADER_SECONDS` is closed.

    serve_runs(ServeRequest([Path("runs/first")]), Quiet(), on_ready=print)
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tuneproof.errors import UsageError
from tuneproof.hosts import is_loopback, list_hosts
from tuneproof.model.hardware import DeviceName
from tuneproof.progress import Progress
from tuneproof.serve.app import build_app
from tuneproof.serve.engine import Limits
from tuneproof.serve.guard import Gate
from tuneproof.serve.heavy import suggest_commands
from tuneproof.serve.load import Served, open_served
from tuneproof.serve.names import BASE, list_names

HEADER_SECONDS = 15.0
KEEP_SECONDS = 30
"""Between two requests on one connection."""
DRAIN_SECONDS = 60
"""For answers under way when the server is stopped; a second signal ends them at once."""
CONNECTIONS = 512


class ServeRequest(NamedTuple):
    """What to serve, and where."""

    runs: Sequence[Path]
    host: str = "127.0.0.1"
    port: int = 8000
    """0: one that is free."""
    token: str | None = None
    hosts: Sequence[str] = ()
    """More names that this server may be asked by, such as that of a proxy."""
    device: DeviceName | None = None
    """None: that of the first run."""
    limits: Limits = Limits()


class Ready(NamedTuple):
    """A server that answers."""

    url: str
    """What OpenAI's clients take as `base_url`."""
    models: list[str]
    guarded: bool
    """Whether a token is needed."""
    device: str
    dtype: str
    context: int
    """Tokens of prompt and answer together."""
    rows: int
    """Answers side by side."""
    heavy: dict[str, list[str]]
    """Tool -> its command for many users."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that does not wait for a request for ever: uvicorn has no limit for headers that come drop by drop."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Some of a request."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self._busy:
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if not self._busy:
            self.transport.close()

    @property
    def _busy(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete


def serve_runs(request: ServeRequest, progress: Progress, on_ready: Callable[[Ready], None]) -> None:
    """Serve until a signal comes; it is raised again when the last answer is out.

    Raises UsageError where the address is not this machine's own and there is no token, or it cannot be bound; and what
    `open_served` raises.
    """
    if not is_loopback(request.host) and not request.token:
        raise UsageError("serve.no_token", where="--host", host=request.host)
    if request.token is not None and not is_token(request.token):
        raise UsageError("serve.bad_token", where="--token")
    list_names(request.runs)
    # An address that is taken is told before a model is loaded. Who asks meanwhile waits.
    bound = _bind(request.host, request.port)
    with bound, open_served(request.runs, progress, device=request.device, limits=request.limits) as served:
        hosts = list_hosts(request.host) | {name.lower() for name in request.hosts}
        config = uvicorn.Config(
            build_app(served, Gate(hosts, request.token)),
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            limit_concurrency=CONNECTIONS,
        )
        on_ready(_describe(served, name_url(request.host, bound.getsockname()[1]), request.token is not None))
        uvicorn.Server(config).run([bound])


def is_token(token: str) -> bool:
    """Whether a header can carry it."""
    return token.isascii() and token.isprintable() and token.strip() == token != ""


def name_url(host: str, port: int) -> str:
    """Where OpenAI's clients find the server."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"


def _describe(served: Served, url: str, guarded: bool) -> Ready:
    return Ready(
        url=url,
        models=[BASE, *(run.name for run in served.names.runs)],
        guarded=guarded,
        device=served.hardware.device,
        dtype=str(served.base.model.dtype).removeprefix("torch."),
        context=served.context,
        rows=served.engine.limits.rows,
        heavy=suggest_commands(served.names.runs, served.base.path),
    )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError("serve.no_address", where="--port", host=host, port=port, why=why) from error
