"""A copy of the run folder at another place, kept up with as the run goes: a bucket, another disk (`report.store`).

A machine that is taken away takes its disk along. The same command on another one begins with what lies at the store,
and workers of a cluster that share no disk find there what the lead has written.

What is sent is a state as a whole (`store.py`); what no state names any more is removed after that. A folder remembers
the token that it has seen last. Where the store has another one somebody else has gone on: then what was changed here
since is put aside, and nothing is lost.

    fetch_run(run, "s3://bucket/runs/first")        # nothing, where the folder has seen the store's state
    push_run(work)                                  # nothing, where no store is named
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from tuneproof.errors import FitError, RunError, TuneproofError, is_full
from tuneproof.pipeline.folder import FILES, FOLDERS
from tuneproof.pipeline.store import State, Store
from tuneproof.pipeline.work import Work
from tuneproof.rundir import RunDir, write_atomic
from tuneproof.training.checkpoint import hash_file

NOTE = ".mirror.json"
ASIDE = ".aside"
"""Folder in the run's for what was changed here while somebody else went on."""


class Held(NamedTuple):
    """A file of the folder as it was when it was last looked at."""

    size: int
    time: int
    """Of its last change, in ns."""
    hash: str


class Seen(NamedTuple):
    """What a folder knows of a store."""

    state: State = State()
    sent: State = State()
    """Pushed from here, and perhaps never answered for."""
    held: dict[str, Held] = {}
    partial: bool = False
    """Whether a fetch was cut short: `state` then has the files of before, and no token."""

    @property
    def is_met(self) -> bool:
        """Whether the two have anything in common."""
        return self.partial or bool(self.state.token or self.sent.token)


class Mirror:
    """A run folder and its copy. Raises UsageError for an address that cannot be used, RunError for one out of reach or
    with files of somebody else."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.store = Store(address)

    @property
    def token(self) -> str:
        """Of the state that the folder has seen last; empty where it is none or only half here."""
        return self._recall().state.token

    def fetch(self) -> bool:
        """Make the folder what the store holds, where it has not seen that; whether it had not.

        What was changed here since the two last met is put aside. Raises RunError where both have a run and never met.
        """
        with self._reach():
            latest, seen = self.store.look(), self._recall()
            if latest.token and latest.token == seen.sent.token:
                self._note(Seen(latest, State(), seen.held))
                return False
            if not latest.token or latest.token == seen.state.token:
                return False
            latest = State(latest.token, {name: one for name, one in latest.files.items() if _is_part(name)})
            now = self._list(seen.held)
            if now and not seen.is_met:
                raise RunError("store.both", where=str(self.folder), address=self.store.address)
            if not seen.partial:
                self._put_aside(seen, now, latest)
            self._note(Seen(State("", seen.state.files), State(), now, partial=True))
            for name, digest in latest.files.items():
                if name not in now or now[name].hash != digest:
                    self._get(name, digest)
            for name in set(seen.state.files) - set(latest.files):
                (self.folder / name).unlink(missing_ok=True)
            self._note(Seen(latest, State(), self._list(now)))
            return True

    def push(self) -> None:
        """Send what has changed. Raises RunError where another machine has pushed meanwhile."""
        with self._reach():
            seen = self._recall()
            before = self._meet(seen)
            held = self._list(seen.held)
            if {name: one.hash for name, one in held.items()} == before.files:
                self._note(Seen(before, State(), held))
                return
            there = set(before.files.values())
            for name, one in held.items():
                if one.hash not in there:
                    held[name] = self._put(self.folder / name, one)
                    there.add(held[name].hash)
            after = State(secrets.token_hex(8), {name: one.hash for name, one in held.items()})
            # Somebody else may have pushed while this was sent.
            self._meet(seen)
            self._note(Seen(before, after, held))
            self.store.tell(after)
            self._note(Seen(after, State(), held))
            for digest in set(before.files.values()) - set(after.files.values()):
                self.store.remove(digest)

    def claim(self) -> None:
        """Take the store for a folder that begins anew: what lies there is given up."""
        with self._reach():
            before, after = self.store.look(), State(secrets.token_hex(8))
            self.store.tell(after)
            self._note(Seen(after))
            for digest in set(before.files.values()):
                self.store.remove(digest)

    def _meet(self, seen: Seen) -> State:
        """The store's state, which this folder has seen or made. Raises RunError for any other."""
        latest = self.store.look()
        if latest.token and latest.token not in (seen.state.token, seen.sent.token):
            raise RunError("store.ahead", where=self.store.address)
        return latest

    def _list(self, held: dict[str, Held]) -> dict[str, Held]:
        """The run's files in the folder; hashed are those that are not as they were `held`."""
        found = {}
        for part in (*FOLDERS, *FILES):
            path = self.folder / part
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                name = file.relative_to(self.folder).as_posix()
                if not _is_part(name) or not file.is_file():
                    continue
                known, facts = held.get(name), file.stat()
                same = known is not None and known[:2] == (facts.st_size, facts.st_mtime_ns)
                found[name] = known if known is not None and same else _look_at(file)
        return found

    def _put_aside(self, seen: Seen, now: dict[str, Held], latest: State) -> None:
        """Keep what was changed here since the two last met, and is not what the other has."""
        for name, one in now.items():
            if one.hash not in (seen.state.files.get(name), latest.files.get(name)):
                kept = self.folder / ASIDE / seen.state.token / name
                kept.parent.mkdir(parents=True, exist_ok=True)
                os.replace(self.folder / name, kept)

    def _put(self, file: Path, one: Held) -> Held:
        """Send a file. Returns it as it was sent: another process may add to it meanwhile."""
        while True:
            self.store.put(file, one.hash)
            now = _look_at(file)
            if now.hash == one.hash:
                return now
            one = now

    def _get(self, name: str, digest: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.half")
        self.store.get(digest, half)
        if (found := _look_at(half).hash) != digest:
            raise RunError("store.unreachable", where=self.store.address, why=f"{name}: {found} != {digest}")
        half.replace(path)

    def _recall(self) -> Seen:
        try:
            note = json.loads((self.folder / NOTE).read_bytes())
        except (OSError, ValueError):
            return Seen()
        # A folder that was sent elsewhere before has nothing in common with this store.
        if note.get("address") != self.store.address:
            return Seen()
        held = {name: Held(*one) for name, one in note["held"].items()}
        return Seen(State(*note["state"]), State(*note["sent"]), held, note["partial"])

    def _note(self, seen: Seen) -> None:
        write_atomic(self.folder / NOTE, json.dumps({"address": self.store.address, **seen._asdict()}))

    @contextmanager
    def _reach(self) -> Iterator[None]:
        """One process of this machine at a time; RunError for what the store answers instead of files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".mirror.lock"):
            try:
                yield
            except TuneproofError:
                raise
            except Exception as error:
                if is_full(error):
                    raise FitError("disk.filled", where=str(self.folder)) from error
                # Each kind of store has errors of its own, without a common class.
                why = f"{type(error).__name__}: {error}"[:300]
                raise RunError("store.unreachable", where=self.store.address, why=why) from error


def fetch_run(run: RunDir, address: str | None) -> bool:
    """Begin with what lies at the store, if there is one; the caller holds the folder."""
    return address is not None and Mirror(run.path, address).fetch()


def push_run(work: Work) -> None:
    """Keep the store up with the folder, or with that of the run which this is a trial of. A store that cannot be
    reached now is told of, and tried again later."""
    work = _find_outermost(work)
    if work.config.report.store is None:
        return
    try:
        Mirror(work.run.path, work.config.report.store).push()
    except RunError as error:
        if error.key != "store.unreachable":
            raise
        work.progress.say("store.behind", why=error.values["why"])


class Copy(NamedTuple):
    """A state that the lead has sent, for ranks on machines that do not see its disk."""

    folder: Path
    address: str
    token: str


def hand_over(work: Work) -> Copy | None:
    """Send all that the other ranks need; None where no store is named. Raises RunError where it cannot be sent."""
    work = _find_outermost(work)
    if work.config.report.store is None:
        return None
    mirror = Mirror(work.run.path.resolve(), work.config.report.store)
    mirror.push()
    return Copy(mirror.folder, mirror.store.address, mirror.token)


def take_over(copy: Copy | None) -> None:
    """Have what the lead has sent; nothing on its own disk. Raises RunError where it is not there."""
    if copy is None:
        return
    mirror = Mirror(copy.folder, copy.address)
    if mirror.token != copy.token:
        mirror.fetch()
    if mirror.token != copy.token:
        raise RunError("store.unreachable", where=copy.address, why=f"{mirror.token} != {copy.token}")


def _find_outermost(work: Work) -> Work:
    """The run that this is a trial of, or the run itself."""
    return work if work.outer is None else _find_outermost(work.outer)


def _look_at(file: Path) -> Held:
    """A file's content by its hash; where it grows meanwhile, its size and time are those of before."""
    facts = file.stat()
    return Held(facts.st_size, facts.st_mtime_ns, hash_file(file))


def _is_part(name: str) -> bool:
    """Whether a name is one of the run's files: below the folder, on every system, and not half written."""
    parts = name.split("/")
    plain = all(part and not part.startswith(".") and not set(part) & set("\\:") for part in parts)
    return plain and (parts[0] in FOLDERS or name in FILES)
