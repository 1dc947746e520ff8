"""A copy of the run folder at another place, kept up with as the run goes: a bucket, another disk (`report.store`).

A machine that is taken away takes its disk along. The same command on another one begins with what lies at the store,
and workers of a cluster that share no disk find there what the lead has written. Any URI that fsspec knows
(`s3://bucket/runs/first`, `gs://...`, `file:///...`). Which copy is further is counted and not read off clocks:
every push makes the store's number one higher, and the folder keeps the number that it has seen last.

A push sends files in the order in which they were written, and its number last, so that a push cut short leaves what a
kill at that moment would have left: the run goes on from it as from any other.

    fetch_run(run, "s3://bucket/runs/first")        # nothing, where the folder is as far as the store
    push_run(work)                                  # nothing, where no store is named
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from filelock import FileLock

from tuneproof.errors import RunError, UsageError
from tuneproof.pipeline.work import Work
from tuneproof.rundir import RunDir, write_atomic

NOTE = ".mirror.json"
"""In the folder and at the store: how many pushes there were, and by which of them each file was sent last."""
FETCHING = -1
"""Number of a folder that is being filled: what lies there is half of one state and half of another."""


class Held(NamedTuple):
    """A file as it was when folder and store last met."""

    push: int
    size: int
    time: int
    """Of its last change, in ns."""


class Mirror:
    """A run folder and its copy. Raises UsageError for an address that cannot be used, RunError for one out of reach or
    with files of somebody else."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self.store, self.root = open_store(address)

    def fetch(self) -> bool:
        """Bring what the store has where it is further than the folder; whether it was.

        Raises RunError where both have a run and never met: neither is to be overwritten unasked.
        """
        with self._reach():
            push, sent = self._look()
            seen, held = self._recall()
            if push <= max(seen, 0):
                return False
            if seen == 0 and (self.folder / "run.json").is_file():
                raise RunError("store.both", where=str(self.folder), address=self.address)
            self._note(FETCHING, held)
            for name, last in sent.items():
                if name not in held or held[name].push < last:
                    self._get(name)
            for name in set(self._list()) - set(sent):
                (self.folder / name).unlink(missing_ok=True)
            self._note(push, {name: Held(sent[name], *state) for name, state in self._list().items()})
            return True

    def push(self) -> None:
        """Send what has changed since the two last met. Raises RunError where another machine has pushed meanwhile."""
        with self._reach():
            push, sent = self._look()
            seen, held = self._recall()
            if not push:
                # What is cut short before its end is known for a run's then, and not for somebody's files.
                self._tell(0, {})
            if push > seen:
                raise RunError("store.ahead", where=self.address)
            now = self._list()
            changed = [name for name, state in now.items() if name not in sent or held.get(name, ())[1:] != state]
            gone = set(sent) - set(now)
            if not (changed or gone):
                return
            for name in sorted(changed, key=lambda name: now[name][1]):
                self._put(name)
            for name in gone:
                if self.store.exists(self._place(name)):
                    self.store.rm_file(self._place(name))
            sent = {name: push + 1 if name in changed else sent[name] for name in now}
            self._tell(push + 1, sent)
            self._note(push + 1, {name: Held(sent[name], *state) for name, state in now.items()})

    def claim(self) -> None:
        """Take the store for a folder that begins anew: what lies there gives way at the next push."""
        with self._reach():
            self._note(self._look()[0], {})

    def _look(self) -> tuple[int, dict[str, int]]:
        """(the store's number, file -> number of the push that sent it last). Raises RunError where other files lie."""
        try:
            note = json.loads(self.store.cat_file(self._place(NOTE)))
        except FileNotFoundError:
            if self.store.exists(self.root) and self.store.find(self.root):
                raise RunError("store.foreign", where=self.address) from None
            return 0, {}
        return int(note["push"]), {str(name): int(last) for name, last in note["files"].items() if _is_part(str(name))}

    def _list(self) -> dict[str, tuple[int, int]]:
        """Files of the folder, with size and time; what is half written or only of this machine has a dot."""
        found = {}
        for path in self.folder.rglob("*") if self.folder.is_dir() else ():
            name = path.relative_to(self.folder).as_posix()
            if _is_part(name) and path.is_file():
                state = path.stat()
                found[name] = (state.st_size, state.st_mtime_ns)
        return found

    def _place(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _put(self, name: str) -> None:
        # Object stores have no folders, and disks want them first.
        self.store.makedirs(self._place(name).rpartition("/")[0], exist_ok=True)
        self.store.put_file(str(self.folder / name), self._place(name))

    def _tell(self, push: int, sent: dict[str, int]) -> None:
        self.store.makedirs(self.root, exist_ok=True)
        self.store.pipe_file(self._place(NOTE), json.dumps({"push": push, "files": sent}).encode())

    def _get(self, name: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.half")
        self.store.get_file(self._place(name), str(half))
        half.replace(path)

    def _recall(self) -> tuple[int, dict[str, Held]]:
        """(number, files) of when the two last met; a folder that was sent elsewhere never met this store."""
        try:
            note = json.loads((self.folder / NOTE).read_bytes())
        except (OSError, ValueError):
            return 0, {}
        if note.get("address") != self.address:
            return 0, {}
        return note["push"], {name: Held(*held) for name, held in note["files"].items()}

    def _note(self, push: int, held: dict[str, Held]) -> None:
        write_atomic(self.folder / NOTE, json.dumps({"address": self.address, "push": push, "files": held}))

    @contextmanager
    def _reach(self) -> Iterator[None]:
        """One process of this machine at a time; RunError for what the store answers instead of files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".mirror.lock"):
            try:
                yield
            except (RunError, KeyboardInterrupt):
                raise
            except Exception as error:
                # Each kind of store has errors of its own, without a common class.
                why = f"{type(error).__name__}: {error}"[:300]
                raise RunError("store.unreachable", where=self.address, why=why) from error


def open_store(address: str) -> tuple[Any, str]:
    """fsspec's file system for a URI, and the path on it. Raises UsageError for one that is not known here, and for one
    with a password in it: it would stand in config.yaml."""
    from fsspec.core import url_to_fs

    if urlsplit(address).password:
        raise UsageError("store.password", where="report.store")
    try:
        store, root = url_to_fs(address)
    except (ValueError, ImportError) as error:
        raise UsageError("store.unknown", where=address, why=str(error)) from error
    return store, str(root).rstrip("/")


def fetch_run(run: RunDir, address: str | None, *, restart: bool = False) -> bool:
    """Begin with what lies at the store; the caller holds the folder. With `restart` it is to be overwritten."""
    if address is None:
        return False
    mirror = Mirror(run.path, address)
    if restart:
        mirror.claim()
        return False
    return mirror.fetch()


def push_run(work: Work) -> None:
    """Keep the store up with the folder. A store that cannot be reached now is told of, and tried again later."""
    if work.config.report.store is None:
        return
    try:
        Mirror(work.run.path, work.config.report.store).push()
    except RunError as error:
        if error.key == "store.ahead":
            raise
        work.progress.say("store.behind", why=error.values["why"])


def _is_part(name: str) -> bool:
    """Whether a name is one of the run's files: nothing above the folder, nothing with a dot before it."""
    parts = name.split("/")
    return not any(part.startswith(".") or not part for part in parts)
