"""A text file seen through a window that moves forward: what is behind is forgotten, what is ahead read when asked for.

In: a file of any size. Out: the part of its text that is looked at, and where in the file (line, column) that part is.
It holds about two pieces of a megabyte, and more only while one record is longer than that.

    window = Window(read_pieces(path, None))
    at = window.skip_space(0)
    at = window.forget(at)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneproof.data.decode import DAMAGE, LONGEST_LINE, SAMPLE_BYTES

SPACE = re.compile(r"[ \t\r\n]*")
"""White space as JSON has it."""


class Window:
    """The text from somewhere in a file on; `text` grows at its end and is cut at its beginning."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self.pieces = pieces
        self.text = ""
        self.ended = False
        self.damage: Exception | None = None
        """What stopped the reading before the end of the file."""
        self._lines = 0
        self._columns = 0

    def grow(self) -> bool:
        """Read on, about as much again as is held; False at the end of the file."""
        held, parts, wanted = len(self.text), [self.text], max(SAMPLE_BYTES, len(self.text))
        try:
            while not self.ended and sum(map(len, parts)) < held + wanted:
                part = next(self.pieces, None)
                self.ended = part is None
                parts.append(part or "")
        except DAMAGE as error:
            self.damage, self.ended = error, True
        self.text = "".join(parts)
        return len(self.text) > held

    def forget(self, at: int) -> int:
        """Let go of the text before `at`, where that is worth it; the place of `at` from then on."""
        if at < SAMPLE_BYTES:
            return at
        end = self.text.rfind("\n", 0, at)
        self._columns = at - end - 1 if end >= 0 else self._columns + at
        self._lines += self.text.count("\n", 0, at)
        self.text = self.text[at:]
        return 0

    def find_place(self, at: int) -> tuple[int, int]:
        """Line and column in the file, both from 1."""
        end = self.text.rfind("\n", 0, at)
        column = at - end if end >= 0 else self._columns + at + 1
        return self._lines + self.text.count("\n", 0, at) + 1, column

    def skip_space(self, at: int) -> int:
        """The next place that is no white space, or the end of the text."""
        while True:
            match = SPACE.match(self.text, at)
            at = match.end() if match else at
            if at < len(self.text) or not self.grow():
                return at

    def peek(self, at: int) -> str:
        """The sign at `at`, "" at the end of the file."""
        while at >= len(self.text) and self.grow():
            pass
        return self.text[at : at + 1]

    def search(self, pattern: re.Pattern[str], at: int, reach: int) -> re.Match[str] | None:
        """The next match from `at` on, as far ahead as a record may be long.

        `reach`: characters that a match may have at most, what it looks ahead at among them.
        """
        start = at
        while True:
            match = pattern.search(self.text, at)
            if self.ended or (match and match.end() < len(self.text) - reach):
                return match
            if len(self.text) - start > LONGEST_LINE:
                return match
            at = match.start() if match else max(at, len(self.text) - reach)
            self.grow()
