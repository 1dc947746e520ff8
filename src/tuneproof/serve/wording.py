"""Pieces of an answer -> JSON as OpenAI's clients read it: one body, or one event a piece.

A stream has hundreds of events with the same fields around a few letters, so these are written once.

    wording = Wording("chatcmpl-1", request, fingerprint="tuneproof-0.1.0")
    wording.begin(); wording.tell(piece); wording.end()
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from tuneproof.serve.question import Piece, Scored, Usage
from tuneproof.serve.schema import ChatRequest


class Wording:
    """How one answer is told."""

    def __init__(self, name: str, request: ChatRequest, fingerprint: str) -> None:
        self.head = {
            "id": name,
            "object": "chat.completion.chunk" if request.stream else "chat.completion",
            "created": int(time.time()),
            "model": request.model,
            "system_fingerprint": fingerprint,
        }
        self.scored = request.likely is not None
        self.counted = bool(request.stream_options and request.stream_options.include_usage)

    def complete(self, pieces: Sequence[Piece]) -> str:
        """The body of an answer that was waited for."""
        last = pieces[-1]
        assert last.usage is not None
        message = {"role": "assistant", "content": "".join(piece.text for piece in pieces), "refusal": None}
        scored = [one for piece in pieces for one in piece.scored]
        choice = {"index": 0, "message": message, "logprobs": self._score(scored), "finish_reason": last.finish}
        return json.dumps({**self.head, "choices": [choice], "usage": tell_usage(last.usage)}, ensure_ascii=False)

    def begin(self) -> str:
        """The first event: who speaks."""
        return self._event(choices=[self._choice({"role": "assistant", "content": ""}, None, None)])

    def tell(self, piece: Piece) -> Iterator[str]:
        """Events for what is new; the last piece brings the ending, and the counts where they are wanted."""
        if piece.text or piece.scored:
            yield self._event(choices=[self._choice({"content": piece.text}, piece.scored, None)])
        if piece.finish is not None:
            yield self._event(choices=[self._choice({}, None, piece.finish)])
        if piece.usage is not None and self.counted:
            yield self._event(choices=[], usage=tell_usage(piece.usage))

    def fail(self, body: dict[str, Any]) -> str:
        """An event in place of the rest."""
        return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"

    def end(self) -> str:
        """The last event."""
        return "data: [DONE]\n\n"

    def _event(self, **fields: Any) -> str:
        if self.counted:
            fields.setdefault("usage", None)
        return f"data: {json.dumps({**self.head, **fields}, ensure_ascii=False)}\n\n"

    def _choice(self, delta: dict[str, str], scored: Sequence[Scored] | None, finish: str | None) -> dict[str, Any]:
        return {"index": 0, "delta": delta, "logprobs": self._score(scored), "finish_reason": finish}

    def _score(self, scored: Sequence[Scored] | None) -> dict[str, Any] | None:
        if not self.scored or scored is None:
            return None
        content = [
            {
                **tell_token(one.spelling, one.logprob),
                "top_logprobs": [tell_token(spelling, logprob) for spelling, logprob in one.likeliest],
            }
            for one in scored
        ]
        return {"content": content, "refusal": None}


def tell_usage(usage: Usage) -> dict[str, int]:
    """Counts by OpenAI's names."""
    total = usage.prompt + usage.answer
    return {"prompt_tokens": usage.prompt, "completion_tokens": usage.answer, "total_tokens": total}


def tell_token(spelling: bytes, logprob: float) -> dict[str, Any]:
    """A token; bytes that are no character stand as `\\xe4`, as OpenAI writes them."""
    # JSON has no infinity; -9999 is OpenAI's own word for "as good as impossible".
    token = spelling.decode("utf-8", errors="backslashreplace")
    return {"token": token, "logprob": max(logprob, -9999.0), "bytes": list(spelling)}
