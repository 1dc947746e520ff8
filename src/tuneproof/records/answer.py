"""An answer to a question that no run has seen: what `tuneproof answer` writes, an object a line."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

ArmName = Literal["tuned", "base"]


class Reply(BaseModel):
    """The answer to one question of the user's file."""

    id: str
    """As in `data/test.jsonl` where the file is one that a run has read: hash of file name and text."""
    line: int
    """1-based line in the file; in a JSON array or a table the record's number."""
    prompt: str
    """The question: all turns before the answer but the system prompt."""
    answer: str
    tokens: int
    finish: Literal["end", "length", "loop"]
    """`end`: the model ended its answer; `length`: it was cut at the limit of new tokens."""
