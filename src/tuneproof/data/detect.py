"""What a file is by its first bytes: for what comes without a name, and for files that bear a wrong one.

detect_ending(b'{"question": "q", "answer": "a"}\\n', None)  # ".jsonl"
"""

from __future__ import annotations

import zlib
from pathlib import Path

from tuneproof.data.decode import choose_codec, file_kind, find_wide_encoding, read_sample
from tuneproof.data.layout import holds_lines

MAGIC = (
    (b"\x1f\x8b", ".gz", "gzip"),
    (b"PK\x03\x04", ".xlsx", "Excel or ZIP"),
    (b"PAR1", ".parquet", "Parquet"),
    (b"\xd0\xcf\x11\xe0", "", "Excel 97 (.xls)"),
    (b"ARROW1", "", "Arrow"),
    (b"BZh", "", "bzip2"),
    (b"\xfd7zXZ", "", "xz"),
    (b"\x28\xb5\x2f\xfd", "", "Zstandard"),
    (b"SQLite format 3", "", "SQLite"),
    (b"%PDF-", "", "PDF"),
)
"""First bytes, the ending that we read such a file by ("" where we do not), and what people call it."""


def find_disguise(path: Path) -> str | None:
    """What the file is, where that is not what its ending says; None where they agree or nothing is known."""
    head, kind = read_sample(path)[:16], file_kind(path)
    for magic, ending, name in MAGIC:
        if head.startswith(magic):
            return None if ending == kind else name
    return "text" if head and kind in (".parquet", ".xlsx") else None


def detect_ending(head: bytes, encoding: str | None) -> str:
    """The ending that a file which begins with `head` would have. Text that is no JSON is a table."""
    if head.startswith(b"\x1f\x8b"):
        return detect_ending(unpack_start(head), encoding) + ".gz"
    for magic, ending, _ in MAGIC:
        if head.startswith(magic) and ending:
            return ending
    codec, errors = choose_codec(encoding or find_wide_encoding(head))
    text = head.decode(codec, errors).lstrip("\ufeff \t\r\n")
    if text[:1] == "[":
        return ".json"
    if text[:1] == "{":
        return ".jsonl" if "\n" not in text.strip() or holds_lines(text) else ".json"
    return ".tsv" if "\t" in text.partition("\n")[0] else ".csv"


def unpack_start(head: bytes) -> bytes:
    """What the beginning of a gzip file unpacks to; nothing where it is damaged."""
    try:
        return zlib.decompressobj(wbits=31).decompress(head)
    except zlib.error:
        return b""
