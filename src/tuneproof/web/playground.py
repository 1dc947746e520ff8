"""The playground's worker: one `tuneproof serve RUN` as a child process, spoken to over HTTP on this machine.

It is started when somebody opens the playground of a run, and ended when another run is asked for, after a while
without a question, and with this server. If this server is killed, the next one ends the worker it left.

    await playground.open("rows-demo", run)
    playground.state                    # "starting", then "ready"; "failed" has faults
    async for piece in playground.ask(body): ...
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import subprocess
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx2
import psutil
from pydantic import BaseModel, ValidationError

from tuneproof.messages import Language
from tuneproof.rundir import RunDir, write_atomic
from tuneproof.web.children import Fault, make_command, read_answer
from tuneproof.web.life import find_process
from tuneproof.web.listen import HERE, find_port

IDLE = 20 * 60.0
"""Seconds without a question after which the worker is ended: it holds a model in memory."""
PATIENCE = 300.0
"""Seconds within which a worker has loaded its model."""
PAUSE = 0.2
LINES = 40


class WorkerNote(BaseModel):
    """Which process the worker is, so that it can be ended by a server that did not start it."""

    pid: int
    created: float


@dataclass
class Worker:
    """A server child and how to reach it."""

    run: str
    port: int
    token: str
    process: asyncio.subprocess.Process
    state: Literal["starting", "ready", "failed"] = "starting"
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES))
    faults: list[Fault] = field(default_factory=list)
    used: float = field(default_factory=time.monotonic)


class NotReady(Exception):
    """No worker answers for this run: there is none, or it does not speak."""


class Playground:
    """At most one worker at a time."""

    def __init__(self, folder: Path) -> None:
        self.note = folder / "playground.json"
        self.worker: Worker | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        # Proxies of the environment are for other machines.
        self._client = httpx2.AsyncClient(timeout=httpx2.Timeout(None, connect=5.0), trust_env=False)

    async def open(self, name: str, run: RunDir, language: Language) -> Worker:
        """The worker of this run: the one that is there, or a new one in the place of another run's."""
        async with self._changing:
            worker = self.worker
            if worker is not None and worker.run == name and worker.state != "failed":
                return worker
            await self._end()
            self.worker = await self._start(name, run, language)
            return self.worker

    def find(self, name: str) -> Worker | None:
        """The worker of this run, if it is the one at work."""
        return self.worker if self.worker is not None and self.worker.run == name else None

    async def stream(self, name: str, body: dict[str, Any]) -> AsyncIterator[bytes]:
        """Events of an answer as the server sends them. Raises NotReady; a reader who leaves stops the answer."""
        worker = self._require(name)
        url, headers = f"http://{HERE}:{worker.port}/v1/chat/completions", _sign(worker)
        try:
            async with self._client.stream("POST", url, json=body, headers=headers) as answer:
                async for piece in answer.aiter_raw():
                    worker.used = time.monotonic()
                    yield piece
        except httpx2.HTTPError as error:
            raise NotReady(str(error)) from error

    async def post(self, name: str, path: Literal["/v1/sides"], body: dict[str, Any]) -> tuple[int, Any]:
        """Status and JSON body of another question. Raises NotReady."""
        worker = self._require(name)
        url = f"http://{HERE}:{worker.port}{path}"
        try:
            answer = await self._client.post(url, json=body, headers=_sign(worker))
        except httpx2.HTTPError as error:
            raise NotReady(str(error)) from error
        return answer.status_code, answer.json()

    def _require(self, name: str) -> Worker:
        worker = self.find(name)
        if worker is None or worker.state != "ready":
            raise NotReady(name)
        worker.used = time.monotonic()
        return worker

    async def close(self) -> None:
        """End the worker and what waits for it."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._end()
        await self._client.aclose()

    async def _start(self, name: str, run: RunDir, language: Language) -> Worker:
        self._end_left_over()
        port, token = find_port(), secrets.token_urlsafe(24)
        command = make_command(["serve", str(run.path), "--host", HERE, "--port", str(port)], language)
        # In the environment, where other users of this machine cannot read it off the list of processes.
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "TUNEPROOF_TOKEN": token},
        )  # fmt: skip
        write_atomic(self.note, WorkerNote(pid=process.pid, created=time.time()).model_dump_json())
        worker = Worker(name, port, token, process)
        for task in (self._listen(worker), self._watch(worker)):
            kept = asyncio.create_task(task)
            self._tasks.add(kept)
            kept.add_done_callback(self._tasks.discard)
        return worker

    @staticmethod
    async def _listen(worker: Worker) -> None:
        assert worker.process.stdout is not None
        while line := await worker.process.stdout.readline():
            worker.lines.append(line.decode("utf-8", "replace").rstrip())

    async def _watch(self, worker: Worker) -> None:
        """Wait until the worker answers, then until nobody asks it any more, or it has died."""
        begun = time.monotonic()
        while worker.process.returncode is None and worker.state == "starting":
            if await self._is_healthy(worker):
                worker.state, worker.used = "ready", time.monotonic()
            elif time.monotonic() - begun > PATIENCE:
                break
            await asyncio.sleep(PAUSE)
        while worker.process.returncode is None and worker.state == "ready" and time.monotonic() - worker.used < IDLE:
            await asyncio.sleep(PAUSE)
        if worker.process.returncode is None:
            await end_process(worker.process)
            worker.faults = [] if worker.state == "ready" else [Fault(None, "\n".join(worker.lines))]
        else:
            said = "\n".join(worker.lines)
            at = said.find("{")
            worker.faults = read_answer(
                said[at:].encode() if at >= 0 else b"", worker.process.returncode, worker.lines
            )[1]
        worker.state = "failed"

    async def _is_healthy(self, worker: Worker) -> bool:
        try:
            answer = await self._client.get(f"http://{HERE}:{worker.port}/health", headers=_sign(worker))
        except httpx2.HTTPError:
            return False
        return answer.status_code == 200

    async def _end(self) -> None:
        worker, self.worker = self.worker, None
        if worker is not None:
            await end_process(worker.process)
            self.note.unlink(missing_ok=True)

    def _end_left_over(self) -> None:
        """End the worker of a server that was killed."""
        try:
            note = WorkerNote.model_validate_json(self.note.read_bytes())
        except (OSError, ValidationError):
            return
        process = find_process(note.pid, note.created)
        if process is not None:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        self.note.unlink(missing_ok=True)


def _sign(worker: Worker) -> dict[str, str]:
    return {"Authorization": f"Bearer {worker.token}"}


async def end_process(process: asyncio.subprocess.Process, patience: float = 5.0) -> None:
    """Ask a process to end, then end it."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), patience)
    except asyncio.TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
