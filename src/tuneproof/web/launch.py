"""Runs are started as processes of their own, which outlive the page and this server.

A child gets a session of its own, no pipe to us and a log file, and a note of it is kept beside the runs: so a server
that comes back knows of a run which has not written its first record yet, or never got so far.

    launches.start("rows-demo", ["run", "rows.jsonl", "--model", "demo", "--out", "runs/rows-demo"], "en")
    launches.find("rows-demo").state     # "starting" while it lives, "failed" when it ended without a run folder
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import IO, Literal

import psutil
from pydantic import BaseModel, ValidationError

from tuneproof.messages import Language
from tuneproof.rundir import RunDir, write_atomic
from tuneproof.web.children import Fault, make_command, read_answer
from tuneproof.web.life import find_process, find_worker

LOG_BYTES = 16_384
"""End of a log that is read."""


class Launch(BaseModel):
    """A run that this app has started."""

    name: str
    command: list[str]
    pid: int
    created: float
    """When the process began, in seconds since 1970."""


class Launches:
    """Notes, logs and output of the runs that were started here; all below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, name: str, arguments: Sequence[str], language: Language) -> Launch:
        """Start a run, or one that goes on. Raises OSError when no process can be started."""
        command = make_command(arguments, language)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._place(name, "out").open("wb") as out, self._place(name, "log").open("ab") as log:
            child = _detach(command, out, log)
        # Who waits for it lets go of it: a child that has ended stays in the list of processes until then.
        Thread(target=child.wait, name=f"wait-{name}", daemon=True).start()
        launch = Launch(name=name, command=command, pid=child.pid, created=time.time())
        write_atomic(self._place(name, "json"), launch.model_dump_json())
        return launch

    def list_names(self) -> list[str]:
        """Names of all runs that were started here."""
        return sorted(path.stem for path in self.folder.glob("*.json")) if self.folder.is_dir() else []

    def find(self, name: str) -> Launch | None:
        """The note of a run that was started here."""
        if name not in self.list_names():
            return None
        try:
            return Launch.model_validate_json(self._place(name, "json").read_bytes())
        except (OSError, ValidationError):
            return None

    def state_of(self, launch: Launch) -> Literal["starting", "failed"]:
        """Of a run that has no record yet: whether its process lives."""
        return "starting" if find_process(launch.pid, launch.created) is not None else "failed"

    def find_faults(self, name: str) -> list[Fault]:
        """What a run that was started here said when it failed; none where it has not."""
        try:
            out = self._place(name, "out").read_bytes()
        except OSError:
            return []
        log = self.read_log(name)
        return read_answer(out, None, log)[1] if out or log else []

    def read_log(self, name: str) -> list[str]:
        """The last lines that a run has told."""
        try:
            with self._place(name, "log").open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - LOG_BYTES))
                return file.read().decode("utf-8", "replace").splitlines()[-40:]
        except OSError:
            return []

    def _place(self, name: str, ending: str) -> Path:
        return self.folder / f"{name}.{ending}"


def _detach(command: list[str], out: IO[bytes], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """A child that is not stopped by what stops its parent."""
    nothing = subprocess.DEVNULL
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        return subprocess.Popen(command, stdin=nothing, stdout=out, stderr=log, creationflags=flags)
    return subprocess.Popen(command, stdin=nothing, stdout=out, stderr=log, start_new_session=True)


def stop_worker(run: RunDir) -> bool:
    """Ask the process that holds a run folder to save and stop. Returns whether there was one.

    It gets SIGTERM, after which training saves within a step; on Windows, which has no such signal, it is ended, and
    goes on from its last checkpoint.
    """
    process = find_worker(run)
    if process is None or process.pid == os.getpid():
        return False
    with contextlib.suppress(psutil.Error):
        process.send_signal(signal.SIGTERM)
    return True
