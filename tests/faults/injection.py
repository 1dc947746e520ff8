"""Faults at will: the n-th write below a folder kills the process, finds the disk full, or fails.

Python tells an audit hook of each file that it opens, renames, removes or makes, before it does so. What torch and
safetensors write by themselves lies between two of those.

    fault = Fault(str(run), at=7, deed="kill")
    arm(fault)                      # counts from now on, in this process for ever
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Deed = Literal["count", "kill", "full", "error"]
WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass
class Fault:
    """What happens, and when."""

    folder: str
    """Only what is written below it counts."""
    at: int
    """Number of the write, from 1."""
    deed: Deed
    armed: bool = True
    seen: int = 0
    stage: str = ""
    counted: dict[str, int] = field(default_factory=dict)
    """Writes of each stage before this one."""

    def begin(self, stage: str, *, armed: bool) -> None:
        """Count from here on, as the writes of `stage`."""
        self.counted[self.stage] = self.seen
        self.stage, self.armed, self.seen = stage, armed, 0

    def meet(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Count a write; at the n-th one do the deed."""
        if not self.armed or not self._is_write(event, arguments):
            return
        self.seen += 1
        if self.seen != self.at or self.deed == "count":
            return
        if self.deed == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        self.armed = False
        number = errno.ENOSPC if self.deed == "full" else errno.EIO
        raise OSError(number, os.strerror(number), str(arguments[0]))

    def _is_write(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "open":
            wanted = isinstance(arguments[2], int) and arguments[2] & WRITING
        else:
            wanted = event in WRITES
        return bool(wanted) and isinstance(arguments[0], str | os.PathLike) and self._is_below(arguments[0])

    def _is_below(self, path: str | os.PathLike[str]) -> bool:
        if "progress.json" in os.path.basename(path):
            return False  # A note for the web app, which nothing depends on: it is given up without a word.
        return os.path.abspath(os.fspath(path)).startswith(self.folder + os.sep)


def arm(fault: Fault) -> Fault:
    """Let it happen in this process; a hook cannot be taken away, but `armed` switches it off."""
    sys.addaudithook(fault.meet)
    return fault


def flip_byte(path: Path, at: int, bit: int = 1) -> None:
    """Change one byte of a file."""
    content = bytearray(path.read_bytes())
    content[at % len(content)] ^= bit
    path.write_bytes(content)
