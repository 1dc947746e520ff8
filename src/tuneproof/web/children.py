"""Work is done by other processes: `tuneproof check|plan|blame|compare|doctor ... --json`, awaited as jobs.

A job lives as long as this server does; a run does not (launch.py). In: arguments of the command line, put together by
routes from fixed lists. Out: its JSON object, or what it said was wrong.

    job = jobs.begin("check", ["check", "rows.jsonl"], "en")
    jobs.find(job.id).state      # "running", then "done" or "failed"
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tuneproof.messages import Language

Kind = Literal["check", "plan", "blame", "compare", "doctor"]
KEPT = 60
"""Jobs that are remembered."""
SIDE_BY_SIDE = 2
"""Children at work at once: each loads libraries, and some a model."""
LINES = 40
"""Lines of a child's progress that are kept."""


@dataclass(frozen=True)
class Fault:
    """What a child said was wrong: where, what, and what to do."""

    where: str | None
    message: str
    hint: str = ""


@dataclass
class Job:
    """One child process, and what became of it."""

    id: str
    kind: Kind
    about: dict[str, Any]
    """What the route that began it wants to know again when it shows the result."""
    language: Language
    state: Literal["running", "done", "failed"] = "running"
    lines: list[str] = field(default_factory=list)
    """What it said last on its way."""
    code: int | None = None
    result: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def make_command(arguments: Sequence[str], language: Language) -> list[str]:
    """A command line of tuneproof in a process of its own, that prints one JSON object."""
    command, *rest = arguments
    return [sys.executable, "-m", "tuneproof", command, "--json", "--lang", language, *rest]


class Jobs:
    """The children that are awaited."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(SIDE_BY_SIDE)

    def begin(self, kind: Kind, arguments: Sequence[str], language: Language, **about: Any) -> Job:
        """Start a child; one that finds no room waits."""
        job = Job(secrets.token_hex(8), kind, about, language)
        self._jobs[job.id] = job
        while len(self._jobs) > KEPT:
            self._jobs.popitem(last=False)
        task = asyncio.create_task(self._follow(job, make_command(arguments, language)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def find(self, name: str) -> Job | None:
        """The job of this id."""
        return self._jobs.get(name)

    def find_latest(self, kind: Kind) -> Job | None:
        """The newest job of this kind."""
        return next((job for job in reversed(self._jobs.values()) if job.kind == kind), None)

    def find_running(self, kind: Kind, **about: Any) -> Job | None:
        """A job of this kind about the same thing that is still at work: nobody needs it twice."""
        running = (job for job in self._jobs.values() if job.kind == kind and job.state == "running")
        return next((job for job in running if job.about == about), None)

    async def wait(self, job: Job) -> None:
        """Until the job has ended."""
        while job.state == "running":
            await asyncio.sleep(0.1)

    async def close(self) -> None:
        """End all children."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, job: Job, command: list[str]) -> None:
        try:
            async with self._room:
                child = await asyncio.create_subprocess_exec(
                    *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, limit=2**24
                )
                try:
                    assert child.stdout is not None
                    out, _ = await asyncio.gather(child.stdout.read(), self._listen(job, child))
                    job.code = await child.wait()
                finally:
                    if child.returncode is None:
                        with contextlib.suppress(ProcessLookupError):
                            child.kill()
                        await child.wait()
            job.result, job.faults = read_answer(out, job.code, job.lines)
        except (OSError, ValueError) as error:
            job.faults = [Fault(None, str(error))]
        job.state = "failed" if job.faults else "done"

    @staticmethod
    async def _listen(job: Job, child: asyncio.subprocess.Process) -> None:
        assert child.stderr is not None
        while line := await child.stderr.readline():
            text = line.decode("utf-8", "replace").rstrip()
            if text:
                job.lines = [*job.lines[-LINES:], text]


def read_answer(out: bytes, code: int | None, lines: Sequence[str]) -> tuple[dict[str, Any], list[Fault]]:
    """The JSON object, and what was wrong. A plan that does not fit is an answer, whatever its exit code."""
    try:
        told = json.loads(out)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return {}, [Fault(None, "\n".join(lines[-6:]) or f"exit code {code}")]
    if "error" not in told:
        return told, []
    faults = [Fault(one["where"], one["message"], one["hint"]) for one in told["error"]["faults"]]
    return told, faults or [Fault(None, "\n".join(lines[-6:]))]
