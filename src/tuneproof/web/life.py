"""Whether someone works in a run folder, and who: told from what the folder says and from the list of processes.

The lock itself is not tried: to take it, even for a moment, could turn away the process that starts just then. In: a
run folder. Out: a process, a state.

    state_of(run, run.load(RunRecord))    # "running", and "lost" within a moment after its process was killed
"""

from __future__ import annotations

import platform
import re
from typing import Literal

import psutil

from tuneproof.records import RunRecord
from tuneproof.rundir import RunDir

State = Literal["starting", "running", "stopped", "failed", "lost", "done"]
"""`lost`: the record says that it runs, and no process does: it was killed, or the machine went down."""
TOLERANCE = 5.0
"""Seconds by which a process may seem younger than the file it wrote: clocks of file systems are coarse."""


def find_worker(run: RunDir) -> psutil.Process | None:
    """The living process of this machine that holds the folder; None where there is none."""
    note = run.path / ".owner"
    try:
        found = re.fullmatch(r"pid (\d+) on (.*)\n?", note.read_text(encoding="utf-8"))
        written = note.stat().st_mtime
    except (OSError, UnicodeDecodeError):
        return None
    if found is None or found[2] != platform.node():
        return None
    return find_process(int(found[1]), written)


def find_process(pid: int, noted: float) -> psutil.Process | None:
    """The process with this number, if it is the one that was there at time `noted`: numbers are used again."""
    try:
        process = psutil.Process(pid)
        if process.create_time() > noted + TOLERANCE or process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process
    except psutil.Error:
        return None


def state_of(run: RunDir, record: RunRecord) -> State:
    """How a run stands. One that goes on after a stop says `stopped` in its record until a stage has ended."""
    if record.status == "done":
        return "done"
    if find_worker(run) is not None:
        return "running"
    return "lost" if record.status == "running" else record.status


def measure_resident(process: psutil.Process | None) -> int | None:
    """Bytes of memory that a process holds now."""
    try:
        return process.memory_info().rss if process is not None else None
    except psutil.Error:
        return None
