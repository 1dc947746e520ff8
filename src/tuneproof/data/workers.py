"""Work on the parts of a store, done by several processes at once.

A worker is this Python started anew, with nothing of the program that asks: no copy of its memory and threads, no main
module run again. It reads a line of JSON (which job, which part), does the job (jobs.py) and writes a line. So the
result is the same for any number of workers, and without any the jobs are done here.

    workers = Workers(count_workers(len(store)))
    workers.submit("examine", {"folder": ..., "part": ...}).result()
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import IO, Any, cast

from tuneproof.data.jobs import do_job
from tuneproof.messages import current_language
from tuneproof.processors import count_processors

SMALL = 5_000
"""Rows that are checked sooner than processes are started."""
MOST = 8
"""Workers: more would wait for the one process that reads the file and joins the results."""
START = "import sys; sys.path[:] = sys.argv[1:]; from tuneproof.data.jobs import serve_jobs; serve_jobs()"


def count_workers(rows: int) -> int:
    """How many processes are worth starting for so many rows; 0: none."""
    count = count_processors()
    return min(count, MOST) if rows > SMALL and count > 1 else 0


class Workers:
    """Processes that wait for jobs. Without any (`count` 0) jobs are done in this one."""

    def __init__(self, count: int) -> None:
        self._free: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
        self._all = [start_worker() for _ in range(count)]
        for worker in self._all:
            self._free.put(worker)
        self._threads = ThreadPoolExecutor(max(1, count))

    def close(self) -> None:
        """End the processes, whatever is still to be done."""
        self._threads.shutdown(cancel_futures=True)
        for worker in self._all:
            cast("IO[str]", worker.stdin).close()
            cast("IO[str]", worker.stdout).close()
            worker.wait()

    def submit(self, job: str, request: Mapping[str, Any]) -> Future[dict[str, Any]]:
        """The result of a job, when it is done. A worker that ends raises RuntimeError."""
        asked = {"job": job, "language": current_language(), **request}
        if self._all:
            return self._threads.submit(self._ask, asked)
        done = Future[dict[str, Any]]()
        done.set_result(do_job(asked))
        return done

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        worker = self._free.get()
        try:
            cast("IO[str]", worker.stdin).write(json.dumps(request) + "\n")
            cast("IO[str]", worker.stdin).flush()
            line = cast("IO[str]", worker.stdout).readline()
        finally:
            self._free.put(worker)
        if not line:
            raise RuntimeError(f"a process that checks rows ended with {worker.poll()}")
        result: dict[str, Any] = json.loads(line)
        return result


def start_worker() -> subprocess.Popen[str]:
    """A process that does jobs until its input ends."""
    # One thread each: there are as many of them as cores.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        [sys.executable, "-c", START, *sys.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
    )
