"""A ModelScope for tests: its own client speaks to this server on this machine, which gives out the files of a folder.

with serve_folder({"Qwen/tiny": folder}) as scope:
    scope.url, scope.asked          # the address; the files that were downloaded
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit


class Scope(NamedTuple):
    """A running server."""

    url: str
    asked: list[str]


@contextmanager
def serve_folder(models: Mapping[str, Path]) -> Iterator[Scope]:
    """Serve each folder as the model of its name; every other name is answered with 404."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts, query = urlsplit(self.path), parse_qs(urlsplit(self.path).query)
            name = parts.path.removeprefix("/api/v1/models/").partition("/repo")[0]
            if name not in models:
                self.answer(404, json.dumps({"Code": 10010205001, "Message": "not found"}).encode())
            elif parts.path.endswith("/repo/files"):
                files = [describe_file(file, models[name]) for file in sorted(models[name].iterdir())]
                self.answer(200, json.dumps({"Code": 200, "Data": {"Files": files}, "Success": True}).encode())
            else:
                asked.append(query["FilePath"][0])
                self.answer(200, (models[name] / query["FilePath"][0]).read_bytes())

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Scope(f"http://127.0.0.1:{server.server_port}", asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def describe_file(file: Path, folder: Path) -> dict[str, object]:
    """A file as the hub lists it."""
    content = file.read_bytes()
    return {
        "Path": file.relative_to(folder).as_posix(),
        "Name": file.name,
        "Type": "blob",
        "Size": len(content),
        "Sha256": hashlib.sha256(content).hexdigest(),
        "Revision": "master",
    }
