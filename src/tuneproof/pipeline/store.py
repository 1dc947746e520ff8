"""A place elsewhere that holds one state of some files: a bucket, another disk; any URI that fsspec knows.

    ROOT/latest.json        the state that counts: its token, and name -> hash of each of its files
    ROOT/files/HASH         a file's content, which never changes

A state is sent file by file and then named in one write, so that a reader has all of it or all of the one before.

    store = Store("s3://bucket/runs/first")
    store.put(Path("run.json"), digest)
    store.tell(State("a1b2", {"run.json": digest}))
    store.look().files
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tuneproof.errors import RunError, UsageError
from tuneproof.rundir import write_atomic

LATEST = "latest.json"
FLAT = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "memory"}
"""Stores without folders. To ask one for a folder may make a bucket."""
SECRET = re.compile(r"::|\?|://.*:.*@")
"""Addresses that can hold a password or a signature."""


class State(NamedTuple):
    """What a store holds, or a folder has seen there: name -> hash of the file."""

    token: str = ""
    files: dict[str, str] = {}


class Store:
    """Raises UsageError for an address that is not known here, or that may have a password in it, which would stand in
    config.yaml. What else goes wrong raises what its kind of store raises."""

    def __init__(self, address: str) -> None:
        from fsspec.core import url_to_fs

        if SECRET.search(address):
            raise UsageError("store.password", where="report.store")
        try:
            self._files, root = url_to_fs(address)
        except (ValueError, ImportError) as error:
            raise UsageError("store.unknown", where=address, why=str(error)) from error
        self.address, self.root = address, str(root).rstrip("/")
        protocol = self._files.protocol
        self._kind = {protocol} if isinstance(protocol, str) else set(protocol)

    def look(self) -> State:
        """The state that counts; nothing where the store is empty. Raises RunError where other files lie."""
        self._files.invalidate_cache()
        try:
            found = json.loads(self._files.cat_file(f"{self.root}/{LATEST}"))
        except FileNotFoundError:
            there = self._files.find(self.root) if self._files.exists(self.root) else []
            if any(not name.startswith(f"{self.root}/files/") for name in there):
                raise RunError("store.foreign", where=self.address) from None
            return State()
        return State(str(found["token"]), {str(name): str(digest) for name, digest in found["files"].items()})

    def put(self, file: Path, digest: str) -> None:
        """Send a file's content."""
        self._make_room("files")
        self._files.put_file(str(file), self._place(digest))

    def get(self, digest: str, file: Path) -> None:
        """Fetch a content into a file; whether it is the right one is for the caller to see."""
        self._files.get_file(self._place(digest), str(file))

    def remove(self, digest: str) -> None:
        """Remove a content."""
        with suppress(FileNotFoundError):
            self._files.rm_file(self._place(digest))

    def tell(self, state: State) -> None:
        """Name the state that counts, in one write."""
        self._make_room("")
        text = json.dumps(state._asdict(), indent=1).encode()
        if "file" in self._kind:
            write_atomic(Path(self.root) / LATEST, text)
        else:
            self._files.pipe_file(f"{self.root}/{LATEST}", text)

    def _place(self, digest: str) -> str:
        return f"{self.root}/files/{digest}"

    def _make_room(self, below: str) -> None:
        if not self._kind & FLAT:
            self._files.makedirs(f"{self.root}/{below}".rstrip("/"), exist_ok=True)
