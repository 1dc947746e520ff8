"""Plain text -> records: a question a line. Only for files that are to be answered: nothing can be learnt from them.

Out: a `Record` with the line as its instruction for each line that is not blank, a finding for one that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tuneproof.data.decode import UNDECODED, guess_encoding, read_lines
from tuneproof.data.parse import Record, name_undecoded
from tuneproof.records import Finding


def read_plain(path: Path, encoding: str | None) -> Iterator[Record | Finding]:
    """Records and findings of a text file."""
    for item in read_lines(path, encoding):
        if isinstance(item, Finding):
            yield item
            continue
        number, line = item
        if UNDECODED.search(line):
            yield name_undecoded(path, number, guess_encoding(path, line, encoding), encoding)
        elif line.strip():
            yield Record(number, {"instruction": line})
