"""An answer under way: the token just said, in; what its listener may hear, out.

In: a `Ticket`, which is a question and who listens. Tokens come one by one with their logits.

    row = Row(Ticket(question, print, deadline), tokenizer, speller)
    piece = row.say(token, logits_V, ends={2})
    row.ticket.tell(piece)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from tuneproof.serve.question import Finish, Piece, Question, Scored, Usage
from tuneproof.serve.sampler import Sampler, score_token
from tuneproof.serve.transcript import Speller, Transcript

Listener = Callable[[Piece], None]
SILENCE = Piece()


class Ticket:
    """A question that was asked."""

    def __init__(self, question: Question, listen: Listener, deadline: float) -> None:
        self.question = question
        self.listen = listen
        self.deadline = deadline
        """By the monotonic clock, in seconds."""
        self.cancelled = False

    def cancel(self) -> None:
        """Nobody waits for the answer any more: it ends with its next token, and nothing is said."""
        self.cancelled = True

    def over(self, now: float) -> bool:
        """Whether nobody waits for it, or its time is up."""
        return self.cancelled or now > self.deadline

    def tell(self, piece: Piece) -> None:
        """Hand a piece to who listens, while someone does, unless it says nothing."""
        if not self.cancelled and piece != SILENCE:
            self.listen(piece)


class Row:
    """One answer."""

    def __init__(self, ticket: Ticket, tokenizer: Any, speller: Speller) -> None:
        self.ticket = ticket
        self.sampler = Sampler(ticket.question)
        self.newest = 0
        """The last token that was said."""
        self._tokens = 0
        self._transcript = Transcript(tokenizer, ticket.question.stops)
        self._speller = speller
        self._scored: list[Scored] = []
        self._told = 0
        """Scores that have been sent."""

    def say(self, token: int, logits_V: Tensor, ends: set[int]) -> Piece:
        """Add a token to the answer, unless it ends it. What can be told now: maybe nothing, maybe the last of it."""
        question = self.ticket.question
        finish: Finish | None = "stop" if token in ends else None
        text = ""
        if finish is None:
            self.newest = token
            self._tokens += 1
            if question.likely is not None:
                self._scored.append(score_token(logits_V, token, question.likely, self._speller))
            text = self._transcript.add(token)
            if self._transcript.stopped:
                finish = "stop"
            elif self._tokens >= question.limit:
                finish = "length"
        if finish:
            text += self._transcript.close()
        return self._piece(text, finish)

    def _piece(self, text: str, finish: Finish | None) -> Piece:
        # A token is told with the text that it begins; those of a stop string never are.
        whole = finish is not None and not self._transcript.stopped
        settled = len(self._scored) if whole else min(self._transcript.settled, len(self._scored))
        scored = tuple(self._scored[self._told : settled])
        self._told = max(self._told, settled)
        usage = Usage(len(self.ticket.question.prompt), self._tokens) if finish else None
        return Piece(text, scored, finish, usage)
