"""Rows tokenised once in a process, however often they are asked for: by the check, the plan, limits, replay, training.

A row's ids and mask depend on its messages, the tokenizer and its template, and on nothing else: the hash of all of
them is the key. What is kept is compact (five bytes a token) and bounded; beyond the bound rows are encoded anew.
Nothing of it is written to disk, since it would be a copy of the user's data.

    sizes = measure_rows(tokenizer, [row.messages for row in rows])
    encoded = list(encode_all(tokenizer, [row.messages for row in rows]))
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from tuneproof.model.chat import Encoded, encode_rows
from tuneproof.model.load import fingerprint_template
from tuneproof.model.step import count_trained
from tuneproof.records import Message

BOUND = 128 << 20
"""Bytes that are kept: about 100,000 rows of 200 tokens."""
OVERHEAD = 150
"""Bytes of a kept row beside its tokens, about."""
TOGETHER, LETTERS = 256, 1_000_000
"""Rows that the tokenizer gets at once, and characters of them (it takes about 120 bytes a token); a longer row goes
alone."""


class EncodedRows:
    """Encoded rows by their content."""

    def __init__(self, bound: int = BOUND) -> None:
        self.bound = bound
        self.size = 0
        self.rows: dict[bytes, bytes] = {}
        self._tokenizers: WeakKeyDictionary[Any, bytes] = WeakKeyDictionary()

    def encode(self, tokenizer: Any, conversations: Sequence[Sequence[Message]]) -> list[Encoded]:
        """`encode_rows`, but for those that were encoded before. Raises ModelError as it does."""
        if tokenizer not in self._tokenizers:
            self._tokenizers[tokenizer] = fingerprint_template(tokenizer).encode()
        keys = [self._name(tokenizer, messages) for messages in conversations]
        found = {key: unpack_row(self.rows[key]) for key in keys if key in self.rows}
        missing = {key: messages for key, messages in zip(keys, conversations, strict=True) if key not in found}
        for key, encoded in zip(missing, encode_rows(tokenizer, list(missing.values())), strict=True):
            found[key] = encoded
            packed = pack_row(encoded)
            if self.size + len(packed) + OVERHEAD <= self.bound:
                self.rows[key] = packed
                self.size += len(packed) + OVERHEAD
        return [found[key] for key in keys]

    def _name(self, tokenizer: Any, messages: Sequence[Message]) -> bytes:
        """The key of a conversation."""
        told = hashlib.blake2b(self._tokenizers[tokenizer], digest_size=16)
        told.update(str(tokenizer.chat_template).encode())
        for message in messages:
            told.update(b"\0" + message.model_dump_json().encode())
        return told.digest()


KEPT = EncodedRows()
"""Those of this process."""


def encode_all(tokenizer: Any, conversations: Iterable[Sequence[Message]]) -> Iterator[Encoded]:
    """Each conversation encoded, in their order. Raises ModelError as `encode_row` does."""
    some: list[Sequence[Message]] = []
    letters = 0
    for messages in conversations:
        size = sum(len(message.content) for message in messages)
        if some and (len(some) == TOGETHER or letters + size > LETTERS):
            yield from KEPT.encode(tokenizer, some)
            some, letters = [], 0
        some.append(messages)
        letters += size
    yield from KEPT.encode(tokenizer, some)


def measure_rows(tokenizer: Any, conversations: Iterable[Sequence[Message]]) -> Iterator[tuple[int, int]]:
    """(tokens, trained tokens) of each conversation."""
    return ((len(row.ids), count_trained([row])) for row in encode_all(tokenizer, conversations))


def pack_row(encoded: Encoded) -> bytes:
    """Four bytes an id, then one a mask."""
    return array("i", encoded.ids).tobytes() + bytes(encoded.mask)


def unpack_row(packed: bytes) -> Encoded:
    """The row that `pack_row` packed."""
    ids = array("i")
    length = len(packed) // (ids.itemsize + 1)
    ids.frombytes(packed[: -length or None])
    return Encoded(ids.tolist(), [bool(one) for one in packed[len(packed) - length :]])
