"""One command as several processes: on this machine, a GPU each (`--gpus N`), or on a cluster (`--cluster ADDRESS`).

On this machine they get the environment of torchrun's, which works too. Here exit codes and signals are those of the
contract: torchrun makes every code but 0 a 1, and a stop a traceback.

    launch_ranks(["run", "rows.jsonl", "--gpus", "2"], 2)      # the exit code of that command
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.errors import UsageError
from tuneproof.processors import count_processors
from tuneproof.progress import Progress
from tuneproof.rundir import RunDir

if TYPE_CHECKING:
    from tuneproof.cli.options import RankOptions
    from tuneproof.cluster import Place
    from tuneproof.pipeline import RunRequest, Until

RANKS = "TUNEPROOF_RANKS"
"""Set in each of the processes: they are not to launch others."""
MEETING = "TUNEPROOF_MEETING"
"""The file by which the processes find each other, in place of torchrun's address and port."""
GRACE = 30.0
"""Seconds that the processes have to end by themselves once one has."""
GLANCE = 0.1


def launch_ranks(arguments: Sequence[str], count: int) -> int:
    """Run `tuneproof ARGUMENTS` as `count` processes. Returns the exit code of the first, or of one that failed it."""
    threads = str(max(1, count_processors() // count))
    with tempfile.TemporaryDirectory() as folder:
        common = {"OMP_NUM_THREADS": threads, **os.environ, MEETING: str(Path(folder) / "meeting")}
        ranks = [
            subprocess.Popen(
                [sys.executable, "-m", "tuneproof", *arguments],
                env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)},
            )
            for rank in range(count)
        ]
        before = {number: signal.signal(number, _pass_on(ranks)) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            return _wait(ranks)
        finally:
            for rank in ranks:
                rank.kill()
                rank.wait()
            for number, handler in before.items():
                signal.signal(number, handler)


def _wait(ranks: Sequence[subprocess.Popen[bytes]]) -> int:
    """Wait until all have ended; once one has, the others have their time of grace."""
    ended: float | None = None
    while any(rank.poll() is None for rank in ranks):
        if ended is None and any(rank.returncode for rank in ranks):
            ended = time.monotonic()
        if ended is not None and time.monotonic() > ended + GRACE:
            break
        time.sleep(GLANCE)
    codes = [rank.returncode for rank in ranks if rank.returncode is not None]
    first = ranks[0].returncode
    code = first if first is not None else next((code for code in codes if code), 1)
    return 128 - code if code < 0 else code


def _pass_on(ranks: Sequence[subprocess.Popen[bytes]]) -> Callable[[int, object], None]:
    """A handler that gives all processes the signal; Ctrl-C in a terminal has reached them by itself."""

    def handle(number: int, frame: object) -> None:
        for rank in ranks:
            if number != signal.SIGINT and rank.poll() is None:
                rank.send_signal(number)

    return handle


def run_as_rank(perform: Callable[[], int]) -> int:
    """Take part as one of the processes: the first does `perform`. Returns the exit code of this one."""
    from tuneproof.pipeline import lead_or_follow

    os.environ[RANKS] = os.environ["WORLD_SIZE"]
    return lead_or_follow(perform)


def start_run(options: RankOptions, request: RunRequest, progress: Progress) -> RunDir:
    """`pipeline.run_all` here, or on the cluster that was asked for."""
    place = find_place(options)
    if place is None:
        from tuneproof.pipeline import run_all

        return run_all(request, progress)
    from tuneproof.cluster import run_all as run_there

    return run_there(place, request, progress)


def go_on(
    options: RankOptions, path: Path, progress: Progress, until: Until = "report", store: str | None = None
) -> RunDir:
    """`pipeline.resume_run` here, or on the cluster that was asked for."""
    place = find_place(options)
    if place is None:
        from tuneproof.pipeline import resume_run

        return resume_run(path, progress, until, store)
    from tuneproof.cluster import resume_run as resume_there

    return resume_there(place, path, progress, until, store)


def find_place(options: RankOptions) -> Place | None:
    """The cluster that was asked for. Raises UsageError for workers of none."""
    if options.cluster is None:
        if options.workers is not None:
            raise UsageError("cluster.workers_of_none", where="--workers")
        return None
    from tuneproof.cluster import Place

    return Place(options.cluster, options.workers, options.gpus)
