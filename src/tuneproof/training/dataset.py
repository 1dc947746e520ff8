"""Rows as the trainer sees them: token ids, the loss mask, and the proof that the mask is right.

In: rows and a tokenizer. Out: a `RowSet`. Refused before step one: rows of which nothing would be trained.

    rows = encode_rows(tokenizer, train_rows)
    pieces = explain_mask(tokenizer, rows.encoded[0])
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from torch.utils.data import Dataset

from tuneproof.errors import TrainingError
from tuneproof.model.chat import Encoded
from tuneproof.model.encoding import encode_all
from tuneproof.model.step import count_trained
from tuneproof.records import Row


class RowSet(Dataset[tuple[int, Encoded]]):
    """Encoded rows; an item is (index, encoded), so that an error can name its rows."""

    def __init__(self, rows: Sequence[Row], encoded: Sequence[Encoded]) -> None:
        self.rows = rows
        self.encoded = encoded

    def __len__(self) -> int:
        return len(self.encoded)

    def __getitem__(self, index: int) -> tuple[int, Encoded]:
        return index, self.encoded[index]

    @property
    def tokens(self) -> int:
        """All tokens of one pass."""
        return sum(len(row.ids) for row in self.encoded)

    @property
    def trained_tokens(self) -> int:
        """Trained tokens of one pass."""
        return count_trained(self.encoded)

    @property
    def digest(self) -> str:
        """Hash of all ids and masks in their order, and of which rows are softened: what is trained on."""
        told = hashlib.sha256()
        for row in self.encoded:
            told.update(f"{row.ids}{[at for at, trained in enumerate(row.mask) if trained]}".encode())
            if row.likely is not None:
                told.update(b"likely")
        return told.hexdigest()[:16]

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(len(row.ids) for row in self.encoded)


def encode_rows(tokenizer: Any, rows: Sequence[Row], on_progress: Callable[[int], None] | None = None) -> RowSet:
    """Encode every row. Raises TrainingError, naming the row, when a row has no trained token, or there is no row."""
    if not rows:
        raise TrainingError("train.no_rows")
    encoded = []
    made = encode_all(tokenizer, (row.messages for row in rows))
    for done, (row, one) in enumerate(zip(rows, made, strict=True), start=1):
        if count_trained([one]) == 0:
            raise TrainingError("train.nothing_trained", where=f"{row.file}:{row.line}")
        encoded.append(one)
        if on_progress and done % 100 == 0:
            on_progress(done)
    return RowSet(rows, encoded)


def explain_mask(tokenizer: Any, row: Encoded) -> list[tuple[str, bool]]:
    """A row as (text, trained) pieces, in order: what a person must see to believe the mask."""
    pieces: list[tuple[str, bool]] = []
    start = 0
    for at in range(1, len(row.ids) + 1):
        if at == len(row.ids) or row.mask[at] != row.mask[start]:
            pieces.append((tokenizer.decode(row.ids[start:at]), row.mask[start]))
            start = at
    return pieces
