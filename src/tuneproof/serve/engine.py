"""One thread that owns the model. Questions wait in a bounded queue; answers grow side by side, whoever asked.

Each turn of the thread: drop what nobody waits for any more; read the next prompts, a bounded number of tokens, so that
answers under way never stand still for long; then one token of every answer. A row joins when it comes and leaves when
it ends (`model/slots`), each with its own adapter and scale (`model/mixture`).

In: a `Question`, and a function that is called with each `Piece`, from the engine's thread. Out: a `Ticket`, to cancel.

    with Engine(model, tokenizer, mixture, open_slots(model, tokens=65_536), Limits()) as engine:
        ticket = engine.ask(question, print)
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import torch
from transformers import DynamicCache

from tuneproof.model.batch import read_prompt
from tuneproof.model.cache import open_cache
from tuneproof.model.chat import end_ids
from tuneproof.model.mixture import Mixture
from tuneproof.model.slots import Rows
from tuneproof.serve.question import Piece, Question
from tuneproof.serve.row import Listener, Row, Ticket
from tuneproof.serve.sampler import pick_tokens
from tuneproof.serve.transcript import Speller

Result = TypeVar("Result")


class Limits(NamedTuple):
    """What the engine takes on."""

    rows: int = 32
    """Answers side by side."""
    queue: int = 64
    """Questions that wait beside them."""
    seconds: float = 600.0
    """From asking to the last token."""
    prompt_tokens: int = 512
    """Prompt tokens read between two tokens of the answers under way: what these wait for at most."""


class Busy(Exception):
    """The queue is full."""


class Closed(Exception):
    """The engine takes no questions any more."""


class Reading(NamedTuple):
    """A prompt that is being read."""

    row: Row
    cache: DynamicCache
    done: int


class Engine:
    """Answers questions, one thread for all of them."""

    def __init__(self, model: Any, tokenizer: Any, mixture: Mixture, rows: Rows, limits: Limits) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.mixture = mixture
        self.limits = limits._replace(rows=min(limits.rows, rows.limit or limits.rows))
        self.speller = Speller(tokenizer)
        self.ends = set(end_ids(tokenizer, model.generation_config))
        self.waiting: deque[Ticket] = deque()
        self.failures = 0
        """Turns that ended in an error, since the start."""
        self._jobs: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._slots = rows
        self._active: list[Row] = []
        self._reading: Reading | None = None
        self._gate = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="tuneproof-engine", daemon=True)

    def __enter__(self) -> Engine:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def running(self) -> int:
        """Answers under way."""
        return len(self._active) + (self._reading is not None)

    @property
    def alive(self) -> bool:
        """Whether questions are answered."""
        return self._thread.is_alive() and not self._closing

    def ask(self, question: Question, listen: Listener) -> Ticket:
        """Put a question into the queue. Raises Busy when it is full, Closed after `close`."""
        ticket = Ticket(question, listen, time.monotonic() + self.limits.seconds)
        with self._gate:
            if self._closing or not self._thread.is_alive():
                raise Closed
            self._drop_cancelled()
            free = self.limits.rows - self.running
            if len(self.waiting) >= self.limits.queue + max(free, 0):
                raise Busy
            self.waiting.append(ticket)
            self._gate.notify()
        return ticket

    def run(self, job: Callable[[], Result]) -> Future[Result]:
        """Do something with the model between two turns, in the engine's thread. Raises Closed after `close`."""
        future: Future[Result] = Future()
        with self._gate:
            if not self.alive:
                raise Closed
            self._jobs.append((job, future))
            self._gate.notify()
        return future

    def close(self) -> None:
        """Stop the thread; who still waits is told."""
        with self._gate:
            self._closing = True
            self._gate.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _drop_cancelled(self) -> None:
        if any(ticket.cancelled for ticket in self.waiting):
            self.waiting = deque(ticket for ticket in self.waiting if not ticket.cancelled)

    @torch.inference_mode()
    def _work(self) -> None:
        while self._wait():
            try:
                self._turn()
            except Exception:
                # A fault of one turn (memory, a number) must not end the service: its answers fail, the next go on.
                self.failures += 1
                traceback.print_exc()
                self._fail_all("failed")
        self._fail_all("closed")

    def _wait(self) -> bool:
        """Wait for something to do; False when it is over."""
        with self._gate:
            self._gate.wait_for(lambda: self._closing or self.waiting or self._active or self._reading or self._jobs)
            return not self._closing

    def _turn(self) -> None:
        self._leave_unwanted()
        if self._jobs:
            # One a turn: answers under way go on between them.
            job, future = self._jobs.popleft()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(job())
                except Exception as error:
                    future.set_exception(error)
        budget = self.limits.prompt_tokens
        while budget > 0 and (self._reading or self._admit()):
            budget -= self._read_some(budget)
        if self._active:
            self._speak()

    def _leave_unwanted(self) -> None:
        """Drop answers that nobody waits for, and those that took too long."""
        now = time.monotonic()
        with self._gate:
            late = [ticket for ticket in self.waiting if ticket.over(now)]
            self.waiting = deque(ticket for ticket in self.waiting if not ticket.over(now))
        if self._reading and self._reading.row.ticket.over(now):
            late.append(self._reading.row.ticket)
            self._reading = None
        for place in reversed(range(len(self._active))):
            if self._active[place].ticket.over(now):
                late.append(self._active[place].ticket)
                self._drop(place)
        for ticket in late:
            ticket.tell(Piece(fault="timeout"))

    def _admit(self) -> bool:
        """Take the next question, where there is room for it beside those under way."""
        with self._gate:
            if not self.waiting or len(self._active) >= self.limits.rows:
                return False
            if not self._slots.fits(self.waiting[0].question.room):
                return False
            ticket = self.waiting.popleft()
        self._reading = Reading(Row(ticket, self.tokenizer, self.speller), open_cache(self.model.config), 0)
        return True

    def _read_some(self, budget: int) -> int:
        """Read up to `budget` tokens of the prompt at hand; how many they were. Its answer begins when it is read."""
        assert self._reading is not None
        row, cache, done = self._reading
        question = row.ticket.question
        part = question.prompt[done : done + budget]
        self.mixture.use([question.scales])
        try:
            logits_1V = read_prompt(self.model, cache, part, done)
            done += len(part)
            if done < len(question.prompt):
                self._reading = Reading(row, cache, done)
                return len(part)
            self._reading = None
            (token,) = pick_tokens(logits_1V, [row.sampler])
            piece = row.say(token, logits_1V[0], self.ends)
            if not piece.last:
                self._slots.join(cache, length=done, room=question.room)
                self._active.append(row)
            row.ticket.tell(piece)
        except (RuntimeError, FloatingPointError):
            # Memory, mostly: only this answer fails.
            self._reading = None
            self.failures += 1
            traceback.print_exc()
            row.ticket.tell(Piece(fault="failed"))
        return len(part)

    def _speak(self) -> None:
        """One more token of every answer."""
        rows = list(self._active)
        self.mixture.use([row.ticket.question.scales for row in rows])
        logits_BV = self._slots.read(self.model, [row.newest for row in rows])
        picked = pick_tokens(logits_BV, [row.sampler for row in rows])
        pieces = [row.say(picked[place], logits_BV[place], self.ends) for place, row in enumerate(rows)]
        for place in reversed(range(len(rows))):
            if pieces[place].last:
                self._drop(place)
        # Told after the ended rows are out: who has heard the end finds its room free.
        for row, piece in zip(rows, pieces, strict=True):
            row.ticket.tell(piece)

    def _drop(self, place: int) -> None:
        """Take a row out; the last one takes its place, here as in the cache."""
        self._slots.leave(place)
        last = self._active.pop()
        if place < len(self._active):
            self._active[place] = last

    def _fail_all(self, fault: str) -> None:
        """Tell all whose answers are under way, and with `closed` those that wait, that there will be none."""
        failed = [row.ticket for row in self._active] + ([self._reading.row.ticket] if self._reading else [])
        self._active.clear()
        self._slots.clear()
        self._reading = None
        if fault == "closed":
            with self._gate:
                failed += self.waiting
                self.waiting.clear()
            for _, future in self._jobs:
                future.cancel()
        for ticket in failed:
            ticket.tell(Piece(fault=fault))
