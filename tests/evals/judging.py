"""A small OpenAI-compatible server: answers as it is told to, and notes what it was asked. A fake, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """What the server sends."""

    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = ()


class Seen(NamedTuple):
    """A request as it arrived."""

    path: str
    key: str | None
    body: dict[str, Any]


def say(text: str | None) -> Reply:
    """A good reply."""
    return Reply(200, json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}))


class FakeJudge:
    """The server's memory; `answer` gets the number of the request, from 0, and the request."""

    def __init__(self, answer: Callable[[int, Seen], Reply]) -> None:
        self.answer = answer
        self.seen: list[Seen] = []
        self.url = ""


@contextmanager
def serve_judge(answer: Callable[[int, Seen], Reply]) -> Iterator[FakeJudge]:
    """A server on this machine, on a free port, for a while."""
    judge, lock = FakeJudge(answer), Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                judge.seen.append(Seen(self.path, self.headers.get("Authorization"), body))
                reply = judge.answer(len(judge.seen) - 1, judge.seen[-1])
            content = reply.body.encode()
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    judge.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield judge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
