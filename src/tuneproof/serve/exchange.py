"""One question over HTTP: pieces from the engine's thread, in the event loop of the server, until its client goes.

In: a question. Out: its pieces, as they come. However the exchange ends, it is closed, and the engine does not go on.

    exchange = Exchange(served.engine, question)
    exchange.ask()
    try:
        async for piece in exchange.pieces():
            ...
    finally:
        exchange.close()
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from tuneproof.serve.engine import Busy, Closed, Engine
from tuneproof.serve.faults import Fault
from tuneproof.serve.question import Piece, Question, Usage
from tuneproof.serve.row import Ticket

RETRY_SECONDS = 2
"""When a client that found the queue full may ask again."""
FAULTS = {
    "timeout": (504, "The answer took too long."),
    "failed": (500, "The model failed on this request; the server's log says why."),
    "closed": (503, "The server is shutting down."),
}


class Exchange:
    """A question that is being answered."""

    def __init__(self, engine: Engine, question: Question) -> None:
        self.engine = engine
        self.question = question
        self.started = time.monotonic()
        self.first: float | None = None
        """Seconds to the first text."""
        self.end = "gone"
        """How it ended: `stop`, `length`, a fault of the engine's, or `gone`: its client went."""
        self.usage: Usage | None = None
        self._pieces: asyncio.Queue[Piece] = asyncio.Queue()
        self._ticket: Ticket | None = None

    def ask(self) -> None:
        """Put it to the engine. Raises Fault (429, 503) where it takes no more."""
        loop = asyncio.get_running_loop()

        def listen(piece: Piece) -> None:
            try:
                loop.call_soon_threadsafe(self._pieces.put_nowait, piece)
            except RuntimeError:
                # The loop is closed: nobody is left to hear it.
                return

        try:
            self._ticket = self.engine.ask(self.question, listen)
        except Busy:
            raise Fault(
                429,
                "Too many requests are waiting; try again.",
                code="queue_full",
                headers={"retry-after": str(RETRY_SECONDS)},
            ) from None
        except Closed:
            raise refuse("closed") from None

    def close(self) -> None:
        """Nobody waits for it any more."""
        if self._ticket is not None:
            self._ticket.cancel()

    async def pieces(self) -> AsyncIterator[Piece]:
        """The answer, piece by piece. Raises Fault where it fails."""
        while True:
            piece = await self._pieces.get()
            if piece.text and self.first is None:
                self.first = time.monotonic() - self.started
            if piece.fault is not None:
                self.end = piece.fault
                raise refuse(piece.fault)
            if piece.finish is not None:
                self.end, self.usage = piece.finish, piece.usage
            yield piece
            if piece.last:
                return

    @property
    def seconds(self) -> float:
        """Since it was asked."""
        return time.monotonic() - self.started


def refuse(fault: str) -> Fault:
    """The response for an answer that there is not."""
    status, message = FAULTS[fault]
    return Fault(status, message, code=fault)
